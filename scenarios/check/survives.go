package check

import (
	"fmt"
	"slices"

	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/lab"
)

// Survives asks whether a new container of the same image does the work too.
var Survives = Kind{
	Type: "survives",
	Doc: "Whether a fresh container of each live image, run by labctl exactly as the service declares and with nothing kept from the live one, " +
		"answers right whatever the live one answers right: every behaviour check that passes live is asked of it.",
	Title:   "%s can be shot: a new container of its image does the same",
	Why:     "Cattle get sick and are shot. What works only on this one container is gone then.",
	Next:    "Find what the live container has that its image lacks, and put it into the image.",
	Points:  10,
	Service: true,
	Needs:   func(lab.Check) (Needs, error) { return Needs{Fresh: true}, nil },
	Eval:    evalSurvives,
}

func evalSurvives(c lab.Check, set *evidence.Set) Verdict {
	s, decided := live(c, set)
	if decided != nil {
		return *decided
	}
	asked, failing, unasked := workingLive(s, set)
	expected := "a fresh container that passes what passes live: " + Few(checkNames(asked))
	switch {
	case len(asked) > 0:
	case failing:
		// What does not work live has failed already: to fail here, too, would
		// punish it twice.
		return Verdict{Status: Skip, Observed: nothingWorks}
	case unasked != "":
		return couldNot("what works live could not be asked: " + unasked)
	default:
		return Verdict{Status: Fail, Expected: "a behaviour check that passes live", Observed: nothingWorks}
	}
	for _, container := range s.Live {
		i := slices.IndexFunc(s.Fresh, func(f evidence.Fresh) bool { return f.Image == container.Image })
		if i < 0 {
			return couldNot("no fresh container of " + called(container) + "'s image was tried")
		}
		fresh := s.Fresh[i]
		switch {
		case fresh.Error != "":
			return couldNot("a fresh container could not be tried: " + fresh.Error)
		case fresh.Container.ID == "" && fresh.Failed == "":
			return couldNot("no fresh container of " + called(container) + "'s image was kept in the evidence")
		case fresh.Failed != "":
			return Verdict{Status: Fail, Container: container.Name, Expected: expected, Observed: "a fresh container does not get ready: " + fresh.Failed}
		}
		for _, c := range asked {
			if v := askFresh(c, container, fresh, expected); v != nil {
				return *v
			}
		}
	}
	return Verdict{Status: Pass, Container: s.Live[0].Name, Expected: expected, Observed: "so it does"}
}

const nothingWorks = "nothing works live that a fresh container could be asked for"

// workingLive are the behaviour checks of a service that pass live, in every
// container; whether one fails; and why one could not be decided.
func workingLive(s *evidence.Service, set *evidence.Set) (passing []lab.Check, failing bool, undecided string) {
	for _, c := range set.Checks {
		kind, known := behaviour(c.Kind)
		if !known || c.Service != s.Name || c.Environment != s.Environment {
			continue
		}
		switch v := kind.Eval(c, set); v.Status {
		case Pass:
			passing = append(passing, c)
		case Fail:
			failing = true
		default:
			// It was not asked when what it requires does not pass.
			undecided = v.Observed
		}
	}
	return passing, failing, undecided
}

// askFresh asks a fresh container what one behaviour check asks, by grading
// that check as if the fresh one were live; nil when it passes.
func askFresh(c lab.Check, container evidence.Container, fresh evidence.Fresh, expected string) *Verdict {
	kind, _ := behaviour(c.Kind)
	v := kind.Eval(c, &evidence.Set{Services: []evidence.Service{{
		Name: c.Service, Environment: c.Environment,
		Live: []evidence.Container{fresh.Container}, Exchanges: fresh.Exchanges,
	}}})
	switch v.Status {
	case Pass:
		return nil
	case Error:
		v = couldNot("of a fresh container: " + v.Observed)
		return &v
	}
	return &Verdict{
		Status: Fail, Container: container.Name, Expected: expected,
		Observed: fmt.Sprintf("a fresh container answers %s, expected %s (%s)", v.Observed, v.Expected, c.Name), Details: v.Details,
	}
}

func behaviour(kind string) (Kind, bool) {
	i := slices.IndexFunc(behaviours, func(k Kind) bool { return k.Type == kind })
	if i < 0 {
		return Kind{}, false
	}
	return behaviours[i], true
}

func checkNames(all []lab.Check) []string {
	var out []string
	for _, c := range all {
		out = append(out, c.Name)
	}
	return out
}
