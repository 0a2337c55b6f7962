package fake

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/labctl/labctl/runner/engine"
	"github.com/labctl/labctl/scenarios/evidence"
)

// failure is a request that is to fail.
type failure struct {
	Op          string
	Times       int
	Is          string // the error that it is, by its text; "" for none of them
	Text        string
	Unavailable *engine.Unavailable
}

// known are the errors that callers tell apart.
var known = []error{engine.ErrNotFound, engine.ErrPortTaken, engine.ErrInUse, engine.ErrNameTaken}

// Fail makes the next requests of an operation fail: a method's name, or "*"
// for any. Of the error, what it says and which of package engine's it is
// reach other processes.
func (e *Engine) Fail(op string, times int, err error) error {
	f := failure{Op: op, Times: times, Text: err.Error()}
	if u := (*engine.Unavailable)(nil); errors.As(err, &u) {
		f.Unavailable = &engine.Unavailable{Host: u.Host, Why: u.Why, Mend: u.Mend}
	}
	for _, k := range known {
		if errors.Is(err, k) {
			f.Is = k.Error()
		}
	}
	return e.update(context.Background(), func(s *state) error {
		s.Failures = append(s.Failures, f)
		return nil
	})
}

// failure is the error that an operation is to fail with now, if any.
func (s *state) failure(op string) error {
	for i := range s.Failures {
		f := &s.Failures[i]
		if f.Times == 0 || f.Op != op && f.Op != "*" {
			continue
		}
		f.Times--
		if f.Unavailable != nil {
			return f.Unavailable
		}
		for _, k := range known {
			if f.Is == k.Error() {
				return fmt.Errorf("%s: %w", f.Text, k)
			}
		}
		return errors.New(f.Text)
	}
	return nil
}

// Requests is how many requests the engine has had.
func (e *Engine) Requests() (n int, err error) {
	err = e.update(context.Background(), func(s *state) error {
		n = s.Requests
		return nil
	})
	return n, err
}

// NetworkNames are the names of all networks, whoever made them, sorted.
func (e *Engine) NetworkNames() (names []string, err error) {
	err = e.update(context.Background(), func(s *state) error {
		names = slices.Sorted(maps.Keys(s.Networks))
		return nil
	})
	return names, err
}

// Scripts are the scripts that were run inside containers, in order.
func (e *Engine) Scripts() (scripts []Script, err error) {
	err = e.update(context.Background(), func(s *state) error {
		scripts = s.Scripts
		return nil
	})
	return scripts, err
}

// Edit writes a file inside a container, as somebody with a shell would.
func (e *Engine) Edit(container, path, content string) error {
	return e.update(context.Background(), func(s *state) error {
		c, err := s.container(container)
		if err != nil {
			return err
		}
		s.edit(c, path, content)
		return nil
	})
}

func (s *state) edit(c *record, path, content string) {
	sum := digest(content)
	s.Contents[sum] = content
	c.Edits = append(c.Edits, evidence.Entry{Path: path, Type: evidence.TypeFile, Mode: 0o644, Size: int64(len(content)), SHA256: sum})
}

// Stop stops a container.
func (e *Engine) Stop(container string) error {
	return e.update(context.Background(), func(s *state) error {
		c, err := s.container(container)
		if err != nil {
			return err
		}
		c.State, c.Port, c.Memory = "exited", 0, nil
		return nil
	})
}

// Commit makes an image of a container. Like docker commit, it copies the
// container's labels into it.
func (e *Engine) Commit(container string) (id string, err error) {
	err = e.update(context.Background(), func(s *state) error {
		c, err := s.container(container)
		if err != nil {
			return err
		}
		parent := s.Images[c.Image]
		config := s.containerConfig(c)
		config["Image"] = ""
		id = s.addImage(append(slices.Clone(parent.Layers), s.addLayer(c.Edits)), config, parent.ID, s.tick())
		return nil
	})
	return id, err
}
