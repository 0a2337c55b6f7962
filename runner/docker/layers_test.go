package docker_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/labctl/labctl/runner/docker"
	"github.com/labctl/labctl/runner/engine/enginetest"
)

func TestReadLayers(t *testing.T) {
	t.Parallel()
	layer := func(path, content string) (blob, diffID string) {
		data, err := io.ReadAll(enginetest.Tar(t, enginetest.File(path, 0o644, content)))
		if err != nil {
			t.Fatal(err)
		}
		return string(data), fmt.Sprintf("sha256:%x", sha256.Sum256(data))
	}
	plain, plainID := layer("etc/plain", "1")
	zipped, zippedID := layer("etc/zipped", "2")
	packed, packedID := layer("etc/packed", "3")
	empty := string(make([]byte, 1024))
	emptyID := fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(empty)))

	saved := func() io.Reader {
		return enginetest.Tar(t,
			enginetest.File("0a/layer.tar", 0o644, plain),
			enginetest.TarFile{Header: tar.Header{Name: "0b/layer.tar", Typeflag: tar.TypeSymlink, Linkname: "../0a/layer.tar"}},
			enginetest.File("blobs/sha256/1a", 0o644, gzipped(t, zipped)),
			enginetest.File("blobs/sha256/1b", 0o644, zstandard(t, packed)),
			enginetest.File("blobs/sha256/1c", 0o644, empty),
			enginetest.File("manifest.json", 0o644, `[{"Config":"c.json"}]`),
			enginetest.File("VERSION", 0o644, "1"),
		)
	}
	layers, err := docker.ReadLayers(saved(), map[string]bool{plainID: true, zippedID: true, packedID: true, emptyID: true})
	if err != nil {
		t.Fatal(err)
	}
	for id, path := range map[string]string{plainID: "/etc/plain", zippedID: "/etc/zipped", packedID: "/etc/packed"} {
		found := false
		for _, entry := range layers[id] {
			found = found || entry.Path == path
		}
		if !found {
			t.Errorf("layer %s is %+v, want %s in it", id, layers[id], path)
		}
	}
	if len(layers) != 4 || len(layers[emptyID]) != 0 {
		t.Errorf("%d layers, the empty one is %+v", len(layers), layers[emptyID])
	}

	if _, err := docker.ReadLayers(saved(), map[string]bool{"sha256:00": true}); err == nil {
		t.Error("a layer that is not there is no error")
	}
	broken := enginetest.Tar(t, enginetest.File("blobs/sha256/1a", 0o644, gzipped(t, zipped)[:40]))
	if _, err := docker.ReadLayers(broken, map[string]bool{zippedID: true}); err == nil {
		t.Error("a broken layer is no error")
	}
}

func gzipped(t *testing.T, data string) string {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := io.WriteString(w, data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func zstandard(t *testing.T, data string) string {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	return string(w.EncodeAll([]byte(data), nil))
}
