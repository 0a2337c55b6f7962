package runner_test

import (
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/labctl/labctl/runner"
	"github.com/labctl/labctl/runner/engine"
	"github.com/labctl/labctl/scenarios/check"
)

// program is labctl, for scripts to call.
func program(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "labctl")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", name, "../cmd/labctl").CombinedOutput(); err != nil {
		t.Fatalf("building labctl: %v\n%s", err, out)
	}
	return name
}

// An image that was seen in preprod before prod ran it passes, and no other:
// none that was not seen, nor another, nor one that was seen too late, nor one
// with a record that was copied. Nothing of it is left.
func TestDemonstratedIsWhatWasSeenBefore(t *testing.T) {
	t.Parallel()
	r, dir := newRunner(t), fixture(t, "done")
	r.Program = program(t)
	names := scenarios(t, dir)
	outcome := provenBy(t, r, runner.TestOptions{Labs: []string{dir}, Scenarios: names})
	containers, err := r.Engine.Containers(t.Context())
	if err != nil || len(outcome.Scenarios) != len(names) {
		t.Fatalf("%d of %d were tried, %v", len(outcome.Scenarios), len(names), err)
	}
	for _, s := range outcome.Scenarios {
		if s.Report == nil {
			continue // said already
		}
		for _, c := range containers {
			if c.Labels[engine.LabelInstance] == s.Report.Instance {
				t.Errorf("%s left container %s", s.Scenario, c.Name)
			}
		}
	}
}

// Cheats and honest ways demonstrate as a learner would, and replace only what
// is asked where it came from.
func TestDerivedWaysDemonstrate(t *testing.T) {
	t.Parallel()
	some := []string{"pet-exec", "fresh-exec", "commit", "rebuilt-twice", "compose"}
	r := newRunner(t)
	r.Program = program(t) // the right scenario's script calls it
	outcome := provenBy(t, r, runner.TestOptions{Labs: []string{fixture(t, "done")}, Derived: some})
	if len(outcome.Proofs) != len(some) {
		t.Errorf("%d of %d were tried", len(outcome.Proofs), len(some))
	}
	for _, p := range outcome.Proofs {
		if p.Report == nil {
			continue // said already
		}
		// One image for both environments, seen in the first: so it is done, though
		// it be edited afterwards. The other cheats have none.
		if got := p.Checks["done"]; (p.Family == runner.Honest || p.Name == "fresh-exec") && got != check.Pass {
			t.Errorf("%s: done: %s", p.Name, got)
		}
		for _, s := range p.Report.Services {
			if s.Service == "rates" && s.Word != "untouched" {
				t.Errorf("%s: rates is %s: %s", p.Name, s.Word, s.Because)
			}
		}
	}
	if !slices.ContainsFunc(outcome.Proofs, func(p runner.ProofResult) bool { return p.Outcome == runner.Cleared }) {
		t.Error("no way was cleared")
	}
}
