package check

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/zclconf/go-cty/cty"

	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/lab"
)

// BasedOn asks on which of the lab's images live images stand.
var BasedOn = Kind{
	Type: "based_on",
	Doc: "Whether each live image stands on an image of the lab, as it was pinned at the start: by ID, whatever its tag is moved to. It does when it begins with all layers of that image, " +
		"be it built FROM it or FROM another image of the lab that is built on it. An image that begins with the layers of none is one built onto scratch: it stands on that image when it is what a clean room makes " +
		"of the repository's last commit, and all that the Dockerfile's last stage copies or mounts from images or other stages comes from that image of the lab and from no other. " +
		"Where two images of the lab have the same layers, the Dockerfile of the last commit decides in the same way; where they have the same configuration, too, nothing can tell them apart, and the check is an error. " +
		"What an image lays over its base is not looked at.",
	Title:   "%s stands on the base that it should",
	Why:     "What is wrong with a base is mended once, and reaches only what is built on the mended one.",
	Next:    "Name that image in the Dockerfile's FROM, commit, build from that commit, and replace the container.",
	Service: true,
	Attributes: []Attribute{
		{Name: "image", Type: cty.String, Reference: "image", Required: true, Doc: "what live images must stand on; it has a `tag`"},
	},
	Needs: func(lab.Check) (Needs, error) { return Needs{Images: true}, nil },
	Eval:  evalBasedOn,
}

func evalBasedOn(c lab.Check, set *evidence.Set) Verdict {
	s, decided := live(c, set)
	if decided != nil {
		return *decided
	}
	b, err := basesOf(c, set)
	if err != nil {
		return couldNot(err.Error())
	}
	v := Verdict{}
	for _, container := range s.Live {
		if v = b.decide(set, container); v.Status != Pass {
			return v
		}
	}
	v.Container = s.Live[0].Name
	return v
}

// bases are the image that a check asks for, and the others of the lab.
type bases struct {
	asked  evidence.Pinned
	images map[string]evidence.Image // that could be read and have layers, by ID
	all    []evidence.Pinned
	alike  []string // others with the layers of the one asked for
	unread []string // others that could not be compared
}

// basesOf reads the lab's images; an error says why nothing can be told of the
// one that is asked for.
func basesOf(c lab.Check, set *evidence.Set) (bases, error) {
	b := bases{images: map[string]evidence.Image{}, all: set.Pinned}
	var spec struct {
		Image string `json:"image"`
	}
	if err := json.Unmarshal(c.Spec, &spec); err != nil {
		return b, fmt.Errorf("reading the specification of check %s: %w", c.Name, err)
	}
	i := slices.IndexFunc(set.Pinned, func(p evidence.Pinned) bool { return p.Name == spec.Image })
	if i < 0 {
		return b, fmt.Errorf("the evidence has no image %s of the lab", spec.Image)
	}
	b.asked = set.Pinned[i]
	asked, err := imageOf(set, b.asked.ID)
	if err != nil {
		return b, fmt.Errorf("%s could not be looked at: %w", nameOf(b.asked), err)
	}
	for _, p := range set.Pinned {
		image, err := imageOf(set, p.ID)
		if err == nil && len(image.Layers) > 0 {
			b.images[p.ID] = image
		}
		if p.Name == b.asked.Name || p.Tag == "" {
			continue
		}
		if err != nil {
			b.unread = append(b.unread, nameOf(p))
			continue
		}
		if !slices.Equal(image.Layers, asked.Layers) {
			continue
		}
		differ, err := compareConfig(asked.Config, image.Config)
		if err != nil {
			return b, err
		}
		if len(differ) == 0 {
			return b, fmt.Errorf("%s and %s have the same layers and the same configuration: nothing that is built on one can be told from what is built on the other", nameOf(b.asked), nameOf(p))
		}
		b.alike = append(b.alike, nameOf(p))
	}
	return b, nil
}

