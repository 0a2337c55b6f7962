package report

import (
	"fmt"
	"slices"

	"github.com/labctl/labctl/scenarios/check"
	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/lab"
)

// Word says in one word how what is live came to be.
type Word string

// The words, from the one that says least to the one that says all is well.
// Of those that hold, the first counts.
const (
	Unknown     Word = "unknown"     // the evidence for deciding could not be had
	None        Word = "none"        // nothing is live
	Impostor    Word = "impostor"    // something else answers at the address, or shares its way there
	Untouched   Word = "untouched"   // still the container of the start, as it was then
	Patched     Word = "patched"     // still the container of the start, changed; or a replacement that differs from its image
	Altered     Word = "altered"     // a clean image, run otherwise than declared
	Uncommitted Word = "uncommitted" // what the working tree makes, not HEAD
	Outdated    Word = "outdated"    // what an older commit makes
	Laundered   Word = "laundered"   // holds what the pet had by hand and no commit has as a file
	Unproven    Word = "unproven"    // differs from what HEAD makes in another way
	Rebuilt     Word = "rebuilt"     // none of these
)

// Words are all words, the worst first.
var Words = []Word{Unknown, None, Impostor, Untouched, Patched, Altered, Uncommitted, Outdated, Laundered, Unproven, Rebuilt}

// worst is the provenance that stands at the top: of several services the one
// whose word comes first.
func worst(all []ServiceProvenance) Provenance {
	if len(all) == 0 {
		return Provenance{Unknown, "the evidence has no service"}
	}
	out := all[0]
	for _, p := range all[1:] {
		if slices.Index(Words, p.Word) < slices.Index(Words, out.Word) {
			out = p
		}
	}
	if len(all) > 1 {
		name := out.Service
		if out.Environment != "" {
			name += " in " + out.Environment
		}
		out.Because = name + ": " + out.Because
	}
	return out.Provenance
}

// askedAbout are the services whose provenance checks ask about; all of them
// where no check does.
func askedAbout(checks []lab.Check, all []ServiceProvenance) []ServiceProvenance {
	var asked []ServiceProvenance
	for _, p := range all {
		if check.AsksProvenance(checks, p.Service, p.Environment) {
			asked = append(asked, p)
		}
	}
	if len(asked) == 0 {
		return all
	}
	return asked
}

func provenanceOf(set *evidence.Set, s *evidence.Service) ServiceProvenance {
	return ServiceProvenance{Service: s.Name, Environment: s.Environment, Provenance: decide(set, s)}
}

// decide finds the word of a service: of its containers, the worst.
func decide(set *evidence.Set, s *evidence.Service) Provenance {
	if set.Unstable != "" {
		return Provenance{Unknown, set.Unstable + " while labctl looked"}
	}
	if s.Error != "" {
		return Provenance{Unknown, s.Error}
	}
	if why := check.Impostor(s); why != "" {
		return Provenance{Impostor, why}
	}
	if len(s.Live) == 0 {
		return Provenance{None, "nothing is live"}
	}
	var all []ServiceProvenance
	for _, c := range s.Live {
		all = append(all, ServiceProvenance{Provenance: decideContainer(set, s, c)})
	}
	out := all[0]
	for _, p := range all[1:] {
		if slices.Index(Words, p.Word) < slices.Index(Words, out.Word) {
			out = p
		}
	}
	return out.Provenance
}

func decideContainer(set *evidence.Set, s *evidence.Service, c evidence.Container) Provenance {
	name := c.Name
	if c.Called != "" {
		name = c.Called
	}
	if check.FromStart(set, c) {
		return ofStart(set, c, name)
	}
	drift, err := check.Drift(set, s, c)
	if err != nil {
		return Provenance{Unknown, err.Error()}
	}
	if len(drift) > 0 {
		return Provenance{Patched, fmt.Sprintf("%s is new, and was changed since it runs: %s", name, check.Few(texts(drift)))}
	}
	otherwise, err := check.RunOtherwise(s, c)
	if err != nil {
		return Provenance{Unknown, err.Error()}
	}
	if len(otherwise) > 0 {
		return Provenance{Altered, fmt.Sprintf("%s is run otherwise than declared: %s", name, check.Few(otherwise))}
	}
	return ofImage(set, c, name)
}

// ofStart decides between the two words for a container of the start.
func ofStart(set *evidence.Set, c evidence.Container, name string) Provenance {
	changed, err := check.ChangedSinceStart(set, c)
	if err != nil {
		return Provenance{Unknown, fmt.Sprintf("%s is still live; whether it was changed since the start cannot be told: %v", name, err)}
	}
	if len(changed) > 0 {
		return Provenance{Patched, fmt.Sprintf("%s is still live, changed since the start: %s", name, check.Few(texts(changed)))}
	}
	return Provenance{Untouched, name + " is still live, as it was at the start"}
}

