// Package state keeps what the engine cannot: one folder for each instance
// with its record, the baseline taken when it started, and the definition of
// its lab. Losing it costs details of the baseline, never the instance. What
// learners have reached lies beside, and outlives their instances.
package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"time"

	"github.com/gofrs/flock"

	"github.com/labctl/labctl/scenarios/evidence"
)

// Store is the folder that holds the instances' folders.
type Store struct{ root string }

// New is the store in a folder, which is made when it is first written to.
func New(root string) *Store { return &Store{root: root} }

// DefaultRoot is where a user's state belongs: $XDG_STATE_HOME/labctl, or
// ~/.local/state/labctl (XDG Base Directory Specification 0.8).
func DefaultRoot() (string, error) {
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "labctl"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("finding a folder for labctl's state: %w; set XDG_STATE_HOME", err)
	}
	return filepath.Join(home, ".local", "state", "labctl"), nil
}

// Home makes a folder one that another labctl finds the same instances and locks
// in when $XDG_STATE_HOME names it. What learners reach there is kept there.
func (s *Store) Home(dir string) error {
	home := filepath.Join(dir, "labctl")
	err := os.MkdirAll(home, 0o755)
	for _, part := range []string{"instances", "locks"} {
		target, absErr := filepath.Abs(filepath.Join(s.root, part))
		err = errors.Join(err, absErr, os.MkdirAll(target, 0o755), os.Symlink(target, filepath.Join(home, part)))
	}
	if err != nil {
		return fmt.Errorf("making a folder for another labctl's state: %w", err)
	}
	return nil
}

// Record is what is known of an instance besides its objects on the engine.
type Record struct {
	Instance   string            `json:"instance"`
	Lab        string            `json:"lab"`
	Learner    string            `json:"learner"`
	Seed       int64             `json:"seed"`
	Definition string            `json:"definition"`
	Source     string            `json:"source"` // shipped lab's name, or the folder
	Workspace  string            `json:"workspace"`
	Started    time.Time         `json:"started"`
	Images     map[string]string `json:"images"`    // tag → pinned ID
	Addresses  map[string]string `json:"addresses"` // "booking" or "booking.prod" → host:port
	Complete   bool              `json:"complete"`  // start came to its end
	Stopped    bool              `json:"stopped"`   // only images and the workspace are left
	Hints      int               `json:"hints"`     // how many were shown
	Ran        []string          `json:"ran"`       // IDs of images whose containers stop removed
}

// Baseline is what the start containers were when start was done.
type Baseline struct {
	Containers []evidence.Container      `json:"containers"`
	Images     map[string]evidence.Image `json:"images"`
	Layers     map[string]evidence.Layer `json:"layers"`
	Trees      map[string]evidence.Tree  `json:"trees"`
	Texts      map[string]string         `json:"texts,omitempty"` // of what they had by hand, by SHA-256
}

// CacheDir is where the clean rooms of an instance keep what they built. It goes
// with the instance.
func (s *Store) CacheDir(instance string) string { return filepath.Join(s.dir(instance), "cleanroom") }

// ShareCache has an instance keep what its clean room builds in a folder that
// others keep theirs in, too.
func (s *Store) ShareCache(instance, dir string) error {
	err := errors.Join(os.MkdirAll(dir, 0o700), os.MkdirAll(s.dir(instance), 0o755))
	if err == nil {
		err = os.Symlink(dir, s.CacheDir(instance))
	}
	if err != nil {
		return fmt.Errorf("sharing what clean rooms build: %w", err)
	}
	return nil
}

func (s *Store) dir(instance string) string { return filepath.Join(s.root, "instances", instance) }

// Instances names the instances that have a folder.
func (s *Store) Instances() ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(s.root, "instances"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("listing instances: %w", err)
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() {
			names = append(names, e.Name())
		}
	}
	sort.Strings(names)
	return names, nil
}

// Load reads an instance's record; fs.ErrNotExist when it has none.
func (s *Store) Load(instance string) (*Record, error) {
	var r Record
	if err := s.read(instance, "instance.json", &r); err != nil {
		return nil, err
	}
	if r.Instance != instance {
		return nil, fmt.Errorf("reading %s: it is the record of %q", filepath.Join(s.dir(instance), "instance.json"), r.Instance)
	}
	if r.Lab == "" || !filepath.IsAbs(r.Workspace) {
		return nil, fmt.Errorf("reading %s: it says not of which lab, or not where the workspace is", filepath.Join(s.dir(instance), "instance.json"))
	}
	if r.Images == nil {
		r.Images = map[string]string{}
	}
	return &r, nil
}