// imageOf is an image that was looked at.
func imageOf(set *evidence.Set, id string) (evidence.Image, error) {
	image, there := set.Images[id]
	switch {
	case !there:
		return image, fmt.Errorf("image %.19s was not looked at", id)
	case image.Error != "":
		return image, fmt.Errorf("image %.19s could not be read: %s", id, image.Error)
	}
	return image, nil
}

// nameOf is how people know an image of the lab.
func nameOf(p evidence.Pinned) string {
	if p.Tag != "" {
		return p.Tag
	}
	return "image." + p.Name
}

// decide is the verdict of one container: by its image's layers where they
// tell, else by what HEAD says.
func (b bases) decide(set *evidence.Set, container evidence.Container) Verdict {
	image, err := imageOf(set, container.Image)
	if err != nil {
		return couldNot("of " + called(container) + ": " + err.Error())
	}
	v := Verdict{Status: Fail, Container: container.Name, Expected: "an image on " + nameOf(b.asked) + ", as it was at the start"}
	base, layered := b.images[b.asked.ID]
	below := b.below(image)
	switch on := layered && image.StandsOn(base); {
	case on && len(b.alike) == 0:
		v.Status, v.Observed = Pass, "it begins with all layers of "+nameOf(b.asked)
		if len(b.unread) > 0 {
			v.Notes = append(v.Notes, "no longer there, and so not compared with it: "+Few(b.unread))
		}
		return v
	case !on && len(below) > 0:
		v.Observed = called(container) + " stands on " + Few(below)
		return v
	}
	return b.byHead(set, container, v, below)
}

// below names the images of the lab that an image stands on by its layers: the
// uppermost, and of those with the same layers all. Such as have no tag count
// only where no other is there.
func (b bases) below(image evidence.Image) []string {
	var names []string
	most, tagged := 0, false
	for _, p := range b.all {
		base, layered := b.images[p.ID]
		if !layered || !image.StandsOn(base) {
			continue
		}
		n, has := len(base.Layers), p.Tag != ""
		if has && !tagged || has == tagged && n > most {
			names, most, tagged = nil, n, has
		}
		if has == tagged && n == most {
			names = append(names, nameOf(p))
		}
	}
	return names
}

// byHead decides by HEAD's Dockerfile, of an image that HEAD makes.
func (b bases) byHead(set *evidence.Set, container evidence.Container, v Verdict, below []string) Verdict {
	name := called(container)
	stands := "none of the lab's images is below " + name
	if len(below) > 0 {
		stands = "by its layers alone " + name + " may stand on any of " + Few(below)
	}
	build, err := HeadBuild(set)
	var differ []string
	if err == nil && build.Image != "" {
		differ, err = CompareBuild(set, container.Image, build)
	}
	if err == nil && build.Image != "" && build.Lineage == nil {
		err = errors.New("it is not known on what HEAD's Dockerfile stands")
	}
	if err != nil {
		v = couldNot(stands + ", and " + err.Error())
		v.More = &Needs{Layers: true, Build: true, Head: true}
		return v
	}
	switch {
	case build.Refused != "":
		v.Observed = stands + ", and the clean room refuses HEAD's Dockerfile: " + build.Refused
		return v
	case build.Failed != "":
		v.Observed = stands + ", and HEAD does not build"
		return v
	case len(differ) > 0:
		v.Observed = stands + ", and HEAD does not make its image: " + Few(differ)
		v.Details = differ
		return v
	}
	ids := build.Lineage.Images()
	if len(ids) == 1 && ids[0] == b.asked.ID {
		v.Status, v.Observed = Pass, "HEAD makes the image, and takes it from "+nameOf(b.asked)
		return v
	}
	var on []string
	for _, p := range b.all {
		if slices.Contains(ids, p.ID) {
			on = append(on, nameOf(p))
		}
	}
	v.Observed = stands + ": HEAD's Dockerfile takes nothing from any"
	if len(on) > 0 {
		v.Observed = name + " stands on " + Few(on) + ", as HEAD's Dockerfile says"
	}
	return v
}
