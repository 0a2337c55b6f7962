package workspace

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/labctl/labctl/scenarios/evidence"
)

// Repo reads a workspace. It holds nothing open and may be used by several
// goroutines at once.
type Repo struct{ root string }

// Open names the repository whose work tree is the folder root. Nothing of it
// is read until a method asks.
func Open(root string) *Repo {
	if real, err := filepath.EvalSymlinks(root); err == nil {
		root = real // whoever walks a link finds nothing below it
	}
	return &Repo{root: root}
}

// git finds the repository.
func (r *Repo) git() (git, error) {
	if _, err := os.Stat(r.root); errors.Is(err, os.ErrNotExist) {
		return git{}, fmt.Errorf("there is no workspace at %q: if it was moved, call labctl from inside it; if it was deleted, labctl start makes it anew: %w", r.root, err)
	}
	dir, _, err := gitDirs(r.root)
	if err != nil {
		return git{}, err
	}
	return git{dir: dir, root: r.root}, nil
}

// commit is what of a commit matters here.
type commit struct {
	id, tree, subject string
}

// Head reads the last commit, its files, and what the work tree has besides.
// The differences are of raw content, executable bit and link target: filters
// and line-ending conversion, which the repository's configuration may set,
// are left out on purpose, since a build sees raw files too. Errors wrap
// ErrNoGit, ErrNotRepository, ErrNoCommit, ErrDamaged or are a *Refused.
func (r *Repo) Head(ctx context.Context) (evidence.Head, error) {
	g, err := r.git()
	if err != nil {
		return evidence.Head{}, err
	}
	c, err := g.head(ctx)
	if err != nil {
		return evidence.Head{}, fmt.Errorf("reading the last commit of %q: %w", r.root, err)
	}
	branch, err := g.branch(ctx)
	if err != nil {
		return evidence.Head{}, fmt.Errorf("reading the branch of %q: %w", r.root, err)
	}
	files, err := g.hashFiles(ctx, c.id)
	if err != nil {
		return evidence.Head{}, fmt.Errorf("reading the files of commit %.12s: %w", c.id, err)
	}
	dirty, err := g.dirty(ctx, files)
	if err != nil {
		return evidence.Head{}, fmt.Errorf("comparing %q with its last commit: %w", r.root, err)
	}
	return evidence.Head{Commit: c.id, Tree: c.tree, Subject: c.subject, Branch: branch, Files: files, Dirty: dirty}, nil
}

// head resolves HEAD.
func (g git) head(ctx context.Context) (commit, error) {
	id, err := g.run(ctx, nil, "rev-parse", "--verify", "--quiet", "--end-of-options", "HEAD")
	if exitCode(err) == 1 {
		return commit{}, ErrNoCommit
	}
	if exitCode(err) > 1 {
		return commit{}, fmt.Errorf("%w (%w)", err, ErrDamaged)
	}
	if err != nil {
		return commit{}, err
	}
	o, err := g.objects(ctx)
	if err != nil {
		return commit{}, err
	}
	defer o.close()
	return o.commit(strings.TrimSpace(string(id)))
}

// maxCommit bounds a commit object: message, signature and all.
const maxCommit = 1 << 20

// commit reads a commit object.
func (o *objects) commit(id string) (commit, error) {
	data, err := o.read(id, "commit", maxCommit)
	if err != nil {
		return commit{}, err
	}
	header, message, _ := bytes.Cut(data, []byte("\n\n"))
	tree, ok := bytes.CutPrefix(header, []byte("tree "))
	if !ok {
		return commit{}, fmt.Errorf("commit %s names no tree: %w", id, ErrDamaged)
	}
	tree, _, _ = bytes.Cut(tree, []byte("\n"))
	subject, _, _ := strings.Cut(strings.TrimLeft(string(message), "\n"), "\n")
	return commit{id: id, tree: string(tree), subject: strings.ToValidUTF8(subject, "�")}, nil
}

// branch is the branch that is checked out; "" for a detached HEAD.
func (g git) branch(ctx context.Context) (string, error) {
	out, err := g.run(ctx, nil, "symbolic-ref", "--quiet", "HEAD")
	if exitCode(err) == 1 {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return strings.TrimPrefix(strings.TrimSpace(string(out)), "refs/heads/"), nil
}

// hashFiles lists a commit's files with digests and kinds of their raw content.
func (g git) hashFiles(ctx context.Context, id string) ([]evidence.RepoFile, error) {
	entries, err := g.tree(ctx, id)
	if err != nil {
		return nil, err
	}
	o, err := g.objects(ctx)
	if err != nil {
		return nil, err
	}
	defer o.close()
	files := make([]evidence.RepoFile, 0, len(entries))
	for _, e := range entries {
		file := evidence.RepoFile{Path: e.path, Mode: e.mode}
		if e.mode != modeSubmodule {
			size, content, err := o.open(e.id, "blob")
			if err != nil {
				return nil, fmt.Errorf("%q: %w", e.path, err)
			}
			sum := sha256.New()
			if file.Kind, err = evidence.KindOf(io.TeeReader(content, sum)); err != nil {
				return nil, fmt.Errorf("%q: %w", e.path, err)
			}
			file.Size, file.SHA256 = size, hex.EncodeToString(sum.Sum(nil))
			if file.Kind != evidence.KindText {
				if _, content, err = o.open(e.id, "blob"); err != nil {
					return nil, fmt.Errorf("%q: %w", e.path, err)
				}
				if file.Packed, err = evidence.PackedIn(content, file.Kind); err != nil {
					return nil, fmt.Errorf("%q: %w", e.path, err)
				}
			}
		}
		files = append(files, file)
	}
	return files, nil
}
