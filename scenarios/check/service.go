package check

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/lab"
)

// servicesOf are the services that a check asks about: one, or the same in
// every environment when the check names none.
func servicesOf(c lab.Check, set *evidence.Set) []*evidence.Service {
	var out []*evidence.Service
	for i := range set.Services {
		s := &set.Services[i]
		if s.Name == c.Service && (s.Environment == c.Environment || c.Environment == "") {
			out = append(out, s)
		}
	}
	return out
}

// AsksProvenance reports whether some of the checks ask how it came to be what is
// live of a service in an environment. A service of which none does may be
// anything: it is there for others to use.
func AsksProvenance(checks []lab.Check, service, environment string) bool {
	return slices.ContainsFunc(checks, func(c lab.Check) bool {
		return (c.Kind == Replaced.Type || c.Kind == BuiltFromRepo.Type) &&
			c.Service == service && (c.Environment == "" || c.Environment == environment)
	})
}

// live is the service that a check asks about, with something live in it;
// otherwise the verdict is decided already.
func live(c lab.Check, set *evidence.Set) (*evidence.Service, *Verdict) {
	services := servicesOf(c, set)
	if len(services) == 0 {
		v := couldNot("the evidence has no service " + c.Service)
		return nil, &v
	}
	s := services[0]
	if i := slices.IndexFunc(services, func(s *evidence.Service) bool { return s.Environment == c.Environment }); i >= 0 {
		s = services[i]
	} else if len(services) > 1 {
		v := couldNot("it asks about one environment, and service " + c.Service + " is in several")
		return nil, &v
	}
	if s.Error != "" {
		v := couldNot("service " + s.Name + " could not be looked at: " + s.Error)
		return nil, &v
	}
	if len(s.Live) == 0 {
		return nil, &Verdict{Status: Fail, Expected: "a container that answers " + where(s), Observed: nothingLive(s)}
	}
	return s, nil
}

func where(s *evidence.Service) string {
	if s.Address != "" {
		return "at " + s.Address
	}
	return "on network " + s.Network
}

func nothingLive(s *evidence.Service) string {
	if s.Answered != "" {
		return "no container publishes " + s.Address + ", and yet something answers there: " + s.Answered
	}
	return "nothing is live " + where(s)
}

// couldNot is the verdict of a check that could not look.
func couldNot(why string) Verdict {
	return Verdict{Status: Error, Observed: why, Next: "This is not a grade. Mend what stands in the way, and check again."}
}

// called is a container's name in the lab's words, else the engine's.
func called(c evidence.Container) string {
	if c.Called != "" {
		return c.Called
	}
	return c.Name
}

// tree is a container's filesystem; an error says why it is not known.
func tree(set *evidence.Set, c evidence.Container) (evidence.Tree, error) {
	if c.TreeError != "" {
		return nil, fmt.Errorf("the filesystem of %s could not be read: %s", called(c), c.TreeError)
	}
	t, there := set.Trees[c.Tree]
	if !there {
		return nil, fmt.Errorf("the filesystem of %s was not looked at", called(c))
	}
	return t, nil
}

// strings of differences, one a line.
func lines(ds []evidence.Difference) []string {
	out := make([]string, 0, len(ds))
	for _, d := range ds {
		out = append(out, d.String())
	}
	return out
}

// Few are the first of some things in one line: "a, b and 3 more".
func Few(items []string) string {
	const most = 4
	if len(items) <= most+1 {
		return strings.Join(items, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(items[:most], ", "), len(items)-most)
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
