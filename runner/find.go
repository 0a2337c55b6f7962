package runner

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/labctl/labctl/runner/apply"
	"github.com/labctl/labctl/runner/engine"
	"github.com/labctl/labctl/runner/gather"
	"github.com/labctl/labctl/runner/plan"
	"github.com/labctl/labctl/runner/problem"
	"github.com/labctl/labctl/runner/state"
	"github.com/labctl/labctl/runner/workspace"
	"github.com/labctl/labctl/scenarios/lab"
)

// Instances implements API.
func (r *Runner) Instances(ctx context.Context, stopped bool) ([]Instance, error) {
	return r.instances(ctx, stopped, func(*state.Record) bool { return true })
}

// instances are all of this user's. What serves in one is asked for those that
// are looked for only: it takes a request for each container.
func (r *Runner) instances(ctx context.Context, stopped bool, lookedFor func(*state.Record) bool) ([]Instance, error) {
	w, err := r.look(ctx)
	if err != nil {
		return nil, err
	}
	names, err := r.mine(w)
	if err != nil {
		return nil, err
	}
	out := []Instance{}
	for _, name := range names {
		rec, err := r.record(w, name)
		if errors.Is(err, fs.ErrNotExist) {
			containers := w.of(name).containers
			if len(containers) == 0 {
				continue // a folder that a killed command left: there is nothing of it
			}
			rec = recordOfLabels(containers[0].Labels)
		} else if unreadable := (*problem.Problem)(nil); errors.As(err, &unreadable) {
			// The others must be shown, and this one can be stopped.
			rec = recordOfLabels(w.of(name).networks[0].Labels)
			out = append(out, Instance{
				Lab: rec.Lab, Learner: rec.Learner, Instance: rec.Instance, Services: []ServiceStatus{}, Unfinished: unreadable.Error(),
			})
			continue
		} else if err != nil {
			return nil, err
		}
		if rec.Stopped && !stopped {
			continue
		}
		if !lookedFor(rec) {
			out = append(out, Instance{Lab: rec.Lab, Learner: rec.Learner, Instance: rec.Instance, Workspace: rec.Workspace})
			continue
		}
		in, err := r.instance(ctx, w, rec)
		if err != nil {
			return nil, err
		}
		out = append(out, in)
	}
	return out, nil
}

// recordOfLabels is what is known of an instance by any of its objects.
func recordOfLabels(l map[string]string) *state.Record {
	return &state.Record{Instance: l[engine.LabelInstance], Lab: l[engine.LabelLab], Learner: l[engine.LabelLearner]}
}

func (r *Runner) instance(ctx context.Context, w world, rec *state.Record) (Instance, error) {
	in := Instance{
		Lab: rec.Lab, Learner: rec.Learner, Instance: rec.Instance, Workspace: rec.Workspace,
		Started: rec.Started, Services: []ServiceStatus{},
	}
	switch {
	case rec.Stopped:
		in.Unfinished = "it is stopped"
		return in, nil
	case !rec.Complete && r.State.Locked(lockOf(rec.Instance)):
		in.Unfinished = "another labctl is at work on it"
	case !rec.Complete:
		in.Unfinished = "its start was cut off; " + startCommand(rec) + " finishes it"
	case len(w.of(rec.Instance).networks) == 0:
		in.Unfinished = "its network is gone; " + startCommand(rec) + " brings it back"
	}
	l, err := r.lab(rec)
	if err != nil {
		// Status and stop must work without the definition too.
		in.Unfinished = err.Error()
		return in, nil
	}
	for _, s := range l.Services {
		status := ServiceStatus{
			Name: s.Name, Environment: s.Environment, Publish: s.Publish,
			Address: rec.Addresses[apply.Key(s.Name, s.Environment)], Live: []LiveContainer{},
		}
		if s.Publish == lab.PublishRelay {
			if status.Relay = w.relayOf(l, rec, s); status.Relay == "" {
				status.Unreached = "it was removed or stopped, and nothing answers at this address; " + startCommand(rec) + " brings it back"
			}
		}
		live, err := r.serve(ctx, w, rec, s)
		if err != nil {
			return in, err
		}
		for _, c := range live {
			status.Live = append(status.Live, LiveContainer{ID: c.ID, Name: c.Name, Image: c.ImageName})
		}
		in.Services = append(in.Services, status)
	}
	return in, nil
}

