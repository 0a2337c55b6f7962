package workspace

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/labctl/labctl/scenarios/lab"
)

// MaxFiles is how many bytes of content Files and WorktreeFiles return at most.
const MaxFiles = 512 << 20

// lfsPointer begins the file that git-lfs commits in place of a large one.
var lfsPointer = []byte("version https://git-lfs.github.com/spec/")

// Files reads the raw content of a commit's files, sorted by path: what a
// checkout without filters would put on disk. It returns a *Refused for
// submodules and Git LFS, whose content the repository does not hold, and for
// commits larger than MaxFiles.
func (r *Repo) Files(ctx context.Context, commit string) ([]lab.File, error) {
	g, err := r.git()
	if err != nil {
		return nil, err
	}
	files, err := g.files(ctx, commit)
	if err != nil {
		return nil, fmt.Errorf("reading the files of commit %.12s: %w", commit, err)
	}
	return files, nil
}

func (g git) files(ctx context.Context, commit string) ([]lab.File, error) {
	entries, err := g.tree(ctx, commit)
	if err != nil {
		return nil, err
	}
	o, err := g.objects(ctx)
	if err != nil {
		return nil, err
	}
	defer o.close()
	files := make([]lab.File, 0, len(entries))
	left := int64(MaxFiles)
	for _, e := range entries {
		if e.mode == modeSubmodule {
			return nil, &Refused{Path: e.path, Reason: "is a submodule: its content is not in this repository; commit the files themselves"}
		}
		content, err := o.read(e.id, "blob", left)
		if errors.Is(err, errTooLarge) {
			return nil, tooMuch(e.path)
		}
		if err != nil {
			return nil, fmt.Errorf("%q: %w", e.path, err)
		}
		left -= int64(len(content))
		file := lab.File{Path: e.path}
		if e.mode == modeLink {
			if len(content) == 0 {
				return nil, &Refused{Path: e.path, Reason: "is a link to nothing: remove it"}
			}
			file.Link = string(content)
			files = append(files, file)
			continue
		}
		if bytes.HasPrefix(content, lfsPointer) {
			return nil, &Refused{Path: e.path, Reason: "is kept by Git LFS: its content is not in this repository; commit the file itself"}
		}
		file.Content, file.Executable = content, e.mode == modeExecutable
		files = append(files, file)
	}
	return files, nil
}

// WorktreeFiles reads the work tree as it is on disk, everything but .git,
// sorted by path: what a build of it would get. Links are kept, never
// followed. It returns a *Refused for what is neither file, folder nor link,
// and for work trees larger than MaxFiles.
func (r *Repo) WorktreeFiles(ctx context.Context) ([]lab.File, error) {
	found, err := walk(ctx, r.root)
	if err != nil {
		return nil, fmt.Errorf("reading the files in %q: %w", r.root, err)
	}
	files := make([]lab.File, 0, len(found))
	left := int64(MaxFiles)
	for _, f := range found {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("reading the files in %q: %w", r.root, context.Cause(ctx))
		}
		file := lab.File{Path: f.path}
		switch f.mode.Type() {
		case fs.ModeSymlink:
			if file.Link, err = os.Readlink(f.onDisk); err != nil {
				return nil, fmt.Errorf("reading the files in %q: %w", r.root, err)
			}
		case 0:
			if file.Content, err = readRegular(f.onDisk, left); err != nil {
				if errors.Is(err, errTooLarge) {
					return nil, tooMuch(f.path)
				}
				return nil, fmt.Errorf("reading the files in %q: %w", r.root, err)
			}
			file.Executable = f.mode&0o100 != 0
		default:
			return nil, &Refused{Path: f.path, Reason: "is neither a file, a folder nor a link: remove it"}
		}
		left -= int64(len(file.Content))
		files = append(files, file)
	}
	return files, nil
}

func tooMuch(path string) error {
	return &Refused{Path: path, Reason: fmt.Sprintf("brings the files to more than %d MiB, too many for a lab: take large files out", MaxFiles>>20)}
}
