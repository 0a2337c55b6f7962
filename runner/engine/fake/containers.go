package fake

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/labctl/labctl/runner/engine"
)

// container finds a container by name, ID or the beginning of an ID.
func (s *state) container(ref string) (*record, error) {
	for id, c := range s.Containers {
		if c.Spec.Name == ref || id == ref || len(ref) >= 12 && strings.HasPrefix(id, ref) {
			return c, nil
		}
	}
	return nil, fmt.Errorf("container %s: %w", ref, engine.ErrNotFound)
}

// sorted are the containers in the order of their creation, oldest first.
func (s *state) sorted() []*record {
	return slices.SortedFunc(maps.Values(s.Containers), func(a, b *record) int { return a.Created.Compare(b.Created) })
}

// CreateNetwork implements engine.Actuator.
func (e *Engine) CreateNetwork(ctx context.Context, name string, internal bool, labels map[string]string) error {
	return e.request(ctx, "CreateNetwork", func(s *state) error {
		if s.Networks[name] != nil {
			return fmt.Errorf("creating network %s: %w", name, engine.ErrNameTaken)
		}
		s.Networks[name] = &engine.Network{ID: s.newID(), Name: name, Labels: labels, Internal: internal, Created: s.tick()}
		return nil
	})
}

// RemoveNetwork implements engine.Actuator.
func (e *Engine) RemoveNetwork(ctx context.Context, name string) error {
	return e.request(ctx, "RemoveNetwork", func(s *state) error {
		for _, n := range s.Networks {
			if n.ID == name { // engines take either
				name = n.Name
			}
		}
		if s.Networks[name] == nil {
			return fmt.Errorf("removing network %s: %w", name, engine.ErrNotFound)
		}
		for _, c := range s.Containers {
			if c.State == "running" && slices.Contains(c.networks(), name) {
				return fmt.Errorf("removing network %s: %w", name, engine.ErrInUse)
			}
		}
		delete(s.Networks, name)
		return nil
	})
}

// ConnectNetwork implements engine.Actuator. A network that is not there is
// missed when the container starts, as on an engine.
func (e *Engine) ConnectNetwork(ctx context.Context, network, container string) error {
	return e.request(ctx, "ConnectNetwork", func(s *state) error {
		c, err := s.container(container)
		if err != nil {
			return err
		}
		c.Joined = append(c.Joined, network)
		return nil
	})
}

// CreateContainer implements engine.Actuator.
func (e *Engine) CreateContainer(ctx context.Context, spec engine.ContainerSpec) (id string, err error) {
	err = e.request(ctx, "CreateContainer", func(s *state) error {
		img, err := s.image(spec.Image)
		if err != nil {
			return err
		}
		id = s.newID()
		if spec.Name == "" {
			spec.Name = "nameless_" + id[:8]
		}
		if err := s.nameFree(spec.Name); err != nil {
			return err
		}
		s.Containers[id] = &record{ID: id, Spec: spec, Image: img.ID, State: "created", Created: s.tick()}
		return nil
	})
	if err != nil {
		return "", err
	}
	return id, nil
}

func (s *state) nameFree(name string) error {
	for _, c := range s.Containers {
		if c.Spec.Name == name {
			return fmt.Errorf("container %s: %w", name, engine.ErrNameTaken)
		}
	}
	return nil
}

// StartContainer implements engine.Actuator.
func (e *Engine) StartContainer(ctx context.Context, id string) error {
	return e.request(ctx, "StartContainer", func(s *state) error {
		c, err := s.container(id)
		if err != nil {
			return err
		}
		if c.State == "running" {
			return nil
		}
		for _, network := range c.networks() {
			if network != bridge && s.Networks[network] == nil {
				return fmt.Errorf("starting container %s: network %s: %w", id, network, engine.ErrNotFound)
			}
		}
		port := c.Spec.HostPort
		if n := s.Networks[c.Spec.Network]; n != nil && n.Internal {
			port = 0 // engines publish nothing of these, and do not say so
		} else if c.Spec.Publish != 0 && port == 0 {
			for port = 49153; s.publisher(port) != nil; port++ {
			}
		}
		if port != 0 && s.publisher(port) != nil {
			return fmt.Errorf("starting container %s: port %d: %w", id, port, engine.ErrPortTaken)
		}
		c.State, c.Port, c.Started = "running", port, s.tick()
		c.IP = fmt.Sprintf("172.30.%d.%d", s.Clock/250%250, s.Clock%250+2)
		return nil
	})
}

// publisher is the container that publishes a port of the host, if one does.
func (s *state) publisher(port int) *record {
	for _, c := range s.Containers {
		if c.State == "running" && c.Port == port {
			return c
		}
	}
	return nil
}

// RenameContainer implements engine.Actuator.
func (e *Engine) RenameContainer(ctx context.Context, id, name string) error {
	return e.request(ctx, "RenameContainer", func(s *state) error {
		c, err := s.container(id)
		if err != nil {
			return err
		}
		if err := s.nameFree(name); err != nil {
			return err
		}
		c.Spec.Name = name
		return nil
	})
}

// RemoveContainer implements engine.Actuator.
func (e *Engine) RemoveContainer(ctx context.Context, id string) error {
	return e.request(ctx, "RemoveContainer", func(s *state) error {
		if c, err := s.container(id); err == nil {
			delete(s.Containers, c.ID)
		}
		return nil
	})
}

// Exec implements engine.Actuator. It leaves the script's digest in the file
// /drift, so that what was done can be seen; a script "exit N" ends with N, and
// "echo WORD >/dev/shm/NAME" does that.
func (e *Engine) Exec(ctx context.Context, id, user, script string, env []string) (engine.ExecResult, error) {
	var result engine.ExecResult
	err := e.request(ctx, "Exec", func(s *state) error {
		c, err := s.container(id)
		if err != nil {
			return err
		}
		if c.State != "running" {
			return fmt.Errorf("running a script in container %s: it is not running", id)
		}
		s.Scripts = append(s.Scripts, Script{Container: c.Spec.Name, User: user, Script: script, Env: env})
		if path, content, is := remembered(script); is {
			c.remember(path, content)
		} else if _, err := fmt.Sscanf(script, "exit %d", &result.ExitCode); err != nil {
			s.edit(c, "/drift", digest(script)+"\n")
		}
		return nil
	})
	return result, err
}
