package report

import (
	"fmt"
	"slices"

	"github.com/labctl/labctl/scenarios/check"
	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/lab"
)

// Grade makes the report of a set. Its error is for a set that cannot be
// written down again.
func Grade(set *evidence.Set) (Report, error) {
	digest, err := set.Digest()
	if err != nil {
		return Report{}, err
	}
	r := Report{
		Schema: Schema, Lab: set.Lab, Learner: set.Learner, Instance: set.Instance, Labctl: set.Labctl,
		Definition: set.Definition, Seed: set.Seed, Evidence: Source{Digest: digest, Time: set.Time},
		Services: []ServiceProvenance{}, Checks: []Result{}, Quiz: set.Quiz,
	}
	for i := range set.Services {
		r.Services = append(r.Services, provenanceOf(set, &set.Services[i]))
	}
	r.Provenance = worst(askedAbout(set.Checks, r.Services))
	g := grading{set: set, verdicts: make([]*check.Verdict, len(set.Checks)), skipped: make([]string, len(set.Checks))}
	for i := range set.Checks {
		g.decide(i, nil)
	}
	required, passed := 0, 0
	for i, c := range set.Checks {
		result := g.result(i)
		r.Checks = append(r.Checks, result)
		r.Max += c.Points
		r.Score += result.Points
		if c.Required {
			required++
			if result.Status == check.Pass {
				passed++
			}
		}
	}
	r.Passed = required > 0 && passed == required
	return r, nil
}

// grading decides the checks of one set, each once, those that it requires
// first.
type grading struct {
	set      *evidence.Set
	verdicts []*check.Verdict
	skipped  []string // why, where a verdict is Skip
}

func (g *grading) decide(i int, above []int) check.Status {
	if g.verdicts[i] != nil {
		return g.verdicts[i].Status
	}
	c := g.set.Checks[i]
	if slices.Contains(above, i) {
		g.verdicts[i] = &check.Verdict{Status: check.Error, Observed: "it requires itself, through others"}
		return check.Error
	}
	for _, name := range c.Requires {
		rows := g.rows(name, c)
		if len(rows) == 0 {
			g.verdicts[i] = &check.Verdict{Status: check.Error, Observed: fmt.Sprintf("it requires check %s, which the evidence does not have", name)}
			return check.Error
		}
		for _, row := range rows {
			status := g.decide(row, append(above, i))
			if g.verdicts[i] != nil {
				return g.verdicts[i].Status // decided on the way round a circle
			}
			if status != check.Pass {
				g.skipped[i] = fmt.Sprintf("%s did not pass", g.title(row))
				g.verdicts[i] = &check.Verdict{Status: check.Skip}
				return check.Skip
			}
		}
	}
	v := g.eval(c)
	if v.Status == check.Skip {
		g.skipped[i], v.Observed = v.Observed, ""
	}
	g.verdicts[i] = &v
	return v.Status
}

func (g *grading) eval(c lab.Check) check.Verdict {
	if g.set.Unstable != "" {
		return check.Verdict{
			Status: check.Error, Observed: g.set.Unstable + " while labctl looked, twice",
			Next: "Wait until nothing changes any more, and check again.",
		}
	}
	kind, known := check.Find(c.Kind)
	if !known {
		return check.Verdict{Status: check.Error, Observed: fmt.Sprintf("this labctl knows no check of kind %q", c.Kind), Next: "Grade it with the version of labctl that gathered it."}
	}
	return kind.Eval(c, g.set)
}

// rows are the checks of a name that count for c: the one of c's environment
// where there is one, else all.
func (g *grading) rows(name string, c lab.Check) []int {
	var same, all []int
	for i, other := range g.set.Checks {
		if other.Name != name {
			continue
		}
		all = append(all, i)
		if other.Environment == c.Environment {
			same = append(same, i)
		}
	}
	if len(same) > 0 {
		return same
	}
	return all
}

func (g *grading) title(i int) string {
	c := g.set.Checks[i]
	if c.Environment != "" {
		return c.Name + " (" + c.Environment + ")"
	}
	return c.Name
}

func (g *grading) result(i int) Result {
	c, v := g.set.Checks[i], g.verdicts[i]
	r := Result{
		Name: c.Name, Kind: c.Kind, Title: c.Title, Service: c.Service, Environment: c.Environment,
		Container: v.Container, Status: v.Status, Required: c.Required, Max: c.Points,
		Expected: v.Expected, Observed: v.Observed, Details: orEmpty(v.Details), Notes: orEmpty(v.Notes),
		SkippedFor: g.skipped[i], Why: c.Why, Next: c.Next,
	}
	if v.Next != "" {
		r.Next = v.Next
	}
	if v.Status == check.Pass {
		r.Points = c.Points
	}
	return r
}

func orEmpty(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}
