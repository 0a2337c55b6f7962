package runner

import (
	"errors"
	"strings"
	"testing"

	"github.com/labctl/labctl/runner/problem"
	"github.com/labctl/labctl/scenarios/check"
	"github.com/labctl/labctl/scenarios/lab"
	"github.com/labctl/labctl/scenarios/report"
)

// reported is a report of a lab with one behaviour check and three others.
func reported(passed bool, word report.Word, behaves, replaced, drift, built check.Status) *report.Report {
	r := &report.Report{Passed: passed, Max: 40, Provenance: report.Provenance{Word: word, Because: "reasons"}}
	for _, c := range []report.Result{
		{Name: "price", Kind: "http", Status: behaves}, {Name: "replaced", Kind: "replaced", Status: replaced},
		{Name: "no_drift", Kind: "no_drift", Status: drift}, {Name: "shop_built", Kind: "built_from_repo", Status: built},
	} {
		c.Max = 10
		if c.Status == check.Pass {
			r.Score += 10
		}
		r.Checks = append(r.Checks, c)
	}
	return r
}

// TestVerdictOn holds a proof to what would otherwise go unnoticed: a cheat
// that another check kills, one that nothing kills, one that does not work.
func TestVerdictOn(t *testing.T) {
	t.Parallel()
	const pass, fail, skip, broken = check.Pass, check.Fail, check.Skip, check.Error
	cheat := ProofResult{Family: "launder", Killer: "built_from_repo", Provenance: report.Laundered}
	byName := ProofResult{Family: "own", Killer: "shop_built", Provenance: report.Laundered}
	honest := ProofResult{Family: Honest}
	for _, row := range []struct {
		name   string
		p      ProofResult
		report *report.Report
		want   string
	}{
		{"killed", cheat, reported(false, report.Laundered, pass, pass, pass, fail), Killed},
		{"killed by a check that is named", byName, reported(false, report.Laundered, pass, pass, pass, fail), Killed},
		{"nothing kills it", cheat, reported(true, report.Rebuilt, pass, pass, pass, pass), Survived},
		{"it passes, though a check fails that is not required", cheat, reported(true, report.Laundered, pass, pass, pass, fail), Survived},
		{"another check kills it", cheat, reported(false, report.Patched, pass, pass, fail, pass), Misnamed},
		{"the named check was skipped", cheat, reported(false, report.Patched, pass, fail, skip, skip), Misnamed},
		{"another word", cheat, reported(false, report.Unproven, pass, pass, pass, fail), WrongWord},
		{"the service misbehaves", cheat, reported(false, report.Laundered, fail, pass, pass, fail), Unsaid},
		{"its behaviour was not asked", cheat, reported(false, report.Laundered, skip, pass, pass, fail), Unsaid},
		{"the lab has no such check", ProofResult{Family: "front", Killer: "served_by"}, reported(false, report.Impostor, pass, pass, pass, fail), Unsaid},
		{"could not look", cheat, reported(false, report.Unknown, pass, pass, broken, fail), Untried},
		{"honest", honest, reported(true, report.Rebuilt, pass, pass, pass, pass), Cleared},
		{"honest, and accused", honest, reported(false, report.Unproven, pass, pass, pass, fail), Accused},
		{"honest, passed without all points", honest, reported(true, report.Rebuilt, pass, pass, fail, pass), Accused},
		{"honest, and the service misbehaves", honest, reported(false, report.Rebuilt, fail, pass, pass, pass), Unsaid},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			got, because := verdictOn(row.p, row.report)
			if got != row.want {
				t.Errorf("%s (%s), want %s", got, because, row.want)
			}
			if fine := got == Killed || got == Cleared; fine != (because == "") {
				t.Errorf("%s, because %q", got, because)
			}
		})
	}
}

func TestCellsShowTheWorstEnvironment(t *testing.T) {
	t.Parallel()
	for _, statuses := range [][]check.Status{{check.Pass, check.Fail}, {check.Fail, check.Pass}, {check.Fail, check.Error}, {check.Skip, check.Fail}} {
		r := &report.Report{}
		for _, s := range statuses {
			r.Checks = append(r.Checks, report.Result{Name: "price", Status: s})
		}
		if got := cells(r)["price"]; got != check.Fail {
			t.Errorf("%v: %s", statuses, got)
		}
	}
}

func TestKnownCheats(t *testing.T) {
	t.Parallel()
	l := &lab.Lab{Name: "shop", Cheats: []lab.Cheat{{Name: "by-hand"}, {Name: "commit"}}}
	var names []string
	for _, i := range items(l) {
		names = append(names, i.result.Name)
	}
	if n := len(lab.DerivedCheats) + len(lab.HonestWays) + 1; len(names) != n {
		t.Errorf("%d are tried, want %d: a lab's own cheat stands in the place of a derived one", len(names), n)
	}
	for name, ok := range map[string]bool{"commit": true, "read-only": true, "by-hand": true, "comit": false, "": false} {
		err := known(l, []string{"commit", name})
		p := (*problem.Problem)(nil)
		if (err == nil) != ok || errors.As(err, &p) && !strings.Contains(p.Mend, "by-hand") {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// What others use and nobody asks where it came from is not replaced.
func TestPlacesAreTheServicesThatAreAskedAbout(t *testing.T) {
	t.Parallel()
	l := &lab.Lab{Services: []lab.Service{
		{Name: "rates", Environment: "dev"}, {Name: "shop", Environment: "dev"}, {Name: "rates", Environment: "prod"}, {Name: "shop", Environment: "prod"},
	}}
	for _, row := range []struct {
		checks []lab.Check
		want   string
	}{
		{[]lab.Check{{Kind: "replaced", Service: "shop", Environment: "prod"}, {Kind: "http", Service: "rates", Environment: "dev"}}, "service.shop.prod"},
		{[]lab.Check{{Kind: "built_from_repo", Service: "shop"}}, "service.shop.dev service.shop.prod"},
		{[]lab.Check{{Kind: "http", Service: "rates"}}, "service.rates.dev service.shop.dev service.rates.prod service.shop.prod"},
	} {
		l.Checks = row.checks
		var got []string
		for _, s := range places(l) {
			got = append(got, s.Address())
		}
		if strings.Join(got, " ") != row.want {
			t.Errorf("%+v: %s, want %s", row.checks, got, row.want)
		}
	}
}
