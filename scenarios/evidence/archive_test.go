package evidence_test

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"github.com/labctl/labctl/scenarios/evidence"
)

// member is one member of a tar; content is for files alone.
type member struct {
	tar.Header
	content string
}

func file(name, content string) member {
	return member{tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(content))}, content}
}

func dir(name string) member {
	return member{Header: tar.Header{Name: name, Typeflag: tar.TypeDir, Mode: 0o755}}
}

func symlink(name, target string) member {
	return member{Header: tar.Header{Name: name, Linkname: target, Typeflag: tar.TypeSymlink, Mode: 0o777}}
}

func hardlink(name, target string) member {
	return member{Header: tar.Header{Name: name, Linkname: target, Typeflag: tar.TypeLink, Mode: 0o644}}
}

func archive(t testing.TB, members ...member) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, m := range members {
		if err := w.WriteHeader(&m.Header); err != nil {
			t.Fatalf("header of %q: %v", m.Name, err)
		}
		if _, err := w.Write([]byte(m.content)); err != nil {
			t.Fatalf("content of %q: %v", m.Name, err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func readTree(t testing.TB, members ...member) evidence.Tree {
	t.Helper()
	tree, err := evidence.ReadTree(bytes.NewReader(archive(t, members...)))
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func readLayer(t testing.TB, members ...member) evidence.Layer {
	t.Helper()
	layer, err := evidence.ReadLayer(bytes.NewReader(archive(t, members...)))
	if err != nil {
		t.Fatal(err)
	}
	return layer
}

// fileEntry is what file makes.
func fileEntry(path, content string) evidence.Entry {
	sum := sha256.Sum256([]byte(content))
	return evidence.Entry{Path: path, Type: evidence.TypeFile, Mode: 0o644, Size: int64(len(content)), SHA256: hex.EncodeToString(sum[:])}
}

func dirEntry(path string) evidence.Entry {
	return evidence.Entry{Path: path, Type: evidence.TypeDir, Mode: 0o755}
}

func whiteout(path string) evidence.Entry {
	return evidence.Entry{Path: path, Type: evidence.TypeWhiteout}
}

func opaque(path string) evidence.Entry {
	return evidence.Entry{Path: path, Type: evidence.TypeOpaque}
}

func linkEntry(path, target string) evidence.Entry {
	return evidence.Entry{Path: path, Type: evidence.TypeHardlink, Link: target}
}
