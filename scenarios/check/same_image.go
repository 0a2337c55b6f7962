package check

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/lab"
)

// SameImage asks whether all servers of a service run one image.
var SameImage = Kind{
	Type: "same_image",
	Doc: "Whether every live container of the service, in all its environments, runs one image: the same layers and the same configuration. " +
		"IDs and tags are not compared: some engines give a rebuilt image another ID.",
	Title:   "%s is one image, wherever it runs",
	Why:     "What was tried in one place tells nothing about another that runs something else.",
	Next:    "Build once, and start every container from that one image.",
	Points:  10,
	Service: true,
	Needs:   func(lab.Check) (Needs, error) { return Needs{Layers: true}, nil },
	Eval: func(c lab.Check, set *evidence.Set) Verdict {
		all, decided := everywhere(c, set)
		if decided != nil {
			return *decided
		}
		if len(all) < 2 {
			return alone(c, set, all[0])
		}
		first := all[0]
		var others []string
		for _, container := range all {
			same, err := oneImage(set, container.Image, first.Image)
			if err != nil {
				return couldNot("the image of " + called(container) + " could not be " + err.Error())
			}
			if !same {
				others = append(others, container.Name)
			}
		}
		v := Verdict{Status: Pass, Expected: "one image for " + Few(containerNames(all)), Observed: "one image"}
		if len(others) > 0 {
			v.Status, v.Container = Fail, others[0]
			v.Observed = Few(others) + " run another image than " + first.Name
			v.Details = others
		}
		return v
	},
}

// alone is the verdict of a single container: one image, but of nothing.
func alone(c lab.Check, set *evidence.Set, only evidence.Container) Verdict {
	declared := 0
	for _, s := range servicesOf(c, set) {
		declared += max(s.Replicas, 1)
	}
	if declared < 2 {
		return couldNot(called(only) + " is all that there is; there is nothing to compare it with")
	}
	return Verdict{
		Status: Fail, Container: only.Name, Expected: fmt.Sprintf("%d containers of one image", declared),
		Observed: "only " + called(only) + " is live",
	}
}

// oneImage reports whether an image is another one, by what cannot be forged of
// them. Its error goes on from "the image could not be".
func oneImage(set *evidence.Set, id, other string) (bool, error) {
	image, there := set.Images[id]
	if !there || image.Error != "" || len(image.Layers) == 0 {
		return false, errors.New("read: " + image.Error)
	}
	same, err := sameConfig(image, set.Images[other])
	if err != nil {
		return false, fmt.Errorf("compared: %w", err)
	}
	return same && slices.Equal(image.Layers, set.Images[other].Layers), nil
}

func sameConfig(a, b evidence.Image) (bool, error) {
	x, err := fields(a.Config)
	if err != nil {
		return false, err
	}
	y, err := fields(b.Config)
	if err != nil {
		return false, err
	}
	return reflect.DeepEqual(x, y), nil
}

// everywhere are the live containers of a service in all its environments,
// which must all have some; otherwise the verdict is decided already.
func everywhere(c lab.Check, set *evidence.Set) ([]evidence.Container, *Verdict) {
	services := servicesOf(c, set)
	if len(services) == 0 {
		v := couldNot("the evidence has no service " + c.Service)
		return nil, &v
	}
	var all []evidence.Container
	for _, s := range services {
		if s.Error != "" {
			v := couldNot("service " + key(s) + " could not be looked at: " + s.Error)
			return nil, &v
		}
		if len(s.Live) == 0 {
			return nil, &Verdict{Status: Fail, Expected: "a container that answers " + where(s), Observed: nothingLive(s)}
		}
		all = append(all, s.Live...)
	}
	return all, nil
}
