package check

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/lab"
)

// Replaced asks whether the servers of the start are gone.
var Replaced = Kind{
	Type: "replaced",
	Doc: "Whether what is live was made new. Nothing live may be a container of the start (however it is called now), everything live was created " +
		"after those, as many containers as the service declares are live, and the start's containers are out: removed, or stopped without a restart policy. " +
		"Decided by container IDs and creation times, and by a label that a commit of the container cannot pass on.",
	Title:   "%s runs on new servers, and the old ones are out",
	Why:     "A server that was changed by hand cannot be made again. One that is replaced can be replaced any time.",
	Next:    "Build an image from the repository, remove the old server, and start a container of the image at its address.",
	Points:  15,
	Service: true,
	Needs:   func(lab.Check) (Needs, error) { return Needs{Trees: true}, nil },
	Eval:    evalReplaced,
}

func evalReplaced(c lab.Check, set *evidence.Set) Verdict {
	s, decided := live(c, set)
	if decided != nil {
		return *decided
	}
	if set.Start.Error != "" {
		return couldNot("what became of the start's containers could not be looked at: " + set.Start.Error)
	}
	if set.Start.Lost == "" && len(set.Start.Containers) == 0 {
		return couldNot("the evidence does not say which containers were there at the start")
	}
	expected := fmt.Sprintf("%s made since the start, the old ones out", count(s.Replicas, "container"))
	if left := slices.DeleteFunc(slices.Clone(s.Live), func(c evidence.Container) bool { return !FromStart(set, c) }); len(left) > 0 {
		ds := sinceStart(set, left[0])
		return Verdict{
			Status: Fail, Container: left[0].Name, Expected: expected,
			Observed: stillLive(left), Details: shown(set, ds), Lacks: lacking(set, ds),
		}
	}
	if len(s.Live) < s.Replicas {
		return Verdict{Status: Fail, Expected: expected, Observed: fmt.Sprintf("%d of %d containers are live", len(s.Live), s.Replicas)}
	}
	v := Verdict{Status: Pass, Container: s.Live[0].Name, Expected: expected, Observed: Few(containerNames(s.Live))}
	if set.Start.Lost != "" {
		v.Notes = append(v.Notes, "what the start's containers held is not known: "+set.Start.Lost)
	}
	var newest time.Time
	for _, old := range append(slices.Clone(set.Start.Containers), set.Start.Now...) {
		if old.Serves == key(s) && old.Created.After(newest) {
			newest = old.Created
		}
	}
	for _, container := range s.Live {
		if !container.Created.After(newest) {
			return Verdict{Status: Fail, Container: container.Name, Expected: expected, Observed: container.Name + " is no younger than the start's containers"}
		}
	}
	for _, old := range set.Start.Now {
		if old.Serves != key(s) {
			continue
		}
		stopped := old.State == "exited" || old.State == "created" || old.State == "dead"
		switch {
		case !stopped:
			return Verdict{Status: Fail, Container: old.Name, Expected: expected, Observed: fmt.Sprintf("%s is not live, but still there: %s", called(old), old.State)}
		case old.RestartPolicy != "" && old.RestartPolicy != "no":
			return Verdict{
				Status: Fail, Container: old.Name, Expected: expected,
				Observed: fmt.Sprintf("%s is stopped, and its restart policy %q would bring it back", called(old), old.RestartPolicy),
			}
		}
		v.Notes = append(v.Notes, called(old)+" is stopped, not removed: rotated out")
	}
	return v
}

// stillLive names all of the start's containers that are live, not just the one
// whose changes are shown: each of them has to go.
func stillLive(left []evidence.Container) string {
	names := make([]string, 0, len(left))
	for _, c := range left {
		names = append(names, called(c))
	}
	slices.Sort(names)
	if len(names) == 1 {
		return names[0] + " is still live"
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last] + " are still live"
}

// FromStart reports whether a container is one of the start's. Its own label
// says so even when the baseline is lost.
func FromStart(set *evidence.Set, c evidence.Container) bool {
	return c.Start || slices.ContainsFunc(set.Start.Containers, func(s evidence.Container) bool { return s.ID == c.ID })
}

// sinceStart is what changed on a container of the start since then; nothing
// when that is not known.
func sinceStart(set *evidence.Set, c evidence.Container) []evidence.Difference {
	ds, err := ChangedSinceStart(set, c)
	if err != nil {
		return nil
	}
	return ds
}

// ChangedSinceStart compares a container of the start with what it was then.
func ChangedSinceStart(set *evidence.Set, c evidence.Container) ([]evidence.Difference, error) {
	i := slices.IndexFunc(set.Start.Containers, func(s evidence.Container) bool { return s.ID == c.ID })
	if i < 0 {
		return nil, fmt.Errorf("what %s was at the start is not known: %s", called(c), set.Start.Lost)
	}
	then, err := tree(set, set.Start.Containers[i])
	if err != nil {
		return nil, err
	}
	now, err := tree(set, c)
	if err != nil {
		return nil, err
	}
	var ignored []string
	for _, s := range set.Services {
		if key(&s) == c.Serves {
			ignored = s.RuntimePaths
		}
	}
	return evidence.Diff(then, now, evidence.Exactly, ignored...), nil
}

// key names a service and environment as labels do: booking or booking.prod.
func key(s *evidence.Service) string {
	if s.Environment == "" {
		return s.Name
	}
	return s.Name + "." + s.Environment
}

func containerNames(all []evidence.Container) []string {
	var out []string
	for _, c := range all {
		out = append(out, c.Name)
	}
	return out
}

func count(n int, what string) string {
	if n <= 1 {
		return "one " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
