package check

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/lab"
)

// NoDrift asks whether live servers are still what their image is.
var NoDrift = Kind{
	Type: "no_drift",
	Doc: "Whether each live container's filesystem is that of its image: contents, modes, owners and links, read in full rather than by docker diff, " +
		"which an edit that keeps size and times deceives. Left out are the engine's own files, declared runtime paths, and the stubs that mounts and --init leave.",
	Title:   "%s is what its image is, to the bit",
	Why:     "What was changed on a running server is nowhere else, and gone with it.",
	Next:    "Make the change in the repository, build, and replace the container.",
	Points:  10,
	Service: true,
	Needs:   func(lab.Check) (Needs, error) { return Needs{Trees: true, Layers: true}, nil },
	Eval: func(c lab.Check, set *evidence.Set) Verdict {
		s, decided := live(c, set)
		if decided != nil {
			return *decided
		}
		const expected = "the filesystem of the image"
		for _, container := range s.Live {
			ds, err := Drift(set, s, container)
			if err != nil {
				return couldNot(err.Error())
			}
			if len(ds) > 0 {
				return Verdict{
					Status: Fail, Container: container.Name, Expected: expected,
					Observed: called(container) + " differs from its image: " + Few(lines(ds)), Details: shown(set, ds), Lacks: lacking(set, ds),
				}
			}
		}
		return Verdict{Status: Pass, Container: s.Live[0].Name, Expected: expected, Observed: "the same, every path"}
	},
}

// Drift is how a container's filesystem differs from its image's.
func Drift(set *evidence.Set, s *evidence.Service, c evidence.Container) ([]evidence.Difference, error) {
	layers, err := set.LayersOf(c.Image)
	if err != nil {
		return nil, err
	}
	return since(layers, evidence.Exactly, set, s, c)
}

// since is how a container's filesystem differs from what layers make, less
// what running it as it runs explains.
func since(layers []evidence.Layer, how evidence.Exactness, set *evidence.Set, s *evidence.Service, c evidence.Container) ([]evidence.Difference, error) {
	now, err := tree(set, c)
	if err != nil {
		return nil, err
	}
	ignored := slices.Clone(s.RuntimePaths)
	host, err := requestedOf(c)
	if err != nil {
		return nil, fmt.Errorf("reading the mounts of %s: %w", called(c), err)
	}
	mounted := host.tmpfs()
	for _, m := range c.Mounts {
		mounted = append(mounted, path.Clean("/"+m.Destination))
	}
	ignored = append(ignored, mounted...)
	if host.Init {
		ignored = append(ignored, "/sbin/docker-init")
	}
	ds := evidence.Diff(evidence.Union(layers), now, how, ignored...)
	// The engine makes the folders above a mount, too: those are its, not drift.
	return slices.DeleteFunc(ds, func(d evidence.Difference) bool {
		return d.Sign == "+" && stub(now, d.Path, append(mounted, ignored...))
	}), nil
}

// stub reports whether a path is a folder above a mount with nothing in it but
// the way there.
func stub(t evidence.Tree, p string, mounted []string) bool {
	leads := func(to string) bool {
		return slices.ContainsFunc(mounted, func(m string) bool { return m == to || strings.HasPrefix(m, to+"/") || strings.HasPrefix(to, m+"/") })
	}
	if !leads(p) {
		return false
	}
	for _, e := range t {
		if e.Path == p && e.Type != evidence.TypeDir {
			return false
		}
		if strings.HasPrefix(e.Path, p+"/") && !leads(e.Path) {
			return false
		}
	}
	return true
}
