package runner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/labctl/labctl/runner/apply"
	"github.com/labctl/labctl/runner/engine"
	"github.com/labctl/labctl/runner/plan"
	"github.com/labctl/labctl/runner/problem"
	"github.com/labctl/labctl/runner/state"
	"github.com/labctl/labctl/scenarios/config"
	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/lab"
	"github.com/labctl/labctl/scenarios/report"
)

// Test implements API. Every scenario is brought about in an instance of its
// own, with a state folder and a workspace of its own, and all of it is
// removed afterwards.
func (r *Runner) Test(ctx context.Context, o TestOptions) ([]TestResult, error) {
	found, err := r.Library.Open(o.Lab, o.Cwd)
	if err != nil {
		return nil, err
	}
	l, diags := found.Definition.Resolve("test", config.SeedOf("test"))
	if diags.HasErrors() {
		return nil, &LabError{Source: found.Source, Diags: diags, Files: found.Definition.Files}
	}
	chosen, err := choose(l, o.Scenarios)
	if err != nil {
		return nil, err
	}
	if !found.Shipped && !o.Trust && slices.ContainsFunc(chosen, func(s lab.Scenario) bool { return len(scripts(l, s)) > 0 }) {
		return nil, &problem.Problem{
			What:  "the scenarios of " + found.Source + " run scripts on this host",
			Mend:  "read them, and say --trust if they may",
			Usage: true,
		}
	}
	dir, err := os.MkdirTemp("", "labctl-test-")
	if err != nil {
		return nil, fmt.Errorf("making a folder for the scenarios' workspaces: %w", err)
	}

	t := &testing{Runner: r, o: o, found: found, dir: dir, run: random(), results: make([]TestResult, len(chosen))}
	group, runCtx := errgroup.WithContext(ctx)
	group.SetLimit(max(1, o.Parallel))
	for i, s := range chosen {
		group.Go(func() error { return t.scenario(runCtx, i, s.Name) })
	}
	err = group.Wait()
	clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoWithin)
	defer cancel()
	err = errors.Join(err, t.removeImages(clean))
	if !t.kept {
		err = errors.Join(err, os.RemoveAll(dir))
	}
	return t.results, err
}

func choose(l *lab.Lab, names []string) ([]lab.Scenario, error) {
	if len(names) == 0 {
		return l.Scenarios, nil
	}
	var out []lab.Scenario
	for _, name := range names {
		s := l.Scenario(name)
		if s == nil {
			var known []string
			for _, s := range l.Scenarios {
				known = append(known, s.Name)
			}
			return nil, &problem.Problem{What: fmt.Sprintf("%s has no scenario %q", l.Name, name), Mend: fmt.Sprintf("there are: %s", known), Usage: true}
		}
		out = append(out, *s)
	}
	return out, nil
}

// scripts are the scenarios whose scripts bring one about, in order: those it
// continues first.
func scripts(l *lab.Lab, s lab.Scenario) []lab.Scenario {
	var out []lab.Scenario
	for at := &s; at != nil; at = l.Scenario(at.From) {
		if at.Script != "" {
			out = append([]lab.Scenario{*at}, out...)
		}
	}
	return out
}

// testing is one call of Test.
type testing struct {
	*Runner
	o     TestOptions
	found *OpenLab
	dir   string
	run   string // tells this call's instances from another's

	mu      sync.Mutex
	results []TestResult
	images  []string
	kept    bool
}

// scenario brings one about and compares. Only what ends the whole run, such
// as an engine that went away, is returned.
func (t *testing) scenario(ctx context.Context, i int, name string) error {
	begun := time.Now()
	result := TestResult{Lab: t.found.Definition.Name(), Scenario: name, Differences: []string{}}
	rep, err := t.bringAbout(ctx, name, &result)
	if err == nil {
		l, diags := t.found.Definition.Resolve("test", config.SeedOf(name))
		if diags.HasErrors() {
			return &LabError{Source: t.found.Source, Diags: diags, Files: t.found.Definition.Files}
		}
		result.Report = rep
		result.Differences = append(result.Differences, report.Compare(l.Scenario(name).Expect, *rep)...)
		result.OK = len(result.Differences) == 0
	} else {
		result.Error = err.Error()
	}
	result.Seconds = time.Since(begun).Seconds()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.results[i] = result
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if t.o.Report != nil {
		t.o.Report(result)
	}
	return nil
}

