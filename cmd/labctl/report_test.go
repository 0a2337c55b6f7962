package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/labctl/labctl/scenarios/check"
	"github.com/labctl/labctl/scenarios/report"
)

// reportText is a report as text, 60 columns wide and without colours.
func reportText(r report.Report) string {
	var out bytes.Buffer
	showReport(&Streams{Out: &out, Width: 60, OutColors: newColors(false)}, r)
	return out.String()
}

func TestReportText(t *testing.T) {
	t.Parallel()
	details := make([]string, 13)
	for i := range details {
		details[i] = fmt.Sprintf("~ /srv/file-%02d\x1b[2J", i)
	}
	// What belongs to a file counts for none of its own, wherever it is cut.
	details = slices.Insert(details, 11, check.Indent+"-not shown")
	details = slices.Insert(details, 10, check.Indent+"+last\x1b[2J")
	details = slices.Insert(details, 1, check.Indent+"-old", check.Indent+"+new")
	got := reportText(report.Report{
		Lab: "preprod-lab", Learner: "ada", Score: 5, Max: 30,
		Provenance: report.Provenance{Word: "patched", Because: "web-1\u202e is still live in prod"},
		Services: []report.ServiceProvenance{
			{Service: "web", Environment: "dev", Provenance: report.Provenance{Word: "rebuilt", Because: "it equals HEAD"}},
			{Service: "web", Environment: "prod", Provenance: report.Provenance{Word: "patched", Because: "web-1 is still live"}},
		},
		Checks: []report.Result{
			{Name: "right", Title: "Right", Service: "web", Environment: "dev", Status: check.Pass, Required: true, Points: 5, Max: 5, Expected: "not shown", Notes: []string{"the tree is unclean"}},
			{Name: "no_drift", Title: "No drift", Service: "web", Environment: "prod", Status: check.Fail, Max: 15, Expected: "its image's files", Details: details,
				Why: "What nobody wrote down is lost with the server, which may be any time.", Next: "Bring it home."},
			{Name: "survives", Title: "Survives", Service: "web", Environment: "prod", Status: check.Skip, Required: true, Max: 10, SkippedFor: "no_drift did not pass", Why: "not shown"},
		},
	})
	want := `preprod-lab, learner ada: 5 of 30 points, not passed
patched: web-1\u202e is still live in prod
  web in dev: rebuilt: it equals HEAD
  web in prod: patched: web-1 is still live

✓ Right (web in dev)  5/5  right
  note     the tree is unclean
✗ No drift (web in prod)  0/15, not required  no_drift
  expected its image's files
           ~ /srv/file-00\x1b[2J
               -old
               +new
           ~ /srv/file-01\x1b[2J
           ~ /srv/file-02\x1b[2J
           ~ /srv/file-03\x1b[2J
           ~ /srv/file-04\x1b[2J
           ~ /srv/file-05\x1b[2J
           ~ /srv/file-06\x1b[2J
           ~ /srv/file-07\x1b[2J
           ~ /srv/file-08\x1b[2J
           ~ /srv/file-09\x1b[2J
               +last\x1b[2J
           … and 3 more; --format json shows all
  why      What nobody wrote down is lost with the server,
           which may be any time.
  next     Bring it home.
– Survives (web in prod)  0/10  survives
  skipped  no_drift did not pass

Begin with the first ✗. labctl hint helps when you are
stuck; labctl check grades again.
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// What could not be looked at is no grade, whatever else passed.
func TestVerdict(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		passed bool
		status check.Status
		code   int
		ends   string
	}{
		{"passed", true, check.Pass, exitOK, "Done. labctl stop x-lab removes the lab.\n"},
		{"failed", false, check.Fail, exitNotPassed, "labctl check grades again.\n"},
		{"could not look", false, check.Error, exitFailed, "1 check could not be decided, so this is no grade. Mend what\nstands under \"next\" there, then: labctl check\n"},
		{"never evaluated", false, check.Unknown, exitFailed, "1 check could not be decided, so this is no grade. Mend what\nstands under \"next\" there, then: labctl check\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := report.Report{Lab: "x-lab", Passed: tt.passed, Checks: []report.Result{{Name: "one", Status: tt.status}}}
			if got := exitCode(verdict(r)); got != tt.code {
				t.Errorf("exit code %d, want %d", got, tt.code)
			}
			if text := reportText(r); !strings.HasSuffix(text, tt.ends) {
				t.Errorf("it ends otherwise: %q", text)
			}
		})
	}
}
