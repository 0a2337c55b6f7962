package runner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/labctl/labctl/runner/problem"
	"github.com/labctl/labctl/runner/proof"
	"github.com/labctl/labctl/scenarios/check"
	"github.com/labctl/labctl/scenarios/lab"
	"github.com/labctl/labctl/scenarios/report"
)

// Honest is the family of the ways that must not be accused.
const Honest = "honest"

// The outcomes of a cheat or an honest way.
const (
	Killed        = "killed"         // the named check failed, and the word is right
	Survived      = "survived"       // a cheat that passed
	Misnamed      = "misnamed"       // it did not pass, but not by the named check
	WrongWord     = "wrong word"     // killed, with another word of provenance than it should have
	Cleared       = "cleared"        // an honest way with all points
	Accused       = "accused"        // an honest way without
	NotApplicable = "not applicable" // the lab says so, and so it is
	Unsaid        = "unsaid"         // not applicable, and the lab does not say so
	Untrue        = "untrue"         // the lab says that it is not applicable, and it is
	Untried       = "untried"        // it could not be brought about or graded
)

// ProofResult is how one cheat or honest way came out.
type ProofResult struct {
	Lab          string                  `json:"lab"`
	Name         string                  `json:"name"`
	Family       string                  `json:"family"` // edit, launder, dress, lie, front, own; or honest
	Doc          string                  `json:"doc"`
	Killer       string                  `json:"killer,omitempty"`     // the kind of check, or the lab's check, that must fail
	Provenance   report.Word             `json:"provenance,omitempty"` // the word that it must get
	OK           bool                    `json:"ok"`
	Outcome      string                  `json:"outcome"`
	Because      string                  `json:"because,omitempty"` // of every outcome that is not the wanted one
	Checks       map[string]check.Status `json:"checks,omitempty"`  // by name; of several environments the worst
	Killers      []string                `json:"killers,omitempty"` // the lab's checks of that kind
	Seconds      float64                 `json:"seconds"`
	With         []string                `json:"with,omitempty"` // honest ways that were gone in the same go
	Report       *report.Report          `json:"report,omitempty"`
	Kept         string                  `json:"kept,omitempty"` // instance that was kept for a look
	declaredAway string
}

// rightScenario is the one that a lab's cheats are derived from: the first
// that passes. A valid lab has one.
func rightScenario(l *lab.Lab) *lab.Scenario {
	i := slices.IndexFunc(l.Scenarios, func(s lab.Scenario) bool { return s.Expect.Passed })
	return &l.Scenarios[i]
}

// known is an error for a name that is neither a cheat nor an honest way of a
// lab.
func known(l *lab.Lab, names []string) error {
	var all []string
	for _, item := range items(l) {
		all = append(all, item.result.Name)
	}
	for _, name := range names {
		if !slices.Contains(all, name) {
			return &problem.Problem{
				What: fmt.Sprintf("%s has no cheat or honest way %q", l.Name, name),
				Mend: "there are: " + strings.Join(all, ", "), Usage: true,
			}
		}
	}
	return nil
}

// model keeps what others are derived from: the repository, and what a live
// container of each place holds.
func (in *tried) model(ctx context.Context, dir string) (*proof.Model, error) {
	m := &proof.Model{Live: map[string]string{}}
	m.Repository = filepath.Join(dir, "repository.git")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("keeping the right scenario: %w", err)
	}
	clone := exec.CommandContext(ctx, "git", "clone", "--quiet", "--bare", "--no-local", in.rec.Workspace, m.Repository)
	clone.Env = append(os.Environ(), in.env...)
	if out, err := clone.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("keeping the right scenario's repository: %w: %s", err, out)
	}
	w, err := in.look(ctx)
	if err != nil {
		return nil, err
	}
	now, err := in.instance(ctx, w, in.rec)
	if err != nil {
		return nil, err
	}
	for i, place := range places(in.lab) {
		s := now.Services[slices.IndexFunc(now.Services, func(s ServiceStatus) bool { return s.Name == place.Name && s.Environment == place.Environment })]
		if len(s.Live) == 0 {
			return nil, fmt.Errorf("keeping the right scenario: nothing is live in %s", place.Address())
		}
		name := filepath.Join(dir, fmt.Sprintf("live-%d.tar", i))
		if out, err := exec.CommandContext(ctx, "docker", "export", "--output", name, s.Live[0].ID).CombinedOutput(); err != nil {
			return nil, fmt.Errorf("keeping what the right container holds: %w: %s", err, out)
		}
		m.Live[place.Address()] = name
	}
	return m, nil
}