// ofImage decides by where the image comes from.
func ofImage(set *evidence.Set, c evidence.Container, name string) Provenance {
	head, err := check.HeadBuild(set)
	if err != nil {
		return Provenance{Unknown, err.Error()}
	}
	var unlike string
	switch {
	case head.Refused != "":
		unlike = "the clean room refuses HEAD's Dockerfile: " + head.Refused
	case head.Failed != "":
		unlike = "HEAD does not build"
	default:
		ds, err := check.CompareBuild(set, c.Image, head)
		if err != nil {
			return Provenance{Unknown, err.Error()}
		}
		if len(ds) == 0 {
			return ofHead(set, c, name, head)
		}
		unlike = check.Few(ds)
	}
	if b, explained := check.Explained(set, c.Image); explained {
		if b.Of == evidence.OfWorktree {
			return Provenance{Uncommitted, name + " runs what the working tree makes, not what is committed"}
		}
		return Provenance{Outdated, fmt.Sprintf("%s runs what commit %.7s makes, which is not the last", name, b.Commit)}
	}
	if b, there := check.BuildOf(set, evidence.OfWorktree); there && b.Error != "" {
		return Provenance{Unknown, "the clean room could not build the working tree: " + b.Error}
	}
	held, err := handMade(set, c, head)
	if err != nil {
		return Provenance{Unproven, fmt.Sprintf("%s is not what HEAD makes: %s (whether it holds the pet's own content cannot be told: %v)", name, unlike, err)}
	}
	if len(held) > 0 {
		return Provenance{Laundered, holds(name, held)}
	}
	return Provenance{Unproven, fmt.Sprintf("%s is not what HEAD makes: %s", name, unlike)}
}

// ofHead decides between the two words for an image that HEAD makes: whoever
// commits the pet in an archive has a HEAD that makes the pet.
func ofHead(set *evidence.Set, c evidence.Container, name string, head evidence.Build) Provenance {
	added, err := check.Added(set)
	if err != nil {
		return Provenance{Unknown, err.Error()}
	}
	if len(added) > 0 {
		held, err := check.HoldsByHand(set, c.Image)
		if err != nil {
			return Provenance{Unknown, fmt.Sprintf("HEAD adds %s; whether the pet is in it cannot be told: %v", check.Few(added), err)}
		}
		if len(held) > 0 {
			return Provenance{Laundered, fmt.Sprintf("%s; HEAD makes it out of %s", holds(name, held), check.Few(added))}
		}
		unpacked, err := check.Unpacked(set, c.Image)
		if err != nil {
			return Provenance{Unknown, fmt.Sprintf("HEAD adds %s; what came out of it cannot be told: %v", check.Few(added), err)}
		}
		if len(unpacked) > 0 {
			return Provenance{Laundered, fmt.Sprintf("%s holds what HEAD has in %s alone: %s", name, check.Few(added), check.Few(unpacked))}
		}
	}
	return Provenance{Rebuilt, fmt.Sprintf("%s runs what commit %.7s makes", name, head.Commit)}
}

func holds(name string, held []evidence.Content) string {
	return fmt.Sprintf("%s holds what %s had by hand and no commit has: %s", name, held[0].Container, check.Few(paths(held)))
}

// handMade is what a live container holds of what the start's containers had
// by hand and no commit has, wherever it lies now.
//
// What HEAD's build holds came by HEAD, though no commit has it as a file:
// packages, say, that the pet got by hand and the Dockerfile installs. Not so
// when HEAD adds an archive or a binary, in which all of it may have come.
func handMade(set *evidence.Set, c evidence.Container, head evidence.Build) ([]evidence.Content, error) {
	held, err := check.HoldsByHand(set, c.Image)
	if err != nil {
		return nil, err
	}
	added, err := check.Added(set)
	if err != nil || len(added) > 0 {
		return held, err
	}
	layers, err := set.LayersOf(head.Image)
	if err != nil {
		return held, nil // HEAD does not build
	}
	built := map[string]bool{}
	for _, e := range evidence.Union(layers) {
		built[e.SHA256] = true
	}
	return slices.DeleteFunc(held, func(c evidence.Content) bool { return built[c.SHA256] }), nil
}

func texts(ds []evidence.Difference) []string {
	out := make([]string, 0, len(ds))
	for _, d := range ds {
		out = append(out, d.String())
	}
	return out
}

func paths(contents []evidence.Content) []string {
	out := make([]string, 0, len(contents))
	for _, c := range contents {
		out = append(out, c.Path)
	}
	return out
}
