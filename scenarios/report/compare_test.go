package report_test

import (
	"slices"
	"testing"

	"github.com/labctl/labctl/scenarios/check"
	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/internal/sample"
	"github.com/labctl/labctl/scenarios/lab"
	"github.com/labctl/labctl/scenarios/report"
)

// What a scenario expects is closed: every other outcome is a difference.
func TestCompare(t *testing.T) {
	t.Parallel()
	right := lab.Expect{Passed: true, Provenance: "rebuilt"}
	start := lab.Expect{Failing: []string{"todays_change", "replaced"}, Provenance: "untouched"}
	for _, row := range []struct {
		name   string
		edit   edit
		expect lab.Expect
		want   []string
	}{
		{"right", func(*evidence.Set) {}, right, nil},
		{"start", pet, start, nil},
		{"any provenance", pet, lab.Expect{Failing: start.Failing}, nil},
		{"passed", func(*evidence.Set) {}, lab.Expect{}, []string{"passed is true, expected false"}},
		{"a fail more", live(mounted), lab.Expect{}, []string{"check run_as_declared: fail, expected to pass: web-001 has mount of /home/ann/conf on /etc/booking.conf"}},
		{"a fail less", func(*evidence.Set) {}, lab.Expect{Passed: true, Failing: []string{"replaced"}}, []string{"check replaced is expected to fail: pass"}},
		{"skipped instead of failed", pet, lab.Expect{Failing: append(slices.Clone(start.Failing), "no_drift")},
			[]string{"check no_drift is expected to fail: it was skipped because replaced did not pass"}},
		{"no such check", pet, lab.Expect{Failing: append(slices.Clone(start.Failing), "shiny")}, []string{"check shiny is expected to fail: there is no such check"}},
		{"an error", func(set *evidence.Set) { set.Services[0].Traffic = nil }, lab.Expect{Provenance: "rebuilt"},
			[]string{"check served_by: error, expected to pass: what web-001 receives was not measured"}},
		{"an error where a fail is expected", func(set *evidence.Set) { set.Services[0].Traffic = nil }, lab.Expect{Failing: []string{"served_by"}}, []string{
			"check served_by is expected to fail: error", "check served_by: error, expected to pass: what web-001 receives was not measured",
		}},
		{"skipped because of what is expected to fail", pet, start, nil},
		{"skipped because of what is not", pet, lab.Expect{Failing: []string{"todays_change"}}, []string{"check replaced: fail, expected to pass: pet-01 is still live"}},
		{"provenance", pet, lab.Expect{Failing: start.Failing, Provenance: "patched"}, []string{"provenance is untouched, expected patched: pet-01 is still live, as it was at the start"}},
		{"says", committedPet(), lab.Expect{Failing: []string{"built_from_repo"}, Says: []string{"+ /tmp/HOTFIX", "laundered: web-001 holds what pet-01 had by hand", "observed so it does"}}, nil},
		{"does not say", committedPet(), lab.Expect{Failing: []string{"built_from_repo"}, Says: []string{"+ /tmp/HOTFIX", "~ /etc/passwd"}}, []string{`the report does not say "~ /etc/passwd"`}},
		{"says why it was skipped", pet, lab.Expect{Failing: start.Failing, Says: []string{"skipped because replaced did not pass"}}, nil},
		{"everything at once", pet, lab.Expect{Passed: true, Failing: []string{"fridays_fix"}, Provenance: "rebuilt", Says: []string{"well done"}}, []string{
			"passed is false, expected true",
			"check fridays_fix is expected to fail: it was skipped because todays_change did not pass",
			"check todays_change: fail, expected to pass: total=104.94",
			"check replaced: fail, expected to pass: pet-01 is still live",
			"provenance is untouched, expected rebuilt: pet-01 is still live, as it was at the start",
			`the report does not say "well done"`,
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			set := sample.Right()
			row.edit(set)
			if got := report.Compare(row.expect, grade(t, set)); !slices.Equal(got, row.want) {
				t.Errorf("%q\nwant %q", got, row.want)
			}
		})
	}
}

// A check that nobody evaluated is not as expected, whatever is expected.
func TestCompareUnknown(t *testing.T) {
	t.Parallel()
	r := report.Report{Checks: []report.Result{{Name: "a", Status: check.Unknown}}}
	want := []string{"check a is expected to fail: not evaluated", "check a: not evaluated, expected to pass: "}
	if got := report.Compare(lab.Expect{Failing: []string{"a"}}, r); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if !r.CouldNotLook() {
		t.Error("a check that nobody evaluated is a grade")
	}
}
