package docker

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"

	"github.com/klauspost/compress/zstd"

	"github.com/labctl/labctl/runner/engine"
	"github.com/labctl/labctl/scenarios/evidence"
)

// Tree implements engine.Observer. The filesystem is streamed, never held.
func (e *Engine) Tree(ctx context.Context, id string) (evidence.Tree, error) {
	export, err := e.client.ContainerExport(ctx, id)
	if err != nil {
		return nil, e.failed(err, "exporting container %s", id)
	}
	defer export.Close()
	tree, err := evidence.ReadTree(export)
	return tree, e.failed(err, "reading the filesystem of container %s", id)
}

// Layers implements engine.Observer.
//
// What an engine saves is either its old archive (ID/layer.tar for each layer)
// or an OCI layout (blobs/sha256/DIGEST for everything, layers perhaps
// compressed). Both are read in one pass: whatever is a tar is a layer, and
// its diff ID is the digest of its uncompressed bytes, so that neither names
// nor manifests, nor links between repeated layers, matter.
func (e *Engine) Layers(ctx context.Context, ref string) (map[string]evidence.Layer, error) {
	img, err := e.Image(ctx, ref)
	if err != nil {
		return nil, err
	}
	wanted := make(map[string]bool, len(img.Layers))
	for _, diffID := range img.Layers {
		wanted[diffID] = true
	}
	saved, err := e.client.ImageSave(ctx, []string{img.ID})
	if err != nil {
		return nil, e.failed(err, "saving image %s", ref)
	}
	defer saved.Close()
	layers, err := readLayers(saved, wanted)
	return layers, e.failed(err, "reading the layers of image %s", ref)
}

// Contents implements engine.Observer, by the same streams as Tree and Layers.
func (e *Engine) Contents(ctx context.Context, from engine.Source, wanted map[string]int64) (map[string]string, error) {
	if from.Container != "" {
		export, err := e.client.ContainerExport(ctx, from.Container)
		if err != nil {
			return nil, e.failed(err, "exporting container %s", from.Container)
		}
		defer export.Close()
		found, err := evidence.ReadContents(export, wanted)
		return found, e.failed(err, "reading files of container %s", from.Container)
	}
	saved, err := e.client.ImageSave(ctx, []string{from.Image})
	if err != nil {
		return nil, e.failed(err, "saving image %s", from.Image)
	}
	defer saved.Close()
	found := map[string]string{}
	err = eachBlob(saved, func(blob io.Reader) error {
		layer, done, err := openLayer(blob)
		if err != nil || layer == nil {
			return err
		}
		defer done()
		contents, err := evidence.ReadContents(layer, wanted)
		maps.Copy(found, contents)
		return err
	})
	return found, e.failed(err, "reading files of image %s", from.Image)
}

// readLayers reads the wanted layers, by diff ID, from a saved image. One that
// is not there is an error.
func readLayers(saved io.Reader, wanted map[string]bool) (map[string]evidence.Layer, error) {
	layers := make(map[string]evidence.Layer, len(wanted))
	err := eachBlob(saved, func(blob io.Reader) error {
		diffID, layer, err := readBlob(blob)
		if wanted[diffID] {
			layers[diffID] = layer
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	for diffID := range wanted {
		if _, ok := layers[diffID]; !ok {
			return nil, fmt.Errorf("the engine did not save layer %s", diffID)
		}
	}
	return layers, nil
}

// eachBlob does something with each file of a saved image.
func eachBlob(saved io.Reader, do func(blob io.Reader) error) error {
	archive := tar.NewReader(saved)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if header.Typeflag != tar.TypeReg {
			continue
		}
		if err := do(archive); err != nil {
			return fmt.Errorf("%s: %w", header.Name, err)
		}
	}
}

// readBlob reads one file of a saved image. For what is no layer the diff ID
// is "".
func readBlob(blob io.Reader) (diffID string, layer evidence.Layer, err error) {
	content, done, err := openLayer(blob)
	if err != nil || content == nil {
		return "", nil, err
	}
	defer done()
	digest := sha256.New()
	tee := io.TeeReader(content, digest)
	if layer, err = evidence.ReadLayer(tee); err != nil {
		return "", nil, err
	}
	// A tar ends before its padding does, which is part of the digest.
	if _, err := io.Copy(io.Discard, tee); err != nil {
		return "", nil, err
	}
	return "sha256:" + hex.EncodeToString(digest.Sum(nil)), layer, nil
}

// openLayer is the tar in one file of a saved image; nil for what is no layer
// (manifests, configurations, signatures).
func openLayer(blob io.Reader) (layer io.Reader, done func(), err error) {
	content, done, err := uncompressed(blob)
	if err != nil {
		return nil, nil, err
	}
	if head, err := content.Peek(512); err != nil || !isTar(head) {
		done()
		return nil, nil, nil
	}
	return content, done, nil
}

// uncompressed reads through gzip and zstd, told by their first bytes.
func uncompressed(blob io.Reader) (content *bufio.Reader, done func(), err error) {
	content, done = bufio.NewReaderSize(blob, 64<<10), func() {}
	head, err := content.Peek(4)
	switch {
	case errors.Is(err, io.EOF):
		// Shorter than any of them.
	case err != nil:
		return nil, nil, err
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		unzipped, err := gzip.NewReader(content)
		if err != nil {
			return nil, nil, err
		}
		content = bufio.NewReaderSize(unzipped, 64<<10)
	case bytes.Equal(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		unzipped, err := zstd.NewReader(content, zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, nil, err
		}
		content, done = bufio.NewReaderSize(unzipped, 64<<10), unzipped.Close
	}
	return content, done, nil
}

// isTar looks at a first block: a header with its magic, or the zeros that an
// empty archive consists of.
func isTar(block []byte) bool {
	return bytes.Equal(block[257:262], []byte("ustar")) || bytes.Equal(block, make([]byte, 512))
}
