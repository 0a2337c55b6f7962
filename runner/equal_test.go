package runner_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/labctl/labctl/runner"
	"github.com/labctl/labctl/scenarios/config"
)

// Equal builds are one image. What somebody built and has yet to run stays where
// a proof beside it, which built the same, removes what it made.
func TestAProofLeavesOthersTheirBuilds(t *testing.T) {
	t.Parallel()
	const scenario = "straight_to_prod"
	r, dir := newRunner(t), fixture(t, "done")
	ctx, seed, ws := t.Context(), config.SeedOf(scenario), filepath.Join(t.TempDir(), "ws")
	started, err := r.Start(ctx, runner.StartOptions{Lab: dir, Learner: r.User, Seed: &seed, Dir: ws, Cwd: dir})
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