// places are the services that cheats and ways replace: those whose provenance a
// check asks about. Others need not come from the repository. In a lab that asks
// nothing of that kind it is all of them.
func places(l *lab.Lab) []lab.Service {
	var asked []lab.Service
	for _, s := range l.Services {
		if check.AsksProvenance(l.Checks, s.Name, s.Environment) {
			asked = append(asked, s)
		}
	}
	if len(asked) == 0 {
		return l.Services
	}
	return asked
}

// item is a cheat or an honest way, and what is to be done for it.
type item struct {
	result ProofResult
	needs  proof.Needs
	local  bool                                                     // a cheat that can be tried beside others, each in places of its own
	word   func(context.Context, *proof.World) (report.Word, error) // nil for honest ways
	do     func(context.Context, *proof.World) error                // nil for honest ways
	way    proof.Way                                                // of honest ways
}

// items are all that are tried of a lab, in order: derived cheats with the
// lab's own among them, then honest ways.
func items(l *lab.Lab) []item {
	var out []item
	add := func(i item) {
		i.result.Lab = l.Name
		for _, n := range l.NotApplicable {
			if n.Name == i.result.Name {
				i.result.declaredAway = n.Reason
			}
		}
		out = append(out, i)
	}
	for _, c := range proof.Cheats() {
		if slices.ContainsFunc(l.Cheats, func(own lab.Cheat) bool { return own.Name == c.Name }) {
			continue // the lab has one of its own in its place
		}
		add(item{
			result: ProofResult{Name: c.Name, Family: c.Family, Doc: c.Doc, Killer: c.Killer},
			needs:  c.Needs, local: c.Local, word: c.Word, do: c.Do,
		})
	}
	for _, c := range l.Cheats {
		add(item{
			result: ProofResult{Name: c.Name, Family: "own", Doc: "the lab's own", Killer: c.KilledBy},
			needs:  proof.NeedsAll,
			word:   func(context.Context, *proof.World) (report.Word, error) { return report.Word(c.Provenance), nil },
			do: func(ctx context.Context, w *proof.World) error {
				return runScript(ctx, w.Workspace, "cheat."+c.Name, c.Script, w.Env)
			},
		})
	}
	for _, way := range proof.Ways() {
		add(item{result: ProofResult{Name: way.Name, Family: Honest, Doc: way.Doc}, needs: way.Needs, way: way})
	}
	return out
}

// lanes are what is to be derived from the right scenario, as it is tried.
func (t *trial) lanes() ([]first, *queue) {
	if len(t.todo) == 1 {
		return []first{{attempt{items: []int{0}, needs: t.todo[0].needs}, true}}, nil
	}
	return lanes(attempts(t.todo, t.places), max(1, t.o.Parallel))
}

