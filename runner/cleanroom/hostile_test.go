package cleanroom_test

import (
	"context"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/labctl/labctl/runner/cleanroom"
	"github.com/labctl/labctl/runner/engine"
	"github.com/labctl/labctl/scenarios/evidence"
)

// Builds that misbehave, on a real engine: each is stopped within seconds,
// reported as what it is, and leaves nothing.
func TestHostileBuildsOnAnEngine(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		set   func(t *testing.T, r *cleanroom.Room)
		steps string
		says  string
		caged bool // needs an engine that can cage what a step starts
	}{
		"sleeps for ever": {
			func(_ *testing.T, r *cleanroom.Room) { r.Timeout = 2 * time.Second },
			"RUN sleep 1000000", "the build took longer than 2s and was stopped", false,
		},
		"sleeps for ever in BuildKit": {
			func(_ *testing.T, r *cleanroom.Room) { r.Timeout = 2 * time.Second; r.Builder = modern{r.Builder} },
			"RUN sleep 1000000", "the build took longer than 2s and was stopped", false,
		},
		"forks without end": {
			func(_ *testing.T, r *cleanroom.Room) { r.Pids = 40 },
			"RUN (while :; do sleep 100 & done) 2>/dev/null; exec sleep 100", "a step started more processes than a build may have (40)", true,
		},
		"takes all memory": {
			func(_ *testing.T, r *cleanroom.Room) { r.Memory = 32 << 20 },
			"RUN x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done", "a step ran out of memory: it may use 32MiB", true,
		},
		"fills the disk": {
			fills, "RUN dd if=/dev/zero of=/x bs=1M", "the build filled the disk", false,
		},
		"fills the disk in BuildKit": {
			func(t *testing.T, r *cleanroom.Room) { fills(t, r); r.Builder = modern{r.Builder} },
			"RUN dd if=/dev/zero of=/x bs=1M", "the build filled the disk", false,
		},
		"makes a file that is one hole": {
			func(t *testing.T, _ *cleanroom.Room) { writing(t) }, "RUN truncate -s 1025M /x", "a step made a larger file than it may (1GiB)", true,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, r, _ := engineRoom(t)
			info, err := e.Info(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if test.caged && info.NoCage != "" {
				return
			}
			test.set(t, r)
			begun := time.Now()
			build, _, _, err := r.Build(t.Context(), dockerfileOnly("FROM "+r.Instance+":pinned\n"+test.steps+"\n"), evidence.OfHead, "")
			if err != nil || !strings.Contains(build.Failed, test.says) {
				t.Errorf("%+v, %v", build, err)
			}
			if took := time.Since(begun); took > 30*time.Second {
				t.Errorf("it was stopped after %s", took)
			}
			leftNothing(t, e, r.Instance)
		})
	}
}

// modern builds with BuildKit, whatever is asked.
type modern struct{ cleanroom.Builder }

func (m modern) Build(ctx context.Context, req engine.BuildRequest) (string, error) {
	req.Builder = engine.BuilderBuildKit
	return m.Builder.Build(ctx, req)
}

// disk is had by one test that writes much: what another one writes would end
// its build, too, maybe between two steps.
var disk sync.Mutex

func writing(t *testing.T) {
	disk.Lock()
	t.Cleanup(disk.Unlock)
}

// fills lets a room see 300 MiB less than there are above what builds leave.
func fills(t *testing.T, r *cleanroom.Room) {
	writing(t)
	measure := func() (int64, error) {
		var fs syscall.Statfs_t
		err := syscall.Statfs("/var/lib/docker", &fs)
		return int64(fs.Bavail) * fs.Bsize, err
	}
	before, err := measure()
	if err != nil {
		t.Fatal(err)
	}
	r.Free = func() (int64, error) {
		now, err := measure()
		return 812<<20 - (before - now), err
	}
}
