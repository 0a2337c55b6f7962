package docker_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"

	"github.com/labctl/labctl/runner/docker"
	"github.com/labctl/labctl/runner/engine"
	"github.com/labctl/labctl/runner/engine/enginetest"
)

// eachBuilder runs a test with both builders of an engine of its own.
func eachBuilder(t *testing.T, test func(*testing.T, *docker.Engine)) {
	for name, version := range map[string]string{"classic": "1", "buildkit": "2"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, err := docker.Connect(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			e.UseBuilder(version)
			test(t, e)
		})
	}
}

// request is a build of a Dockerfile on the base, and of one other file.
func request(t *testing.T, steps string, progress func(string)) engine.BuildRequest {
	return engine.BuildRequest{
		Context: enginetest.Tar(t, enginetest.File("Dockerfile", 0o644, "FROM "+base+"\n"+steps),
			enginetest.File("file", 0o644, name(t))),
		Dockerfile: "Dockerfile", Labels: labels(), NoCache: true, NoNetwork: true, Progress: progress,
	}
}

func TestLayersOfBuilds(t *testing.T) {
	t.Parallel()
	eachBuilder(t, func(t *testing.T, e *docker.Engine) {
		var progress []string
		id, err := e.Build(t.Context(), request(t, "COPY file /srv/file\nRUN echo told; echo made >/srv/made\n",
			func(line string) { progress = append(progress, line) }))
		if err != nil {
			t.Fatal(err)
		}
		img, err := e.Image(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		layers, err := e.Layers(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if len(img.Layers) != 3 || len(layers) != 3 {
			t.Fatalf("layers are %v, read %d", img.Layers, len(layers))
		}
		for i, path := range []string{"/answers/hello", "/srv/file", "/srv/made"} {
			found := false
			for _, entry := range layers[img.Layers[i]] {
				found = found || entry.Path == path
			}
			if !found {
				t.Errorf("layer %d is %+v, want %s in it", i, layers[img.Layers[i]], path)
			}
		}
		text := strings.Join(progress, "\n")
		for _, want := range []string{"COPY file /srv/file", "told"} {
			if !strings.Contains(text, want) {
				t.Errorf("progress does not say %q:\n%s", want, text)
			}
		}
	})
}

func TestFailedBuildTellsItsLog(t *testing.T) {
	t.Parallel()
	eachBuilder(t, func(t *testing.T, e *docker.Engine) {
		_, err := e.Build(t.Context(), request(t, "COPY file /srv/file\nRUN echo the reason; exit 7\n", nil))
		var failed *engine.BuildFailed
		if !errors.As(err, &failed) || !strings.Contains(failed.Message, "7") || !strings.Contains(failed.Log, "the reason") {
			t.Errorf("got %#v", err)
		}
	})
}

func TestCancelledBuildLeavesNothing(t *testing.T) {
	t.Parallel()
	eachBuilder(t, func(t *testing.T, e *docker.Engine) {
		mark := name(t)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		_, err := e.Build(ctx, request(t, "LABEL mark="+mark+"\nCOPY file /srv/file\nRUN echo now; sleep 100\n", func(line string) {
			if line == "now" {
				cancel()
			}
		}))
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v", err)
		}
		ours := filters.NewArgs(filters.Arg("label", "mark="+mark))
		images, err := e.Client().ImageList(t.Context(), image.ListOptions{All: true, Filters: ours})
		if err != nil || len(images) != 0 {
			t.Errorf("images %+v are left (%v)", images, err)
		}
		containers, err := e.Client().ContainerList(t.Context(), container.ListOptions{All: true, Filters: ours})
		if err != nil || len(containers) != 0 {
			t.Errorf("containers %+v are left (%v)", containers, err)
		}
	})
}

// What a RUN step prints can look like the builder's own lines; nothing that
// was there before the build is removed on their word.
func TestBuildOutputCannotNameWhatIsCleared(t *testing.T) {
	t.Parallel()
	bystander := start(t, engine.ContainerSpec{})
	_, err := shared.Build(t.Context(), request(t, "RUN echo ' ---> Running in "+bystander[:12]+"'; exit 1\n", nil))
	var failed *engine.BuildFailed
	if !errors.As(err, &failed) {
		t.Fatalf("got %v", err)
	}
	if c := inspect(t, bystander); c.State != "running" {
		t.Errorf("the bystander is %s", c.State)
	}
}

func TestWrongDockerfileFails(t *testing.T) {
	t.Parallel()
	eachBuilder(t, func(t *testing.T, e *docker.Engine) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var failed *engine.BuildFailed
		if _, err := e.Build(ctx, request(t, "NONSENSE\n", nil)); !errors.As(err, &failed) {
			t.Errorf("got %v", err)
		}
	})
}
