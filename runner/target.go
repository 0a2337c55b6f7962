package runner

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/labctl/labctl/runner/apply"
	"github.com/labctl/labctl/runner/cleanroom"
	"github.com/labctl/labctl/runner/engine"
	"github.com/labctl/labctl/runner/problem"
	"github.com/labctl/labctl/runner/state"
	"github.com/labctl/labctl/scenarios/lab"
)

// aiming knows which containers of an instance can be shot.
type aiming struct {
	*Runner
	in      Instance
	w       world
	rec     *state.Record
	lab     *lab.Lab
	targets []target
	refused map[string]string // why others cannot be, by ID
}

// target is a container that can be shot: one that is live, or one that start
// made.
type target struct {
	engine.Summary
	called  string       // the lab's name of a start container; "" for others
	live    bool         // it answers for its service now
	service *lab.Service // that it answers for, or was made for; nil for none
}

// aim looks at all containers of the engine.
func (r *Runner) aim(ctx context.Context, in Instance) (*aiming, error) {
	w, err := r.look(ctx)
	if err != nil {
		return nil, err
	}
	rec, l, err := r.running(w, in)
	if err != nil {
		return nil, err
	}
	rec.Workspace = in.Workspace
	a := &aiming{Runner: r, in: in, w: w, rec: rec, lab: l, refused: map[string]string{}}
	serves := map[string]*lab.Service{}
	for i := range l.Services {
		live, err := r.serve(ctx, w, rec, l.Services[i])
		if err != nil {
			return nil, err
		}
		for _, c := range live {
			if serves[c.ID] == nil {
				serves[c.ID] = &l.Services[i]
			}
		}
	}
	for _, c := range w.containers {
		t := target{Summary: c, service: serves[c.ID], live: serves[c.ID] != nil}
		why, err := a.refuse(ctx, &t)
		switch {
		case errors.Is(err, engine.ErrNotFound): // gone meanwhile
		case err != nil:
			return nil, err
		case why != "":
			a.refused[c.ID] = why
		default:
			a.targets = append(a.targets, t)
		}
	}
	return a, nil
}

// refuse says why a container is not to be shot; "" when it may be. It completes
// what is known of one that start made.
func (a *aiming) refuse(ctx context.Context, t *target) (string, error) {
	of, role := t.Labels[engine.LabelInstance], t.Labels[engine.LabelRole]
	if of != "" && of != a.in.Instance {
		return "it is of " + of, nil
	}
	if cleanroom.Left(t.Summary, a.in.Instance) || of != "" && role != "" && role != engine.RoleStart {
		return "labctl itself works with it", nil
	}
	if of != "" && role == engine.RoleStart {
		seen, err := a.Engine.Inspect(ctx, t.ID)
		if err != nil {
			return "", err
		}
		if seen.Start {
			t.called = seen.Called
			for i := range a.lab.Services {
				if s := &a.lab.Services[i]; t.service == nil && apply.Key(s.Name, s.Environment) == seen.Serves {
					t.service = s
				}
			}
			return "", nil
		}
	}
	mine := a.w.of(a.in.Instance)
	if !t.live {
		if slices.ContainsFunc(mine.networks, func(n engine.Network) bool { _, on := t.Networks[n.Name]; return on }) {
			return "it answers for no service, and start did not make it", nil
		}
		return "it is not of " + a.in.Instance, nil
	}
	stop := &stopping{Runner: a.Runner, rec: a.rec, w: a.w, plan: &StopPlan{}}
	why, err := stop.why(ctx, mine, t.Summary)
	if why == "" && err == nil {
		return fmt.Sprintf("it answers for %s, but its image is not on the lab's base, nor is it on the lab's network", t.service.Name), nil
	}
	return "", err
}

func (a *aiming) summaries() []engine.Summary {
	var out []engine.Summary
	for _, t := range a.targets {
		out = append(out, t.Summary)
	}
	return out
}

// choose finds the one that is meant: by the lab's name or the engine's, or by
// the beginning of its ID; at random of those that are live; or the only one
// that is.
func (a *aiming) choose(name string, random bool) (target, error) {
	if name != "" {
		return a.find(name)
	}
	var live []target
	var called []string
	for _, t := range a.targets {
		if t.live {
			live, called = append(live, t), append(called, t.Name)
		}
	}
	switch {
	case len(live) == 0:
		return target{}, thereAre(&problem.Problem{
			What: "nothing of " + a.in.Instance + " is live", Mend: startCommand(a.rec) + " says again how it is run",
		}, a.summaries())
	case len(live) == 1:
		return live[0], nil
	case random:
		return live[rand.N(len(live))], nil
	}
	slices.Sort(called)
	return target{}, &problem.Problem{
		What: fmt.Sprintf("which container? %d are live: %s", len(live), strings.Join(called, ", ")),
		Mend: "name one, or add --random", Usage: true,
	}
}

// shortestID is how much of an ID must be given at least.
const shortestID = 4

func (a *aiming) find(name string) (target, error) {
	begins := func(id string) bool { return len(name) >= shortestID && strings.HasPrefix(id, name) }
	for _, t := range a.targets {
		if t.Name == name || t.Name == a.in.Instance+"-"+name || t.called == name {
			return t, nil
		}
	}
	var found []target
	for _, t := range a.targets {
		if begins(t.ID) {
			found = append(found, t)
		}
	}
	if len(found) == 1 {
		return found[0], nil
	}
	p := &problem.Problem{What: fmt.Sprintf("no container of %s is called %q", a.in.Instance, name), Usage: true}
	if len(found) > 1 {
		p.What = fmt.Sprintf("several containers have an ID that begins with %s", name)
		return target{}, thereAre(p, a.summaries())
	}
	for _, c := range a.w.containers {
		if why := a.refused[c.ID]; why != "" && (c.Name == name || c.Name == a.in.Instance+"-"+name || begins(c.ID)) {
			p.What, p.Why = c.Name+" is not shot", why
			break
		}
	}
	return target{}, thereAre(p, a.summaries())
}

// Targets implements API.
func (r *Runner) Targets(ctx context.Context, in Instance) ([]string, error) {
	a, err := r.aim(ctx, in)
	if err != nil {
		return nil, err
	}
	return names(a.summaries()), nil
}
