package docker

import (
	"context"
	"errors"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/build"
	"github.com/docker/docker/api/types/image"

	"github.com/labctl/labctl/runner/engine"
)

// clearTime is how long clearing up after a build may take.
const clearTime = 15 * time.Second

// Build implements engine.Builder. A build that ran and failed is
// *engine.BuildFailed. One that did not succeed, whyever, leaves no images and
// containers of its own behind.
func (e *Engine) Build(ctx context.Context, req engine.BuildRequest) (string, error) {
	options := build.ImageBuildOptions{
		Version:     build.BuilderVersion(e.builder),
		Dockerfile:  req.Dockerfile,
		Labels:      req.Labels,
		NoCache:     req.NoCache,
		Memory:      req.Memory,
		MemorySwap:  req.Memory, // no swap besides
		Remove:      true,
		ForceRemove: true,
	}
	if req.RunsNothing {
		options.Version = build.BuilderBuildKit
	}
	if req.Tag != "" {
		options.Tags = []string{req.Tag}
	}
	if req.NoNetwork {
		options.NetworkMode = "none"
	}
	began := time.Now()
	log := &buildLog{progress: req.Progress}
	if err := e.build(ctx, req, options, log); err != nil {
		e.clearBuild(ctx, log, began)
		return "", err
	}
	return log.image, nil
}

// build asks for a build and reads the answer to its end.
func (e *Engine) build(ctx context.Context, req engine.BuildRequest, options build.ImageBuildOptions, log *buildLog) error {
	answer, err := e.client.ImageBuild(ctx, req.Context, options)
	if cerrdefs.IsInvalidArgument(err) {
		return &engine.BuildFailed{Message: err.Error()} // of the Dockerfile, before any step
	}
	if err != nil {
		return e.failed(err, "asking for a build")
	}
	defer answer.Body.Close()
	err = readMessages(answer.Body, log.read)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if r := (*reported)(nil); errors.As(err, &r) {
		return &engine.BuildFailed{Message: r.text, Log: log.end()}
	}
	if err != nil {
		return e.failed(err, "reading how the build goes")
	}
	if log.image == "" {
		return errors.New("reading how the build goes: the engine did not say which image it built")
	}
	return nil
}

// clearBuild removes what an unsuccessful classic build made: the container of
// the step that ran, and the images of the steps before. BuildKit clears up
// after itself. It is best effort: what is in use by then stays.
//
// A RUN step can print lines that look like the builder's, so only what was
// made since the build began, and images without a name, can be removed on
// their word. IDs of such cannot be known when a Dockerfile is written.
func (e *Engine) clearBuild(ctx context.Context, log *buildLog, began time.Time) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), clearTime)
	defer cancel()
	for _, id := range log.containers {
		c, err := e.client.ContainerInspect(ctx, id)
		if err == nil && since(c.Created, began) {
			_ = e.RemoveContainer(ctx, c.ID)
		}
	}
	for i := len(log.images) - 1; i >= 0; i-- {
		img, err := e.client.ImageInspect(ctx, log.images[i])
		if err == nil && len(img.RepoTags) == 0 && since(img.Created, began) {
			_, _ = e.client.ImageRemove(ctx, img.ID, image.RemoveOptions{})
		}
	}
}

// since tells whether an object was created at the given time or later, by the
// engine's clock, which is this machine's.
func since(created string, began time.Time) bool {
	t, err := time.Parse(time.RFC3339Nano, created)
	return err == nil && !t.Before(began)
}
