package state_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	"github.com/labctl/labctl/runner/state"
	"github.com/labctl/labctl/scenarios/evidence"
)

func TestRecord(t *testing.T) {
	t.Parallel()
	s := state.New(t.TempDir())
	if _, err := s.Load("a"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("loading what was never saved: %v, want not there", err)
	}
	want := &state.Record{Instance: "a", Lab: "l", Workspace: "/w", Seed: 7, Started: time.Unix(1, 0).UTC(), Images: map[string]string{"x:1": "sha256:1"}}
	if err := s.Save(want); err != nil {
		t.Fatal(err)
	}
	got, err := s.Load("a")
	if err != nil || got.Seed != 7 || got.Images["x:1"] != "sha256:1" {
		t.Errorf("loaded %+v, %v", got, err)
	}
	if names, err := s.Instances(); err != nil || len(names) != 1 || names[0] != "a" {
		t.Errorf("instances %v, %v", names, err)
	}
	if err := s.Remove("a"); err != nil {
		t.Fatal(err)
	}
	if names, _ := s.Instances(); len(names) != 0 {
		t.Errorf("instances after removal: %v", names)
	}
}

func TestDamagedFilesAreErrors(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	s := state.New(root)
	if err := s.Save(&state.Record{Instance: "a"}); err != nil {
		t.Fatal(err)
	}
	for _, damage := range []string{
		"", "{", `{"instance":"another"}`, `{"instance":"a"}`, `{"instance":"a","lab":"l"}`, `{"instance":"a","lab":"l","workspace":"w"}`,
	} {
		if err := os.WriteFile(filepath.Join(root, "instances", "a", "instance.json"), []byte(damage), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Load("a"); err == nil || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("a record of %q: %v, want an error", damage, err)
		}
	}
	tree := evidence.Tree{{Path: "/a", Type: evidence.TypeFile, SHA256: "00"}}
	if err := s.SaveBaseline("a", &state.Baseline{Trees: map[string]evidence.Tree{"sha256:of another": tree}}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.LoadBaseline("a"); err == nil {
		t.Error("a baseline whose filesystem was exchanged was loaded")
	}
}

func TestDefinitionIsACopy(t *testing.T) {
	t.Parallel()
	s := state.New(t.TempDir())
	for _, content := range []string{"one", "two"} {
		if err := s.SaveDefinition("a", fstest.MapFS{"lab.hcl": {Data: []byte(content)}, "images/x/f": {Data: []byte("f")}}); err != nil {
			t.Fatal(err)
		}
		if got, err := fs.ReadFile(s.Definition("a"), "lab.hcl"); err != nil || string(got) != content {
			t.Errorf("read %q, %v; want %q", got, err, content)
		}
	}
}

func TestLock(t *testing.T) {
	t.Parallel()
	s := state.New(t.TempDir())
	unlock, err := s.Lock(t.Context(), "a", nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	waited := false
	if _, err := s.Lock(ctx, "a", func() { waited = true }); err == nil {
		t.Error("locked twice")
	}
	if !waited {
		t.Error("nobody was told about waiting")
	}
	unlock()
	again, err := s.Lock(t.Context(), "a", nil)
	if err != nil {
		t.Fatal(err)
	}
	again()
}

func TestLocked(t *testing.T) {
	t.Parallel()
	s := state.New(t.TempDir())
	if s.Locked("a") {
		t.Error("locked before anybody locked it")
	}
	unlock, err := s.Lock(t.Context(), "a", nil)
	if err != nil {
		t.Fatal(err)
	}
	if !s.Locked("a") || s.Locked("b") {
		t.Error("who holds what is not told")
	}
	unlock()
	if s.Locked("a") {
		t.Error("locked after it was let go")
	}
}

// Another labctl finds the same instances and locks there, and keeps what is
// reached to itself.
func TestHome(t *testing.T) {
	t.Parallel()
	s, home := state.New(t.TempDir()), t.TempDir()
	if err := s.Home(home); err != nil {
		t.Fatal(err)
	}
	other := state.New(filepath.Join(home, "labctl"))
	if err := s.Save(&state.Record{Instance: "a", Lab: "l", Workspace: "/w"}); err != nil {
		t.Fatal(err)
	}
	if _, err := other.Load("a"); err != nil {
		t.Error(err)
	}
	unlock, err := other.Lock(t.Context(), "a", nil)
	if err != nil {
		t.Fatal(err)
	}
	if !s.Locked("a") {
		t.Error("what the other one locked is not locked")
	}
	unlock()
	err = other.ChangeProgress(t.Context(), "l", "ann", "ann", func(p *state.Progress) { p.Passed = &state.Passed{Score: 1} })
	if err != nil {
		t.Fatal(err)
	}
	if p, err := s.Progress("l", "ann", "ann"); err != nil || p.Passed != nil {
		t.Errorf("what was reached there is known here: %+v, %v", p, err)
	}
	if err := other.Remove("a"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Load("a"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what was removed there is here: %v", err)
	}
}