// bringAbout starts an instance, runs the scenario's scripts in its workspace,
// grades it and removes it.
func (t *testing) bringAbout(ctx context.Context, name string, result *TestResult) (rep *report.Report, err error) {
	r := *t.Runner
	r.Progress = nil
	// Letters and digits alone, so that engine names stay readable.
	learner := "test-" + t.run + "-" + slug(name)
	dir := filepath.Join(t.dir, name)
	if !t.o.Keep {
		r.parent = t.State
		r.State = state.New(filepath.Join(dir, "state"))
	}
	tmp := filepath.Join(dir, "tmp")
	if err := os.MkdirAll(tmp, 0o755); err != nil {
		return nil, fmt.Errorf("making a folder for %s: %w", name, err)
	}
	seed := config.SeedOf(name)
	started, err := r.Start(ctx, StartOptions{
		Lab: t.o.Lab, Learner: learner, Seed: &seed, Dir: filepath.Join(dir, "workspace"), Cwd: t.o.Cwd,
	})
	if err != nil {
		return nil, err
	}
	defer func() {
		if t.o.Keep && (err != nil || !result.OK) {
			t.mu.Lock()
			defer t.mu.Unlock()
			t.kept, result.Kept = true, started.Instance.Instance
			return
		}
		clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoWithin)
		defer cancel()
		err = errors.Join(err, t.clean(clean, &r, started.Instance))
	}()
	w, err := r.look(ctx)
	if err != nil {
		return nil, err
	}
	rec, l, err := r.running(w, started.Instance)
	if err != nil {
		return nil, err
	}
	env, err := scriptEnvironment(l, rec, tmp)
	if err != nil {
		return nil, err
	}
	for _, s := range scripts(l, *l.Scenario(name)) {
		if err := runScript(ctx, rec.Workspace, s, env); err != nil {
			return nil, err
		}
	}
	if err := r.settle(ctx, l, rec); err != nil {
		return nil, err
	}
	set, err := r.Gather(ctx, started.Instance)
	if err != nil {
		return nil, err
	}
	rep, err = regrade(set)
	if err != nil {
		return nil, err
	}
	result.OK = len(report.Compare(l.Scenario(name).Expect, *rep)) == 0
	return rep, nil
}

// regrade grades evidence as it would be read back from a file.
func regrade(set *evidence.Set) (*report.Report, error) {
	saved, err := evidence.Marshal(set)
	if err != nil {
		return nil, err
	}
	read, err := evidence.Unmarshal(saved)
	if err != nil {
		return nil, err
	}
	rep, err := report.Grade(read)
	return &rep, err
}

// settle waits until what a script started answers. What does not is left to
// the checks.
func (r *Runner) settle(ctx context.Context, l *lab.Lab, rec *state.Record) error {
	w, err := r.look(ctx)
	if err != nil {
		return err
	}
	in, err := r.instance(ctx, w, rec)
	if err != nil {
		return err
	}
	for _, s := range in.Services {
		declared := l.Service(s.Name, s.Environment)
		if declared.Ready.Get == "" {
			continue
		}
		within, err := time.ParseDuration(declared.Ready.Within)
		if err != nil {
			return fmt.Errorf("reading how long %s may take: %w", declared.Address(), err)
		}
		for _, c := range s.Live {
			address := s.Address
			if address == "" {
				network := plan.Names{Instance: rec.Instance}.Network(s.Environment)
				if address, err = apply.NetworkAddress(ctx, r.Engine, c.ID, network, declared.Port); err != nil {
					continue
				}
			}
			_ = r.Engine.Ready(ctx, c.ID, address, declared.Ready.Get, within)
		}
	}
	return ctx.Err()
}

// clean removes an instance. Its images go when every scenario is done: the
// builds of the others may stand on them. What it pinned is noted even where
// another instance stands on it now, which may be one that is being removed,
// too.
func (t *testing) clean(ctx context.Context, r *Runner, in Instance) error {
	w, err := r.look(ctx)
	if err != nil {
		return err
	}
	rec, err := r.record(w, in.Instance)
	if err != nil {
		return err
	}
	p, err := r.PlanStop(ctx, in, true)
	if err != nil {
		return err
	}
	t.mu.Lock()
	for _, image := range p.present.Images {
		t.images = append(t.images, image.ID)
	}
	for _, id := range rec.Images {
		t.images = append(t.images, id)
	}
	t.mu.Unlock()
	p.present.Images = nil
	return r.Stop(ctx, p)
}

// removeImages removes what the scenarios' instances left, unless an instance
// on the engine stands on it. An image goes after those that stand on it only,
// so what cannot be removed is tried again as long as others go.
func (t *testing) removeImages(ctx context.Context) error {
	slices.Sort(t.images)
	left := slices.Compact(t.images)
	for {
		var inUse []string
		for _, id := range left {
			pinned, err := t.pinned(ctx, id)
			if err != nil {
				return err
			}
			if pinned {
				continue
			}
			if err := t.dropImage(ctx, id); errors.Is(err, engine.ErrInUse) {
				inUse = append(inUse, id)
			} else if err != nil {
				return err
			}
		}
		if len(inUse) == 0 {
			return nil
		}
		if len(inUse) == len(left) {
			t.Progress.Notice(fmt.Sprintf("images stay, because something else uses them: %s", strings.Join(inUse, ", ")))
			return nil
		}
		left = inUse
	}
}
