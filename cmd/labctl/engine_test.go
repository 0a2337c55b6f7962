package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/labctl/labctl/labs"
	"github.com/labctl/labctl/runner"
	"github.com/labctl/labctl/runner/engine"
	"github.com/labctl/labctl/scenarios/config"
	"github.com/labctl/labctl/scenarios/lab"
	"github.com/labctl/labctl/scenarios/report"
	"github.com/labctl/labctl/scenarios/schema/schematest"
)

// These tests are of labctl as it is, on the machine's Docker Engine. Without
// one they fail: a main path that was not walked is not known to work.

// realLabctl is what the test binary is called when it is labctl on a real
// engine; "labctl" is the one on a fake.
const realLabctl = "labctl-on-docker"

// learner is a learner of one test's own, with a home, a folder to work in and
// an engine that is left as it was found.
type learner struct {
	t         *testing.T
	name      string
	dir, home string
	engine    engine.Engine
}

func newLearner(t *testing.T) *learner {
	t.Helper()
	e, err := connectDocker(t.Context())
	if err != nil {
		t.Fatalf("these tests need a Docker Engine: %v", err)
	}
	l := &learner{t: t, name: "test" + strings.ToLower(rand.Text()[:8]), dir: t.TempDir(), home: t.TempDir(), engine: e}
	t.Cleanup(func() {
		l.sweep()
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// sweep removes by label what the test left, after saying what it was when the
// test failed.
func (l *learner) sweep() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	containers, networks, images := l.left(ctx)
	if l.t.Failed() {
		l.t.Logf("left on the engine: containers %q, networks %q, images %q", containers, networks, images)
	}
	for _, name := range containers {
		if err := l.engine.RemoveContainer(ctx, name); err != nil {
			l.t.Error(err)
		}
	}
	for _, name := range networks {
		if err := l.engine.RemoveNetwork(ctx, name); err != nil {
			l.t.Error(err)
		}
	}
	for _, id := range images {
		if err := l.engine.RemoveImage(ctx, id); err != nil && !errors.Is(err, engine.ErrNotFound) {
			l.t.Error(err)
		}
	}
}

// left is what carries the learner's name on the engine, and the containers on
// the learner's networks.
func (l *learner) left(ctx context.Context) (containers, networks, images []string) {
	l.t.Helper()
	found, err := l.engine.Networks(ctx)
	if err != nil {
		l.t.Fatal(err)
	}
	for _, n := range found {
		if n.Labels[engine.LabelLearner] == l.name {
			networks = append(networks, n.Name)
		}
	}
	all, err := l.engine.Containers(ctx)
	if err != nil {
		l.t.Fatal(err)
	}
	for _, c := range all {
		on := slices.ContainsFunc(networks, func(n string) bool { _, on := c.Networks[n]; return on })
		if on || c.Labels[engine.LabelLearner] == l.name {
			containers = append(containers, c.Name)
		}
	}
	images, err = l.engine.ImagesLabelled(ctx, engine.LabelLearner, l.name)
	if err != nil {
		l.t.Fatal(err)
	}
	tags, err := l.engine.Tags(ctx, "labctl/") // of images made for an instance
	if err != nil {
		l.t.Fatal(err)
	}
	for tag := range tags {
		if strings.Contains(tag, "-"+l.name+":") {
			images = append(images, tag)
		}
	}
	return containers, networks, images
}

// command is labctl, or another program, run by the learner.
func (l *learner) command(dir, name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(),
		"HOME="+l.home, "XDG_STATE_HOME="+filepath.Join(l.home, "state"), "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.com", "GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.com")
	return cmd
}

// labctl runs labctl, which must end with the code, and returns what it wrote
// to standard output.
func (l *learner) labctl(dir string, code int, args ...string) []byte {
	l.t.Helper()
	cmd := l.command(dir, realLabctl, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if failed := (*exec.ExitError)(nil); err != nil && !errors.As(err, &failed) {
		l.t.Fatal(err)
	}
	if got := cmd.ProcessState.ExitCode(); got != code {
		l.t.Fatalf("labctl %s ended with %d, not %d\n%s\n%s", strings.Join(args, " "), got, code, stdout.String(), stderr.String())
	}
	return stdout.Bytes()
}

// rebuild does what a learner does to pass drift-lab: the scenario's own script,
// with the variables that scenario scripts get.
func (l *learner) rebuild(ws string, in runner.Instance) {
	l.t.Helper()
	script, err := os.ReadFile("../../labs/drift-lab/scenarios/rebuilt-cattle.sh")
	if err != nil {
		l.t.Fatal(err)
	}
	_, port, _ := strings.Cut(in.Services[0].Address, ":")
	cmd := l.command(ws, "sh", "-eu", "-c", string(script))
	cmd.Env = append(cmd.Env,
		"INSTANCE="+in.Instance, "PET_01="+in.Services[0].Live[0].Name, "TMP="+l.t.TempDir(),
		"BOOKING_URL=http://"+in.Services[0].Address, "BOOKING_PORT="+port,
		"BOOKING_RUN="+l.runFlags(in), "PARAM_CITY_TAX_TODAY="+l.todaysTax(in))
	if out, err := cmd.CombinedOutput(); err != nil {
		l.t.Fatalf("rebuilding: %v\n%s", err, out)
	}
	// What a learner builds has no label that it could be swept by. A test that
	// has stopped the lab already is told so, and that is fine.
	l.t.Cleanup(func() { _ = l.command(l.dir, realLabctl, "stop", in.Instance, "--purge", "--yes").Run() })
}

// runFlags and todaysTax read the brief, as the learner does.
func (l *learner) runFlags(in runner.Instance) string {
	l.t.Helper()
	for line := range strings.Lines(l.brief(in)) {
		if _, flags, ok := strings.Cut(strings.TrimSpace(line), " --network "); ok {
			return "--network " + strings.TrimSuffix(flags, " IMAGE")
		}
	}
	l.t.Fatal("the brief does not say how production is run")
	return ""
}

func (l *learner) todaysTax(in runner.Instance) string {
	l.t.Helper()
	_, after, _ := strings.Cut(l.brief(in), "the city tax is ")
	euros, _, ok := strings.Cut(after, " euros")
	if !ok {
		l.t.Fatal("the brief does not say today's city tax")
	}
	return strings.TrimLeft(strings.ReplaceAll(euros, ".", ""), "0")
}

func (l *learner) brief(in runner.Instance) string {
	l.t.Helper()
	return string(l.labctl(in.Workspace, exitOK, "start", "drift-lab", "--learner", l.name))
}

func decode[T any](t *testing.T, b []byte) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatalf("%v in %s", err, b)
	}
	return v
}