// Save writes an instance's record.
func (s *Store) Save(r *Record) error { return s.write(r.Instance, "instance.json", r) }

// LoadBaseline reads an instance's baseline; fs.ErrNotExist when it has none.
func (s *Store) LoadBaseline(instance string) (*Baseline, error) {
	var b Baseline
	if err := s.read(instance, "baseline.json", &b); err != nil {
		return nil, err
	}
	for digest, tree := range b.Trees {
		if tree.Digest() != digest {
			return nil, fmt.Errorf("reading the baseline of %s: a filesystem in it is not the one that was recorded", instance)
		}
	}
	if err := evidence.ValidateTexts(b.Texts); err != nil {
		return nil, fmt.Errorf("reading the baseline of %s: %w", instance, err)
	}
	return &b, nil
}

// SaveBaseline writes an instance's baseline.
func (s *Store) SaveBaseline(instance string, b *Baseline) error {
	return s.write(instance, "baseline.json", b)
}

// Halt keeps of an instance what is needed to purge it later, and forgets what
// it was like when it ran.
func (s *Store) Halt(instance string) error {
	r, err := s.Load(instance)
	if err != nil {
		return s.Remove(instance) // nobody knows what there would be to purge
	}
	if err := os.Remove(filepath.Join(s.dir(instance), "baseline.json")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forgetting the baseline of %s: %w", instance, err)
	}
	r.Stopped, r.Complete = true, false
	return s.Save(r)
}

// Definition is the lab's folder as it was when the instance started.
func (s *Store) Definition(instance string) fs.FS {
	return os.DirFS(filepath.Join(s.dir(instance), "definition"))
}

// SaveDefinition copies the lab's folder.
func (s *Store) SaveDefinition(instance string, definition fs.FS) error {
	dst := filepath.Join(s.dir(instance), "definition")
	if err := os.RemoveAll(dst); err != nil {
		return fmt.Errorf("keeping the lab's definition: %w", err)
	}
	err := fs.WalkDir(definition, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(dst, path), 0o755)
		}
		content, err := fs.ReadFile(definition, path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dst, path), content, 0o644)
	})
	if err != nil {
		return fmt.Errorf("keeping the lab's definition: %w", err)
	}
	return nil
}

// Remove deletes an instance's folder.
func (s *Store) Remove(instance string) error {
	if err := os.RemoveAll(s.dir(instance)); err != nil {
		return fmt.Errorf("removing the state of %s: %w", instance, err)
	}
	return nil
}

// Lock takes a name for this process until unlock is called or the process
// ends, however it ends. It waits while another holds it, and tells waiting
// once when it has to.
func (s *Store) Lock(ctx context.Context, name string, waiting func()) (unlock func(), err error) {
	dir := filepath.Join(s.root, "locks")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("locking %s: %w; set XDG_STATE_HOME to a folder that can be written", name, err)
	}
	l := flock.New(filepath.Join(dir, name))
	ok, err := l.TryLock()
	if err == nil && !ok {
		if waiting != nil {
			waiting()
		}
		ok, err = l.TryLockContext(ctx, 50*time.Millisecond)
	}
	if err != nil || !ok {
		return nil, fmt.Errorf("locking %s: %w", name, err)
	}
	return func() { _ = l.Unlock() }, nil
}

// Locked reports whether a process holds a name now.
func (s *Store) Locked(name string) bool {
	path := filepath.Join(s.root, "locks", name)
	if _, err := os.Stat(path); err != nil {
		return false // nobody ever did
	}
	l := flock.New(path)
	ok, err := l.TryLock()
	if ok {
		_ = l.Unlock()
	}
	return err == nil && !ok
}

func (s *Store) read(instance, name string, v any) error {
	path := filepath.Join(s.dir(instance), name)
	b, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("reading what is known of %s: %w", instance, err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("reading %s: %w", path, err)
	}
	return nil
}

func (s *Store) write(instance, name string, v any) error {
	if err := replace(filepath.Join(s.dir(instance), name), v); err != nil {
		return fmt.Errorf("writing %s of %s: %w", name, instance, err)
	}
	return nil
}

// replace writes a file whole: a crash leaves the old one or the new one.
func replace(path string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	dir, name := filepath.Split(path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, name+".*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }()
	_, err = f.Write(b)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
