package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/labctl/labctl/scenarios/check"
	"github.com/labctl/labctl/scenarios/lab"
)

// Compare says in what a report differs from what a scenario expects, one
// sentence each. What a scenario expects is closed: a check that it does not
// name as failing passes, or is skipped because of one that fails.
func Compare(expect lab.Expect, r Report) []string {
	var out []string
	if expect.Passed != r.Passed {
		out = append(out, fmt.Sprintf("passed is %t, expected %t", r.Passed, expect.Passed))
	}
	failed := map[string]bool{}
	for _, c := range r.Checks {
		if c.Status == check.Fail {
			failed[c.Name] = true
		}
	}
	for _, name := range expect.Failing {
		if !failed[name] {
			out = append(out, fmt.Sprintf("check %s is expected to fail: %s", name, outcome(r, name)))
		}
	}
	for _, c := range r.Checks {
		switch {
		case c.Status == check.Pass, c.Status == check.Skip:
		case c.Status == check.Fail && slices.Contains(expect.Failing, c.Name):
		default:
			out = append(out, fmt.Sprintf("check %s: %s, expected to pass: %s", c.Name, statusWord(c.Status), c.Observed))
		}
	}
	if expect.Provenance != "" && string(r.Provenance.Word) != expect.Provenance {
		out = append(out, fmt.Sprintf("provenance is %s, expected %s: %s", r.Provenance.Word, expect.Provenance, r.Provenance.Because))
	}
	said := r.Text()
	for _, wanted := range expect.Says {
		if !slices.ContainsFunc(said, func(line string) bool { return strings.Contains(line, wanted) }) {
			out = append(out, fmt.Sprintf("the report does not say %q", wanted))
		}
	}
	return out
}

func statusWord(s check.Status) string {
	if s == check.Unknown {
		return "not evaluated"
	}
	return string(s)
}

func outcome(r Report, name string) string {
	for _, c := range r.Checks {
		if c.Name != name {
			continue
		}
		if c.Status == check.Skip {
			return "it was skipped because " + c.SkippedFor
		}
		return statusWord(c.Status)
	}
	return "there is no such check"
}
