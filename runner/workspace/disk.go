package workspace

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"syscall"

	"github.com/labctl/labctl/scenarios/evidence"
)

// diskFile is one path of the work tree that is not a folder.
type diskFile struct {
	path   string // slash-separated, relative
	onDisk string
	mode   fs.FileMode
	size   int64
}

// walk lists what lies under root but its .git, sorted by path. Links are not
// followed.
func walk(ctx context.Context, root string) ([]diskFile, error) {
	var found []diskFile
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		switch {
		case rel == ".git" && entry.IsDir():
			return fs.SkipDir
		case rel == ".git", entry.IsDir():
			return nil
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		found = append(found, diskFile{path: filepath.ToSlash(rel), onDisk: name, mode: info.Mode(), size: info.Size()})
		return nil
	})
	sort.Slice(found, func(i, j int) bool { return found[i].path < found[j].path })
	return found, err
}

// dirty compares the files of a commit with those on disk.
func (g git) dirty(ctx context.Context, files []evidence.RepoFile) ([]evidence.Change, error) {
	found, err := walk(ctx, g.root)
	if err != nil {
		return nil, err
	}
	onDisk := make(map[string]diskFile, len(found))
	for _, f := range found {
		onDisk[f.path] = f
	}
	var changes []evidence.Change
	committed := make(map[string]bool, len(files))
	for _, file := range files {
		committed[file.Path] = true
		if file.Mode == modeSubmodule {
			continue // a folder that has a repository of its own
		}
		f, ok := onDisk[file.Path]
		if !ok {
			changes = append(changes, evidence.Change{Path: file.Path, Sign: "-"})
			continue
		}
		same, err := f.equals(ctx, file)
		if err != nil {
			return nil, err
		}
		if !same {
			changes = append(changes, evidence.Change{Path: file.Path, Sign: "~"})
		}
	}
	for _, list := range [][]string{{"--others", "--exclude-standard"}, {"--cached"}} {
		out, err := g.run(ctx, nil, append([]string{"ls-files", "-z"}, list...)...)
		if err != nil {
			return nil, err
		}
		for _, path := range fields0(out) {
			_, there := onDisk[path]
			folder := strings.HasSuffix(path, "/") // a repository inside the repository
			if (there || folder) && !committed[path] {
				committed[path] = true
				changes = append(changes, evidence.Change{Path: path, Sign: "+"})
			}
		}
	}
	sort.Slice(changes, func(i, j int) bool { return changes[i].Path < changes[j].Path })
	return changes, nil
}

// equals tells whether a path on disk is as a commit has it.
func (f diskFile) equals(ctx context.Context, file evidence.RepoFile) (bool, error) {
	if f.mode.Type() == fs.ModeSymlink {
		if file.Mode != modeLink {
			return false, nil
		}
		target, err := os.Readlink(f.onDisk)
		if err != nil {
			return false, err
		}
		sum := sha256.Sum256([]byte(target))
		return hex.EncodeToString(sum[:]) == file.SHA256, nil
	}
	executable := f.mode&0o100 != 0
	if !f.mode.IsRegular() || file.Mode == modeLink || executable != (file.Mode == modeExecutable) || f.size != file.Size {
		return false, nil
	}
	content, err := openRegular(f.onDisk)
	if err != nil {
		return false, err
	}
	defer content.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, &cancelled{ctx, content}); err != nil {
		return false, fmt.Errorf("reading %q: %w", f.onDisk, err)
	}
	return hex.EncodeToString(sum.Sum(nil)) == file.SHA256, nil
}

// openRegular opens a regular file and nothing else: a pipe put in its place
// meanwhile cannot make us wait, nor a link lead us elsewhere.
func openRegular(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%q is no longer a regular file", name)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// readRegular reads a regular file of at most that many bytes.
func readRegular(name string, most int64) ([]byte, error) {
	f, err := openRegular(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(content)) > most {
		err = errTooLarge
	}
	return content, err
}

// cancelled is a reader that ends when its context does.
type cancelled struct {
	ctx context.Context
	r   io.Reader
}

func (c *cancelled) Read(p []byte) (int, error) {
	if c.ctx.Err() != nil {
		return 0, context.Cause(c.ctx)
	}
	return c.r.Read(p)
}
