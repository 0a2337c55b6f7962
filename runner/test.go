package runner

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"github.com/labctl/labctl/runner/apply"
	"github.com/labctl/labctl/runner/cleanroom"
	"github.com/labctl/labctl/runner/engine"
	"github.com/labctl/labctl/runner/plan"
	"github.com/labctl/labctl/runner/problem"
	"github.com/labctl/labctl/runner/progress"
	"github.com/labctl/labctl/runner/proof"
	"github.com/labctl/labctl/runner/state"
	"github.com/labctl/labctl/scenarios/config"
	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/lab"
	"github.com/labctl/labctl/scenarios/report"
)

// imagesWithin is how long the removal of images may take when all was tried.
// There are hundreds, and an engine that is busy takes a second for one.
const imagesWithin = 5 * time.Minute

// Test implements API. Scenarios, cheats and honest ways are brought about in
// instances made for them, with state folders and workspaces of their own, and
// all of it is removed afterwards. Labs are proven side by side: while one waits
// for a server, another has the processors.
func (r *Runner) Test(ctx context.Context, o TestOptions) ([]TestOutcome, error) {
	p := &proving{Runner: r, o: o, run: random(), free: semaphore.NewWeighted(int64(max(1, o.Parallel)))}
	steps := 0
	for _, name := range o.Labs {
		t, err := p.trial(name)
		if err != nil {
			return nil, err
		}
		p.trials = append(p.trials, t)
		steps += len(t.chosen) + len(t.todo)
	}
	var err error
	if p.dir, err = os.MkdirTemp("", "labctl-test-"); err != nil {
		return nil, fmt.Errorf("making a folder for the scenarios' workspaces: %w", err)
	}
	r.Progress.Send(progress.Event{State: progress.Detail, Total: steps})
	group, trying := errgroup.WithContext(ctx)
	for _, t := range p.trials {
		group.Go(func() error { return t.all(trying) })
	}
	err = group.Wait()
	var outcomes []TestOutcome
	for _, t := range p.trials {
		if t.whole {
			outcomes = append(outcomes, t.outcome)
		}
	}
	clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), imagesWithin)
	defer cancel()
	left := errors.Join(p.left, p.removeImages(clean))
	if !p.kept {
		left = errors.Join(left, os.RemoveAll(p.dir))
	}
	if errors.Is(err, context.Canceled) && left == nil && !p.kept {
		err = fmt.Errorf("the proof was broken off; nothing of it is left: %w", err)
	}
	return outcomes, errors.Join(err, left)
}

// proving is one call of Test.
type proving struct {
	*Runner
	o   TestOptions
	dir string
	run string // tells this call's instances from another's

	free   *semaphore.Weighted // for so many instances more
	layers sync.Map            // what images' layers hold, by image ID

	trials []*trial

	mu     sync.Mutex // of what follows, and of the trials' outcomes
	gone   []string   // instances that were removed
	images []string   // what they left: images that they ran
	bases  []string   // those that they pinned
	made   []string   // those of them that were made for an instance alone
	kept   bool
	left   error // why not all of it could be removed
}

// trial is what is tried of one lab.
type trial struct {
	*proving
	lab    string // as it was asked for
	found  *OpenLab
	name   string
	seed   int64
	places int // that cheats replace
	dir    string
	chosen []lab.Scenario
	todo   []item       // cheats and honest ways
	right  string       // the scenario that they are derived from
	model  *proof.Model // how it did things, once it came about
	fresh  sync.Map     // what fresh containers did: of one seed, an image does the same

	outcome TestOutcome
	whole   bool // all was tried
}

