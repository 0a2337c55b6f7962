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

// imagesWithin is how long the removal of images may take when all was tried.
// There are hundreds, and an engine that is busy takes a second for one.
const imagesWithin = 5 * time.Minute

// Test implements API. Every scenario, cheat and honest way is brought about in
// an instance of its own, with a state folder and a workspace of its own, and
// all of it is removed afterwards.
func (r *Runner) Test(ctx context.Context, o TestOptions) (*TestOutcome, error) {
	found, err := r.Library.Open(o.Lab, o.Cwd)
	if err != nil {
		return nil, err
	}
	l, diags := found.Definition.Resolve("test", config.SeedOf("test"))
	if diags.HasErrors() {
		return nil, &LabError{Source: found.Source, Diags: diags, Files: found.Definition.Files}
	}
	chosen, err := choose(l, o)
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

	t := &trial{Runner: r, o: o, found: found, dir: dir, run: random(), right: rightScenario(l).Name}
	err = t.all(ctx, l, chosen)
	t.outcome.Whole = err == nil
	clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), imagesWithin)
	defer cancel()
	err = errors.Join(err, t.left, t.removeImages(clean))
	if !t.kept {
		err = errors.Join(err, os.RemoveAll(dir))
	}
	return &t.outcome, err
}

// all brings about the scenarios, and then what is derived from the right one.
func (t *trial) all(ctx context.Context, l *lab.Lab, chosen []lab.Scenario) error {
	if err := t.scenarios(ctx, chosen); err != nil {
		return err
	}
	if len(t.o.Scenarios) > 0 {
		return nil // just these were asked for
	}
	return t.prove(ctx, l)
}

