package runner

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"slices"
	"sort"
	"strconv"
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

// world is what one look at the engine shows: every command begins with it.
type world struct {
	containers []engine.Summary
	networks   []engine.Network // of instances, everybody's
}

func (r *Runner) look(ctx context.Context) (world, error) {
	var w world
	var err error
	if w.containers, err = r.Engine.Containers(ctx); err != nil {
		return w, err
	}
	if w.networks, err = r.Engine.Networks(ctx); err != nil {
		return w, err
	}
	return w, nil
}

// of is what of the world carries an instance's label.
func (w world) of(instance string) world {
	var out world
	for _, c := range w.containers {
		if c.Labels[engine.LabelInstance] == instance {
			out.containers = append(out.containers, c)
		}
	}
	for _, n := range w.networks {
		if n.Labels[engine.LabelInstance] == instance {
			out.networks = append(out.networks, n)
		}
	}
	return out
}

// mine names this user's instances: those whose networks say so, and those
// that this user's folder has a record of.
func (r *Runner) mine(w world) ([]string, error) {
	names, err := r.State.Instances()
	if err != nil {
		return nil, err
	}
	for _, n := range w.networks {
		if n.Labels[engine.LabelUser] == r.User {
			names = append(names, n.Labels[engine.LabelInstance])
		}
	}
	for _, c := range w.containers {
		if c.Labels[engine.LabelUser] == r.User && c.Labels[engine.LabelInstance] != "" {
			names = append(names, c.Labels[engine.LabelInstance])
		}
	}
	sort.Strings(names)
	return slices.Compact(names), nil
}

// record is what is known of an instance: its folder's record, with the facts
// that its networks carry standing above it; from the networks alone when the
// folder has none. fs.ErrNotExist when neither knows it.
func (r *Runner) record(w world, instance string) (*state.Record, error) {
	rec, err := r.State.Load(instance)
	damaged := err != nil && !errors.Is(err, fs.ErrNotExist)
	if damaged {
		r.Progress.Notice(fmt.Sprintf("the record of %s cannot be read (%v); it is made again of what the engine knows", instance, err))
		rec = nil
	}
	networks := w.of(instance).networks
	if len(networks) == 0 {
		if rec == nil {
			return nil, fmt.Errorf("instance %s: %w", instance, fs.ErrNotExist)
		}
		return rec, nil
	}
	facts, err := factsOf(networks[0])
	if err != nil {
		return nil, &problem.Problem{What: "network " + networks[0].Name + " is not as labctl made it", Err: err, Mend: stopCommand(&state.Record{Instance: instance}) + " removes it"}
	}
	if rec == nil {
		rec = r.complete(w, facts)
		if damaged {
			return rec, r.State.Save(rec)
		}
		return rec, nil
	}
	rec.Lab, rec.Learner, rec.Seed, rec.Started = facts.Lab, facts.Learner, facts.Seed, facts.Started
	rec.Definition, rec.Source = facts.Definition, facts.Source
	rec.Images, rec.Addresses = facts.Images, facts.Addresses
	return rec, nil
}

// complete tells from the engine alone whether a start came to its end: its
// containers have their final names, or something answers for them already.
func (r *Runner) complete(w world, rec *state.Record) *state.Record {
	names := plan.Names{Instance: rec.Instance}
	for _, c := range w.of(rec.Instance).containers {
		called := c.Labels[engine.LabelContainer]
		if c.Labels[engine.LabelRole] == engine.RoleStart && c.Name == names.Unfinished(called) {
			return rec
		}
		rec.Complete = rec.Complete || c.Labels[engine.LabelRole] == engine.RoleStart
	}
	others := slices.DeleteFunc(slices.Clone(w.containers), isRelay) // which are made before a start is done
	for _, address := range rec.Addresses {
		rec.Complete = rec.Complete || len(gather.Publishing(others, address)) > 0
	}
	return rec
}

// lab is an instance's lab as it was when it started.
func (r *Runner) lab(rec *state.Record) (*lab.Lab, error) {
	l, err := lookUp(r.State, r.Library, rec)
	if err != nil {
		return nil, err
	}
	if hasOwnBases(rec) {
		return l, ownBases(l, rec.Instance)
	}
	return l, nil
}

// workspaceOf is where an instance's workspace is now. A folder that was moved
// is found again when a command is called in it.
func (r *Runner) workspaceOf(rec *state.Record, cwd string) string {
	if m, _, ok, _ := workspace.FindMarker(rec.Workspace); ok && m.Instance == rec.Instance {
		return rec.Workspace
	}
	if m, root, ok, _ := workspace.FindMarker(cwd); ok && m.Instance == rec.Instance {
		rec.Workspace = root
		if known, err := r.State.Load(rec.Instance); err == nil {
			known.Workspace = root
			if err := r.State.Save(known); err != nil {
				r.Progress.Notice(err.Error())
			}
		}
	}
	return rec.Workspace
}

// told is what prose and scripts can refer to.
func told(l *lab.Lab, rec *state.Record) (lab.Told, error) {
	names := plan.Names{Instance: rec.Instance}
	t := lab.Told{Instance: rec.Instance, Workspace: rec.Workspace, Containers: map[string]string{}}
	for _, s := range l.Services {
		spec := apply.Serving(engine.ContainerSpec{Network: names.Network(s.Environment), Run: s.Run}, s, rec.Addresses)
		flags, err := engine.RunFlags(spec)
		if err != nil {
			return t, fmt.Errorf("writing how %s is run: %w", s.Address(), err)
		}
		ts := lab.ToldService{Name: s.Name, Environment: s.Environment, Network: spec.Network, Run: strings.Join(flags, " ")}
		if address := rec.Addresses[apply.Key(s.Name, s.Environment)]; address != "" {
			ts.URL = "http://" + address
			_, port, _ := net.SplitHostPort(address)
			ts.Port, _ = strconv.Atoi(port)
		}
		t.Services = append(t.Services, ts)
	}
	for _, c := range l.Start().Containers {
		t.Containers[c.Name] = names.Container(c.Name)
	}
	return t, nil
}