// trial reads a lab, and chooses what is to be tried.
func (p *proving) trial(name string) (*trial, error) {
	found, err := p.Library.Open(name, p.o.Cwd)
	if err != nil {
		return nil, err
	}
	// One seed for all instances, so that each image is built once.
	seed := config.SeedOf("test")
	if p.o.Seed != nil {
		seed = *p.o.Seed
	}
	l, err := resolve(found, "test", seed)
	if err != nil {
		return nil, err
	}
	t := &trial{proving: p, lab: name, found: found, name: l.Name, seed: seed, places: len(places(l)), right: rightScenario(l).Name, outcome: TestOutcome{Lab: l.Name}}
	if t.chosen, err = choose(l, p.o); err != nil {
		return nil, err
	}
	if !found.Shipped && !p.o.Trust && slices.ContainsFunc(t.chosen, func(s lab.Scenario) bool { return len(scripts(l, s)) > 0 }) {
		return nil, &problem.Problem{
			What:  "the scenarios of " + found.Source + " run scripts on this host",
			Mend:  "read them, and say --trust if they may",
			Usage: true,
		}
	}
	if len(p.o.Scenarios) == 0 {
		t.todo = items(l)
	}
	if len(p.o.Derived) > 0 {
		t.todo = slices.DeleteFunc(t.todo, func(i item) bool { return !slices.Contains(p.o.Derived, i.result.Name) })
	}
	return t, nil
}

