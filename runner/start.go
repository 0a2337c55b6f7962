package runner

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"github.com/labctl/labctl/runner/apply"
	"github.com/labctl/labctl/runner/cleanroom"
	"github.com/labctl/labctl/runner/engine"
	"github.com/labctl/labctl/runner/gather"
	"github.com/labctl/labctl/runner/plan"
	"github.com/labctl/labctl/runner/problem"
	"github.com/labctl/labctl/runner/progress"
	"github.com/labctl/labctl/runner/state"
	"github.com/labctl/labctl/runner/workspace"
	"github.com/labctl/labctl/scenarios/config"
	"github.com/labctl/labctl/scenarios/lab"
)

const (
	// undoWithin is how long cleaning up may take after a start was given up.
	undoWithin = 60 * time.Second
	// portAttempts is how often another port is chosen when somebody took the
	// one that was free a moment ago.
	portAttempts = 10
	// imageAttempts is how often images are made again that went away meanwhile.
	imageAttempts = 3
)

// Start implements API.
func (r *Runner) Start(ctx context.Context, o StartOptions) (*Started, error) {
	found, err := r.Library.Open(o.Lab, o.Cwd)
	if err != nil {
		return nil, err
	}
	seed := config.SeedOf(o.Learner)
	if o.Seed != nil {
		seed = *o.Seed
	}
	l, diags := found.Definition.Resolve(o.Learner, seed)
	if diags.HasErrors() {
		return nil, &LabError{Source: found.Source, Diags: diags, Files: found.Definition.Files}
	}
	instance := instanceName(l.Name, o.Learner)
	if r.ownBase {
		if err := ownBases(l, instance); err != nil {
			return nil, err
		}
	}
	unlock, err := r.lock(ctx, instance)
	if err != nil {
		return nil, err
	}
	defer unlock()

	w, err := r.look(ctx)
	if err != nil {
		return nil, err
	}
	if err := r.ours(w, instance, l.Name, o.Learner); err != nil {
		return nil, err
	}
	rec, err := r.record(w, instance)
	known := err == nil
	var previous *state.Record // stopped
	switch {
	case errors.Is(err, fs.ErrNotExist), known && rec.Stopped:
		previous = rec // nil when there was none
		rec = &state.Record{
			Instance: instance, Lab: l.Name, Learner: o.Learner, Seed: seed, Definition: l.Definition,
			Source: found.Source, Started: r.Now().UTC().Truncate(time.Second), Images: map[string]string{},
		}
		if previous != nil { // its workspace is gone on with, wherever it is
			rec.Workspace = r.workspaceOf(previous, o.Cwd)
			rec.Ran = previous.Ran
		}
	case err != nil:
		return nil, err
	default:
		if l, err = r.resume(rec, l, found, o); err != nil {
			return nil, err
		}
	}
	rec.Workspace, err = r.startWorkspace(rec, o)
	if err != nil {
		return nil, err
	}

	s := &starting{Runner: r, lab: l, rec: rec, found: found, known: known, previous: previous}
	already := rec.Complete
	changed, err := s.run(ctx, w)
	if err != nil {
		return nil, err
	}
	return r.started(ctx, l, rec, already && !changed)
}

// ours refuses to touch an instance of the same name that is somebody else's.
func (r *Runner) ours(w world, instance, lab, learner string) error {
	for _, n := range w.of(instance).networks {
		if n.Labels[engine.LabelUser] != r.User {
			return &problem.Problem{
				What: fmt.Sprintf("%s is taken on this engine", instance),
				Why:  fmt.Sprintf("user %s runs %s for a learner of that name", n.Labels[engine.LabelUser], lab),
				Mend: "choose another name with --learner",
			}
		}
		if n.Labels[engine.LabelLab] != lab || n.Labels[engine.LabelLearner] != learner {
			return &problem.Problem{
				What: fmt.Sprintf("%s is taken on this engine", instance),
				Why:  fmt.Sprintf("lab %s for learner %s has the same name", n.Labels[engine.LabelLab], n.Labels[engine.LabelLearner]),
				Mend: "choose another name with --learner",
			}
		}
	}
	return nil
}

