package state_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/labctl/labctl/runner/state"
)

func TestProgressOutlivesTheInstance(t *testing.T) {
	t.Parallel()
	s := state.New(t.TempDir())
	if p, err := s.Progress("l", "Ada Lovelace", "ada"); err != nil || p.Passed != nil || len(p.Answers) != 0 {
		t.Errorf("where nothing was kept: %+v, %v", p, err)
	}
	if err := s.Save(&state.Record{Instance: "l-ada", Lab: "l", Workspace: "/w"}); err != nil {
		t.Fatal(err)
	}
	passed := state.Passed{Time: time.Unix(1, 0).UTC(), Score: 90, Max: 100, Evidence: "sha256:1"}
	err := s.ChangeProgress(t.Context(), "l", "Ada Lovelace", "ada", func(p *state.Progress) {
		p.Passed = &passed
		p.Answers["q"] = state.Answer{First: "b", Right: true, Tries: 2}
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Halt("l-ada"); err != nil {
		t.Fatal(err)
	}
	if err := s.Remove("l-ada"); err != nil {
		t.Fatal(err)
	}
	p, err := s.Progress("l", "Ada Lovelace", "ada")
	if err != nil || p.Passed == nil || *p.Passed != passed || p.Answers["q"].Tries != 2 {
		t.Errorf("after purging: %+v, %v", p, err)
	}
	if p, err := s.Progress("l", "Bob", "bob"); err != nil || p.Passed != nil {
		t.Errorf("of another learner: %+v, %v", p, err)
	}
	if p, err := s.Progress("other", "Ada Lovelace", "ada"); err != nil || p.Passed != nil {
		t.Errorf("in another lab: %+v, %v", p, err)
	}
}

// A damaged file is neither read as nothing nor written over.
func TestDamagedProgressIsKept(t *testing.T) {
	t.Parallel()
	for _, damage := range []string{
		"", "{", `{"lab":"l","learner":"bob","answers":{}}`, `{"lab":"other","learner":"ada"}`, `{"lab":"l","learner":"ada","score":3}`,
		`{"lab":"l","learner":"ada","answers":{"q":{"first":"a"}}}`, `{"lab":"l","learner":"ada","answers":{"q":{"first":"a","first_right":true,"tries":1}}}`,
	} {
		t.Run(damage, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			s := state.New(root)
			path := filepath.Join(root, "progress", "l", "ada.json")
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(damage), 0o644); err != nil {
				t.Fatal(err)
			}
			damaged := (*state.DamagedProgress)(nil)
			if _, err := s.Progress("l", "ada", "ada"); !errors.As(err, &damaged) || damaged.Path != path {
				t.Errorf("reading: %v", err)
			}
			err := s.ChangeProgress(t.Context(), "l", "ada", "ada", func(*state.Progress) { t.Error("it was changed") })
			if !errors.As(err, &damaged) {
				t.Errorf("changing: %v", err)
			}
			if got, err := os.ReadFile(path); err != nil || string(got) != damage {
				t.Errorf("the file is %q, %v", got, err)
			}
		})
	}
}

func TestProgressIsChangedByOneAtATime(t *testing.T) {
	t.Parallel()
	s := state.New(t.TempDir())
	var wait sync.WaitGroup
	for i := range 20 {
		wait.Go(func() {
			err := s.ChangeProgress(context.Background(), "l", "ada", "ada", func(p *state.Progress) {
				p.Answers[fmt.Sprint(i)] = state.Answer{First: "a", Tries: 1}
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if p, err := s.Progress("l", "ada", "ada"); err != nil || len(p.Answers) != 20 {
		t.Errorf("%d of 20 answers are there: %v", len(p.Answers), err)
	}
}
