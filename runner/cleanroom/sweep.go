package cleanroom

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/labctl/labctl/runner/engine"
)

// Left tells whether a container is one that a room of the instance made: a
// cage, or that of a step. There is none when no room is in use, unless one was
// killed.
func Left(c engine.Summary, instance string) bool {
	return c.Labels[engine.LabelCleanRoom] == instance ||
		c.Labels[engine.LabelInstance] == instance && c.Labels[engine.LabelRole] == engine.RoleCage
}

// Sweep removes the images that killed rooms of the instance left: their tags,
// and what has no other name. Pinned images that have no other are kept. No
// room of the instance may be in use.
func (r *Room) Sweep(ctx context.Context) error {
	return r.sweep(ctx, func(id string) bool {
		return slices.Contains(slices.Collect(maps.Values(r.Pins)), id) && !r.named(ctx, id)
	})
}

// Clear removes all images that rooms of the instance made, for an instance
// that is no more.
func (r *Room) Clear(ctx context.Context) error {
	return r.sweep(ctx, func(string) bool { return false })
}

func (r *Room) sweep(ctx context.Context, keep func(id string) bool) error {
	err := errors.Join(r.sweepTags(ctx, keep), r.sweepImages(ctx))
	if err != nil {
		return fmt.Errorf("removing what the clean room left: %w", err)
	}
	return nil
}

func (r *Room) sweepTags(ctx context.Context, keep func(id string) bool) error {
	tags, err := r.Observer.Tags(ctx, r.prefix())
	if err != nil {
		return err
	}
	for _, tag := range slices.Sorted(maps.Keys(tags)) {
		if !keep(tags[tag]) {
			err = errors.Join(err, there(r.Actuator.RemoveImage(ctx, tag)))
		}
	}
	return err
}

// sweepImages removes what steps made, and with it what that stands on. An
// image that is in use is one that the engine still writes out, deaf to the
// end of its build: it stays for the next time.
func (r *Room) sweepImages(ctx context.Context) error {
	ours, err := r.Observer.ImagesLabelled(ctx, engine.LabelCleanRoom, r.Instance)
	if err != nil || len(ours) == 0 {
		return err
	}
	unnamed, err := r.Observer.Unnamed(ctx)
	if err != nil {
		return err
	}
	for _, id := range unnamed {
		if !slices.Contains(ours, id) {
			continue
		}
		if ierr := there(r.Actuator.RemoveImage(ctx, id)); !errors.Is(ierr, engine.ErrInUse) {
			err = errors.Join(err, ierr)
		}
	}
	return err
}

// there is err, unless that is that the image is gone already.
func there(err error) error {
	if errors.Is(err, engine.ErrNotFound) {
		return nil
	}
	return err
}
