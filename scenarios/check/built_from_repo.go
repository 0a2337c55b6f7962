package check

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/lab"
)

// BuiltFromRepo asks whether live images are what the repository makes.
var BuiltFromRepo = Kind{
	Type: "built_from_repo",
	Doc: "Whether each live image is what a clean room makes of the repository's last commit: a build without cache and network, on the base image pinned at start, " +
		"of what is committed and nothing else. Contents must agree exactly, as a whole and layer by layer, as must what of modes git keeps, and the image's configuration. " +
		"Image history, tags, labels and dates prove nothing and are not looked at.",
	Title:   "%s is built from the last commit",
	Why:     "Only what is in the repository can be built again by somebody else, tomorrow, on another machine.",
	Next:    "Commit everything that belongs to the service, build with plain docker build from that commit, and replace the container.",
	Points:  20,
	Service: true,
	Needs:   func(lab.Check) (Needs, error) { return Needs{Layers: true, Build: true, Head: true}, nil },
	Eval:    evalBuiltFromRepo,
}

func evalBuiltFromRepo(c lab.Check, set *evidence.Set) Verdict {
	s, decided := live(c, set)
	if decided != nil {
		return *decided
	}
	build, err := HeadBuild(set)
	if err != nil {
		return couldNot(err.Error())
	}
	expected := "what a clean room makes of commit " + short(build.Commit)
	switch {
	case build.Refused != "":
		return Verdict{Status: Fail, Container: s.Live[0].Name, Expected: expected, Observed: "the clean room refuses HEAD's Dockerfile: " + build.Refused}
	case build.Failed != "":
		said := strings.Split(build.Failed, "\n")
		return Verdict{Status: Fail, Container: s.Live[0].Name, Expected: expected, Observed: "HEAD does not build: " + said[0], Details: said[1:]}
	}
	for _, container := range s.Live {
		paths, other, err := compareBuild(set, container.Image, build)
		if err != nil {
			return couldNot(err.Error())
		}
		if len(paths)+len(other) > 0 {
			return unlike(set, container, expected, paths, other)
		}
	}
	v := Verdict{Status: Pass, Container: s.Live[0].Name, Expected: expected, Observed: "the same, layer by layer"}
	if n := len(set.Head.Dirty); n > 0 {
		v.Notes = append(v.Notes, "the working tree has changes that are not committed: "+Few(changes(set.Head.Dirty)))
	}
	return v
}

// unlike is the verdict of an image that HEAD does not make, with what may
// have made it.
func unlike(set *evidence.Set, c evidence.Container, expected string, paths []evidence.Difference, other []string) Verdict {
	ds := append(lines(paths), other...)
	v := Verdict{
		Status: Fail, Container: c.Name, Expected: expected, Details: append(shown(set, paths), other...), Lacks: lacking(set, paths),
		Observed: "the image of " + called(c) + " is something else: " + Few(ds),
	}
	if build, explained := Explained(set, c.Image); explained {
		switch build.Of {
		case evidence.OfWorktree:
			uncommitted := make([]string, 0, len(set.Head.Dirty))
			for _, change := range set.Head.Dirty {
				uncommitted = append(uncommitted, "not committed: "+change.Path)
			}
			v.Observed = "it was built from changes that are not committed"
			v.Details = append(uncommitted, v.Details...)
			v.Next = "Commit the changes, and build again from that commit."
			if slices.ContainsFunc(set.Head.Files, func(f evidence.RepoFile) bool { return path.Base(f.Path) == ".gitattributes" }) {
				v.Notes = append(v.Notes, "where git status shows no change, .gitattributes lets git write files other than they are committed (eol, ident, filter), and what is committed is what counts")
			}
		case evidence.OfOlder:
			v.Observed = "it was built from commit " + short(build.Commit) + ", which is not the last"
			v.Next = "Build from the last commit, and replace the container."
		}
		return v
	}
	if len(ds) == 1 && ds[0] == notByDockerfile {
		v.Observed = "the image of " + called(c) + " holds HEAD's files and was " + notByDockerfile
	}
	return v
}

// Explained is the state of the repository, other than HEAD, that makes an
// image; of several the working tree, then the youngest commit.
func Explained(set *evidence.Set, image string) (evidence.Build, bool) {
	for _, of := range []string{evidence.OfWorktree, evidence.OfOlder} {
		for _, build := range set.Builds {
			if build.Of != of || build.Image == "" {
				continue
			}
			if ds, err := CompareBuild(set, image, build); err == nil && len(ds) == 0 {
				return build, true
			}
		}
	}
	return evidence.Build{}, false
}

// notByDockerfile is what is wrong with an image that has the right files in
// the wrong layers: somebody else than the Dockerfile put them there.
const notByDockerfile = "not put together by the Dockerfile"

// BuildOf is the clean room's build of a state of the repository.
func BuildOf(set *evidence.Set, of string) (evidence.Build, bool) {
	i := slices.IndexFunc(set.Builds, func(b evidence.Build) bool { return b.Of == of })
	if i < 0 {
		return evidence.Build{}, false
	}
	return set.Builds[i], true
}

