package main

import (
	"bytes"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/labctl/labctl/runner"
	"github.com/labctl/labctl/runner/cleanroom"
	"github.com/labctl/labctl/runner/engine"
	"github.com/labctl/labctl/scenarios/report"
)

// A check that is killed while a clean room builds what never ends: the engine
// stops the step by itself, and the next check or stop finds the rest.
func TestCheckKilledWhileBuildingOnDocker(t *testing.T) {
	t.Parallel()
	for _, next := range []string{"check", "stop"} {
		t.Run(next, func(t *testing.T) {
			t.Parallel()
			l := newLearner(t)
			in := decode[status](t, l.labctl(l.dir, exitOK, "start", "drift-lab", "--learner", l.name, "--format", "json")).Instances[0]
			l.rebuild(in.Workspace, in)
			l.git(in.Workspace, "printf 'RUN echo first >/srv/first\\nRUN sleep 1000000\\n' >>Dockerfile")

			cmd := l.command(in.Workspace, realLabctl, "check")
			var output bytes.Buffer
			cmd.Stdout, cmd.Stderr = &output, &output
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- cmd.Wait() }()
			l.awaitStep(in, ended, "sleep 1000000")
			if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			if err := <-ended; err == nil {
				t.Fatalf("it ended before it was killed: %s", output.String())
			}
			l.awaitNoneRuns(in)

			if next == "stop" {
				l.labctl(l.dir, exitOK, "stop", "drift-lab", "--learner", l.name, "--purge", "--yes")
				containers, networks, images := l.left(t.Context())
				if left := slices.Concat(containers, networks, images); len(left) > 0 {
					t.Errorf("stop --purge left %q", left)
				}
			} else {
				l.git(in.Workspace, "git reset --quiet --hard HEAD~1")
				rep := decode[report.Report](t, l.labctl(in.Workspace, exitOK, "check", "--format", "json"))
				if rep.Score != 100 {
					t.Errorf("the rebuild got %d, %s", rep.Score, rep.Provenance.Word)
				}
			}
			l.noRoom(in)
		})
	}
}

// room lists the containers of an instance's clean rooms.
func (l *learner) room(in runner.Instance) []engine.Summary {
	l.t.Helper()
	all, err := l.engine.Containers(l.t.Context())
	if err != nil {
		l.t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(c engine.Summary) bool { return !cleanroom.Left(c, in.Instance) })
}

// awaitStep returns once a step of a clean room runs what is said.
func (l *learner) awaitStep(in runner.Instance, ended <-chan error, says string) {
	l.t.Helper()
	for {
		for _, c := range l.room(in) {
			seen, err := l.engine.Inspect(l.t.Context(), c.ID)
			if err == nil && c.State == "running" && strings.Contains(string(seen.Config), says) {
				return
			}
		}
		select {
		case err := <-ended:
			l.t.Fatalf("the check ended before a clean room ran %s: %v", says, err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// awaitNoneRuns returns once nothing of a clean room runs any more.
func (l *learner) awaitNoneRuns(in runner.Instance) {
	l.t.Helper()
	running := func(c engine.Summary) bool { return c.State == "running" }
	for deadline := time.Now().Add(20 * time.Second); slices.ContainsFunc(l.room(in), running); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			l.t.Fatalf("the engine still runs %+v", l.room(in))
		}
	}
}

// noRoom fails when anything of an instance's clean rooms is on the engine.
func (l *learner) noRoom(in runner.Instance) {
	l.t.Helper()
	if left := l.room(in); len(left) > 0 {
		l.t.Errorf("containers of clean rooms are left: %+v", left)
	}
	images, err := l.engine.ImagesLabelled(l.t.Context(), engine.LabelCleanRoom, in.Instance)
	if err != nil || len(images) > 0 {
		l.t.Errorf("images of clean rooms are left: %v, %v", images, err)
	}
	tags, err := l.engine.Tags(l.t.Context(), "labctl-cleanroom/"+in.Instance+":")
	if err != nil || len(tags) > 0 {
		l.t.Errorf("tags of clean rooms are left: %v, %v", tags, err)
	}
}