// all brings about the scenarios, and what is derived from the right one, which
// is the first.
func (t *trial) all(ctx context.Context) error {
	t.dir = filepath.Join(t.proving.dir, t.name)
	t.outcome.Scenarios, t.outcome.Proofs = make([]TestResult, len(t.chosen)), make([]ProofResult, len(t.todo))
	group, trying := errgroup.WithContext(ctx)
	begun := t.each(trying, group)
	if err := group.Wait(); err != nil {
		return err
	}
	if begun != nil {
		return begun
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.whole = true
	if t.model == nil {
		t.outcome.Proofs = nil // the right scenario did not come about: its result says so
	}
	if t.o.Tried != nil {
		t.o.Tried(t.outcome)
	}
	return nil
}

// each begins one after the other as there is a place for its instance.
func (t *trial) each(ctx context.Context, group *errgroup.Group) error {
	right := make(chan struct{})
	for i, s := range t.chosen {
		if err := t.free.Acquire(ctx, 1); err != nil {
			return err
		}
		group.Go(func() error {
			defer t.free.Release(1)
			if i == 0 {
				defer close(right)
			}
			return t.scenario(ctx, i, s.Name)
		})
	}
	if len(t.todo) == 0 {
		return nil
	}
	<-right
	if t.model == nil {
		return nil
	}
	firsts, rest := t.lanes()
	for _, first := range firsts {
		if err := t.free.Acquire(ctx, 1); err != nil {
			return err
		}
		group.Go(func() error {
			defer t.free.Release(1)
			return t.along(ctx, first, rest)
		})
	}
	return nil
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

// scenario brings one about and compares. Only what ends the whole run, such
// as an engine that went away, is returned.
func (t *trial) scenario(ctx context.Context, i int, name string) error {
	step, begun := t.name+" scenario "+name, time.Now()
	t.Progress.Send(progress.Event{State: progress.Begun, Step: step})
	result := TestResult{Lab: t.name, Scenario: name, Differences: []string{}}
	err := t.bringAbout(ctx, name, &result)
	if err != nil {
		result.OK, result.Error = false, err.Error()
	}
	result.Seconds = time.Since(begun).Seconds()
	t.ended(step, result.OK)
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

// ended tells that a step came to its end.
func (t *trial) ended(step string, ok bool) {
	state := progress.Done
	if !ok {
		state = progress.Failed
	}
	t.Progress.Send(progress.Event{State: state, Step: step})
}

// bringAbout runs a scenario's scripts in an instance, and compares the report
// with what it expects.
func (t *trial) bringAbout(ctx context.Context, name string, result *TestResult) error {
	return t.instance(ctx, instanceOptions{name: name, keep: t.o.Keep}, func(ctx context.Context, in *tried) (ok bool, err error) {
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
		if result.OK && name == t.right && len(t.todo) > 0 {
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
	keep    bool   // when it does not come out right
	always  bool   // keep it, however it comes out
	ownBase bool   // give it bases of its own
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
	r.Progress, r.ownBase = nil, o.ownBase
	r.Engine = knownLayers{t.Engine, &t.layers}
	if !o.ownBase {
		r.fresh = &t.fresh
	}
	dir := filepath.Join(t.dir, o.name)
	// Letters and digits alone, so that engine names stay readable.
	learner := "test-" + t.run + "-" + slug(o.name)
	if !o.keep && !o.always {
		r.parent = t.State
		r.State = state.New(filepath.Join(dir, "state"))
		if err := r.State.ShareCache(instanceName(t.name, learner), filepath.Join(t.dir, "cleanroom")); err != nil {
			return err
		}
	}
	tmp := filepath.Join(dir, "tmp")
	if err := os.MkdirAll(tmp, 0o755); err != nil {
		return fmt.Errorf("making a folder for %s: %w", o.name, err)
	}
	started, err := r.Start(ctx, StartOptions{
		Lab: t.lab, Learner: learner, Seed: &t.seed, Dir: filepath.Join(dir, "workspace"), Cwd: t.o.Cwd,
	})
	if err != nil {
		// A start that was cut off may have left what it could not undo.
		t.clean(ctx, &r, Instance{Lab: t.name, Learner: learner, Instance: instanceName(t.name, learner)}, nil)
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
		t.clean(ctx, &r, started.Instance, in.after)
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
	group, ctx := errgroup.WithContext(ctx)
	for _, s := range in.Services {
		declared := l.Service(s.Name, s.Environment)
		if declared.Ready.Get == "" {
			continue
		}
		for _, c := range s.Live {
			group.Go(func() error {
				within, err := time.ParseDuration(declared.Ready.Within)
				if err != nil {
					return fmt.Errorf("reading how long %s may take: %w", declared.Address(), err)
				}
				address := s.Address
				if lab.OnNetwork(s.Publish) {
					network := plan.Names{Instance: rec.Instance}.Network(s.Environment)
					if address, err = apply.NetworkAddress(ctx, r.Engine, c.ID, network, declared.Port); err != nil {
						return nil
					}
				}
				_ = r.Engine.Ready(ctx, c.ID, address, declared.Ready.Get, within)
				return ctx.Err()
			})
		}
	}
	return group.Wait()
}

// clean removes what an instance has on the engine, and does what is to be done
// after it; nil for nothing. What cannot be removed is noted: what was tried was
// tried all the same.
func (t *trial) clean(ctx context.Context, r *Runner, in Instance, after func(context.Context) error) {
	clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoWithin)
	defer cancel()
	left := t.removeInstance(clean, r, in)
	if after != nil {
		left = errors.Join(left, after(clean))
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.left = errors.Join(t.left, left)
}

// removeInstance removes one, but for its images: they go when all is done, since
// the builds of others may stand on them. Its folders go with the trial's. What it
// pinned is noted even where another instance stands on it now, which may be one
// that is being removed, too.
func (t *trial) removeInstance(ctx context.Context, r *Runner, in Instance) error {
	unlock, err := r.lock(ctx, in.Instance)
	if err != nil {
		return err
	}
	defer unlock()
	w, err := r.look(ctx)
	if err != nil {
		return err
	}
	rec, err := r.record(w, in.Instance)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	l, err := r.lab(rec)
	if err != nil {
		return err
	}
	p, err := r.PlanStop(ctx, in, false)
	if err != nil {
		return err
	}
	t.mu.Lock()
	t.gone = append(t.gone, rec.Instance)
	t.images = slices.Concat(t.images, p.ran, rec.Ran)
	for _, image := range l.Images {
		id := rec.Images[plan.Names{Instance: rec.Instance}.Image(image)]
		t.bases = append(t.bases, id)
		if image.Tag == "" {
			t.made = append(t.made, id)
		}
	}
	t.mu.Unlock()
	err = apply.Run(ctx, plan.StopInstance(p.present), func(ctx context.Context, op plan.Op) error {
		if op.Kind == plan.Halt {
			return nil
		}
		return r.remove(ctx, op)
	})
	return errors.Join(err, r.State.Remove(in.Instance))
}

// removeImages removes what the instances left, unless another instance on the
// engine has to do with it: what was built and ran, what they pinned, what stands
// on the images made for them, and what stands without a name on what they pinned,
// as purging does for a single one. An image goes after those that stand on it only,
// so what cannot be removed is tried again as long as others go.
func (t *proving) removeImages(ctx context.Context) error {
	for _, ids := range []*[]string{&t.images, &t.bases, &t.made} {
		slices.Sort(*ids)
		*ids = slices.Compact(*ids)
	}
	tags, err := t.Engine.Tags(ctx, "")
	if err != nil {
		return err
	}
	for tag := range tags {
		// A clean room leaves its name where it is the last one.
		if slices.Contains(t.gone, cleanroom.UsedBy(tag)) {
			if err := t.Engine.RemoveImage(ctx, tag); err != nil && !errors.Is(err, engine.ErrNotFound) {
				return err
			}
			delete(tags, tag)
		}
	}
	loose, err := t.mayBuild(ctx, t.bases)
	if err != nil {
		return err
	}
	derived, err := t.derived(ctx, tags)
	if err != nil {
		return err
	}
	left := slices.Concat(t.images, t.bases, loose, derived)
	slices.Sort(left)
	for left = slices.Compact(left); ; {
		inUse, err := t.removeUnused(ctx, left, tags)
		if err != nil || len(inUse) == 0 {
			return err
		}
		if len(inUse) == len(left) {
			t.Progress.Notice(fmt.Sprintf("images stay, because something else uses them: %s", strings.Join(inUse, ", ")))
			return nil
		}
		left = inUse
		if tags, err = t.Engine.Tags(ctx, ""); err != nil {
			return err
		}
	}
}

// removeUnused removes those of the images that nothing uses, and returns those
// that something here does: with that gone, they may go. Nobody else names what
// was made here, but for what they build on.
func (t *proving) removeUnused(ctx context.Context, images []string, tags map[string]string) (inUse []string, err error) {
	var others, theirs, seen []string
	twins := false
	for _, id := range images {
		// Removing takes a while, in which others start.
		networks, err := t.Engine.Networks(ctx)
		if err != nil {
			return nil, err
		}
		now := []string{}
		for _, n := range networks {
			now = append(now, n.ID)
		}
		if seen == nil || !slices.Equal(now, seen) {
			seen, others = now, append(pinnedBy(networks, ""), aliased(tags, "")...)
			if theirs, err = t.mayBuild(ctx, others); err != nil {
				return nil, err
			}
			twins = t.twins(networks)
		}
		made := slices.Contains(t.images, id) && !twins
		if slices.Contains(others, id) || slices.Contains(theirs, id) && !made {
			continue
		}
		if slices.Contains(t.bases, id) {
			err = t.dropImage(ctx, id, "")
		} else {
			err = t.dropNames(ctx, id, tagsOf(tags, id))
		}
		if errors.Is(err, engine.ErrInUse) {
			inUse = append(inUse, id)
		} else if err != nil {
			return nil, err
		}
	}
	return inUse, nil
}

// twins reports whether an instance with one of these networks began with the same
// files as those that were tried.
func (t *proving) twins(networks []engine.Network) bool {
	return slices.ContainsFunc(t.trials, func(t *trial) bool {
		rec := &state.Record{Definition: t.found.Definition.Digest, Learner: "test", Seed: t.seed}
		return twin(networks, rec, func(rec *state.Record) (*lab.Lab, error) { return resolve(t.found, rec.Learner, rec.Seed) }) != ""
	})
}

// derived are the images with a name that stand on one made for an instance.
func (t *proving) derived(ctx context.Context, tags map[string]string) ([]string, error) {
	var made []evidence.Image
	for _, id := range t.made {
		if image, err := t.Engine.Image(ctx, id); err == nil && len(image.Layers) > 0 {
			made = append(made, image)
		} else if err != nil && !errors.Is(err, engine.ErrNotFound) {
			return nil, err
		}
	}
	ids := slices.Sorted(maps.Values(tags))
	return t.those(ctx, slices.Compact(ids), func(image evidence.Image) bool {
		return slices.ContainsFunc(made, image.StandsOn)
	})
}

// mayBuild are the images without a name on what instances pinned. Equal builds
// are one image: what was built by one may have been built by another, too, to be
// run now. The last instance on a base takes them along when it is purged.
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
	if len(bases) == 0 {
		return nil, nil
	}
	return r.unnamed(ctx, func(image evidence.Image) bool {
		return slices.ContainsFunc(bases, func(base evidence.Image) bool { return len(base.Layers) > 0 && image.StandsOn(base) })
	})
}