type status struct{ Instances []runner.Instance }

// The main path: start, be graded, rebuild, be graded, stop, with nothing left.
func TestDriftLabOnDocker(t *testing.T) {
	t.Parallel()
	l := newLearner(t)
	runs := l.labctl(l.dir, exitOK, "start", "drift-lab", "--learner", l.name, "--dir", "my work", "--format", "json")
	schematest.Validate(t, "status", runs)
	in := decode[status](t, runs).Instances[0]
	ws := filepath.Join(l.dir, "my work")

	saved := filepath.Join(l.dir, "evidence.json")
	untouched := l.labctl(ws, exitNotPassed, "check", "--format", "json", "--save", saved)
	l.asInSchemas(saved, untouched)
	pet := decode[report.Report](t, untouched)
	if pet.Score != 0 || pet.Max != 100 || pet.Provenance.Word != "untouched" {
		t.Errorf("the pet got %d of %d, %s", pet.Score, pet.Max, pet.Provenance.Word)
	}

	l.rebuild(ws, in)
	live := l.labctl(ws, exitOK, "check", "--format", "json", "--save", saved)
	l.asInSchemas(saved, live)
	rebuilt := decode[report.Report](t, live)
	if rebuilt.Score != 100 || !rebuilt.Passed || rebuilt.Provenance.Word != "rebuilt" {
		t.Errorf("the rebuild got %d, %s: %s", rebuilt.Score, rebuilt.Provenance.Word, live)
	}
	if again := l.labctl(l.dir, exitOK, "check", "--from", saved, "--format", "json"); !bytes.Equal(live, again) {
		t.Errorf("graded again from the evidence:\n%s\nnot\n%s", again, live)
	}

	l.labctl(ws, exitOK, "stop", "--purge", "--yes")
	containers, networks, images := l.left(t.Context())
	if left := slices.Concat(containers, networks, images); len(left) > 0 {
		t.Errorf("stop --purge left %q", left)
	}
	if _, err := os.Stat(ws); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("stop --purge left the workspace: %v", err)
	}
}

