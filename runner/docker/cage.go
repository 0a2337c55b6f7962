package docker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/system"

	"github.com/labctl/labctl/runner/engine"
)

const (
	// cageParent is the control group that cages are put into. It is where
	// engines with the cgroupfs driver put containers anyway; said explicitly,
	// since an engine does not tell where else it is set to put them.
	cageParent = "/docker"
	// countEvery is how often the processes in a cage are counted.
	countEvery = 300 * time.Millisecond
)

// noCage says why an engine cannot put the steps of a build into the control
// group of a container; "" when it can. With systemd, control groups of
// containers have none below them. In the unified hierarchy a group that has
// processes of its own, as a container's does, passes no controller on.
func noCage(info system.Info) string {
	switch {
	case info.CgroupDriver != "cgroupfs":
		return fmt.Sprintf("its cgroup driver is %s, not cgroupfs", info.CgroupDriver)
	case info.CgroupVersion != "1":
		return fmt.Sprintf("it uses cgroup v%s", info.CgroupVersion)
	}
	return ""
}

// cage is a container that waits for the end of its standard input. Its
// control group limits the processes of a build's steps, which are put below.
// (Limits of users do not stop root, and the builder has none for processes.)
type cage struct {
	engine *Engine
	id     string
	stdin  types.HijackedResponse
	pids   int64 // that steps may have
}

// openCage starts a cage of the first image that has a shell. It is nil when
// none has, or none is there.
func (e *Engine) openCage(ctx context.Context, spec engine.Cage) (*cage, error) {
	for _, image := range spec.Images {
		c := &cage{engine: e, pids: spec.Pids}
		err := c.start(ctx, image, spec.Labels)
		if err == nil {
			return c, nil
		}
		c.close(ctx)
		if away := (*engine.Unavailable)(nil); errors.As(err, &away) || ctx.Err() != nil {
			return nil, err
		}
	}
	return nil, nil
}

func (c *cage) start(ctx context.Context, image string, labels map[string]string) error {
	// More than is told of: steps that are refused a process may end for that,
	// and would never be seen with one too many.
	limit := c.pids + c.pids/4 + 2
	config := &container.Config{
		Image: image, Entrypoint: []string{"sh"}, User: "0", WorkingDir: "/", Labels: labels,
		// A shell without a script reads from standard input. The engine closes
		// that when whoever attached to it is gone, however that came.
		OpenStdin: true, StdinOnce: true, AttachStdin: true,
		Healthcheck: &container.HealthConfig{Test: []string{"NONE"}},
		// No network at all: engines make even an empty one by programs that take time.
		NetworkDisabled: true,
	}
	host := &container.HostConfig{
		NetworkMode: network.NetworkNone, AutoRemove: true, CapDrop: []string{"ALL"}, ReadonlyRootfs: true,
		Resources: container.Resources{PidsLimit: &limit, CgroupParent: cageParent},
	}
	created, err := c.engine.client.ContainerCreate(ctx, config, host, nil, nil, "")
	if err != nil {
		return c.engine.failed(err, "creating a cage for the build")
	}
	c.id = created.ID
	if c.stdin, err = c.engine.client.ContainerAttach(ctx, c.id, container.AttachOptions{Stream: true, Stdin: true}); err != nil {
		return c.engine.failed(err, "holding the cage of the build")
	}
	return c.engine.StartContainer(ctx, c.id)
}

// group is the control group that steps go into.
func (c *cage) group() string { return cageParent + "/" + c.id }

// watch calls full once when steps have more processes than they may, until
// ctx ends. That the cage cannot be asked is no reason to end a build.
func (c *cage) watch(ctx context.Context, full func(error)) {
	tick := time.NewTicker(countEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		stats, err := c.engine.stats(ctx, c.id)
		if err == nil && stats.PidsStats.Current > uint64(c.pids)+1 { // the shell
			full(tooManyProcesses(c.pids))
			return
		}
	}
}

// tooManyProcesses is the error of a build of which a step started more
// processes than it may.
func tooManyProcesses(limit int64) *engine.BuildFailed {
	return &engine.BuildFailed{Message: fmt.Sprintf("a step started more processes than a build may have (%d)", limit)}
}

// close removes the cage, even when ctx has ended. A group that still has
// others below it cannot be removed, so the steps' containers go first.
func (c *cage) close(ctx context.Context) {
	if c.id == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), clearTime)
	defer cancel()
	if c.stdin.Conn != nil {
		c.stdin.Close()
	}
	_ = c.engine.RemoveContainer(ctx, c.id) // or it goes by itself, without a standard input
}
