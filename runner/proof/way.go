package proof

import (
	"context"
	"errors"
	"os/exec"
	"slices"
)

// Way is one honest way of rebuilding. Ways of several families can be gone at
// once: each changes one thing of what everybody does.
type Way struct {
	Name   string
	Family string // build, history or run: of each, one can be gone at a time
	Doc    string
	Needs  Needs

	before func(context.Context, *World) error           // done to the right repository, before it is built
	build  func(context.Context, *World) (string, error) // makes the image; nil for docker build
	run    extra                                         // how it is run besides what is declared
	after  func(context.Context, *World) error           // done when all of it runs
	whole  func(context.Context, *World) error           // does everything by itself; nil for most
}

// Alone reports whether a way goes with no other.
func (w Way) Alone() bool { return w.whole != nil }

// startable says of a container whose program could not be started (docker run
// exits with 126 or 127 then) that the way has no place in the lab.
func startable(err error) error {
	var exit *exec.ExitError
	if errors.As(err, &exit) && (exit.ExitCode() == 126 || exit.ExitCode() == 127) {
		return notApplicable("what was built cannot be started: %v", err)
	}
	return err
}

// family names that of ways.
func family(name string, ways []Way) []Way {
	for i := range ways {
		ways[i].Family = name
	}
	return ways
}

// Ways are all honest ways.
func Ways() []Way { return slices.Concat(builds, histories, runs) }

// Go rebuilds rightly in some ways at once.
func Go(ctx context.Context, w *World, ways ...Way) error {
	if err := w.goRight(ctx); err != nil {
		return err
	}
	build := func(ctx context.Context, w *World) (string, error) { return w.build(ctx) }
	var x extra
	for _, way := range ways {
		if way.whole != nil {
			return way.whole(ctx, w)
		}
		if way.before != nil {
			if err := way.before(ctx, w); err != nil {
				return err
			}
		}
		if way.build != nil {
			build = way.build
		}
		x = x.and(way.run)
	}
	image, err := build(ctx, w)
	if err != nil {
		return err
	}
	if _, err := w.replace(ctx, image, x); err != nil {
		return startable(err)
	}
	for _, way := range ways {
		if way.after != nil {
			if err := way.after(ctx, w); err != nil {
				return err
			}
		}
	}
	return nil
}