// HeadBuild is what came of the clean room's build of HEAD, which may be that
// HEAD does not build; an error says why it is not known.
func HeadBuild(set *evidence.Set) (evidence.Build, error) {
	build, there := BuildOf(set, evidence.OfHead)
	switch {
	case set.Head.Error != "":
		return build, fmt.Errorf("the repository could not be read: %s", set.Head.Error)
	case !there:
		return build, errors.New("no clean room built HEAD")
	case build.Error != "":
		return build, fmt.Errorf("the clean room could not build HEAD: %s", build.Error)
	case set.Head.Commit == "" || build.Commit != set.Head.Commit:
		return build, fmt.Errorf("the clean room built commit %q, and HEAD is %q", short(build.Commit), short(set.Head.Commit))
	}
	return build, nil
}

// CompareBuild says in what an image differs from what a clean room built,
// one line each: "+ /tmp/HOTFIX".
func CompareBuild(set *evidence.Set, image string, build evidence.Build) ([]string, error) {
	paths, other, err := compareBuild(set, image, build)
	return append(lines(paths), other...), err
}

// compareBuild tells paths that differ; only when there are none, what else
// differs.
func compareBuild(set *evidence.Set, image string, build evidence.Build) (paths []evidence.Difference, other []string, err error) {
	has, err := set.LayersOf(image)
	if err != nil {
		return nil, nil, err
	}
	want, err := set.LayersOf(build.Image)
	if err != nil {
		return nil, nil, err
	}
	if ds := evidence.Diff(evidence.Union(want), evidence.Union(has), evidence.AsBuilt); len(ds) > 0 {
		return ds, nil, nil
	}
	if !sameDeltas(evidence.Deltas(want), evidence.Deltas(has)) {
		return nil, []string{notByDockerfile}, nil
	}
	other, err = compareConfig(set.Images[image].Config, set.Images[build.Image].Config)
	return nil, other, err
}

// SinceBuild is how a container's filesystem differs from what a clean room
// built, and how its image does in what is no path: its configuration, or that
// the right files lie in other layers.
func SinceBuild(set *evidence.Set, s *evidence.Service, c evidence.Container, build evidence.Build) (paths []evidence.Difference, other []string, err error) {
	want, err := set.LayersOf(build.Image)
	if err != nil {
		return nil, nil, err
	}
	if paths, err = since(want, evidence.AsBuilt, set, s, c); err != nil {
		return nil, nil, err
	}
	ofImage, other, err := compareBuild(set, c.Image, build)
	if err != nil {
		return nil, nil, err
	}
	if len(ofImage) > 0 {
		other, err = compareConfig(set.Images[c.Image].Config, set.Images[build.Image].Config)
	}
	return paths, other, err
}

// sameDeltas compares what the layers change, one by one. A layer that changes
// nothing which counts is none.
func sameDeltas(want, has [][]evidence.Entry) bool {
	return slices.EqualFunc(counting(want), counting(has), func(w, h []evidence.Entry) bool {
		return len(evidence.DiffEntries(w, h, evidence.AsBuilt)) == 0
	})
}

func counting(deltas [][]evidence.Entry) [][]evidence.Entry {
	var out [][]evidence.Entry
	for _, d := range deltas {
		if len(evidence.DiffEntries(nil, d, evidence.AsBuilt)) > 0 {
			out = append(out, d)
		}
	}
	return out
}

// builtFields are what of an image's configuration its Dockerfile decides.
var builtFields = []string{
	"Env", "Cmd", "Entrypoint", "User", "WorkingDir", "Volumes", "ExposedPorts", "Healthcheck", "StopSignal", "Shell", "OnBuild",
}

func compareConfig(has, want json.RawMessage) ([]string, error) {
	live, err := fields(has)
	if err != nil {
		return nil, fmt.Errorf("reading the configuration of an image: %w", err)
	}
	built, err := fields(want)
	if err != nil {
		return nil, fmt.Errorf("reading the configuration of the clean room's image: %w", err)
	}
	var out []string
	for _, name := range builtFields {
		if !same(builtValue(name, live[name]), builtValue(name, built[name])) {
			out = append(out, fmt.Sprintf("~ image %s %s (built: %s)", name, told(live[name]), told(built[name])))
		}
	}
	return out, nil
}

// defaultPath is the PATH that engines give to containers whose image has none.
const defaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// builtValue is a field as both builders mean it: BuildKit writes down what
// the classic builder leaves to the engine.
func builtValue(name string, v any) any {
	switch name {
	case "WorkingDir":
		if v == "/" {
			return nil
		}
	case "Env":
		if env, ok := v.([]any); ok {
			return slices.DeleteFunc(slices.Clone(env), func(e any) bool { return e == defaultPath })
		}
	}
	return v
}

func changes(all []evidence.Change) []string {
	out := make([]string, 0, len(all))
	for _, c := range all {
		out = append(out, c.Sign+" "+c.Path)
	}
	return out
}

func short(commit string) string {
	if len(commit) > 7 {
		return commit[:7]
	}
	return commit
}