// choose picks the scenarios that were asked for. The right one comes first:
// what is derived from it need not wait then.
func choose(l *lab.Lab, o TestOptions) ([]lab.Scenario, error) {
	right := rightScenario(l)
	if len(o.Derived) > 0 {
		return []lab.Scenario{*right}, known(l, o.Derived)
	}
	if len(o.Scenarios) == 0 {
		others := slices.DeleteFunc(slices.Clone(l.Scenarios), func(s lab.Scenario) bool { return s.Name == right.Name })
		return append([]lab.Scenario{*right}, others...), nil
	}
	var out []lab.Scenario
	for _, name := range o.Scenarios {
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

// trial is one call of Test.
type trial struct {
	*Runner
	o     TestOptions
	found *OpenLab
	dir   string
	run   string // tells this call's instances from another's
	right string // the scenario that cheats are derived from
	model *model // how it did things, once it came about

	layers sync.Map // what images' layers hold, by image ID

	mu      sync.Mutex
	outcome TestOutcome
	images  []string
	kept    bool
	left    error // why not all of it could be removed
}

// scenarios brings the chosen ones about, several at once.
func (t *trial) scenarios(ctx context.Context, chosen []lab.Scenario) error {
	t.outcome.Scenarios = make([]TestResult, len(chosen))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(max(1, t.o.Parallel))
	for i, s := range chosen {
		group.Go(func() error { return t.scenario(ctx, i, s.Name) })
	}
	return group.Wait()
}

// scenario brings one about and compares. Only what ends the whole run, such
// as an engine that went away, is returned.
func (t *trial) scenario(ctx context.Context, i int, name string) error {
	begun := time.Now()
	result := TestResult{Lab: t.found.Definition.Name(), Scenario: name, Differences: []string{}}
	err := t.bringAbout(ctx, name, &result)
	if err != nil {
		result.OK, result.Error = false, err.Error()
	}
	result.Seconds = time.Since(begun).Seconds()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.outcome.Scenarios[i] = result
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if t.o.Report != nil {
		t.o.Report(result)
	}
	return nil
}

// bringAbout runs a scenario's scripts in an instance, and compares the report
// with what it expects.
func (t *trial) bringAbout(ctx context.Context, name string, result *TestResult) error {
	return t.instance(ctx, instanceOptions{name: name, seed: config.SeedOf(name), keep: t.o.Keep}, func(ctx context.Context, in *tried) (ok bool, err error) {
		for _, s := range scripts(in.lab, *in.lab.Scenario(name)) {
			if err := runScript(ctx, in.rec.Workspace, "scenario."+s.Name, s.Script, in.env); err != nil {
				return false, err
			}
		}
		rep, err := in.grade(ctx)
		if err != nil {
			return false, err
		}
		result.Report = rep
		result.Differences = append(result.Differences, report.Compare(in.lab.Scenario(name).Expect, *rep)...)
		result.OK = len(result.Differences) == 0
		if result.OK && t.modelled(name) {
			if t.model, err = in.model(ctx, filepath.Join(t.dir, "model")); err != nil {
				return false, err
			}
		}
		return result.OK, nil
	}, &result.Kept)
}

// knownLayers reads the layers of each image once, however many instances have it.
type knownLayers struct {
	engine.Engine
	known *sync.Map
}

// Layers implements engine.Observer. What an ID names never changes; a tag may
// be another image's by now.
func (k knownLayers) Layers(ctx context.Context, image string) (map[string]evidence.Layer, error) {
	if known, is := k.known.Load(image); is {
		return known.(map[string]evidence.Layer), nil
	}
	layers, err := k.Engine.Layers(ctx, image)
	if err == nil && strings.HasPrefix(image, "sha256:") {
		k.known.Store(image, layers)
	}
	return layers, err
}

// instanceOptions say what an instance is tried with.
type instanceOptions struct {
	name    string // of what is tried, unique in one call of Test
	seed    int64
	keep    bool // when it does not come out right
	always  bool // keep it, however it comes out
	ownBase bool // give it bases of its own
}

// tried is an instance in which something is tried.
type tried struct {
	*Runner
	in  Instance
	rec *state.Record
	lab *lab.Lab
	tmp string
	env []string // of scripts

	after func(context.Context) error // what is to be done when the instance is gone; nil for nothing
}

// instance starts one, has something tried in it, and removes it.
func (t *trial) instance(ctx context.Context, o instanceOptions, try func(context.Context, *tried) (ok bool, err error), kept *string) (err error) {
	r := *t.Runner
	r.Progress, r.cache, r.ownBase = nil, filepath.Join(t.dir, "cleanroom"), o.ownBase
	r.Engine = knownLayers{t.Engine, &t.layers}
	dir := filepath.Join(t.dir, o.name)
	if !o.keep && !o.always {
		r.parent = t.State
		r.State = state.New(filepath.Join(dir, "state"))
	}
	tmp := filepath.Join(dir, "tmp")
	if err := os.MkdirAll(tmp, 0o755); err != nil {
		return fmt.Errorf("making a folder for %s: %w", o.name, err)
	}
	started, err := r.Start(ctx, StartOptions{
		// Letters and digits alone, so that engine names stay readable.
		Lab: t.o.Lab, Learner: "test-" + t.run + "-" + slug(o.name), Seed: &o.seed, Dir: filepath.Join(dir, "workspace"), Cwd: t.o.Cwd,
	})
	if err != nil {
		return err
	}
	ok, in := false, &tried{Runner: &r, in: started.Instance, tmp: tmp}
	defer func() {
		if o.always || o.keep && !ok {
			t.mu.Lock()
			defer t.mu.Unlock()
			t.kept, *kept = true, started.Instance.Instance
			return
		}
		clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoWithin)
		defer cancel()
		err = errors.Join(err, t.clean(clean, &r, started.Instance))
		if in.after != nil {
			err = errors.Join(err, in.after(clean))
		}
	}()
	w, err := r.look(ctx)
	if err != nil {
		return err
	}
	if in.rec, in.lab, err = r.running(w, started.Instance); err != nil {
		return err
	}
	path, err := r.asCommand(dir)
	if err != nil {
		return err
	}
	if in.env, err = scriptEnvironment(in.lab, in.rec, tmp, path); err != nil {
		return err
	}
	ok, err = try(ctx, in)
	return err
}

// grade looks at the instance once what was started answers.
func (in *tried) grade(ctx context.Context) (*report.Report, error) {
	if err := in.settle(ctx, in.lab, in.rec); err != nil {
		return nil, err
	}
	set, err := in.Gather(ctx, in.in)
	if err != nil {
		return nil, err
	}
	return regrade(set)
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
			if lab.OnNetwork(s.Publish) {
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
func (t *trial) clean(ctx context.Context, r *Runner, in Instance) error {
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

// removeImages removes what the scenarios' instances left, unless another
// instance on the engine has to do with it. An image goes after those that
// stand on it only, so what cannot be removed is tried again as long as others
// go.
func (t *trial) removeImages(ctx context.Context) error {
	slices.Sort(t.images)
	left := slices.Compact(t.images)
	for {
		var inUse, others, theirs []string
		for _, id := range left {
			// Removing takes a while, in which others start.
			now, err := t.pinned(ctx)
			if err != nil {
				return err
			}
			if !slices.Equal(now, others) {
				if others, theirs = now, nil; len(now) > 0 {
					if theirs, err = t.mayBuild(ctx, now); err != nil {
						return err
					}
				}
			}
			if slices.Contains(others, id) || slices.Contains(theirs, id) {
				continue
			}
			if err := t.dropImage(ctx, id, ""); errors.Is(err, engine.ErrInUse) {
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

// mayBuild are the images without a name on what instances pinned. Equal builds
// are one image: what was built here may have been built there, too, to be run
// now. The last instance on a base takes them along when it is purged.
func (r *Runner) mayBuild(ctx context.Context, pinned []string) ([]string, error) {
	var bases []evidence.Image
	for _, id := range pinned {
		base, err := r.Engine.Image(ctx, id)
		if errors.Is(err, engine.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		bases = append(bases, base)
	}
	return r.unnamed(ctx, func(image evidence.Image) bool {
		return slices.ContainsFunc(bases, func(base evidence.Image) bool { return len(base.Layers) > 0 && image.StandsOn(base) })
	})
}
