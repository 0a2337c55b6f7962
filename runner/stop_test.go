package runner_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/labctl/labctl/runner"
	"github.com/labctl/labctl/runner/engine"
	"github.com/labctl/labctl/runner/engine/fake"
	"github.com/labctl/labctl/runner/state"
)

// runnerOn is a runner of ada's on an engine of a test's own, which holds its state
// below dir.
func runnerOn(e engine.Engine, dir string) *runner.Runner {
	return &runner.Runner{
		Engine: e, State: state.New(filepath.Join(dir, "state")), Library: runner.NewLibrary(os.DirFS(dir)),
		User: "ada", Version: "test", Now: time.Now,
	}
}

// shop starts the shop lab of the commands' tests on an engine that runs
// nothing.
func shop(t *testing.T) (*runner.Runner, *fake.Engine, runner.Instance) {
	t.Helper()
	lab, err := filepath.Abs(filepath.Join("..", "cmd", "labctl", "testdata", "labs", "shop-lab"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	e := fake.Open(filepath.Join(dir, "engine.json"))
	r := runnerOn(e, dir)
	started, err := r.Start(t.Context(), runner.StartOptions{Lab: lab, Learner: "ada", Dir: filepath.Join(dir, "ws"), Cwd: dir})
	if err != nil {
		t.Fatal(err)
	}
	return r, e, started.Instance
}

func purge(t *testing.T, r *runner.Runner, in runner.Instance) {
	t.Helper()
	p, err := r.PlanStop(t.Context(), in, true)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Stop(t.Context(), p); err != nil {
		t.Fatal(err)
	}
}

// Somebody else's network that carries our label without our facts must not
// keep anybody from stopping.
func TestStopBesideAnOddNetwork(t *testing.T) {
	t.Parallel()
	r, e, in := shop(t)
	if err := e.CreateNetwork(t.Context(), "odd", false, map[string]string{engine.LabelInstance: "odd"}); err != nil {
		t.Fatal(err)
	}
	purge(t, r, in)
	networks, err := e.Networks(t.Context())
	if err != nil || len(networks) != 1 || networks[0].Name != "odd" {
		t.Errorf("networks are %+v (%v), want the odd one alone", networks, err)
	}
}

// An instance that starts has no network yet which would say that it stands on
// a base; the alias that its clean room builds on says so.
func TestPurgeLeavesABaseThatIsBuiltOn(t *testing.T) {
	t.Parallel()
	for alias, stays := range map[string]bool{"labctl-cleanroom/shop-lab-eve:make-0": true, "labctl-cleanroom/shop-lab-ada:left-0": false} {
		t.Run(alias, func(t *testing.T) {
			t.Parallel()
			r, e, in := shop(t)
			tags, err := e.Tags(t.Context(), "shop/base")
			if err != nil || len(tags) != 1 {
				t.Fatalf("bases are %v (%v)", tags, err)
			}
			for _, id := range tags {
				if err := e.TagImage(t.Context(), id, alias); err != nil {
					t.Fatal(err)
				}
			}
			purge(t, r, in)
			tags, err = e.Tags(t.Context(), "shop/base")
			if err != nil || (len(tags) > 0) != stays {
				t.Errorf("bases are %v (%v)", tags, err)
			}
		})
	}
}

// Images with a tag of the lab's are everybody's: all instances pin the same,
// and whoever purges first leaves them to the others.
func TestInstancesShareImagesWithATag(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e := fake.Open(filepath.Join(dir, "engine.json"))
	r := runnerOn(e, dir)
	var instances []runner.Instance
	var tags []map[string]string
	for _, learner := range []string{"ada", "eve"} {
		started, err := r.Start(t.Context(), runner.StartOptions{Lab: fixture(t, "bases"), Learner: learner, Dir: filepath.Join(dir, learner), Cwd: dir})
		if err != nil {
			t.Fatal(err)
		}
		now, err := e.Tags(t.Context(), "labctl-fixtures/")
		if err != nil || len(now) != 3 {
			t.Fatalf("tags %v (%v)", now, err)
		}
		instances, tags = append(instances, started.Instance), append(tags, now)
	}
	if !maps.Equal(tags[0], tags[1]) {
		t.Errorf("tags moved from %v to %v", tags[0], tags[1])
	}
	for i, want := range []int{3, 0} {
		purge(t, r, instances[i])
		left, err := e.Tags(t.Context(), "labctl-fixtures/")
		if err != nil || len(left) != want {
			t.Errorf("after %d purges there are %v (%v), want %d", i+1, left, err, want)
		}
	}
}

// losing is an engine on which somebody removes the image of a step in the middle
// of a build, which nothing names.
type losing struct {
	engine.Engine
	times int // it happens
}

func (l *losing) Build(ctx context.Context, req engine.BuildRequest) (string, error) {
	if l.times--; l.times >= 0 {
		return "", fmt.Errorf("building: %w", engine.ErrNotFound)
	}
	return l.Engine.Build(ctx, req)
}

// A start whose build lost a step to somebody's purge builds again.
func TestStartBuildsAgainWhatWasPurged(t *testing.T) {
	t.Parallel()
	for times, starts := range map[int]bool{1: true, 2: true, 1000: false} {
		dir := t.TempDir()
		e := fake.Open(filepath.Join(dir, "engine.json"))
		r := runnerOn(&losing{e, times}, dir)
		_, err := r.Start(t.Context(), runner.StartOptions{Lab: fixture(t, "bases"), Learner: "ada", Dir: filepath.Join(dir, "ws"), Cwd: dir})
		if (err == nil) != starts {
			t.Errorf("%d times: %v", times, err)
		}
		if tags, tagsErr := e.Tags(t.Context(), ""); err != nil && (tagsErr != nil || len(tags) > 0) {
			t.Errorf("%d times: left are %v (%v)", times, tags, tagsErr)
		}
	}
}

// Who starts after a purge was planned keeps the images that it pinned.
func TestPurgeLeavesABaseThatWasPinnedMeanwhile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e := fake.Open(filepath.Join(dir, "engine.json"))
	r := runnerOn(e, dir)
	start := func(learner string) runner.Instance {
		started, err := r.Start(t.Context(), runner.StartOptions{Lab: fixture(t, "bases"), Learner: learner, Dir: filepath.Join(dir, learner), Cwd: dir})
		if err != nil {
			t.Fatal(err)
		}
		return started.Instance
	}
	p, err := r.PlanStop(t.Context(), start("ada"), true)
	if err != nil {
		t.Fatal(err)
	}
	start("eve")
	before, err := e.Tags(t.Context(), "labctl-fixtures/")
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Stop(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if after, err := e.Tags(t.Context(), "labctl-fixtures/"); err != nil || !maps.Equal(after, before) {
		t.Errorf("tags were %v and are %v (%v)", before, after, err)
	}
}
