package check

import (
	"fmt"
	"strings"

	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/lab"
)

// ServedBy asks whether what is live is what answers.
var ServedBy = Kind{
	Type: "served_by",
	Doc: "Whether the address is answered by the live container alone: one container publishes it, none shares its network, and while labctl sends probes " +
		"to the address the container receives at least as many bytes.",
	Title:   "%s is answered by the live container, and by nothing in front of it",
	Why:     "What is graded must be what guests get.",
	Next:    "Leave one container at the address, with a network of its own.",
	Points:  5,
	Service: true,
	Needs:   func(lab.Check) (Needs, error) { return Needs{Traffic: true}, nil },
	Eval: func(c lab.Check, set *evidence.Set) Verdict {
		s, decided := live(c, set)
		if decided != nil {
			return *decided
		}
		expected := "one container that answers " + where(s)
		if why := Impostor(s); why != "" {
			return Verdict{Status: Fail, Container: s.Live[0].Name, Expected: expected, Observed: why}
		}
		t := s.Traffic
		switch {
		case t == nil || t.Container != s.Live[0].ID || t.Sent == 0:
			return couldNot("what " + called(s.Live[0]) + " receives was not measured")
		case t.Error != "":
			return couldNot("what " + called(s.Live[0]) + " receives could not be measured: " + t.Error)
		}
		return Verdict{
			Status: Pass, Container: s.Live[0].Name, Expected: expected,
			Observed: fmt.Sprintf("%s received %d bytes of %d sent", called(s.Live[0]), t.Received, t.Sent),
		}
	},
}

// Impostor says what else stands at a service's address; "" when nothing does,
// as far as it was looked at.
func Impostor(s *evidence.Service) string {
	if len(s.Live) == 0 {
		if s.Answered != "" {
			return nothingLive(s)
		}
		return ""
	}
	if s.Address != "" && len(s.Live) > 1 {
		return "several containers publish " + s.Address + ": " + strings.Join(containerNames(s.Live), ", ")
	}
	if len(s.Sharers) > 0 {
		return s.Sharers[0].Name + " " + s.Sharers[0].Why
	}
	if t := s.Traffic; t != nil && t.Error == "" && t.Container == s.Live[0].ID && t.Received < t.Sent {
		return fmt.Sprintf("%s received %d bytes while %d were sent to %s: something else answers there", called(s.Live[0]), t.Received, t.Sent, s.Address)
	}
	return ""
}
