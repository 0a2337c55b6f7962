package fake

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/labctl/labctl/runner/engine"
	"github.com/labctl/labctl/scenarios/evidence"
)

// config is an image's or a container's configuration, as JSON has it.
type config map[string]any

// image finds an image by tag, ID or the beginning of an ID.
func (s *state) image(ref string) (*image, error) {
	for id, img := range s.Images {
		hex := strings.TrimPrefix(id, "sha256:")
		if id == ref || len(ref) >= 12 && strings.HasPrefix(hex, strings.TrimPrefix(ref, "sha256:")) || slices.Contains(img.Tags, tagged(ref)) {
			return img, nil
		}
	}
	return nil, fmt.Errorf("image %s: %w", ref, engine.ErrNotFound)
}

// tagged is a reference with its tag.
func tagged(ref string) string {
	if strings.Contains(ref[strings.LastIndex(ref, "/")+1:], ":") {
		return ref
	}
	return ref + ":latest"
}

// addImage makes an image, or finds the one that is the same. The time tells
// images apart that are equal otherwise; zero leaves it out, as builders do that
// find a step in their cache.
func (s *state) addImage(layers []string, c config, parent string, at time.Time) (id string) {
	id = "sha256:" + digest(fmt.Sprint(layers, c, at))
	if s.Images[id] == nil {
		s.Images[id] = &image{ID: id, Layers: layers, Config: c, Parent: parent}
	}
	return id
}

// addLayer keeps a layer and returns its diff ID.
func (s *state) addLayer(layer evidence.Layer) (diffID string) {
	diffID = "sha256:" + digest(fmt.Sprint(layer))
	s.Layers[diffID] = layer
	return diffID
}

// addArchive keeps a tar as a layer, and the contents of its small files.
func (s *state) addArchive(archive io.Reader) (diffID string, err error) {
	data, err := io.ReadAll(archive)
	if err != nil {
		return "", err
	}
	layer, err := evidence.ReadLayer(bytes.NewReader(data))
	if err != nil {
		return "", err
	}
	for files := tar.NewReader(bytes.NewReader(data)); ; {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			diffID = "sha256:" + digest(string(data)) // as engines do
			s.Layers[diffID] = layer
			return diffID, nil
		}
		if err != nil {
			return "", err
		}
		if header.Typeflag == tar.TypeReg && header.Size <= evidence.MaxBody {
			content, err := io.ReadAll(files)
			if err != nil {
				return "", err
			}
			s.Contents[digest(string(content))] = string(content)
		}
	}
}

// setTag moves a tag to an image.
func (s *state) setTag(id, tag string) {
	tag = tagged(tag)
	for _, img := range s.Images {
		img.Tags = slices.DeleteFunc(img.Tags, func(t string) bool { return t == tag })
	}
	s.Images[id].Tags = append(s.Images[id].Tags, tag)
}

// ImportImage implements engine.Actuator.
func (e *Engine) ImportImage(ctx context.Context, rootfs io.Reader, tag string, changes []string) (id string, err error) {
	err = e.request(ctx, "ImportImage", func(s *state) error {
		layer, err := s.addArchive(rootfs)
		if err != nil {
			return fmt.Errorf("importing image %s: %w", tag, err)
		}
		c := emptyConfig()
		if err := c.apply(strings.Join(changes, "\n")); err != nil {
			return fmt.Errorf("importing image %s: %w", tag, err)
		}
		id = s.addImage([]string{layer}, c, "", s.tick())
		if tag != "" {
			s.setTag(id, tag)
		}
		return nil
	})
	return id, err
}

// PullImage implements engine.Actuator. There is no registry: only what is
// there already can be pulled.
func (e *Engine) PullImage(ctx context.Context, ref string, progress func(string)) error {
	return e.request(ctx, "PullImage", func(s *state) error {
		if _, err := s.image(ref); err != nil {
			return fmt.Errorf("pulling image: %w", err)
		}
		if progress != nil {
			progress("Image is up to date for " + ref)
		}
		return nil
	})
}

// TagImage implements engine.Actuator.
func (e *Engine) TagImage(ctx context.Context, id, tag string) error {
	return e.request(ctx, "TagImage", func(s *state) error {
		img, err := s.image(id)
		if err != nil {
			return err
		}
		s.setTag(img.ID, tag)
		return nil
	})
}

// RemoveImage implements engine.Actuator.
func (e *Engine) RemoveImage(ctx context.Context, ref string) error {
	return e.request(ctx, "RemoveImage", func(s *state) error {
		img, err := s.image(ref)
		if err != nil {
			return err
		}
		inUse := fmt.Errorf("removing image %s: %w", ref, engine.ErrInUse)
		byTag := slices.Contains(img.Tags, tagged(ref))
		if len(img.Tags) > 1 {
			if !byTag {
				return inUse
			}
			img.Tags = slices.DeleteFunc(img.Tags, func(t string) bool { return t == tagged(ref) })
			return nil
		}
		for _, c := range s.Containers {
			if c.Image == img.ID {
				return inUse
			}
		}
		for _, child := range s.Images {
			if child.Parent == img.ID {
				if !byTag {
					return inUse
				}
				img.Tags = nil
				return nil
			}
		}
		delete(s.Images, img.ID)
		return nil
	})
}