// asInSchemas holds saved evidence, and its report, to their schemas.
func (l *learner) asInSchemas(saved string, graded []byte) {
	l.t.Helper()
	set, err := os.ReadFile(saved)
	if err != nil {
		l.t.Fatal(err)
	}
	schematest.Validate(l.t, "evidence", set)
	schematest.Validate(l.t, "report", graded)
}

// Every scenario of drift-lab gets the report that it must get, every cheat that
// labctl derives is killed, and every honest way gets all points.
func TestDriftLabIsProvenOnDocker(t *testing.T) {
	t.Parallel()
	l := newLearner(t)
	out := l.labctl(l.dir, exitOK, "test", "drift-lab", "--format", "json")
	result := decode[struct {
		OK        bool
		Scenarios []runner.TestResult
		Proofs    []runner.ProofResult
	}](t, out)
	if !result.OK || len(result.Scenarios) < 9 || len(result.Proofs) < len(lab.DerivedCheats)+len(lab.HonestWays) {
		t.Errorf("%d scenarios, %d cheats and honest ways: %s", len(result.Scenarios), len(result.Proofs), out)
	}
}

// Every scenario of the other shipped labs gets the report that it must get.
// What labctl derives from labs with replicas, environments, relays, bases and
// demonstrations is tried with the fixtures of package runner.
func TestScenariosOfShippedLabsOnDocker(t *testing.T) {
	t.Parallel()
	for _, name := range shippedLabs(t) {
		if name == "drift-lab" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder, err := fs.Sub(labs.FS, name)
			if err != nil {
				t.Fatal(err)
			}
			definition, diags := config.Load(folder)
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			defined, diags := definition.Resolve("test", 1)
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			args := []string{"test", name, "--parallel", "2", "--format", "json"}
			for _, s := range defined.Scenarios {
				args = append(args, s.Name)
			}
			l := newLearner(t)
			out := l.labctl(l.dir, exitOK, args...)
			result := decode[struct {
				OK        bool
				Scenarios []runner.TestResult
			}](t, out)
			if !result.OK || len(result.Scenarios) != len(defined.Scenarios) {
				t.Errorf("%d of %d scenarios: %s", len(result.Scenarios), len(defined.Scenarios), out)
			}
		})
	}
}

// shippedLabs names the labs that labctl brings along.
func shippedLabs(tb testing.TB) []string {
	tb.Helper()
	folders, err := fs.ReadDir(labs.FS, ".")
	if err != nil {
		tb.Fatal(err)
	}
	var names []string
	for _, folder := range folders {
		names = append(names, folder.Name())
	}
	return names
}

// A start that is interrupted leaves nothing, and one that is killed leaves
// only what the next start sets right.
func TestStartCutOffOnDocker(t *testing.T) {
	t.Parallel()
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGKILL} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			l := newLearner(t)
			cmd := l.command(l.dir, realLabctl, "start", "drift-lab", "--learner", l.name)
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- cmd.Wait() }()
			l.awaitNetwork(ended)
			if err := cmd.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			<-ended // how is asked below
			if signal == syscall.SIGINT {
				if code := cmd.ProcessState.ExitCode(); code != exitFailed {
					t.Errorf("ended with %d: %s", code, stderr.String())
				}
				if !strings.Contains(stderr.String(), "nothing that this call made was left") {
					t.Errorf("it does not say what was left: %s", stderr.String())
				}
				containers, networks, images := l.left(t.Context())
				if left := slices.Concat(containers, networks, images); len(left) > 0 {
					t.Errorf("it left %q", left)
				}
			}
			l.labctl(l.dir, exitOK, "start", "drift-lab", "--learner", l.name)
			l.labctl(filepath.Join(l.dir, "drift-lab"), exitNotPassed, "check")
			l.labctl(l.dir, exitOK, "stop", "drift-lab", "--learner", l.name, "--purge", "--yes")
			containers, networks, images := l.left(t.Context())
			if left := slices.Concat(containers, networks, images); len(left) > 0 {
				t.Errorf("stop left %q", left)
			}
		})
	}
}

// awaitNetwork returns once a start has made its network, which is in its midst.
func (l *learner) awaitNetwork(ended <-chan error) {
	l.t.Helper()
	for {
		if _, networks, _ := l.left(l.t.Context()); len(networks) > 0 {
			return
		}
		select {
		case err := <-ended:
			l.t.Fatalf("start ended before it had made a network: %v", err)
		case <-time.After(5 * time.Millisecond):
		}
	}
}
