package runner

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/labctl/labctl/runner/proof"
	"github.com/labctl/labctl/scenarios/lab"
	"github.com/labctl/labctl/scenarios/report"
)

// described are attempts as names: those at once joined by +.
func described(all []attempt, todo []item) []string {
	var out []string
	for _, a := range all {
		var names []string
		for _, i := range a.items {
			names = append(names, todo[i].result.Name)
		}
		out = append(out, strings.Join(names, "+"))
	}
	return out
}

func TestHonestWaysThatGetAlongAreGoneAtOnce(t *testing.T) {
	t.Parallel()
	l := &lab.Lab{
		Cheats:        []lab.Cheat{{Name: "by-hand"}},
		NotApplicable: []lab.NotApplicable{{Name: "read-only", Reason: "it writes"}},
	}
	todo := items(l)
	all := described(attempts(todo, 1), todo)
	for _, want := range []string{
		"pet-exec", "by-hand", // cheats are for themselves
		"compose",   // does everything by itself
		"read-only", // has no place, the lab says
		"plain+other-branch+restart-policy", "rebuilt-twice",
	} {
		if !slices.Contains(all, want) {
			t.Errorf("no attempt %s among %s", want, all)
		}
	}
	tried := strings.Split(strings.Join(all, "+"), "+")
	slices.Sort(tried)
	var names []string
	for _, i := range todo {
		names = append(names, i.result.Name)
	}
	slices.Sort(names)
	if !slices.Equal(tried, names) {
		t.Errorf("tried are\n%s, want each once:\n%s", tried, names)
	}
	for _, a := range attempts(todo, 1) {
		var families []string
		for _, i := range a.items {
			families = append(families, todo[i].way.Family)
		}
		if slices.Sort(families); len(slices.Compact(slices.Clone(families))) != len(families) {
			t.Errorf("two ways of one family at once: %s", described([]attempt{a}, todo))
		}
	}
}

func TestLanes(t *testing.T) {
	t.Parallel()
	all := func(needs ...proof.Needs) []attempt {
		var out []attempt
		for i, n := range needs {
			out = append(out, attempt{items: []int{i}, needs: n})
		}
		return out
	}
	const nothing, pets, start, own, script = proof.NeedsNothing, proof.NeedsPets, proof.NeedsStart, proof.NeedsOwnBase, proof.NeedsAll
	for _, row := range []struct {
		all  []attempt
		n    int
		want string // the items that lanes begin with, those alone in brackets, and what they go on with
	}{
		{nil, 4, "|"},
		{all(nothing), 4, "-|0"},
		{all(nothing, nothing, nothing), 2, "- -|0 1 2"},
		{all(nothing, pets, start, pets), 1, "2|1p 3 0"},
		{all(start, start, nothing, pets, pets), 1, "0 1|3p 4 2"}, // each start has an instance
		{all(own, nothing, script, start, own), 3, "[0] [2] [4] 3 -|1"},
	} {
		begin, rest := lanes(row.all, row.n)
		var firsts, then []string
		for _, f := range begin {
			switch {
			case len(f.items) == 0:
				firsts = append(firsts, "-")
			case f.alone:
				firsts = append(firsts, fmt.Sprint(f.items))
			default:
				firsts = append(firsts, fmt.Sprint(f.items[0]))
			}
		}
		for a, pets, more := rest.next(); more; a, pets, more = rest.next() {
			name := fmt.Sprint(a.items[0])
			if pets {
				name += "p" // the start's containers must be there for others
			}
			then = append(then, name)
		}
		if got := strings.Join(firsts, " ") + "|" + strings.Join(then, " "); got != row.want {
			t.Errorf("%v in %d: %s, want %s", row.all, row.n, got, row.want)
		}
	}
}

func TestCheatsThatLeaveTheRepositoryAloneAreTriedAtOnce(t *testing.T) {
	t.Parallel()
	l := &lab.Lab{NotApplicable: []lab.NotApplicable{{Name: "pet-copy-in", Reason: "nothing can be copied"}}}
	todo := items(l)
	all := attempts(todo, 3)
	names := described(all, todo)
	for _, want := range []string{
		"pet-exec+pet-exec-kept+pet-restart", "pet-rename+pet-memory", "commit+commit-looks-built+export-import",
		"pet-copy-in",                               // has no place, the lab says
		"tar-on-scratch", "uncommitted", "moved-on", // each needs a repository for itself
	} {
		if !slices.Contains(names, want) {
			t.Errorf("no attempt %s among %s", want, names)
		}
	}
	places := []string{"dev", "preprod", "prod"}
	pair := all[slices.Index(names, "pet-rename+pet-memory")]
	var own []string
	for _, i := range pair.items {
		own = append(own, strings.Join(placesOf(pair, i, places), "+"))
	}
	if got := strings.Join(own, " "); got != "dev+prod preprod" {
		t.Errorf("two cheats have %s", got)
	}
}

// A cheat is judged by what is said of its own places, and of none.
func TestOnlySomePlacesOfAReport(t *testing.T) {
	t.Parallel()
	place := func(environment string) lab.Service { return lab.Service{Name: "web", Environment: environment} }
	all := []lab.Service{place("dev"), place("prod")}
	r := &report.Report{
		Checks: []report.Result{
			{Name: "drift", Service: "web", Environment: "dev", Points: 0, Max: 5},
			{Name: "drift", Service: "web", Environment: "prod", Points: 5, Max: 5},
			{Name: "same", Service: "web", Points: 1, Max: 1},
		},
		Services: []report.ServiceProvenance{
			{Service: "web", Environment: "dev", Provenance: report.Provenance{Word: report.Patched}},
			{Service: "web", Environment: "prod", Provenance: report.Provenance{Word: report.Rebuilt}},
		},
		Provenance: report.Provenance{Word: report.Patched}, Score: 6, Max: 11,
	}
	prod := only(r, all[1:], all)
	if len(prod.Checks) != 2 || prod.Checks[0].Environment != "prod" || prod.Score != 6 || prod.Max != 6 || prod.Provenance.Word != report.Rebuilt {
		t.Errorf("of prod: %+v", prod)
	}
	if dev := only(r, all[:1], all); dev.Score != 1 || dev.Provenance.Word != report.Patched {
		t.Errorf("of dev: %+v", dev)
	}
}
