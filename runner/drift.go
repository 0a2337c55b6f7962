package runner

import (
	"context"
	"maps"
	"slices"

	"github.com/labctl/labctl/runner/cleanroom"
	"github.com/labctl/labctl/runner/engine"
	"github.com/labctl/labctl/runner/problem"
	"github.com/labctl/labctl/runner/workspace"
	"github.com/labctl/labctl/scenarios/check"
	"github.com/labctl/labctl/scenarios/evidence"
)

// DriftSchema names the format of Drift's JSON.
const DriftSchema = "labctl/drift/v1"

// Drift is how containers of an instance differ from what they should be.
type Drift struct {
	Schema     string           `json:"schema"`
	Lab        string           `json:"lab"`
	Learner    string           `json:"learner"`
	Instance   string           `json:"instance"`
	Containers []ContainerDrift `json:"containers"`
}

// ContainerDrift is how one container's filesystem differs from its image, as
// the check no_drift compares them, and from what HEAD makes.
type ContainerDrift struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Called      string `json:"called"`      // the lab's name of a start container: pet-01
	Service     string `json:"service"`     // that it answers or once answered for; "" for none
	Environment string `json:"environment"` // of the service
	State       string `json:"state"`       // running, exited, …
	Live        bool   `json:"live"`        // it answers for the service now
	Image       string `json:"image"`       // ID
	ImageName   string `json:"image_name"`  // as it was given to run

	ImageDifferences []DriftedFile `json:"image_differences"` // sorted by path
	ImageError       string        `json:"image_error"`       // why it could not be compared; "" when it was
	Head             HeadDrift     `json:"head"`
}

// HeadDrift is how a container's filesystem differs from what a clean room
// makes of the repository's last commit, as the check built_from_repo compares
// them. One of Refused, Failed and Error says why there is nothing to compare
// with.
type HeadDrift struct {
	Commit      string        `json:"commit"`
	Differences []DriftedFile `json:"differences"` // sorted by path
	Image       []string      `json:"image"`       // how the image differs in what is no path: "~ image Env …"
	Refused     string        `json:"refused"`     // why the clean room does not run HEAD's Dockerfile
	Failed      string        `json:"failed"`      // how HEAD does not build, with the end of what the build said
	Error       string        `json:"error"`       // why it could not be looked at
}

// DriftedFile is one path that differs.
type DriftedFile struct {
	Sign   string     `json:"sign"`                         // "+" only on the container, "-" only in what it is compared with, "~" in both
	Path   string     `json:"path"`                         // as evidence.Entry has it
	What   string     `json:"what"`                         // of "~": "content", "mode 644 → 600", …
	Diff   string     `json:"diff"`                         // unified, of texts up to 64 KiB; "" where there is none
	Before *FileState `json:"before" jsonschema:"nullable"` // in what it is compared with; null for nothing
	After  *FileState `json:"after" jsonschema:"nullable"`  // on the container; null for nothing
}

// FileState is what there is at a path.
type FileState struct {
	Type   string `json:"type"`   // file, dir, symlink, device, fifo
	Size   int64  `json:"size"`   // of a file, in bytes
	SHA256 string `json:"sha256"` // of a file's content, hex; "" for what is no file
}

// CouldNotLook reports whether some comparison could not be made.
func (d *Drift) CouldNotLook() bool {
	return slices.ContainsFunc(d.Containers, func(c ContainerDrift) bool { return c.ImageError != "" || c.Head.Error != "" })
}

// Drift implements API.
func (r *Runner) Drift(ctx context.Context, in Instance, name string) (*Drift, error) {
	unlock, err := r.lock(ctx, in.Instance)
	if err != nil {
		return nil, err
	}
	defer unlock()
	g, err := r.gatherer(ctx, in)
	if err != nil {
		return nil, err
	}
	choices, err := r.reachable(ctx, in, true)
	if err != nil {
		return nil, err
	}
	id := ""
	if name != "" {
		if id, err = pick(in, choices, name, "container"); err != nil {
			return nil, err
		}
	}
	set, texts, err := g.Drift(ctx, id)
	if err != nil {
		return nil, err
	}
	if len(set.Services) == 0 {
		return nil, thereAre(&problem.Problem{What: "nothing of " + in.Instance + " is live"}, choices)
	}
	return driftOf(set, texts, in), nil
}