// judge says how an item came out, by its report or by why there is none.
func (p *ProofResult) judge(rep *report.Report, err error) {
	var away *proof.NotApplicable
	switch {
	case errors.As(err, &away):
		p.Outcome, p.Because = Unsaid, away.Why
	case err != nil:
		p.Outcome, p.Because = Untried, err.Error()
	default:
		p.Report, p.Checks = rep, cells(rep)
		for _, c := range rep.Checks {
			if (c.Kind == p.Killer || c.Name == p.Killer) && !slices.Contains(p.Killers, c.Name) {
				p.Killers = append(p.Killers, c.Name)
			}
		}
		p.Outcome, p.Because = verdictOn(*p, rep)
	}
	switch {
	case p.declaredAway == "":
	case p.Outcome == Unsaid:
		p.Outcome, p.Because = NotApplicable, p.declaredAway
	case p.Outcome == Killed || p.Outcome == Cleared:
		p.Outcome, p.Because = Untrue, "the lab says that it is not applicable ("+p.declaredAway+"), and yet it is"
	}
	p.OK = slices.Contains([]string{Killed, Cleared, NotApplicable}, p.Outcome)
}

// demonstrate has labctl look at what a check demonstrated asks about, as a
// learner would before going on.
func (in *tried) demonstrate(ctx context.Context, p proof.Place) error {
	if !slices.ContainsFunc(in.lab.Checks, func(c lab.Check) bool {
		return c.Kind == check.Demonstrated.Type && c.Service == p.Service.Name && c.Environment == p.Service.Environment
	}) {
		return nil
	}
	if err := in.settle(ctx, in.lab, in.rec); err != nil {
		return err
	}
	set, err := in.gather(ctx, in.in, true)
	if err != nil {
		return err
	}
	_, err = in.Demonstrate(ctx, in.in, set)
	return err
}

// cells are the statuses of a report's checks by name: of several
// environments, the worst.
func cells(r *report.Report) map[string]check.Status {
	worse := []check.Status{check.Pass, check.Skip, check.Error, check.Fail}
	out := map[string]check.Status{}
	for _, c := range r.Checks {
		if slices.Index(worse, c.Status) >= slices.Index(worse, out[c.Name]) {
			out[c.Name] = c.Status
		}
	}
	return out
}

// verdictOn says how an item came out, by its report.
func verdictOn(p ProofResult, r *report.Report) (outcome, because string) {
	if r.CouldNotLook() {
		return Untried, "it could not be graded: " + firstObserved(r, check.Error)
	}
	for _, c := range r.Checks {
		kind, ok := check.Find(c.Kind)
		if ok && kind.Behaviour && c.Status != check.Pass {
			return Unsaid, fmt.Sprintf("the service does not behave right: %s: expected %s, observed %s", c.Name, c.Expected, c.Observed)
		}
	}
	if p.Family == Honest {
		if r.Passed && r.Score == r.Max {
			return Cleared, ""
		}
		return Accused, fmt.Sprintf("%d of %d points, %s: %s", r.Score, r.Max, r.Provenance.Word, firstObserved(r, check.Fail))
	}
	if r.Passed {
		return Survived, "it passed: " + r.Provenance.Because
	}
	if !killed(p.Killer, r) {
		for _, c := range r.Checks {
			if c.Name == p.Killer || c.Kind == p.Killer {
				return Misnamed, fmt.Sprintf("%s should fail; what does is: %s", p.Killer, firstObserved(r, check.Fail))
			}
		}
		return Unsaid, "the lab has no check " + p.Killer
	}
	if r.Provenance.Word != p.Provenance {
		return WrongWord, fmt.Sprintf("the word is %s, expected %s: %s", r.Provenance.Word, p.Provenance, r.Provenance.Because)
	}
	return Killed, ""
}

// killed reports whether a check of a kind, or of a name, failed.
func killed(killer string, r *report.Report) bool {
	return slices.ContainsFunc(r.Checks, func(c report.Result) bool {
		return (c.Kind == killer || c.Name == killer) && c.Status == check.Fail
	})
}

// firstObserved is what the first check of a status observed.
func firstObserved(r *report.Report, status check.Status) string {
	for _, c := range r.Checks {
		if c.Status == status {
			return c.Name + ": " + c.Observed
		}
	}
	return "nothing"
}