// resume takes an instance up again as it was begun; what was asked for must
// not say otherwise.
func (r *Runner) resume(rec *state.Record, l *lab.Lab, found *OpenLab, o StartOptions) (*lab.Lab, error) {
	if o.Seed != nil && *o.Seed != rec.Seed {
		return nil, &problem.Problem{
			What:  fmt.Sprintf("%s runs with seed %d, not %d", rec.Instance, rec.Seed, *o.Seed),
			Mend:  "stop it first (" + stopCommand(rec) + "), or leave --seed out",
			Usage: true,
		}
	}
	if l.Definition == rec.Definition && l.Seed == rec.Seed {
		return l, nil
	}
	if l.Definition != rec.Definition && found.Source != rec.Source {
		return nil, &problem.Problem{
			What:  fmt.Sprintf("%s runs another lab of the same name, that of %s", rec.Instance, rec.Source),
			Mend:  "stop it first (" + stopCommand(rec) + "), choose another --learner, or give the lab in " + found.Source + " another name",
			Usage: true,
		}
	}
	begun, err := r.lab(rec)
	if err != nil {
		return nil, err
	}
	if l.Definition != rec.Definition {
		r.Progress.Notice("the lab's definition has changed since this instance started; it goes on with the one it has")
	}
	return begun, nil
}

// startWorkspace is the absolute path of the workspace that start makes or
// finds.
func (r *Runner) startWorkspace(rec *state.Record, o StartOptions) (string, error) {
	dir := o.Dir
	if dir == "" {
		if rec.Workspace != "" {
			return r.workspaceOf(rec, o.Cwd), nil
		}
		if m, root, ok, err := workspace.FindMarker(o.Cwd); err == nil && ok && m.Instance == rec.Instance {
			return root, nil // called in the workspace that an earlier start left
		}
		dir = rec.Lab
	}
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(o.Cwd, dir)
	}
	dir = filepath.Clean(dir)
	if rec.Workspace != "" && dir != rec.Workspace && rec.Complete {
		if at := r.workspaceOf(rec, o.Cwd); at != dir {
			return "", &problem.Problem{
				What: rec.Instance + " already has its workspace in " + at,
				Mend: "leave --dir out, or stop it first (" + stopCommand(rec) + ")", Usage: true,
			}
		}
	}
	return dir, nil
}

// starting is one call of Start, once it is clear what is to be started.
type starting struct {
	*Runner
	lab   *lab.Lab
	rec   *state.Record
	found *OpenLab
	known bool // there was a record or a network before
	// previous is the record of the same instance, stopped; nil for none.
	previous *state.Record
}

// run plans and applies until the instance is complete, and reports whether
// anything had to be done.
func (s *starting) run(ctx context.Context, w world) (changed bool, err error) {
	p := s.provisioner()
	defer func() {
		if err != nil {
			err = errors.Join(err, s.undo(ctx, p))
		}
	}()
	if !s.rec.Complete {
		if err := s.begin(); err != nil {
			return false, err
		}
	}
	chosen := len(w.of(s.rec.Instance).networks) == 0 // else a network says what the addresses are
	pinned := maps.Clone(s.rec.Images)                // and what the images are
	for attempt := 1; ; attempt++ {
		observed, err := s.observe(ctx, w)
		if err != nil {
			return false, err
		}
		todo := plan.StartInstance(s.lab, p.Names, s.rec.Workspace, observed)
		if len(todo.Ops) == 0 && s.rec.Complete {
			return false, nil
		}
		err = s.apply(ctx, p, todo)
		if err == nil {
			if chosen || s.rec.Complete || maps.Equal(pinned, s.rec.Images) {
				break
			}
			// A start that was cut off made the network, and what it pinned is gone
			// since, with somebody's purge. Nobody has worked here yet: all over.
			if w, err = s.removeAll(ctx); err != nil {
				return false, err
			}
			chosen = true
			continue
		}
		taken := errors.Is(err, engine.ErrPortTaken)
		if taken && !chosen {
			return false, s.addressTaken(ctx, err)
		}
		taken = taken && attempt < portAttempts
		// An image that was there a moment ago: somebody purged the last lab
		// that stood on it.
		gone := errors.Is(err, engine.ErrNotFound) && attempt < imageAttempts
		if !taken && !gone {
			return false, err
		}
		// Somebody was faster: again, with addresses that are free now.
		if err := p.Undo(ctx, plan.Create, plan.CreateRelay, plan.Network); err != nil {
			return false, err
		}
		if chosen {
			s.rec.Addresses = nil
		}
		if w, err = s.look(ctx); err != nil {
			return false, err
		}
	}
	s.rec.Complete = true
	return true, s.State.Save(s.rec)
}

