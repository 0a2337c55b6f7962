// Package fake is an engine for tests of what uses one. It runs nothing: its
// containers are records, its services answer from files. Its whole state is
// one JSON file, so that the processes of a test script share it, and it
// refuses what a real engine refuses; package enginetest holds both to that.
package fake

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/gofrs/flock"

	"github.com/labctl/labctl/runner/engine"
	"github.com/labctl/labctl/scenarios/evidence"
)

// Engine is a fake engine. It is safe for concurrent use, by several processes
// too.
type Engine struct{ path string }

var _ engine.Engine = (*Engine)(nil)

// Open returns the engine whose state is in the file. There need not be one yet.
func Open(path string) *Engine { return &Engine{path: path} }

// Close implements engine.Engine.
func (e *Engine) Close() error { return nil }

// state is everything that the engine knows.
type state struct {
	Clock      int64 // seconds since epoch; every event takes one
	Requests   int
	Scripts    []Script
	Failures   []failure
	Networks   map[string]*engine.Network // by name
	Containers map[string]*record         // by ID
	Images     map[string]*image          // by ID
	Layers     map[string]evidence.Layer  // by diff ID
	Contents   map[string]string          // of small files, by SHA-256
}

// record is a container.
type record struct {
	ID       string
	Spec     engine.ContainerSpec
	Image    string // ID
	State    string
	Created  time.Time
	Started  time.Time
	Port     int // published on the host while it runs
	IP       string
	Joined   []string // networks besides that of its Spec
	Received uint64
	Edits    []evidence.Entry  // over its image, in order
	Memory   map[string]string // what lies in its memory while it runs, by path
}

// image is an image, with the tags that it has.
type image struct {
	ID     string
	Layers []string // diff IDs
	Config config
	Tags   []string
	Parent string // ID of the image that it was built from
}

// Script is a script that was run inside a container.
type Script struct {
	Container string // its name
	User      string
	Script    string
	Env       []string
}

// epoch is past: nothing is made after it was looked at.
var epoch = time.Date(2020, time.January, 1, 0, 0, 0, 0, time.UTC)

// tick is the time of an event: later than every one before.
func (s *state) tick() time.Time {
	s.Clock++
	return epoch.Add(time.Duration(s.Clock) * time.Second)
}

// newID makes an ID like the engine's.
func (s *state) newID() string { return digest(fmt.Sprintf("object at %v", s.tick())) }

func digest(content string) string {
	sum := sha256.Sum256([]byte(content))
	return hex.EncodeToString(sum[:])
}

// request is one request to the engine: it counts, and fails when it is told to.
func (e *Engine) request(ctx context.Context, op string, handle func(*state) error) error {
	return e.update(ctx, func(s *state) error {
		s.Requests++
		if err := s.failure(op); err != nil {
			return fmt.Errorf("%s: %w", op, err)
		}
		return handle(s)
	})
}

// update changes the state under the file's lock. What was changed before an
// error stays changed, as on an engine.
func (e *Engine) update(ctx context.Context, handle func(*state) error) (err error) {
	lock := flock.New(e.path + ".lock")
	if _, err := lock.TryLockContext(ctx, 2*time.Millisecond); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()

	s := &state{
		Networks: map[string]*engine.Network{}, Containers: map[string]*record{}, Images: map[string]*image{},
		Layers: map[string]evidence.Layer{}, Contents: map[string]string{},
	}
	data, err := os.ReadFile(e.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	default:
		if err := json.Unmarshal(data, s); err != nil {
			return fmt.Errorf("reading %s: %w", e.path, err)
		}
	}
	handled := handle(s)
	if data, err = json.MarshalIndent(s, "", " "); err != nil {
		return err
	}
	// Not to be seen half written by a process that was killed.
	if err := os.WriteFile(e.path+".new", data, 0o600); err != nil {
		return err
	}
	return errors.Join(handled, os.Rename(e.path+".new", e.path))
}
