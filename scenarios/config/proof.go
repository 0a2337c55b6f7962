package config

import (
	"slices"

	"github.com/labctl/labctl/scenarios/check"
)

// proof asks whether the scenarios show that the checks tell right from wrong.
func (r *resolver) proof() {
	checks := r.def.root.blocks["check"]
	if len(checks) == 0 {
		return // reported as a missing block
	}
	points, requiredRows := 0, 0
	for _, c := range r.lab.Checks {
		points += c.Points
		if c.Required {
			requiredRows++
		}
	}
	if len(r.lab.Checks) > 0 && points == 0 {
		r.fail(checks[0].at, sumPoints, "The points of all checks sum to nothing, so no report could tell better from worse. Give the checks points.")
	}
	if len(r.lab.Checks) > 0 && requiredRows == 0 {
		r.fail(checks[0].at, sumPoints, "No check is required, so every report would pass. Leave required = false out of those that matter.")
	}
	passing := false
	var failing []string
	for _, s := range r.lab.Scenarios {
		passing = passing || s.Expect.Passed
		failing = append(failing, s.Expect.Failing...)
	}
	if len(r.lab.Scenarios) > 0 && !passing {
		r.fail(r.def.root.at, sumSolution, "No scenario is expected to pass, so nothing shows that the lab can be solved. Add the right way: a scenario whose expect says passed = true.")
	}
	for _, b := range checks {
		kind, ok := check.Find(b.labels[0])
		if ok && kind.Behaviour && !slices.Contains(failing, b.name) {
			r.fail(b.at, sumUnproven, "No scenario expects check.%s to fail, so nothing shows that it can. Add it to the failing of a scenario in which it must.", b.name)
		}
	}
}
