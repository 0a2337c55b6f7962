package evidence

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Marshal is the set as JSON: the same set gives the same bytes, and so does
// what Unmarshal makes of them.
func Marshal(s *Set) ([]byte, error) {
	b, err := encode(s)
	if err != nil || !bytes.Contains(b, []byte(`\ufffd`)) {
		return b, err
	}
	// A byte that is no UTF-8 is written as this escape and read as the
	// character it stands for, which would be written as itself.
	var valid Set
	if err := json.Unmarshal(b, &valid); err != nil {
		return nil, fmt.Errorf("writing evidence: %w", err)
	}
	return encode(&valid)
}

func encode(s *Set) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(s); err != nil {
		return nil, fmt.Errorf("writing evidence: %w", err)
	}
	return b.Bytes(), nil
}

// Digest names the set by what is in it.
func (s *Set) Digest() (string, error) {
	b, err := Marshal(s)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:]), nil
}

// Unmarshal reads a set from JSON. What is not of this schema, or contradicts
// itself, is an error.
func Unmarshal(b []byte) (*Set, error) {
	var head struct {
		Schema string `json:"schema"`
	}
	if err := json.Unmarshal(b, &head); err != nil {
		return nil, fmt.Errorf("reading evidence: %w", err)
	}
	if head.Schema != Schema {
		return nil, fmt.Errorf("reading evidence: its schema is %q; this labctl reads %s", head.Schema, Schema)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	var s Set
	if err := d.Decode(&s); err != nil {
		return nil, fmt.Errorf("reading evidence: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("reading evidence: something follows its end")
	}
	if err := s.validate(); err != nil {
		return nil, fmt.Errorf("reading evidence: it contradicts itself: %w", err)
	}
	return &s, nil
}

// validate reports the first contradiction: what a set refers to must be in
// it, and be what it is called.
func (s *Set) validate() error {
	for digest, tree := range s.Trees {
		if tree.Digest() != digest {
			return fmt.Errorf("the filesystem %.19s is not what its digest says", digest)
		}
	}
	for id, image := range s.Images {
		if image.ID != id {
			return fmt.Errorf("the image %.19s is called %.19s", image.ID, id)
		}
	}
	services := map[string]bool{}
	for _, service := range s.Services {
		name := service.Name + "." + service.Environment
		if service.Name == "" || services[name] {
			return fmt.Errorf("service %q is there twice, or has no name", service.Name)
		}
		services[name] = true
		if err := s.containers(service.Live); err != nil {
			return fmt.Errorf("service %s: %w", service.Name, err)
		}
		for _, f := range service.Fresh {
			if f.Container.ID == "" {
				continue
			}
			if err := s.containers([]Container{f.Container}); err != nil {
				return fmt.Errorf("service %s: fresh: %w", service.Name, err)
			}
		}
	}
	if err := errors.Join(s.containers(s.Start.Containers), s.containers(s.Start.Now)); err != nil {
		return fmt.Errorf("start: %w", err)
	}
	for _, b := range s.Builds {
		if b.Image == "" && b.Refused == "" && b.Failed == "" && b.Error == "" {
			return fmt.Errorf("the build of %s has no outcome", b.Of)
		}
		if _, there := s.Images[b.Image]; b.Image != "" && !there {
			return fmt.Errorf("the build of %s made an image that is missing", b.Of)
		}
	}
	checks := map[string]bool{}
	for _, c := range s.Checks {
		name := c.Name + "." + c.Service + "." + c.Environment
		if c.Name == "" || checks[name] {
			return fmt.Errorf("check %q is there twice, or has no name", c.Name)
		}
		checks[name] = true
		if c.Points < 0 {
			return fmt.Errorf("check %s has %d points", c.Name, c.Points)
		}
	}
	return nil
}

func (s *Set) containers(all []Container) error {
	seen := map[string]bool{}
	for _, c := range all {
		if c.ID == "" || seen[c.ID] {
			return fmt.Errorf("container %q is there twice, or has no ID", c.Name)
		}
		seen[c.ID] = true
		if _, there := s.Trees[c.Tree]; c.Tree != "" && !there {
			return fmt.Errorf("the filesystem of container %s is missing", c.Name)
		}
	}
	return nil
}

// LayersOf is what the layers of an image hold, the lowest first; an error
// says why it is not known.
func (s *Set) LayersOf(image string) ([]Layer, error) {
	i, there := s.Images[image]
	if !there {
		return nil, fmt.Errorf("image %.19s was not looked at", image)
	}
	if i.Error != "" {
		return nil, fmt.Errorf("image %.19s could not be read: %s", image, i.Error)
	}
	if len(i.Layers) == 0 {
		return nil, fmt.Errorf("image %.19s has no layers", image)
	}
	var layers []Layer
	for _, id := range i.Layers {
		layer, there := s.Layers[id]
		if !there {
			return nil, fmt.Errorf("layer %.19s of image %.19s could not be read", id, image)
		}
		layers = append(layers, layer)
	}
	return layers, nil
}