// removeAll removes the containers and networks of an instance that is not
// complete.
func (s *starting) removeAll(ctx context.Context) (world, error) {
	w, err := s.look(ctx)
	if err != nil {
		return w, err
	}
	mine := w.of(s.rec.Instance)
	for _, c := range mine.containers {
		if err := s.Engine.RemoveContainer(ctx, c.ID); err != nil {
			return w, err
		}
	}
	for _, n := range mine.networks {
		if err := s.Engine.RemoveNetwork(ctx, n.ID); err != nil {
			return w, err
		}
	}
	return s.look(ctx)
}

// addressTaken says of an address that the instance has, and that something else
// uses now, what that is.
func (s *starting) addressTaken(ctx context.Context, err error) error {
	p := &problem.Problem{
		What: "an address of " + s.rec.Instance + " is taken", Why: err.Error(),
		Mend: "stop what uses it, then do this again", Err: err,
	}
	w, lookErr := s.look(ctx)
	if lookErr != nil {
		return p
	}
	for _, address := range s.rec.Addresses {
		for _, c := range gather.Publishing(w.containers, address) {
			if c.Labels[engine.LabelInstance] != s.rec.Instance {
				p.What, p.Why = address+" is taken", "container "+c.Name+" publishes it"
				p.Mend = "stop it (docker stop " + c.Name + "), then do this again"
			}
		}
	}
	return p
}

func (s *starting) apply(ctx context.Context, p *apply.Provisioner, todo plan.Plan) error {
	s.Progress.Send(progress.Event{State: progress.Detail, Total: len(todo.Ops)})
	return apply.Run(ctx, todo, p.Do)
}

// begin writes down what is about to be made, before anything is.
func (s *starting) begin() error {
	// The record first: a folder without one says of nothing that it is there.
	if err := s.State.Save(s.rec); err != nil {
		return err
	}
	return s.State.SaveDefinition(s.rec.Instance, s.found.FS)
}

func (s *starting) provisioner() *apply.Provisioner {
	names := plan.Names{Instance: s.rec.Instance}
	labels := commonLabels(s.rec, s.User)
	p := &apply.Provisioner{
		Engine: s.Engine, Lab: s.lab, Names: names, Record: s.rec, Store: s.State, Labels: labels, Progress: s.Progress,
		Facts: func() (map[string]string, error) { return factLabels(s.rec) },
		Choose: func(ctx context.Context) (map[string]string, error) {
			w, err := s.look(ctx)
			if err != nil {
				return nil, err
			}
			return addresses(s.lab, w)
		},
		MakeWorkspace: func(ctx context.Context) (func() error, error) {
			return workspace.Create(ctx, s.rec.Workspace, s.lab.Commits, marker(s.rec))
		},
	}
	// One label: builders of old engines make a layer of each. Images that other
	// instances of a trial share are no single one's.
	own := map[string]string{engine.LabelInstance: s.rec.Instance}
	if s.parent != nil {
		own = nil
	}
	p.Images = &apply.ImageMaker{
		Engine: s.Engine, Commits: s.lab.Commits, Labels: own,
		Build: func(ctx context.Context, files []lab.File, tag string, labels map[string]string, progress func(string)) (string, error) {
			return s.buildRoom(s.rec, s.lab).Make(ctx, files, tag, labels, progress)
		},
		Pinned: func(ctx context.Context, id string) (bool, error) {
			pinned, err := s.pinned(ctx)
			return slices.Contains(pinned, id), err
		},
		Lock: func(ctx context.Context) (func(), error) { return s.shared().Lock(ctx, "images", nil) },
	}
	if b, err := s.State.LoadBaseline(s.rec.Instance); err == nil {
		p.Resume(*b)
	}
	return p
}

func marker(rec *state.Record) workspace.Marker {
	return workspace.Marker{Instance: rec.Instance, Lab: rec.Lab, Learner: rec.Learner, Seed: rec.Seed, Definition: rec.Definition}
}

// pinned are the images that instances on the engine stand on.
func (r *Runner) pinned(ctx context.Context) ([]string, error) {
	networks, err := r.Engine.Networks(ctx)
	if err != nil {
		return nil, err
	}
	return pinnedBy(networks, ""), nil
}

