package docker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"sync"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/build"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/go-units"

	"github.com/labctl/labctl/runner/engine"
)

const (
	clearTime = 15 * time.Second // for clearing up after a build
	cpuPeriod = 100_000          // microseconds, of which a step gets its part
)

// Build implements engine.Builder. A build that ran and failed is
// *engine.BuildFailed. One that did not succeed, whyever, leaves no images and
// containers of its own behind.
func (e *Engine) Build(ctx context.Context, req engine.BuildRequest) (string, error) {
	options := build.ImageBuildOptions{
		Version:    build.BuilderVersion(cmp.Or(req.Builder, e.builder)),
		Dockerfile: req.Dockerfile,
		Labels:     req.Labels,
		NoCache:    req.NoCache,
		Remove:     true, // a step's container, unless the step failed: why it did is asked of it
	}
	if req.Tag != "" {
		options.Tags = []string{req.Tag}
	}
	if req.NoNetwork {
		options.NetworkMode = "none"
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	if options.Version == build.BuilderV1 {
		done, err := e.limit(ctx, stop, req, &options)
		if err != nil {
			return "", err
		}
		defer done()
	}
	began := time.Now()
	log := &buildLog{progress: req.Progress}
	err := e.build(ctx, req, options, log)
	if err == nil {
		return log.image, nil
	}
	if full := (*engine.BuildFailed)(nil); errors.As(context.Cause(ctx), &full) {
		full.Log = log.end()
		err = full
	} else if failed := (*engine.BuildFailed)(nil); errors.As(err, &failed) {
		err = e.beyond(ctx, req.Limits, log, failed)
	}
	e.clearBuild(ctx, log, began)
	return "", err
}

// limit asks for the limits of a classic build. A build that hits the one on
// processes is ended through stop. What is called when the build is over, and
// cleared up after, is done.
func (e *Engine) limit(ctx context.Context, stop context.CancelCauseFunc, req engine.BuildRequest, options *build.ImageBuildOptions) (done func(), err error) {
	limits := req.Limits
	options.Memory = limits.Memory
	options.MemorySwap = limits.Memory // no swap besides
	if limits.CPUs > 0 {
		options.CPUPeriod = cpuPeriod
		options.CPUQuota = int64(limits.CPUs * cpuPeriod)
	}
	if limits.FileSize > 0 {
		options.Ulimits = []*container.Ulimit{{Name: "fsize", Soft: limits.FileSize, Hard: limits.FileSize}}
	}
	if limits.Cage == nil {
		return func() {}, nil
	}
	cage, err := e.openCage(ctx, *limits.Cage)
	if err != nil {
		return nil, err
	}
	if cage == nil {
		if req.Notice != nil {
			req.Notice("none of the lab's images has a shell: how many processes a build starts is not limited")
		}
		return func() {}, nil
	}
	options.CgroupParent = cage.group()
	var watching sync.WaitGroup
	watching.Go(func() { cage.watch(ctx, func(err error) { stop(err) }) })
	return func() {
		stop(nil)
		watching.Wait()
		cage.close(ctx)
	}, nil
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
		if engine.ImageGone(r.text) {
			return fmt.Errorf("building: %w: %s", engine.ErrNotFound, r.text)
		}
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

// What programs say when they may not start a process, or write on.
var (
	noFork   = regexp.MustCompile(`(?i)can('|no)t fork|fork: .*temporarily unavailable`)
	tooLarge = regexp.MustCompile(`(?i)file too large|file size limit exceeded`)
)

// beyond says of a build that failed whether it was for a limit, as far as the
// engine and the step's output tell.
func (e *Engine) beyond(ctx context.Context, limits engine.Limits, log *buildLog, failed *engine.BuildFailed) *engine.BuildFailed {
	reason := ""
	if n := len(log.containers); n > 0 && limits.Memory > 0 {
		c, err := e.client.ContainerInspect(ctx, log.containers[n-1])
		if err == nil && c.State != nil && c.State.OOMKilled {
			reason = fmt.Sprintf("a step ran out of memory: it may use %s", units.BytesSize(float64(limits.Memory)))
		}
	}
	if reason == "" && limits.FileSize > 0 && tooLarge.MatchString(failed.Log) {
		reason = fmt.Sprintf("a step made a larger file than it may (%s)", units.BytesSize(float64(limits.FileSize)))
	}
	if reason == "" && limits.Cage != nil && noFork.MatchString(failed.Log) {
		reason = tooManyProcesses(limits.Cage.Pids).Message
	}
	if reason == "" {
		return failed
	}
	return &engine.BuildFailed{Message: reason, Log: failed.Message + "\n" + failed.Log}
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
