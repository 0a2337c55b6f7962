package runner

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/labctl/labctl/runner/problem"
	"github.com/labctl/labctl/runner/state"
	"github.com/labctl/labctl/runner/workspace"
	"github.com/labctl/labctl/scenarios/config"
	"github.com/labctl/labctl/scenarios/lab"
)

// Desk is where labs are read and questions are answered: it needs no engine.
type Desk struct {
	Library *Library
	State   *state.Store
}

// Open finds the lab that a selector means, as its learner gets it. One that was
// started is as it was then, unless it is named by its folder. Without a lab it
// is that of the workspace, else the only one that was started; without a
// learner it is the one who started it, else the one given as otherwise.
func (d *Desk) Open(s Selector, otherwise string) (*lab.Lab, error) {
	var folder *OpenLab
	if strings.ContainsRune(s.Lab, os.PathSeparator) || s.Lab == "." || s.Lab == ".." {
		var err error
		if folder, err = d.Library.Open(s.Lab, s.Cwd); err != nil {
			return nil, err
		}
		s.Lab = folder.Definition.Name()
	}
	m, _, ok, err := workspace.FindMarker(s.Cwd)
	if err != nil {
		return nil, err
	}
	if ok && s.Learner == "" && (s.Lab == "" || s.Lab == m.Lab) {
		s.Lab, s.Learner = m.Lab, m.Learner
	}
	rec, err := d.pick(s, otherwise)
	if err != nil {
		return nil, err
	}
	if rec != nil && folder == nil {
		return lookUp(d.State, d.Library, rec)
	}
	if folder == nil {
		if folder, err = d.Library.Open(s.Lab, s.Cwd); err != nil {
			return nil, err
		}
	}
	learner := cmp.Or(s.Learner, otherwise)
	seed := config.SeedOf(learner)
	if rec != nil {
		learner, seed = rec.Learner, rec.Seed
	}
	return resolve(folder, learner, seed)
}

// LearnerOf is whose workspace a folder is in, else the one given as otherwise.
func (d *Desk) LearnerOf(cwd, otherwise string) string {
	// What a damaged marker says is not needed: whose progress is shown, is said.
	if m, _, ok, err := workspace.FindMarker(cwd); ok && err == nil {
		return m.Learner
	}
	return otherwise
}

// pick chooses among what was started and not stopped; nil when a lab is named
// that was not.
func (d *Desk) pick(s Selector, otherwise string) (*state.Record, error) {
	started, err := d.started()
	if err != nil {
		return nil, err
	}
	var matching []*state.Record
	for _, rec := range started {
		if (s.Lab == "" || rec.Lab == s.Lab || rec.Instance == s.Lab) && (s.Learner == "" || rec.Learner == s.Learner) {
			matching = append(matching, rec)
		}
	}
	own := slices.IndexFunc(matching, func(rec *state.Record) bool { return rec.Learner == otherwise })
	switch {
	case len(matching) == 1:
		return matching[0], nil
	case s.Lab != "" && own >= 0:
		return matching[own], nil
	case s.Lab != "" && len(matching) == 0:
		return nil, nil
	}
	p := &problem.Problem{What: "which lab?", Why: "none was started" + ofLearner(s.Learner), Mend: "name one; `labctl list` shows the labs there are", Usage: true}
	if len(matching) > 0 {
		var names []string
		for _, rec := range matching {
			names = append(names, fmt.Sprintf("%s (learner %s)", rec.Lab, rec.Learner))
		}
		p.Why, p.Mend = "several were started: "+strings.Join(names, ", "), "name one (LAB --learner NAME), or call this in its workspace"
	}
	return nil, p
}

// started are the records of instances that were started and not stopped. One
// that cannot be read is left to the commands that need it.
func (d *Desk) started() ([]*state.Record, error) {
	names, err := d.State.Instances()
	if err != nil {
		return nil, err
	}
	var out []*state.Record
	for _, name := range names {
		rec, err := d.State.Load(name)
		if err == nil && !rec.Stopped {
			out = append(out, rec)
		}
	}
	return out, nil
}

// lookUp is an instance's lab as it was when it started: from the copy that was
// kept, else from where it came from as long as that has not changed.
func lookUp(store *state.Store, library *Library, rec *state.Record) (*lab.Lab, error) {
	found, err := open(config.Read, store.Definition(rec.Instance), rec.Source, true)
	if err != nil || found.Definition.Digest != rec.Definition {
		found, err = library.Open(rec.Source, "")
		if err == nil && found.Definition.Digest != rec.Definition {
			err = errors.New("the kept copy is lost, and " + rec.Source + " has changed since")
		}
	}
	if err != nil {
		return nil, &problem.Problem{
			What: "the definition that " + rec.Instance + " was started with is gone", Err: err,
			Mend: "stop it with " + stopCommand(rec) + " and start it again",
		}
	}
	return resolve(found, rec.Learner, rec.Seed)
}

func resolve(found *OpenLab, learner string, seed int64) (*lab.Lab, error) {
	l, diags := found.Definition.Resolve(learner, seed)
	if diags.HasErrors() {
		return nil, &LabError{Source: found.Source, Diags: diags, Files: found.Definition.Files}
	}
	return l, nil
}
