package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/jstemmer/go-junit-report/v2/junit"

	"github.com/labctl/labctl/runner"
)

// writeJUnit writes what was tried as JUnit XML: a suite for the scenarios of
// each lab, and one for each family of what was derived from it.
func writeJUnit(w io.Writer, t *testTally) error {
	suites := junit.Testsuites{Name: "labctl test"}
	var suite junit.Testsuite
	begin := func(name string) {
		if suite.Name == name {
			return
		}
		if suite.Name != "" {
			suites.AddSuite(suite)
		}
		suite = junit.Testsuite{Name: name}
	}
	for _, s := range t.Scenarios {
		begin(s.Lab + ".scenarios")
		c := junit.Testcase{Name: s.Scenario, Classname: suite.Name, Time: seconds(s.Seconds)}
		switch {
		case s.Error != "":
			c.Error = said("could not be tried", s.Error)
		case !s.OK:
			c.Failure = said("not as expected", strings.Join(s.Differences, "\n"))
		}
		suite.AddTestcase(c)
	}
	for _, p := range t.Proofs {
		begin(p.Lab + "." + p.Family)
		c := junit.Testcase{Name: p.Name, Classname: suite.Name, Time: seconds(p.Seconds)}
		switch {
		case p.Outcome == runner.NotApplicable:
			c.Skipped = said(p.Outcome, p.Because)
		case p.Outcome == runner.Untried:
			c.Error = said("could not be tried", p.Because)
		case !p.OK:
			c.Failure = said(p.Outcome, p.Because)
		}
		suite.AddTestcase(c)
	}
	begin("")
	if err := suites.WriteXML(w); err != nil {
		return fmt.Errorf("writing JUnit XML: %w", err)
	}
	return nil
}

// said is a result with a text that XML can hold.
func said(message, text string) *junit.Result {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = Clean(lines[i])
	}
	return &junit.Result{Message: message, Data: strings.Join(lines, "\n")}
}

func seconds(s float64) string { return fmt.Sprintf("%.3f", s) }
