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
		"into which one of these was packed as base64 or hexadecimal digits), and the live image holds what the archive holds and no file of HEAD and no image of the start does, " +
		"or content that the start's containers had by hand and that no commit holds as a file. An archive or a binary of which the image holds no such content passes, with a note. " +
		"Contents are compared, not history: amended and squashed commits are fine.",
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
		unpacked, err := Unpacked(set, container.Image)
		if err != nil {
			return couldNot("HEAD adds " + Few(added) + "; what came out of it cannot be told: " + err.Error())
		}
		if len(unpacked) > 0 {
			return Verdict{
				Status: Fail, Container: container.Name, Expected: expected, Details: unpacked,
				Observed: fmt.Sprintf("HEAD adds %s, and the image of %s holds what is in there alone: %s", Few(added), called(container), Few(unpacked)),
			}
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
	files, err := addedFiles(set)
	var names []string
	for _, f := range files {
		names = append(names, fmt.Sprintf("%s (%s)", f.Path, f.Kind))
	}
	return names, err
}

func addedFiles(set *evidence.Set) ([]evidence.RepoFile, error) {
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
	var added []evidence.RepoFile
	for _, f := range set.Head.Files {
		switch {
		case f.SHA256 == "": // a submodule, which the clean room refuses
		case f.Kind == "":
			return nil, fmt.Errorf("what %s is was not looked at", f.Path)
		case f.Kind != evidence.KindText && !had[f.SHA256]:
			added = append(added, f)
		}
	}
	return added, nil
}

// Unpacked are the paths of an image at which lies what an archive that HEAD
// adds holds, and neither a file of HEAD nor an image that the start ran does.
// An error says why they are not known.
func Unpacked(set *evidence.Set, image string) ([]string, error) {
	added, err := addedFiles(set)
	if err != nil {
		return nil, err
	}
	packed := map[string]bool{}
	for _, f := range added {
		for _, sum := range f.Packed {
			packed[sum] = true
		}
	}
	if len(packed) == 0 {
		return nil, nil
	}
	if set.Start.Lost != "" {
		return nil, errors.New(set.Start.Lost)
	}
	for _, f := range set.Head.Files {
		delete(packed, f.SHA256)
	}
	for _, c := range set.Start.Containers {
		layers, err := set.LayersOf(c.Image)
		if err != nil {
			return nil, err
		}
		for _, e := range evidence.Union(layers) {
			delete(packed, e.SHA256)
		}
	}
	layers, err := set.LayersOf(image)
	if err != nil {
		return nil, err
	}
	var at []string
	for _, e := range evidence.Union(layers) {
		if e.Type == evidence.TypeFile && packed[e.SHA256] {
			at = append(at, e.Path)
		}
	}
	return at, nil
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
