package main

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestRequestBudget holds the number of engine requests of the main job to the
// written budget in testdata/budget.json. Fewer is welcome; more needs a
// reason, and a new number there.
//
// Others use the engine at the same time: whoever takes a port that was just
// chosen makes labctl ask again. So what counts is the best of a few tries.
func TestRequestBudget(t *testing.T) {
	file, err := os.ReadFile(filepath.Join("testdata", "budget.json"))
	if err != nil {
		t.Fatal(err)
	}
	var budget map[string]int
	if err := json.Unmarshal(file, &budget); err != nil {
		t.Fatal(err)
	}
	bin, err := exec.LookPath(realLabctl)
	if err != nil {
		t.Fatal(err)
	}
	best := map[string]int{}
	for try := range 3 {
		countRequests(t, bin, func(what string, requests int) {
			if try == 0 || requests < best[what] {
				best[what] = requests
			}
		})
		over := false
		for what, requests := range best {
			over = over || requests > budget[what]
		}
		if !over {
			break
		}
	}
	for what, requests := range best {
		if requests > budget[what] {
			t.Errorf("%s makes %d engine requests; its budget is %d", what, requests, budget[what])
		}
		t.Logf("%s: %d engine requests of %d", what, requests, budget[what])
	}
	if len(best) != len(budget) {
		t.Errorf("counted %d steps of %d in the budget", len(best), len(budget))
	}
}

// countRequests walks the main job once and tells the requests of each step.
func countRequests(t *testing.T, bin string, tell func(what string, requests int)) {
	t.Helper()
	m := newMainJob(t, bin, "drift-lab")
	tr, host := newTrace(t)
	m.must(t, host, m.start())
	tell("start", made(tr.take()))
	m.rebuild(t)
	m.must(t, host, m.graded())
	first := tr.take()
	tell("first check", made(first))
	if !builds(first) {
		t.Error("the first check of a new HEAD builds nothing")
	}
	m.must(t, host, m.graded())
	again := tr.take()
	tell("check at an unchanged HEAD", made(again))
	if builds(again) {
		t.Error("a check at an unchanged HEAD builds something")
	}
	m.must(t, host, m.stop())
	tell("stop", made(tr.take()))
}

// made counts requests. How often something is looked at until it is so is a
// matter of how busy the machine is, so the same look counts once.
func made(requests []*traced) int {
	looked := map[string]bool{}
	n := 0
	for _, q := range requests {
		if q.method == http.MethodGet {
			if looked[q.path] {
				continue
			}
			looked[q.path] = true
		}
		n++
	}
	return n
}

// builds reports whether one of some requests asks for a build.
func builds(requests []*traced) bool {
	return slices.ContainsFunc(requests, func(q *traced) bool { return strings.Contains(q.path, "/build?") })
}