// serve are the containers that answer for a service, by creation.
func (r *Runner) serve(ctx context.Context, w world, rec *state.Record, s lab.Service) ([]engine.Summary, error) {
	if lab.OnNetwork(s.Publish) {
		network := plan.Names{Instance: rec.Instance}.Network(s.Environment)
		return r.serving(ctx, gather.Attached(w.containers, network), s.Name)
	}
	return gather.Publishing(w.containers, rec.Addresses[apply.Key(s.Name, s.Environment)]), nil
}

// serving are those of some containers that a network finds by a name.
func (r *Runner) serving(ctx context.Context, candidates []engine.Summary, alias string) ([]engine.Summary, error) {
	var out []engine.Summary
	for _, c := range candidates {
		seen, err := r.Engine.Inspect(ctx, c.ID)
		if errors.Is(err, engine.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if gather.KnownAs(seen, alias) {
			out = append(out, c)
		}
	}
	return out, nil
}

// Find implements API: the instance of a lab and learner; without a lab, of
// the folder; else the only one.
func (r *Runner) Find(ctx context.Context, s Selector) (Instance, error) {
	m, root, inWorkspace, err := workspace.FindMarker(s.Cwd)
	inWorkspace = inWorkspace && err == nil && s.Lab == "" && s.Learner == ""
	matches := func(in *state.Record) bool {
		if inWorkspace {
			return in.Instance == m.Instance
		}
		return (s.Lab == "" || in.Lab == s.Lab || in.Instance == s.Lab) && (s.Learner == "" || in.Learner == s.Learner)
	}
	all, err := r.instances(ctx, s.Stopped, matches)
	if err != nil {
		return Instance{}, err
	}
	var matching []Instance
	for _, in := range all {
		if matches(&state.Record{Instance: in.Instance, Lab: in.Lab, Learner: in.Learner}) {
			matching = append(matching, in)
		}
	}
	if inWorkspace {
		if len(matching) > 0 {
			return r.moved(matching[0], root), nil
		}
		return Instance{}, &problem.Problem{
			What: fmt.Sprintf("%s is not running", m.Lab), Why: "this folder is its workspace, but nothing of it is on the engine",
			Mend: fmt.Sprintf("`labctl start %s --learner %s --dir %s` starts it again with this workspace", ShellQuote(r.sourceOf(m)), ShellQuote(m.Learner), ShellQuote(root)),
			Err:  ErrNotRunning,
		}
	}
	switch len(matching) {
	case 1:
		return r.moved(matching[0], s.Cwd), nil
	case 0:
		p := &problem.Problem{What: "no lab is running", Why: "nothing of one is on the engine", Mend: "`labctl list` shows the labs, `labctl start LAB` starts one", Err: ErrNotRunning}
		if s.Lab != "" || s.Learner != "" {
			p.What = strings.TrimSpace(s.Lab+" is not running") + ofLearner(s.Learner)
			if s.Lab == "" {
				p.What = "no lab is running" + ofLearner(s.Learner)
			}
			p.Why = "nothing of it is on the engine"
			if len(all) > 0 {
				p.Mend = "choose one that runs: " + listed(all)
			}
		}
		return Instance{}, p
	}
	return Instance{}, &problem.Problem{
		What: "several labs are running", Why: listed(matching),
		Mend: "name one (LAB --learner NAME), or call this in its workspace", Usage: true,
	}
}

// ErrNotRunning is in the error of Find when nothing that matches runs.
var ErrNotRunning = errors.New("not running")

// sourceOf is where the lab of a workspace came from: as its stopped instance
// tells, else the name, which is enough for shipped labs.
func (r *Runner) sourceOf(m workspace.Marker) string {
	if rec, err := r.State.Load(m.Instance); err == nil && rec.Source != "" {
		return rec.Source
	}
	return m.Lab
}

func ofLearner(learner string) string {
	if learner == "" {
		return ""
	}
	return " for learner " + learner
}

func listed(instances []Instance) string {
	var names []string
	for _, in := range instances {
		names = append(names, fmt.Sprintf("%s (learner %s, %s)", in.Lab, in.Learner, in.Workspace))
	}
	return strings.Join(names, ", ")
}

// moved follows a workspace that was moved since it was made.
func (r *Runner) moved(in Instance, cwd string) Instance {
	in.Workspace = r.workspaceOf(&state.Record{Instance: in.Instance, Workspace: in.Workspace}, cwd)
	return in
}
