package docker

import (
	"context"
	"fmt"
	"io"
	"strings"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/image"

	"github.com/labctl/labctl/runner/engine"
)

// ImportImage implements engine.Actuator.
func (e *Engine) ImportImage(ctx context.Context, rootfs io.Reader, tag string, changes []string) (string, error) {
	answer, err := e.client.ImageImport(ctx, image.ImportSource{Source: rootfs, SourceName: "-"}, tag, image.ImportOptions{Changes: changes})
	if err != nil {
		return "", e.failed(err, "importing image %s", tag)
	}
	defer answer.Close()
	var id string
	err = readMessages(answer, func(m message) error {
		id = m.Status // the last status is the image's ID
		return nil
	})
	if err != nil {
		return "", e.failed(err, "importing image %s", tag)
	}
	return id, nil
}

// PullImage implements engine.Actuator. It tells progress a line whenever a
// layer gets somewhere, not for every block of bytes.
func (e *Engine) PullImage(ctx context.Context, ref string, progress func(string)) error {
	answer, err := e.client.ImagePull(ctx, ref, image.PullOptions{})
	if err != nil {
		return e.failed(err, "pulling image %s", ref)
	}
	defer answer.Close()
	last := map[string]string{}
	err = readMessages(answer, func(m message) error {
		if progress != nil && last[m.ID] != m.Status {
			last[m.ID] = m.Status
			line := m.Status
			if m.ID != "" {
				line = m.ID + ": " + line
			}
			progress(line)
		}
		return nil
	})
	return e.failed(err, "pulling image %s", ref)
}

// TagImage implements engine.Actuator.
func (e *Engine) TagImage(ctx context.Context, id, tag string) error {
	return e.failed(e.client.ImageTag(ctx, id, tag), "tagging image %s as %s", id, tag)
}

// RemoveImage implements engine.Actuator.
func (e *Engine) RemoveImage(ctx context.Context, ref string) error {
	_, err := e.client.ImageRemove(ctx, ref, image.RemoveOptions{PruneChildren: true})
	for tries := 1; lostParent(err) && tries < removeTries; tries++ {
		_, err = e.client.ImageRemove(ctx, ref, image.RemoveOptions{PruneChildren: true})
	}
	if cerrdefs.IsConflict(err) {
		return fmt.Errorf("removing image %s: %w: %w", ref, engine.ErrInUse, err)
	}
	return e.failed(err, "removing image %s", ref)
}

// removeTries is how often a removal is tried that another one came in between.
const removeTries = 3

// lostParent reports whether an engine stumbled over a removal by somebody else:
// it takes an image's nameless parents along, and one of them went meanwhile.
// Engines have no error of its own for that.
func lostParent(err error) bool {
	return err != nil && strings.Contains(err.Error(), "unrecognized image ID")
}
