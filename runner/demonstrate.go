package runner

import (
	"context"
	"maps"
	"slices"

	"github.com/labctl/labctl/runner/engine"
	"github.com/labctl/labctl/runner/gather"
	"github.com/labctl/labctl/runner/plan"
	"github.com/labctl/labctl/scenarios/check"
	"github.com/labctl/labctl/scenarios/evidence"
)

// noNetwork is the engine's own network that leads nowhere.
const noNetwork = "none"

// Demonstrate implements API. A record is a container of the image that is never
// started: the engine says when it was created and of what, and nobody can
// change that. Without network, port and alias it can never be live.
func (r *Runner) Demonstrate(ctx context.Context, in Instance, set *evidence.Set) ([]Demonstrated, error) {
	todo := check.Demonstrable(set)
	if len(todo) == 0 {
		return nil, nil
	}
	unlock, err := r.lock(ctx, in.Instance)
	if err != nil {
		return nil, err
	}
	defer unlock()
	w, err := r.look(ctx)
	if err != nil {
		return nil, err
	}
	rec, _, err := r.running(w, in)
	if err != nil {
		return nil, err
	}
	names := plan.Names{Instance: rec.Instance}
	var out []Demonstrated
	for _, d := range todo {
		labels, err := gather.RecordLabels(d)
		if err != nil {
			return out, err
		}
		if slices.ContainsFunc(w.containers, func(c engine.Summary) bool {
			return gather.IsRecord(c, rec.Instance) && c.Image == d.Image && c.Labels[engine.LabelDemonstration] == labels[engine.LabelDemonstration]
		}) {
			continue // another labctl saw the same meanwhile
		}
		maps.Copy(labels, commonLabels(rec, r.User))
		spec := engine.ContainerSpec{Image: d.Image, Network: noNetwork, Labels: labels}
		for n := 1; spec.Name == "" || slices.ContainsFunc(w.containers, func(c engine.Summary) bool { return c.Name == spec.Name }); n++ {
			spec.Name = names.Demonstration(d.Environment, n)
		}
		if _, err := r.Engine.CreateContainer(ctx, spec); err != nil {
			return out, err
		}
		w.containers = append(w.containers, engine.Summary{Name: spec.Name})
		out = append(out, Demonstrated{Environment: d.Environment, Image: imageName(set, d)})
	}
	return out, nil
}

// imageName is what the image of a demonstration was called when it was run.
func imageName(set *evidence.Set, d evidence.Demonstration) string {
	for _, s := range set.Services {
		for _, c := range s.Live {
			if slices.Contains(d.Containers, c.ID) {
				return c.ImageName
			}
		}
	}
	return d.Image
}
