package docker_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"

	"github.com/labctl/labctl/runner/docker"
	"github.com/labctl/labctl/runner/engine"
	"github.com/labctl/labctl/runner/engine/enginetest"
)

const (
	pids   = 40
	memory = 32 << 20
)

// caged is a classic build of steps within limits.
func caged(t *testing.T, steps string) engine.BuildRequest {
	t.Helper()
	req := request(t, steps, nil)
	req.Builder = engine.BuilderClassic
	cageLabels := labels()
	cageLabels["cage"] = name(t)
	img, err := shared.Image(t.Context(), base)
	if err != nil {
		t.Fatal(err)
	}
	req.Limits = engine.Limits{
		Memory: memory, CPUs: 0.5, FileSize: 1 << 20,
		Cage: &engine.Cage{Pids: pids, Images: []string{img.ID}, Labels: cageLabels},
	}
	return req
}

// cages lists the cages of a test.
func cages(t *testing.T) []container.Summary {
	t.Helper()
	list, err := shared.Client().ContainerList(context.Background(), container.ListOptions{All: true, Filters: filters.NewArgs(filters.Arg("label", "cage="+name(t)))})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// cageable tells whether the engine of these tests can cage what steps start.
// Where it cannot, it must say so, and no test lets a step start what it likes.
func cageable(t *testing.T) bool {
	t.Helper()
	info, err := shared.Client().Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	can := info.CgroupDriver == "cgroupfs" && info.CgroupVersion == "1"
	said, err := shared.Info(t.Context())
	if err != nil || can != (said.NoCage == "") {
		t.Fatalf("an engine with cgroup driver %s, version %s: %+v, %v", info.CgroupDriver, info.CgroupVersion, said, err)
	}
	return can
}

// fails builds what must fail, soon, and returns how.
func fails(t *testing.T, steps string) *engine.BuildFailed {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	_, err := shared.Build(ctx, caged(t, steps))
	var failed *engine.BuildFailed
	if !errors.As(err, &failed) {
		t.Fatalf("got %v", err)
	}
	if left := cages(t); len(left) > 0 {
		t.Errorf("cages are left: %+v", left)
	}
	return failed
}

// A bounded number of processes first: it shows that the limit is there before
// a step asks for all that it can get.
func TestProcessesOfStepsAreLimited(t *testing.T) {
	t.Parallel()
	if !cageable(t) {
		return
	}
	failed := fails(t, "RUN i=0; while [ $i -lt 200 ]; do i=$((i+1)); sleep 5 & done; echo sur''vived\n")
	if !strings.Contains(failed.Message, "a step started more processes than a build may have (40)") || strings.Contains(failed.Log, "survived") {
		t.Fatalf("got %+v", failed)
	}
	for name, step := range map[string]string{
		"fork bomb": "b() { b | b & }; while :; do b; done",
		"quietly":   "(while :; do sleep 100 & done) 2>/dev/null; exec sleep 100",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			failed := fails(t, "RUN "+step+"\n")
			if !strings.Contains(failed.Message, "a step started more processes") {
				t.Errorf("got %+v", failed)
			}
		})
	}
}

func TestMemoryOfStepsIsLimited(t *testing.T) {
	t.Parallel()
	if !cageable(t) {
		return
	}
	failed := fails(t, "RUN x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done\n")
	if !strings.Contains(failed.Message, "a step ran out of memory: it may use 32MiB") {
		t.Errorf("got %+v", failed)
	}
}

// A step within its limits is built, and shows which they are: memory and
// processor of its own control group, and the size of files.
func TestStepsWithinLimits(t *testing.T) {
	t.Parallel()
	req := caged(t, "RUN cd /sys/fs/cgroup; cat memory/memory.limit_in_bytes cpu/cpu.cfs_quota_us || cat memory.max cpu.max; "+
		"truncate -s 1M /fits && ! truncate -s 2M /does-not\n")
	var said []string
	req.Progress = func(line string) { said = append(said, line) }
	req.Notice = func(text string) { t.Errorf("told %q", text) }
	if !cageable(t) {
		req.Limits.Cage = nil
	}
	if _, err := shared.Build(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	text := strings.Join(said, "\n")
	// What a step says on standard error may come first, in red.
	if !strings.Contains(text, "\n33554432\n50000") && !strings.Contains(text, "\x1b[0m33554432\n50000") {
		t.Errorf("the step saw:\n%s", text)
	}
	if left := cages(t); len(left) > 0 {
		t.Errorf("cages are left: %+v", left)
	}
}

// The limits hold for containers of the engine's, so a cage needs an image with
// a shell; of several, one is enough.
func TestCageNeedsAShell(t *testing.T) {
	t.Parallel()
	if !cageable(t) {
		return
	}
	empty, err := shared.Build(t.Context(), engine.BuildRequest{
		Context: enginetest.Tar(t, enginetest.File("Dockerfile", 0o644, "FROM scratch\nCOPY Dockerfile /\n")), Dockerfile: "Dockerfile", Labels: labels(),
	})
	if err != nil {
		t.Fatal(err)
	}
	told := 0
	build := func(images ...string) {
		t.Helper()
		req := caged(t, "RUN true\n")
		req.Limits.Cage.Images = images
		req.Notice = func(string) { told++ }
		if _, err := shared.Build(t.Context(), req); err != nil {
			t.Error(err)
		}
		if left := cages(t); len(left) > 0 {
			t.Errorf("cages are left: %+v", left)
		}
	}
	build(empty, base)
	if told != 0 {
		t.Error("a cage could not be made of the second image")
	}
	build(empty, "labctl-test-no-such-image:1")
	if told != 1 {
		t.Errorf("told %d times that there is no cage", told)
	}
}

// A cage ends with the process that holds it, however that ends: here, the
// connection to the engine is gone.
func TestCageEndsWithItsHolder(t *testing.T) {
	t.Parallel()
	if !cageable(t) {
		return
	}
	req := caged(t, "")
	close, err := docker.HoldCage(t.Context(), shared, *req.Limits.Cage)
	if err != nil {
		t.Fatal(err)
	}
	if held := cages(t); len(held) != 1 || held[0].State != "running" {
		t.Fatalf("cages are %+v", held)
	}
	close()
	for deadline := time.Now().Add(20 * time.Second); len(cages(t)) > 0; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the cage is still there: %+v", cages(t))
		}
	}
}

func TestEndlessLineIsCut(t *testing.T) {
	t.Parallel()
	req := request(t, "RUN head -c 3000000 /dev/zero | tr '\\0' x; exit 1\n", nil)
	_, err := shared.Build(t.Context(), req)
	var failed *engine.BuildFailed
	if !errors.As(err, &failed) || len(failed.Log) > 1<<20 {
		t.Errorf("got %d bytes of %v", len(failed.Log), err)
	}
}