// driftOf tells the drift of the containers in a set.
func driftOf(set *evidence.Set, texts map[string]string, in Instance) *Drift {
	out := &Drift{Schema: DriftSchema, Lab: set.Lab, Learner: set.Learner, Instance: set.Instance, Containers: []ContainerDrift{}}
	for i := range set.Services {
		s := &set.Services[i]
		for _, c := range s.Live {
			d := ContainerDrift{
				ID: c.ID, Name: c.Name, Called: c.Called, Service: s.Name, Environment: s.Environment, State: c.State,
				Live: in.live(c.ID), Image: c.Image, ImageName: c.ImageName, Head: headDrift(set, s, c, texts),
			}
			ds, err := check.Drift(set, s, c)
			if err != nil {
				d.ImageError = err.Error()
			}
			d.ImageDifferences = drifted(ds, texts)
			out.Containers = append(out.Containers, d)
		}
	}
	return out
}

func headDrift(set *evidence.Set, s *evidence.Service, c evidence.Container, texts map[string]string) HeadDrift {
	out := HeadDrift{Commit: set.Head.Commit, Differences: []DriftedFile{}, Image: []string{}}
	build, err := check.HeadBuild(set)
	if err != nil {
		out.Error = err.Error()
		return out
	}
	if out.Refused, out.Failed = build.Refused, build.Failed; build.Image == "" {
		return out
	}
	ds, other, err := check.SinceBuild(set, s, c, build)
	if err != nil {
		out.Error = err.Error()
		return out
	}
	out.Differences, out.Image = drifted(ds, texts), append(out.Image, other...)
	return out
}

func drifted(ds []evidence.Difference, texts map[string]string) []DriftedFile {
	state := func(e evidence.Entry) *FileState {
		if e.Type == "" {
			return nil
		}
		return &FileState{Type: e.Type, Size: e.Size, SHA256: e.SHA256}
	}
	out := make([]DriftedFile, 0, len(ds))
	for _, d := range ds {
		out = append(out, DriftedFile{
			Sign: d.Sign, Path: d.Path, What: d.What, Diff: d.Unified(texts), Before: state(d.Before), After: state(d.After),
		})
	}
	return out
}

// live reports whether a container answers for one of the instance's services.
func (in Instance) live(id string) bool {
	return slices.ContainsFunc(in.Services, func(s ServiceStatus) bool {
		return slices.ContainsFunc(s.Live, func(l LiveContainer) bool { return l.ID == id })
	})
}

// buildContents builds a commit in a clean room anew, whatever was kept of an
// earlier build, and reads files of what it made before that is removed.
func (r *Runner) buildContents(ctx context.Context, room *cleanroom.Room, repo *workspace.Repo, commit string, wanted map[string]int64) (map[string]string, error) {
	reader := &contentReader{Observer: r.Engine, engine: r.Engine, wanted: wanted, found: map[string]string{}}
	room.Cache, room.Observer = "", reader
	_, err := r.build(ctx, room, repo, evidence.OfHead, commit)
	return reader.found, err
}

// contentReader is a clean room's observer that reads contents of the image
// whose layers it is asked for.
type contentReader struct {
	cleanroom.Observer
	engine engine.Observer
	wanted map[string]int64
	found  map[string]string
}

// Layers implements cleanroom.Observer.
func (o *contentReader) Layers(ctx context.Context, image string) (map[string]evidence.Layer, error) {
	contents, err := o.engine.Contents(ctx, engine.Source{Image: image}, o.wanted)
	if err != nil {
		return nil, err
	}
	maps.Copy(o.found, contents)
	return o.Observer.Layers(ctx, image)
}
