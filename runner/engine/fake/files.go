package fake

import (
	"context"

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
