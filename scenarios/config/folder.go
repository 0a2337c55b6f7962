package config

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/labctl/labctl/scenarios/lab"
)

// folder reads a lab's folder and nothing outside it: symbolic links are
// followed only as far as they stay inside.
type folder struct{ fsys fs.FS }

// maxLinks bounds how many symbolic links one path may lead through.
const maxLinks = 16

// read returns a file's content.
func (f *folder) read(name string) ([]byte, error) {
	real, err := f.locate(name)
	if err != nil {
		return nil, err
	}
	info, err := fs.Stat(f.fsys, real)
	if err != nil {
		return nil, f.missing(name, err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", name)
	}
	content, err := fs.ReadFile(f.fsys, real)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", name, reason(err))
	}
	return content, nil
}

// locate resolves the symbolic links of a path, each of which must lead to a
// place in the folder.
func (f *folder) locate(name string) (string, error) {
	if !fs.ValidPath(name) {
		return "", fmt.Errorf("%q leaves the lab's folder or is no plain path; give one relative to the folder, like \"scenarios/friday.sh\"", name)
	}
	done, todo := ".", strings.Split(name, "/")
	for links := 0; len(todo) > 0; {
		next := path.Join(done, todo[0])
		info, err := fs.Lstat(f.fsys, next)
		if err != nil {
			return "", f.missing(name, err)
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			done, todo = next, todo[1:]
			continue
		}
		target, err := fs.ReadLink(f.fsys, next)
		if err != nil {
			return "", fmt.Errorf("%s cannot be read: %w", name, reason(err))
		}
		inside := path.Join(done, target)
		if links++; path.IsAbs(target) || !fs.ValidPath(inside) {
			return "", fmt.Errorf("%s leads out of the lab's folder, to %s; put a copy into the folder instead", name, target)
		} else if links > maxLinks {
			return "", fmt.Errorf("%s leads through too many symbolic links", name)
		}
		done, todo = ".", append(strings.Split(inside, "/"), todo[1:]...)
	}
	return done, nil
}

// missing explains why a path cannot be found, with the nearest one that can.
func (f *folder) missing(name string, err error) error {
	if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s cannot be read: %w", name, reason(err))
	}
	all, listErr := f.list(".")
	if listErr != nil {
		return fmt.Errorf("there is no %s in the lab's folder", name)
	}
	for _, file := range slices.Clone(all) {
		for dir := path.Dir(file); dir != "."; dir = path.Dir(dir) {
			all = append(all, dir)
		}
	}
	if best := nearest(name, all); best != "" {
		return fmt.Errorf("there is no %s in the lab's folder; did you mean %s?", name, best)
	}
	return fmt.Errorf("there is no %s in the lab's folder", name)
}

// reason is an error without the path, which is said already.
func reason(err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}

// list names the regular files below a folder, sorted, relative to the lab's.
// A .git folder is not part of a lab.
func (f *folder) list(dir string) ([]string, error) {
	var files []string
	err := fs.WalkDir(f.fsys, dir, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return fmt.Errorf("%s cannot be read: %w", name, reason(err))
		case d.IsDir() && d.Name() == ".git":
			return fs.SkipDir
		case !d.IsDir():
			files = append(files, name)
		}
		return nil
	})
	slices.Sort(files)
	return files, err
}

// files reads everything below a folder, with paths relative to it.
func (f *folder) files(dir string) ([]lab.File, error) {
	real, err := f.locate(dir)
	if err != nil {
		return nil, err
	}
	if info, err := fs.Stat(f.fsys, real); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("%s is not a folder", dir)
	}
	names, err := f.list(real)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("the folder %s is empty", dir)
	}
	files := make([]lab.File, 0, len(names))
	for _, name := range names {
		content, err := f.read(name)
		if err != nil {
			return nil, err
		}
		rel := strings.TrimPrefix(name, real+"/")
		files = append(files, lab.File{Path: rel, Content: content, Executable: executable(content)})
	}
	return files, nil
}

// executable says whether a file is a program. The first bytes decide, not
// the mode: embedded copies of a lab have none, and both must be one lab.
func executable(content []byte) bool { return bytes.HasPrefix(content, []byte("#!")) }

// digest is "sha256:…" over the path, executable bit and content of every
// regular file, sorted by path. It is the same for a folder on disk and for
// its embedded copy.
func (f *folder) digest() (string, error) {
	files, err := f.files(".")
	if err != nil {
		return "", err
	}
	h := sha256.New()
	for _, file := range files {
		fmt.Fprintf(h, "%d %s %t %d\n", len(file.Path), file.Path, file.Executable, len(file.Content))
		h.Write(file.Content)
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil)), nil
}

// text returns a file's content, which must be text.
func (f *folder) text(name string) (string, error) {
	content, err := f.read(name)
	if err != nil {
		return "", err
	}
	if !utf8.Valid(content) {
		return "", fmt.Errorf("%s is not text: it has bytes that are not UTF-8", name)
	}
	return string(content), nil
}

// function is file(path): the text of a file of the lab's folder.
func (f *folder) function() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "path", Type: cty.String}},
		Type:   function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			text, err := f.text(args[0].AsString())
			if err != nil {
				return cty.NilVal, err
			}
			return cty.StringVal(text), nil
		},
	})
}
