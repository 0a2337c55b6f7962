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
// itself, is an error: it was damaged, or written by somebody else.
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
	if err := unambiguous(b); err != nil {
		return nil, fmt.Errorf("reading evidence: %w", err)
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
