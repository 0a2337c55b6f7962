package runner_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/labctl/labctl/runner"
	"github.com/labctl/labctl/scenarios/config"
)

// beside starts a lab for a learner until the test ends, and returns the workspace.
func beside(t *testing.T, r *runner.Runner, lab string, seed int64) string {
	t.Helper()
	ws := filepath.Join(t.TempDir(), "ws")
	started, err := r.Start(t.Context(), runner.StartOptions{Lab: lab, Learner: r.User, Seed: &seed, Dir: ws, Cwd: lab})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p, err := r.PlanStop(context.Background(), started.Instance, true)
		if err == nil {
			err = r.Stop(context.Background(), p)
		}
		if err != nil {
			t.Error(err)
		}
	})
	return ws
}

// Equal builds are one image. What somebody built and has yet to run stays where
// a proof beside it, which built the same, removes what it made.
func TestAProofLeavesOthersTheirBuilds(t *testing.T) {
	t.Parallel()
	const scenario = "straight_to_prod"
	r, dir := newRunner(t), fixture(t, "done")
	ctx, seed := t.Context(), config.SeedOf(scenario)
	ws := beside(t, r, dir, seed)
	lab, err := r.Library.Open(dir, dir)
	if err != nil {
		t.Fatal(err)
	}
	resolved, diags := lab.Definition.Resolve(r.User, seed)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	today := resolved.Params["PARAM_MOTD_TODAY"]
	if today == "" {
		t.Fatalf("no message in %v", resolved.Params)
	}
	if err := os.WriteFile(filepath.Join(ws, "motd.conf"), []byte("motd="+today+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	build := exec.CommandContext(ctx, "docker", "build", "--quiet", ".")
	build.Dir = ws
	built, err := build.Output()
	if err != nil {
		t.Fatal(err)
	}
	mine := strings.TrimSpace(string(built))
	provenBy(t, r, runner.TestOptions{Labs: []string{dir}, Scenarios: []string{scenario}, Seed: &seed})
	if out, err := exec.CommandContext(ctx, "docker", "run", "--rm", mine, "true").CombinedOutput(); err != nil {
		t.Errorf("the build is gone: %v\n%s", err, out)
	}
}

// A proof removes what it built, although a learner stands on the same base: who
// began with other files has not built the same.
func TestAProofBesideALearnerLeavesNoBuilds(t *testing.T) {
	t.Parallel()
	const scenario = "straight_to_prod"
	r, dir, built := newRunner(t), t.TempDir(), filepath.Join(t.TempDir(), "built")
	if err := os.CopyFS(dir, os.DirFS(fixture(t, "done"))); err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(dir, "scenarios", "straight-to-prod.sh")
	content, err := os.ReadFile(script)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(script, append(content, "\necho \"$image\" >'"+built+"'\n"...), 0o644); err != nil {
		t.Fatal(err)
	}
	// Other tests build of the same fixture, and run what they built.
	if err := os.WriteFile(filepath.Join(dir, "workspace", "www", "whose"), []byte(r.User), 0o644); err != nil {
		t.Fatal(err)
	}
	lab, err := r.Library.Open(dir, dir)
	if err != nil {
		t.Fatal(err)
	}
	draw := func(seed int64) any {
		resolved, diags := lab.Definition.Resolve(r.User, seed)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		return resolved.Commits
	}
	seed := config.SeedOf(t.Name())
	others := seed + 1
	for reflect.DeepEqual(draw(seed), draw(others)) {
		others++
	}
	beside(t, r, dir, others)
	provenBy(t, r, runner.TestOptions{Labs: []string{dir}, Scenarios: []string{scenario}, Seed: &seed})
	image, err := os.ReadFile(built)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "docker", "image", "inspect", strings.TrimSpace(string(image))).CombinedOutput(); err == nil {
		t.Errorf("what the proof built is there:\n%.200s", out)
	}
}
