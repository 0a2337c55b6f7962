package check

import (
	"errors"
	"fmt"

	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/lab"
)

// Source asks whether the repository holds sources, or the old server itself.
var Source = Kind{
	Type: "source",
	Doc: "Whether the repository's last commit makes the image of sources, not of a server that was packed into it: a pet in a tarball. It fails when a file of HEAD, " +
		"whose content the start commit did not have, is an archive or a binary by its content (tar, zip, a compressed file, a program, whatever is no text, or text " +
		"into which one of these was packed as base64 or hexadecimal digits), and the live image holds content that the start's containers had by hand and that no commit " +
		"holds as a file. An archive or a binary without such content passes, with a note. Contents are compared, not history: amended and squashed commits are fine.",
	Title:   "%s is made of sources, not of the old server in an archive",
	Why:     "What is packed cannot be read, reviewed or compared: a repository with the old server inside makes the old server again, drift and all.",
	Next:    "Take the archive out of the repository, commit what was changed by hand as files of their own, build, and replace the container.",
	Service: true,
	Needs:   func(lab.Check) (Needs, error) { return Needs{Source: true}, nil },
	Eval:    evalSource,
}

func evalSource(c lab.Check, set *evidence.Set) Verdict {
	s, decided := live(c, set)
	if decided != nil {
		return *decided
	}
	added, err := Added(set)
	if err != nil {
		return couldNot(err.Error())
	}
	const expected = "nothing that the old servers had by hand, out of an archive or a binary in the repository"
	if len(added) == 0 {
		return Verdict{Status: Pass, Container: s.Live[0].Name, Expected: expected, Observed: "HEAD adds no archive and no binary to what it was at the start"}
	}
	for _, container := range s.Live {
		held, err := HoldsByHand(set, container.Image)
		if err != nil {
			return couldNot("HEAD adds " + Few(added) + "; whether the pet is in it cannot be told: " + err.Error())
		}
		if len(held) > 0 {
			v := Verdict{
				Status: Fail, Container: container.Name, Expected: expected,
				Observed: fmt.Sprintf("HEAD adds %s, and the image of %s holds what no commit has as a file", Few(added), called(container)),
			}
			for _, content := range held {
				v.Details = append(v.Details, content.Path+", as "+content.Container+" had it by hand")
			}
			return v
		}
	}
	return Verdict{
		Status: Pass, Container: s.Live[0].Name, Expected: expected, Observed: "so it is",
		Notes: []string{"HEAD adds what cannot be read as text: " + Few(added)},
	}
}

// Added names the files of HEAD that are an archive or a binary, and whose
// content the start commit did not have: "pet.tar (tar)". An error says why
// they are not known.
func Added(set *evidence.Set) ([]string, error) {
	switch {
	case set.Head.Error != "":
		return nil, fmt.Errorf("the repository could not be read: %s", set.Head.Error)
	case set.Head.Commit == "":
		return nil, errors.New("the repository was not looked at")
	case set.Start.Files == nil:
		return nil, errors.New("the evidence does not say what the start commit had")
	}
	had := map[string]bool{}
	for _, f := range set.Start.Files {
		had[f.SHA256] = true
	}
	var added []string
	for _, f := range set.Head.Files {
		switch {
		case f.SHA256 == "": // a submodule, which the clean room refuses
		case f.Kind == "":
			return nil, fmt.Errorf("what %s is was not looked at", f.Path)
		case f.Kind != evidence.KindText && !had[f.SHA256]:
			added = append(added, fmt.Sprintf("%s (%s)", f.Path, f.Kind))
		}
	}
	return added, nil
}

// HoldsByHand is what an image holds of what the start's containers had by hand
// and no commit has as a file, wherever it lies now. An error says why it is not
// known.
func HoldsByHand(set *evidence.Set, image string) ([]evidence.Content, error) {
	if set.Start.Lost != "" {
		return nil, errors.New(set.Start.Lost)
	}
	if set.Start.HandMade == nil {
		return nil, errors.New("what the start's containers had by hand was not looked at")
	}
	if _, err := set.ByHand(); err != nil {
		return nil, err
	}
	layers, err := set.LayersOf(image)
	if err != nil {
		return nil, err
	}
	has := map[string]bool{}
	for _, e := range evidence.Union(layers) {
		has[e.SHA256] = true
	}
	var held []evidence.Content
	for _, content := range set.Start.HandMade {
		if !content.Committed && has[content.SHA256] {
			held = append(held, content)
		}
	}
	return held, nil
}
