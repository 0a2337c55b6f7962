package runner_test

import (
	"path/filepath"
	"testing"

	"github.com/labctl/labctl/runner"
)

// Finding an instance asks the engine nothing about others, of which a learner
// may have several.
func TestFindingOneAsksNothingAboutOthers(t *testing.T) {
	t.Parallel()
	r, e, in := shop(t)
	find := func() int {
		t.Helper()
		before, err := e.Requests()
		if err != nil {
			t.Fatal(err)
		}
		found, err := r.Find(t.Context(), runner.Selector{Lab: in.Lab})
		if err != nil || found.Instance != in.Instance || len(found.Services) == 0 {
			t.Fatalf("found %+v (%v)", found, err)
		}
		after, err := e.Requests()
		if err != nil {
			t.Fatal(err)
		}
		return after - before
	}
	alone, dir := find(), t.TempDir()
	// One of its services is found by its network's names alone.
	if _, err := r.Start(t.Context(), runner.StartOptions{Lab: fixture(t, "done"), Learner: "ada", Dir: filepath.Join(dir, "ws"), Cwd: dir}); err != nil {
		t.Fatal(err)
	}
	if beside := find(); beside != alone {
		t.Errorf("finding one of two takes %d requests, the only one %d", beside, alone)
	}
}
