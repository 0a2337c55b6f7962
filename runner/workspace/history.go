package workspace

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Older lists commits that HEAD descends from, newest first and without HEAD,
// at most limit of them, each with files that neither HEAD nor one before it
// in the list has.
func (r *Repo) Older(ctx context.Context, limit int) ([]string, error) {
	g, err := r.git()
	if err != nil {
		return nil, err
	}
	out, err := g.run(ctx, nil, "rev-list", "--format=%H %T", "--end-of-options", "HEAD", "--")
	if err != nil {
		return nil, fmt.Errorf("reading the history of %q: %w", r.root, err)
	}
	var older []string
	trees := map[string]bool{}
	lines := strings.Split(string(out), "\n")
	for i := 1; i < len(lines) && len(older) < limit; i += 2 { // "commit ID", then the format
		id, tree, ok := strings.Cut(lines[i], " ")
		if !ok {
			return nil, fmt.Errorf("reading the history of %q: git rev-list printed %q: %w", r.root, lines[i], ErrDamaged)
		}
		if !trees[tree] && len(trees) > 0 { // the first is HEAD
			older = append(older, id)
		}
		trees[tree] = true
	}
	return older, nil
}

// Holds tells which contents are files of some commit that HEAD descends
// from, or of HEAD. A content is a SHA-256 in lower-case hex with its size in
// bytes, which saves reading everything else. Only those found are in the
// answer.
func (r *Repo) Holds(ctx context.Context, contents map[string]int64) (map[string]bool, error) {
	if len(contents) == 0 {
		return nil, nil
	}
	g, err := r.git()
	if err != nil {
		return nil, err
	}
	found, err := g.holds(ctx, contents)
	if err != nil {
		return nil, fmt.Errorf("looking for contents in the history of %q: %w", r.root, err)
	}
	return found, nil
}

func (g git) holds(ctx context.Context, contents map[string]int64) (map[string]bool, error) {
	sizes := map[int64]bool{}
	for _, size := range contents {
		sizes[size] = true
	}
	blobs, err := g.blobs(ctx, sizes)
	if err != nil {
		return nil, err
	}
	o, err := g.objects(ctx)
	if err != nil {
		return nil, err
	}
	defer o.close()
	found := map[string]bool{}
	for _, id := range blobs {
		_, content, err := o.open(id, "blob")
		if err != nil {
			return nil, err
		}
		sum := sha256.New()
		if _, err := io.Copy(sum, content); err != nil {
			return nil, err
		}
		digest := hex.EncodeToString(sum.Sum(nil))
		if _, asked := contents[digest]; asked {
			found[digest] = true
		}
	}
	return found, nil
}

// blobs lists the blobs of these sizes in the history of HEAD.
func (g git) blobs(ctx context.Context, sizes map[int64]bool) ([]string, error) {
	ids, err := g.run(ctx, nil, "rev-list", "--objects", "--no-object-names", "--end-of-options", "HEAD", "--")
	if err != nil {
		return nil, err
	}
	out, err := g.run(ctx, strings.NewReader(string(ids)), "cat-file", "--batch-check")
	if err != nil {
		return nil, err
	}
	var blobs []string
	lines := bufio.NewScanner(strings.NewReader(string(out)))
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) != 3 {
			return nil, fmt.Errorf("object %s: %w", lines.Text(), ErrDamaged)
		}
		size, err := strconv.ParseInt(fields[2], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("object %s: %w", lines.Text(), ErrDamaged)
		}
		if fields[1] == "blob" && sizes[size] {
			blobs = append(blobs, fields[0])
		}
	}
	return blobs, lines.Err()
}
