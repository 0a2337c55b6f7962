package evidence_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/zstd"

	"github.com/labctl/labctl/scenarios/evidence"
)

func tarOf(t testing.TB, contents ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for i, c := range contents {
		if err := w.WriteHeader(&tar.Header{Name: string(rune('a' + i)), Mode: 0o644, Size: int64(len(c))}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, c); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestPackedIn(t *testing.T) {
	t.Parallel()
	archive := tarOf(t, "one", "two", "", "one")
	var gz, zst, zipped bytes.Buffer
	g := gzip.NewWriter(&gz)
	_, err := g.Write(archive)
	z, zerr := zstd.NewWriter(&zst)
	if err = errors.Join(err, g.Close(), zerr); err != nil {
		t.Fatal(err)
	}
	_, err = z.Write(archive)
	if err = errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	p := zip.NewWriter(&zipped)
	for _, c := range []string{"one", "two"} {
		f, err := p.Create(c)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, c); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	var alone bytes.Buffer
	g = gzip.NewWriter(&alone)
	if _, err := io.WriteString(g, "one"); err != nil {
		t.Fatal(err)
	}
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, c := range []string{"one", "two"} {
		sum := sha256.Sum256([]byte(c))
		want = append(want, hex.EncodeToString(sum[:]))
	}
	slices.Sort(want)
	one := sha256.Sum256([]byte("one"))
	for _, row := range []struct {
		name    string
		content []byte
		want    []string
	}{
		{"tar", archive, want}, {"tar.gz", gz.Bytes(), want}, {"tar.zst", zst.Bytes(), want}, {"zip", zipped.Bytes(), want},
		{"a compressed file", alone.Bytes(), []string{hex.EncodeToString(one[:])}},
		{"a text", []byte("one"), nil}, {"nothing", nil, nil}, {"half a tar.gz", gz.Bytes()[:20], nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			kind, err := evidence.KindOf(bytes.NewReader(row.content))
			if err != nil {
				t.Fatal(err)
			}
			got, err := evidence.PackedIn(bytes.NewReader(row.content), kind)
			if err != nil || !slices.Equal(got, row.want) {
				t.Errorf("%s: %v (%v), want %v", kind, got, err, row.want)
			}
		})
	}
	broken := errors.New("the repository broke")
	if _, err := evidence.PackedIn(iotest.ErrReader(broken), "tar"); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
}

func FuzzPackedIn(f *testing.F) {
	f.Add(tarOf(f, "one"), "tar")
	f.Add([]byte("PK\x05\x06"), "zip")
	f.Add([]byte("\x1f\x8b\x08"), "gzip")
	f.Add([]byte("BZh91AY&SY"), "bzip2")
	f.Add([]byte("\x28\xb5\x2f\xfd"), "zstd")
	f.Fuzz(func(t *testing.T, content []byte, kind string) {
		if _, err := evidence.PackedIn(bytes.NewReader(content), kind); err != nil {
			t.Errorf("reading what can be read failed: %v", err)
		}
	})
}
