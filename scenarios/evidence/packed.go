package evidence

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"maps"
	"slices"

	"github.com/klauspost/compress/zstd"
)

const (
	// maxPacked is how much of an archive is unpacked: what it hides behind so
	// much else is not found.
	maxPacked = 1 << 30
	// maxZip is how large a zip may be, which is read from its end.
	maxZip = 256 << 20
)

// PackedIn lists the digests, sorted, of what an archive or a compressed file
// of a kind that KindOf named holds: tar, zip, and what gzip, bzip2 and zstd
// made smaller. Empty files are left out. What cannot be opened, or is damaged,
// holds nothing as far as this can tell. The error is the reader's.
func PackedIn(r io.Reader, kind string) ([]string, error) {
	watched := &watchedReader{r: r}
	found := map[string]bool{}
	unpack(watched, kind, found)
	if watched.err != nil {
		return nil, watched.err
	}
	if _, err := io.Copy(io.Discard, r); err != nil {
		return nil, err
	}
	return slices.Sorted(maps.Keys(found)), nil
}

// watchedReader tells a reader's errors from an archive's.
type watchedReader struct {
	r   io.Reader
	err error
}

func (w *watchedReader) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		w.err = err
	}
	return n, err
}

func unpack(r io.Reader, kind string, found map[string]bool) {
	r = io.LimitReader(r, maxPacked)
	switch kind {
	case "tar":
		for archive := tar.NewReader(r); ; {
			if _, err := archive.Next(); err != nil {
				return
			}
			note(archive, found)
		}
	case "zip":
		content, err := io.ReadAll(io.LimitReader(r, maxZip))
		if err != nil {
			return
		}
		archive, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
		if err != nil {
			return
		}
		for _, f := range archive.File {
			if in, err := f.Open(); err == nil {
				note(io.LimitReader(in, maxPacked), found)
				_ = in.Close() // it was only read
			}
		}
	case "gzip":
		if in, err := gzip.NewReader(r); err == nil {
			inside(in, found)
		}
	case "bzip2":
		inside(bzip2.NewReader(r), found)
	case "zstd":
		if in, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1)); err == nil {
			inside(in, found)
			in.Close()
		}
	}
}

// inside notes what was made smaller: a tar, or one file.
func inside(r io.Reader, found map[string]bool) {
	begin := make([]byte, longest)
	n, _ := io.ReadFull(r, begin)
	content := io.MultiReader(bytes.NewReader(begin[:n]), r)
	if isTar(begin[:n]) {
		unpack(content, "tar", found)
		return
	}
	note(io.LimitReader(content, maxPacked), found)
}

func note(content io.Reader, found map[string]bool) {
	sum := sha256.New()
	if n, err := io.Copy(sum, content); err == nil && n > 0 {
		found[hex.EncodeToString(sum.Sum(nil))] = true
	}
}
