package runner

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/labctl/labctl/runner/proof"
	"github.com/labctl/labctl/scenarios/lab"
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
	all := described(attempts(todo), todo)
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
	for _, a := range attempts(todo) {
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
			out = append(out, attempt{[]int{i}, n})
		}
		return out
	}
	const nothing, pets, start, own, script = proof.NeedsNothing, proof.NeedsPets, proof.NeedsStart, proof.NeedsOwnBase, proof.NeedsAll
	for _, row := range []struct {
		all  []attempt
		n    int
		want string // indices, in the order in which they are tried
	}{
		{nil, 4, ""},
		{all(nothing), 4, "0"},
		{all(nothing, nothing, nothing), 2, "0 2|1"},
		{all(nothing, pets, start, pets), 1, "2 1 3 0"},
		{all(start, start, nothing, pets), 1, "0 3|1 2"}, // each start has an instance
		{all(own, nothing, script, own), 1, "1|0|3|2"},
	} {
		var got []string
		for _, lane := range lanes(row.all, row.n) {
			var indices []string
			for _, a := range lane {
				indices = append(indices, fmt.Sprint(a.items[0]))
			}
			got = append(got, strings.Join(indices, " "))
		}
		if strings.Join(got, "|") != row.want {
			t.Errorf("%v in %d: %s, want %s", row.all, row.n, strings.Join(got, "|"), row.want)
		}
	}
}
