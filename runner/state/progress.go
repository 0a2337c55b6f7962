package state

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Progress is what a learner has reached in a lab. It outlives the instance:
// neither stop nor purge takes it.
type Progress struct {
	Lab     string            `json:"lab"`
	Learner string            `json:"learner"`
	Passed  *Passed           `json:"passed"`  // nil until a check passed
	Answers map[string]Answer `json:"answers"` // by the question's name
}

// Passed is the best check that passed, the earliest of equal ones. Its JSON is
// part of labctl/list/v1.
type Passed struct {
	Time     time.Time `json:"time"` // when its evidence was gathered
	Score    int       `json:"score"`
	Max      int       `json:"max"`
	Evidence string    `json:"evidence"` // digest
}

// Answer is how a learner has answered a question. The first try is the one that
// counts; any number may follow.
type Answer struct {
	First      string `json:"first"` // letters, sorted: "b", "ac"
	FirstRight bool   `json:"first_right"`
	Right      bool   `json:"right"` // in some try
	Tries      int    `json:"tries"`
}

// DamagedProgress is a file that does not say what somebody has reached. It is
// left as it is: what is in it may be worth mending.
type DamagedProgress struct {
	Path string
	Err  error
}

func (e *DamagedProgress) Error() string {
	return fmt.Sprintf("%s is damaged: %s", e.Path, e.Err)
}

func (e *DamagedProgress) Unwrap() error { return e.Err }

// progressPath is where a learner's progress in a lab is kept. file stands for
// the learner, whose name no file may have.
func (s *Store) progressPath(lab, file string) string {
	return filepath.Join(s.root, "progress", lab, file+".json")
}

// Progress reads what a learner has reached in a lab: nothing, where nothing was
// kept. file is a name for the learner that files can have.
func (s *Store) Progress(lab, learner, file string) (*Progress, error) {
	path := s.progressPath(lab, file)
	p := &Progress{Lab: lab, Learner: learner, Answers: map[string]Answer{}}
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return p, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the progress in %s: %w", lab, err)
	}
	var kept Progress
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&kept); err != nil {
		return nil, &DamagedProgress{path, err}
	}
	if kept.Lab != lab || kept.Learner != learner {
		return nil, &DamagedProgress{path, fmt.Errorf("it is the progress of %q in %q", kept.Learner, kept.Lab)}
	}
	for name, a := range kept.Answers {
		if a.Tries < 1 || a.First == "" || a.FirstRight && !a.Right {
			return nil, &DamagedProgress{path, fmt.Errorf("it contradicts itself about question %q", name)}
		}
		p.Answers[name] = a
	}
	p.Passed = kept.Passed
	return p, nil
}

// ChangeProgress changes what is kept of a learner's progress in a lab, with
// nobody else changing it meanwhile.
func (s *Store) ChangeProgress(ctx context.Context, lab, learner, file string, change func(*Progress)) error {
	unlock, err := s.Lock(ctx, "progress-"+lab+"-"+file, nil)
	if err != nil {
		return err
	}
	defer unlock()
	p, err := s.Progress(lab, learner, file)
	if err != nil {
		return err
	}
	change(p)
	if err := replace(s.progressPath(lab, file), p); err != nil {
		return fmt.Errorf("keeping the progress in %s: %w", lab, err)
	}
	return nil
}
