package check

import (
	"fmt"
	"strings"
	"time"

	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/lab"
)

// Promoted asks whether environments got what they run in the declared order.
var Promoted = Kind{
	Type: "promoted",
	Doc: "Whether the environments got what they run in the order in which the lab declares them: every container of one is younger than every container " +
		"of the one before. Decided by when the engine created the containers, never by the dates of images, which are the learner's to choose.",
	Title:   "%s went through the environments in order",
	Why:     "An environment before production is there to find out first.",
	Next:    "Replace the containers in the lab's order, production last.",
	Points:  10,
	Service: true,
	Needs:   func(lab.Check) (Needs, error) { return Needs{}, nil },
	Eval: func(c lab.Check, set *evidence.Set) Verdict {
		if _, decided := everywhere(c, set); decided != nil {
			return *decided
		}
		services := servicesOf(c, set)
		var order []string
		for _, s := range services {
			order = append(order, s.Environment)
		}
		if len(services) < 2 {
			return couldNot("the evidence has no two environments to compare")
		}
		v := Verdict{Status: Pass, Expected: strings.Join(order, ", then "), Observed: "in that order"}
		for i := 1; i < len(services); i++ {
			before, after := services[i-1], services[i]
			if !oldest(after).After(newest(before)) {
				v.Status, v.Container = Fail, after.Live[0].Name
				v.Observed = after.Environment + " before " + before.Environment
				v.Details = append(v.Details,
					fmt.Sprintf("%s: %s", before.Environment, newest(before).Format(time.RFC3339Nano)),
					fmt.Sprintf("%s: %s", after.Environment, oldest(after).Format(time.RFC3339Nano)))
				return v
			}
		}
		return v
	},
}

func newest(s *evidence.Service) time.Time {
	var t time.Time
	for _, c := range s.Live {
		if c.Created.After(t) {
			t = c.Created
		}
	}
	return t
}

func oldest(s *evidence.Service) time.Time {
	t := s.Live[0].Created
	for _, c := range s.Live {
		if c.Created.Before(t) {
			t = c.Created
		}
	}
	return t
}
