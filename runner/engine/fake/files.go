package fake

import (
	"context"

	"github.com/labctl/labctl/runner/engine"
	"github.com/labctl/labctl/scenarios/evidence"
)

// Layers implements engine.Observer.
func (e *Engine) Layers(ctx context.Context, ref string) (map[string]evidence.Layer, error) {
	layers := map[string]evidence.Layer{}
	err := e.request(ctx, "Layers", func(s *state) error {
		img, err := s.image(ref)
		if err != nil {
			return err
		}
		for _, diffID := range img.Layers {
			layers[diffID] = s.Layers[diffID]
		}
		return nil
	})
	return layers, err
}

// Tree implements engine.Observer.
func (e *Engine) Tree(ctx context.Context, id string) (tree evidence.Tree, err error) {
	err = e.request(ctx, "Tree", func(s *state) error {
		c, err := s.container(id)
		if err != nil {
			return err
		}
		tree = s.tree(c)
		return nil
	})
	return tree, err
}

// Contents implements engine.Observer. Contents of large files are not kept,
// and so never found.
func (e *Engine) Contents(ctx context.Context, from engine.Source, wanted map[string]int64) (map[string]string, error) {
	found := map[string]string{}
	err := e.request(ctx, "Contents", func(s *state) error {
		var entries []evidence.Entry
		if from.Container != "" {
			c, err := s.container(from.Container)
			if err != nil {
				return err
			}
			entries = s.tree(c)
		} else {
			img, err := s.image(from.Image)
			if err != nil {
				return err
			}
			for _, diffID := range img.Layers {
				entries = append(entries, s.Layers[diffID]...)
			}
		}
		for _, entry := range entries {
			content, small := s.Contents[entry.SHA256]
			if size, is := wanted[entry.SHA256]; is && small && size == entry.Size {
				found[entry.SHA256] = content
			}
		}
		return nil
	})
	return found, err
}

// tree is a container's filesystem: its image's layers and what was edited.
func (s *state) tree(c *record) evidence.Tree {
	var layers []evidence.Layer
	for _, diffID := range s.Images[c.Image].Layers {
		layers = append(layers, s.Layers[diffID])
	}
	for _, edit := range c.Edits {
		layers = append(layers, evidence.Layer{edit}) // the last one counts
	}
	return evidence.Union(layers)
}

// content is what a small file of a container holds.
func (s *state) content(c *record, path string) (string, bool) {
	for _, entry := range s.tree(c) {
		if entry.Path == path {
			content, small := s.Contents[entry.SHA256]
			return content, small
		}
	}
	return "", false
}
