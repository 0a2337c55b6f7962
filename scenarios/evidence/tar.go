package evidence

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path"
	"sort"
	"strings"
)

// Where whiteouts hide in layers (OCI image specification 1.1, layer.md).
const (
	whiteoutPrefix = ".wh."
	opaqueName     = ".wh..wh..opq"
)

// ReadLayer reads one layer of an image from an uncompressed tar. Entries are
// in the tar's order, of a path that occurs twice only the last. A tar may lack
// the zeros at its end, as those of some tools do: whether a layer is whole,
// its digest says.
func ReadLayer(r io.Reader) (Layer, error) {
	entries, _, err := readTar(r, true)
	return entries, err
}

// ReadTree reads a whole filesystem, as the engine exports it, from an
// uncompressed tar. What the engine itself puts into every container is left
// out; hard links are files like any other. A tar that is cut off, even between
// two files, is an error.
func ReadTree(r io.Reader) (Tree, error) {
	entries, ended, err := readTar(r, false)
	if err != nil {
		return nil, err
	}
	if !ended {
		return nil, fmt.Errorf("reading a tar: it is cut off: %w", io.ErrUnexpectedEOF)
	}
	return Union([]Layer{entries}), nil
}

// readTar reads the entries of a tar; ended says whether the two blocks of
// zeros came that end one.
func readTar(r io.Reader, whiteouts bool) (entries []Entry, ended bool, err error) {
	index := map[string]int{}
	in := &counter{r: r}
	tr := tar.NewReader(in)
	for {
		padded := (in.n + blockSize - 1) / blockSize * blockSize
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			ended = in.n >= padded+2*blockSize
			// What follows the archive is read too: a pipe's writer waits for it.
			if _, err := io.Copy(io.Discard, r); err != nil {
				return nil, false, fmt.Errorf("reading the end of a tar: %w", err)
			}
			return entries, ended, nil
		}
		if err != nil {
			return nil, false, fmt.Errorf("reading a tar: %w", err)
		}
		e, ok, err := entry(h, tr, whiteouts)
		if err != nil {
			return nil, false, fmt.Errorf("reading %q in a tar: %w", h.Name, err)
		}
		if !ok {
			continue
		}
		key := e.Path
		if e.Type == TypeWhiteout || e.Type == TypeOpaque {
			key = e.Type + e.Path // beside what the layer itself has there
		}
		if i, again := index[key]; again {
			entries[i] = e
			continue
		}
		index[key] = len(entries)
		entries = append(entries, e)
	}
}

// ReadContents reads from a tar, of a layer or a whole filesystem, the files
// whose content is wanted: by SHA-256, with their sizes in bytes. They are held
// in memory. What is not there is left out.
func ReadContents(r io.Reader, wanted map[string]int64) (map[string]string, error) {
	sizes := map[int64]bool{}
	for _, size := range wanted {
		sizes[size] = true
	}
	found := map[string]string{}
	tr := tar.NewReader(r)
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return found, nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading a tar: %w", err)
		}
		if h.Typeflag != tar.TypeReg || !sizes[h.Size] {
			continue
		}
		content, err := io.ReadAll(tr)
		if err != nil {
			return nil, fmt.Errorf("reading %q in a tar: %w", h.Name, err)
		}
		sum := sha256.Sum256(content)
		digest := hex.EncodeToString(sum[:])
		if _, is := wanted[digest]; is {
			found[digest] = string(content)
		}
	}
}

// entry is one header of a tar; ok is false for what is no path.
func entry(h *tar.Header, content io.Reader, whiteouts bool) (e Entry, ok bool, err error) {
	p := path.Clean("/" + h.Name)
	if dir, name := path.Split(p); whiteouts && strings.HasPrefix(name, whiteoutPrefix) {
		return whiteout(dir, name)
	}
	e = Entry{
		Path: printable(p),
		Mode: uint32(h.Mode) & 0o7777,
		UID:  h.Uid, GID: h.Gid,
	}
	if capability, has := h.PAXRecords["SCHILY.xattr.security.capability"]; has {
		e.Capability = hex.EncodeToString([]byte(capability))
	}
	switch h.Typeflag {
	case tar.TypeReg:
		e.Type = TypeFile
		sum := sha256.New()
		if e.Size, err = io.Copy(sum, content); err != nil {
			return e, false, err
		}
		e.SHA256 = hex.EncodeToString(sum.Sum(nil))
	case tar.TypeDir:
		e.Type = TypeDir
	case tar.TypeSymlink:
		e.Type, e.Link, e.Mode = TypeSymlink, printable(h.Linkname), 0 // a link's mode means nothing
	case tar.TypeLink:
		e = Entry{Path: e.Path, Type: TypeHardlink, Link: printable(path.Clean("/" + h.Linkname))}
	case tar.TypeChar:
		e.Type, e.Device = TypeDevice, fmt.Sprintf("c %d:%d", h.Devmajor, h.Devminor)
	case tar.TypeBlock:
		e.Type, e.Device = TypeDevice, fmt.Sprintf("b %d:%d", h.Devmajor, h.Devminor)
	case tar.TypeFifo:
		e.Type = TypeFIFO
	case tar.TypeXGlobalHeader:
		return e, false, nil
	default:
		return e, false, fmt.Errorf("its type is %q, which no filesystem has", h.Typeflag)
	}
	return e, true, nil
}

// whiteout is the removal that a name in a directory stands for.
func whiteout(dir, name string) (e Entry, ok bool, err error) {
	if name == opaqueName {
		return Entry{Path: printable(path.Clean(dir)), Type: TypeOpaque}, true, nil
	}
	switch removed := strings.TrimPrefix(name, whiteoutPrefix); {
	case strings.HasPrefix(removed, whiteoutPrefix):
		return Entry{}, false, nil // aufs bookkeeping
	case removed == "" || removed == "." || removed == "..":
		return Entry{}, false, errors.New("it is a whiteout of no name")
	default:
		return Entry{Path: printable(dir + removed), Type: TypeWhiteout}, true, nil
	}
}

const blockSize = 512 // of a tar

// counter counts what is read.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += int64(n)
	return n, err
}

// engineOwn is what the engine puts into every container, or hides behind its
// own mounts: found by experiment with Docker 20.10 to 29 and Podman 4.
var engineOwn = []string{
	"/dev", "/proc", "/sys",
	"/.dockerenv", "/run/.containerenv", "/etc/mtab", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf",
}

// sorted is a tree of a map of paths, less what is the engine's own.
func sorted(at map[string]Entry) Tree {
	tree := make(Tree, 0, len(at))
	for _, e := range at {
		if e.Path != "/" && !within(engineOwn, e.Path) {
			tree = append(tree, e)
		}
	}
	sort.Slice(tree, func(i, j int) bool { return tree[i].Path < tree[j].Path })
	return tree
}

// within reports whether a path is one of some, or below one.
func within(some []string, p string) bool {
	for _, s := range some {
		if p == s || strings.HasPrefix(p, s+"/") {
			return true
		}
	}
	return false
}