// pinnedBy are the images that instances with these networks stand on, but for
// one instance.
func pinnedBy(networks []engine.Network, but string) []string {
	var ids []string
	for _, n := range networks {
		if but != "" && n.Labels[engine.LabelInstance] == but {
			continue
		}
		facts, err := factsOf(n)
		if err != nil {
			continue // not a network of this labctl's making: it pins nothing
		}
		for _, id := range facts.Images {
			if !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// room is the clean room of an instance.
func (r *Runner) room(rec *state.Record) *cleanroom.Room {
	return &cleanroom.Room{
		Builder: r.Engine, Actuator: r.Engine, Observer: r.Engine,
		Pins: rec.Images, Instance: rec.Instance, Cache: r.State.CacheDir(rec.Instance),
	}
}

// buildRoom is the clean room of an instance, to build what its lab says.
func (r *Runner) buildRoom(rec *state.Record, l *lab.Lab) *cleanroom.Room {
	room := r.room(rec)
	room.Network, room.Labels, room.Notice = l.BuildNetwork, commonLabels(rec, r.User), r.Progress.Notice
	return room
}

// observe is what there is of the instance.
func (s *starting) observe(ctx context.Context, w world) (plan.Observed, error) {
	o := plan.Observed{Complete: s.rec.Complete}
	names := plan.Names{Instance: s.rec.Instance}
	mine := w.of(s.rec.Instance)
	for _, n := range mine.networks {
		o.Networks = append(o.Networks, n.Name)
	}
	o.Relays = w.relays(s.lab, s.rec)
	recorded := map[string]bool{}
	if b, err := s.State.LoadBaseline(s.rec.Instance); err == nil {
		for _, c := range b.Containers {
			recorded[c.ID] = true
		}
	}
	for _, c := range mine.containers {
		if isRelay(c) {
			continue
		}
		seen, err := s.Engine.Inspect(ctx, c.ID)
		if errors.Is(err, engine.ErrNotFound) {
			continue
		}
		if err != nil {
			return o, err
		}
		if seen.Start {
			o.Containers = append(o.Containers, plan.Found{
				ID: c.ID, Name: c.Name, Called: seen.Called,
				Finished: c.Name != names.Unfinished(seen.Called) && recorded[c.ID],
			})
		}
	}
	m, _, ok, err := workspace.FindMarker(s.rec.Workspace)
	if err != nil {
		return o, err
	}
	if ok && m.Instance == s.rec.Instance && !s.rec.Complete && m != marker(s.rec) {
		return o, &problem.Problem{
			What:  s.rec.Workspace + " is the workspace of an earlier draw of this lab",
			Why:   fmt.Sprintf("it was made with seed %d, or from another definition of the lab", m.Seed),
			Mend:  "move it away, or choose another folder with --dir",
			Usage: true,
		}
	}
	o.Workspace = ok && m.Instance == s.rec.Instance
	return o, nil
}

// undo leaves the engine and the host as they were before this call.
func (s *starting) undo(ctx context.Context, p *apply.Provisioner) error {
	clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoWithin)
	defer cancel()
	if err := p.Undo(clean); err != nil {
		return fmt.Errorf("%w; %s removes what is left", err, stopCommand(s.rec))
	}
	if s.previous != nil {
		return s.State.Save(s.previous)
	}
	if s.known {
		return nil
	}
	// Its room keeps the last name of a base whose tag has moved on meanwhile.
	if err := s.room(s.rec).Clear(clean); err != nil {
		return fmt.Errorf("%w; `docker image rm` removes what is left", err)
	}
	return s.State.Remove(s.rec.Instance)
}

// started is what there is to tell once an instance runs.
func (r *Runner) started(ctx context.Context, l *lab.Lab, rec *state.Record, already bool) (*Started, error) {
	w, err := r.look(ctx)
	if err != nil {
		return nil, err
	}
	in, err := r.instance(ctx, w, rec)
	if err != nil {
		return nil, err
	}
	out := &Started{Instance: in, Already: already}
	out.Lesson = l.Lesson != ""
	if l.Brief == nil {
		return out, nil
	}
	t, err := told(l, rec)
	if err != nil {
		return nil, err
	}
	if out.Brief, err = l.Brief(t); err != nil {
		return nil, fmt.Errorf("writing the brief: %w", err)
	}
	return out, nil
}

// lock keeps other labctl processes from changing an instance meanwhile.
func (r *Runner) lock(ctx context.Context, instance string) (func(), error) {
	return r.State.Lock(ctx, lockOf(instance), func() {
		r.Progress.Notice("another labctl works on " + instance + "; waiting for it")
	})
}

func lockOf(instance string) string { return "instance-" + instance }
