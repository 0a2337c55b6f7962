package docker_test

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/network"

	"github.com/labctl/labctl/runner/docker"
	"github.com/labctl/labctl/runner/engine/enginetest"
)

// unique begins the names of everything that this run makes, and is the value
// of its label.
var unique = "labctl-test-" + strconv.FormatInt(time.Now().UnixNano(), 36)

// base is an image of a busybox that serves /answers.
var base = unique + "-base:1"

// shared is the engine of all tests.
var shared *docker.Engine

// TestMain connects to the engine that these tests need: without one they
// fail. Whatever they leave is removed by its label.
func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "runner/docker is tested on a Docker Engine:", err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (int, error) {
	// Its reaper is an image that would have to be pulled.
	if err := os.Setenv("TESTCONTAINERS_RYUK_DISABLED", "true"); err != nil {
		return 0, err
	}
	ctx := context.Background()
	var err error
	if shared, err = docker.Connect(ctx); err != nil {
		return 0, err
	}
	defer shared.Close()
	rootfs, err := enginetest.Rootfs()
	if err != nil {
		return 0, err
	}
	if _, err := shared.ImportImage(ctx, rootfs, base, append(enginetest.RootfsChanges(), "LABEL "+enginetest.LabelTest+"="+unique)); err != nil {
		return 0, err
	}
	code := m.Run()
	return code, clear(ctx)
}

// clear removes what carries this run's label.
func clear(ctx context.Context) error {
	ours := filters.NewArgs(filters.Arg("label", enginetest.LabelTest+"="+unique))
	c := shared.Client()
	containers, err := c.ContainerList(ctx, container.ListOptions{All: true, Filters: ours})
	if err != nil {
		return err
	}
	for _, left := range containers {
		if err := shared.RemoveContainer(ctx, left.ID); err != nil {
			return err
		}
	}
	networks, err := c.NetworkList(ctx, network.ListOptions{Filters: ours})
	if err != nil {
		return err
	}
	for _, left := range networks {
		if err := shared.RemoveNetwork(ctx, left.ID); err != nil {
			return err
		}
	}
	// Images that others were built from can be removed after those only.
	for range 10 {
		images, err := c.ImageList(ctx, image.ListOptions{Filters: ours})
		if err != nil || len(images) == 0 {
			return err
		}
		for _, left := range images {
			_, _ = c.ImageRemove(ctx, left.ID, image.RemoveOptions{PruneChildren: true, Force: true})
		}
	}
	return fmt.Errorf("images labelled %s=%s cannot be removed", enginetest.LabelTest, unique)
}
