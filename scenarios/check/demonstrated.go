package check

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/zclconf/go-cty/cty"

	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/lab"
)

// Demonstrated asks whether an image was seen to behave before it was promoted.
var Demonstrated = Kind{
	Type: "demonstrated",
	Doc: "Whether the image that runs in a later environment was demonstrated in this one before: a `labctl check` saw it live here, with all behaviour checks passing, " +
		"before any container was created that runs it there. labctl records that on the engine, as a container of the image that is never started: " +
		"when it was created, and of which image, nobody can change. Images are compared as same_image does. " +
		"The record outlasts what was live; `docker container prune` removes it.",
	Title:   "%s was demonstrated before it was promoted",
	Why:     "Done means demonstrated where it is like production. What was promoted on trust is found out by guests.",
	Next:    "Start the image where it is to be demonstrated, run `labctl check`, and only then start a new container of the same image in the later environment.",
	Service: true,
	Attributes: []Attribute{
		{Name: "before", Type: cty.String, Required: true, Reference: "environment", Doc: "the environment that must come later"},
		{Name: "behaviour", Type: cty.List(cty.String), Reference: "check", Doc: "the behaviour checks that must pass. Default: all that ask about the service there"},
	},
	// Records are looked for whenever a lab has such a check: what is to be
	// recorded depends on them, too, though the check be skipped.
	Needs: func(lab.Check) (Needs, error) { return Needs{}, nil },
	Eval:  evalDemonstrated,
}

// DemonstratedSpec is what a check of the kind demonstrated says.
type DemonstratedSpec struct {
	Before    string   `json:"before"`    // environment
	Behaviour []string `json:"behaviour"` // names of checks
}

func demonstratedSpec(c lab.Check) (spec DemonstratedSpec, err error) {
	if err := json.Unmarshal(c.Spec, &spec); err != nil {
		return spec, fmt.Errorf("reading what check %s asks: %w", c.Name, err)
	}
	return spec, nil
}

func evalDemonstrated(c lab.Check, set *evidence.Set) Verdict {
	spec, err := demonstratedSpec(c)
	if err != nil {
		return couldNot(err.Error())
	}
	later, decided := live(lab.Check{Service: c.Service, Environment: spec.Before}, set)
	if decided != nil {
		return *decided
	}
	if set.Demonstrations == nil {
		return couldNot("what was demonstrated was not looked at")
	}
	first := later.Live[0]
	v := Verdict{
		Status: Fail, Container: first.Name,
		Expected: fmt.Sprintf("an image that was demonstrated in %s before %s ran it", c.Environment, spec.Before),
	}
	for _, container := range later.Live {
		same, err := oneImage(set, container.Image, first.Image)
		if err != nil {
			return couldNot("the image of " + called(container) + " could not be " + err.Error())
		}
		if !same {
			v.Container = container.Name
			v.Observed = fmt.Sprintf("%s runs several images: %s runs another than %s", spec.Before, container.Name, first.Name)
			return v
		}
	}
	all, same, unread := demonstrationsOf(c, set, first.Image)
	ran := oldest(later)
	switch {
	case len(same) > 0 && same[0].Created.Before(ran):
		v.Status, v.Observed = Pass, "demonstrated before"
		v.Notes = []string{fmt.Sprintf("demonstrated in %s at %s (%s); %s runs it since %s",
			c.Environment, same[0].Created.Format(time.RFC3339), same[0].Name, spec.Before, ran.Format(time.RFC3339))}
	case unread != nil:
		v = couldNot(unread.Error())
	case len(same) > 0:
		v.Observed = fmt.Sprintf("it was demonstrated in %s only after %s ran it already", c.Environment, spec.Before)
		v.Details = []string{
			fmt.Sprintf("%s: %s", c.Environment, same[0].Created.Format(time.RFC3339Nano)),
			fmt.Sprintf("%s: %s", spec.Before, ran.Format(time.RFC3339Nano)),
		}
	case len(all) > 0:
		v.Observed = fmt.Sprintf("what was demonstrated in %s is another image than %s runs", c.Environment, first.Name)
		for _, d := range all {
			v.Details = append(v.Details, fmt.Sprintf("%s: %.19s", d.Name, d.Image))
		}
	default:
		v.Observed = "nothing was demonstrated in " + c.Environment + " before this check"
	}
	return v
}

// demonstrationsOf are the records of a check, and those that are of an image;
// the oldest first. What could not be compared is an error.
func demonstrationsOf(c lab.Check, set *evidence.Set, image string) (all, same []evidence.Demonstration, unread error) {
	for _, d := range set.Demonstrations {
		if d.Check != c.Name || d.Service != c.Service || d.Environment != c.Environment {
			continue
		}
		all = append(all, d)
		is, err := oneImage(set, d.Image, image)
		if err != nil {
			unread = fmt.Errorf("the image that %s is of could not be %w; docker rm %s removes the record", d.Name, err, d.Name)
		}
		if is {
			same = append(same, d)
		}
	}
	slices.SortStableFunc(same, func(a, b evidence.Demonstration) int { return a.Created.Compare(b.Created) })
	return all, same, unread
}

// Demonstrable is what of a set is to be recorded: the images that are live
// where a check demonstrated asks, and behave right in every container there, as
// far as no record says so yet. ID, Name and Created are for the engine to give.
func Demonstrable(set *evidence.Set) []evidence.Demonstration {
	var out []evidence.Demonstration
	for _, c := range set.Checks {
		if c.Kind != Demonstrated.Type || set.Unstable != "" {
			continue
		}
		s, decided := live(c, set)
		if decided != nil || Impostor(s) != "" || !behaves(c, set) {
			continue
		}
		byImage := map[string]int{}
		for _, container := range s.Live {
			if i, there := byImage[container.Image]; there {
				out[i].Containers = append(out[i].Containers, container.ID)
				continue
			}
			if _, same, _ := demonstrationsOf(c, set, container.Image); len(same) > 0 {
				continue
			}
			byImage[container.Image] = len(out)
			out = append(out, evidence.Demonstration{
				Image: container.Image, Service: c.Service, Environment: c.Environment, Check: c.Name, Containers: []string{container.ID},
			})
		}
	}
	return out
}

// Demonstrating are the checks that demonstrations rest on: those of the kind
// demonstrated, and the behaviour that they name.
func Demonstrating(checks []lab.Check) []lab.Check {
	return slices.DeleteFunc(slices.Clone(checks), func(other lab.Check) bool {
		return other.Kind != Demonstrated.Type && !slices.ContainsFunc(checks, func(c lab.Check) bool {
			if c.Kind != Demonstrated.Type || c.Service != other.Service || c.Environment != other.Environment {
				return false
			}
			spec, err := demonstratedSpec(c)
			return err == nil && slices.Contains(spec.Behaviour, other.Name)
		})
	})
}

// behaves reports whether every behaviour check passes that a check
// demonstrated names. One that was skipped was not asked, and so does not.
func behaves(c lab.Check, set *evidence.Set) bool {
	spec, err := demonstratedSpec(c)
	if err != nil || len(spec.Behaviour) == 0 {
		return false
	}
	passing := 0
	for _, other := range set.Checks {
		kind, known := behaviour(other.Kind)
		if known && slices.Contains(spec.Behaviour, other.Name) && other.Service == c.Service && other.Environment == c.Environment &&
			kind.Eval(other, set).Status == Pass {
			passing++
		}
	}
	return passing == len(spec.Behaviour)
}
