package cleanroom

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path"
	"sort"
	"time"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"

	"github.com/labctl/labctl/scenarios/lab"
)

// Context is a build context that was read by the rules: what the Dockerfile
// gets to see, and the Dockerfile with the places of the lab's images known.
type Context struct {
	files      []lab.File // sorted by path, ignored ones left out
	dockerfile *dockerfile
	name       string // of the Dockerfile
}

// NewContext reads a build context: ".dockerignore" is applied, the
// Dockerfile read by the rules. It returns a *Refused for what must not be run.
func NewContext(files []lab.File, rules Rules) (*Context, error) {
	byPath := make(map[string]lab.File, len(files))
	for _, file := range files {
		byPath[file.Path] = file
	}
	name := "Dockerfile"
	file, ok := byPath[name]
	if !ok { // docker build takes this one then
		if file, ok = byPath["dockerfile"]; !ok {
			return nil, refuse(0, "there is no Dockerfile: commit one at the top of the repository")
		}
		name = "dockerfile"
	}
	if file.Link != "" {
		return nil, refuse(0, "the %s is a symbolic link: commit the file itself", name)
	}
	d, err := readDockerfile(file.Content, rules)
	if err != nil {
		return nil, err
	}
	ignore := ".dockerignore"
	if _, ok := byPath[name+ignore]; ok && rules.BuildKit {
		ignore = name + ignore
	}
	kept, err := applyIgnore(files, byPath[ignore])
	if err != nil {
		return nil, err
	}
	if err := checkUnpacked(kept, d); err != nil {
		return nil, err
	}
	return &Context{files: kept, dockerfile: d, name: name}, nil
}

// applyIgnore leaves out what an ignore file names, itself and the Dockerfile
// included: a builder reads those apart from the context.
func applyIgnore(files []lab.File, ignore lab.File) ([]lab.File, error) {
	if ignore.Link != "" {
		return nil, refuse(0, "%s is a symbolic link: commit the file itself", ignore.Path)
	}
	patterns, err := ignorefile.ReadAll(bytes.NewReader(ignore.Content))
	if err != nil {
		return nil, refuse(0, "%s cannot be read: %v", ignore.Path, err)
	}
	matcher, err := patternmatcher.New(patterns)
	if err != nil {
		return nil, refuse(0, "%s cannot be read: %v", ignore.Path, err)
	}
	var kept []lab.File
	for _, file := range files {
		ignored, err := matcher.MatchesOrParentMatches(file.Path)
		if err != nil {
			return nil, refuse(0, "%s cannot be read: %v", ignore.Path, err)
		}
		if !ignored {
			kept = append(kept, file)
		}
	}
	sort.Slice(kept, func(i, j int) bool { return kept[i].Path < kept[j].Path })
	return kept, nil
}

// Pinned lists the IDs of the lab's images that the Dockerfile takes from.
func (c *Context) Pinned() []string { return c.dockerfile.pinned() }

// Dockerfile is the Dockerfile with the lab's images under these aliases.
func (c *Context) Dockerfile(alias func(imageID string) string) []byte {
	return c.dockerfile.rewrite(alias, "")
}

// WriteTar writes the context as a tar whose bytes depend on the files alone.
// The rewritten Dockerfile is added under the name asFile; the learner's own
// stays as it is, because a COPY may take it along.
func (c *Context) WriteTar(w io.Writer, asFile string, alias func(imageID string) string) error {
	return c.writeTar(w, asFile, c.Dockerfile(alias))
}

func (c *Context) writeTar(w io.Writer, asFile string, dockerfile []byte) error {
	t := tar.NewWriter(w)
	dirs := map[string]bool{}
	for _, file := range c.files {
		if file.Path == asFile {
			continue
		}
		if err := writeFile(t, dirs, file); err != nil {
			return fmt.Errorf("packing %q for the build: %w", file.Path, err)
		}
	}
	if err := writeFile(t, dirs, lab.File{Path: asFile, Content: dockerfile}); err != nil {
		return fmt.Errorf("packing the Dockerfile for the build: %w", err)
	}
	return t.Close()
}

// epoch is the time of every folder in a context.
var epoch = time.Unix(0, 0).UTC()

// timeOf is the time of a file in a context: always the same for one content,
// and another for another. Some engines take a file that a step replaces by one
// of the same size and time for unchanged, and leave it out of the step's layer.
// It lies before 2004, so that whatever a build makes of the file is younger.
func timeOf(file lab.File) time.Time {
	sum := sha256.Sum256(append([]byte(file.Link+"\x00"), file.Content...))
	return time.Unix(int64(binary.BigEndian.Uint32(sum[:4])>>2), 0).UTC()
}

// writeFile writes one file and the folders above it that are not there yet.
// Modes are those that git tracks, so that umasks make no difference.
func writeFile(t *tar.Writer, dirs map[string]bool, file lab.File) error {
	if err := writeDir(t, dirs, path.Dir(file.Path)); err != nil {
		return err
	}
	header := &tar.Header{Name: file.Path, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(file.Content)), ModTime: timeOf(file), Format: tar.FormatPAX}
	switch {
	case file.Link != "":
		header.Typeflag, header.Linkname, header.Mode, header.Size = tar.TypeSymlink, file.Link, 0o777, 0
	case file.Executable:
		header.Mode = 0o755
	}
	err := t.WriteHeader(header)
	if header.Size > 0 {
		_, werr := t.Write(file.Content)
		err = errors.Join(err, werr)
	}
	return err
}

func writeDir(t *tar.Writer, dirs map[string]bool, dir string) error {
	if dir == "." || dirs[dir] {
		return nil
	}
	if err := writeDir(t, dirs, path.Dir(dir)); err != nil {
		return err
	}
	dirs[dir] = true
	return t.WriteHeader(&tar.Header{Name: dir + "/", Typeflag: tar.TypeDir, Mode: 0o755, ModTime: epoch, Format: tar.FormatPAX})
}
