package runner

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/labctl/labctl/runner/engine"
	"github.com/labctl/labctl/runner/gather"
	"github.com/labctl/labctl/runner/progress"
	"github.com/labctl/labctl/scenarios/check"
	"github.com/labctl/labctl/scenarios/evidence"
)

// Lost is what goes with a container.
type Lost struct {
	Files   []LostFile   `json:"files"`   // how it differs from its image, sorted by path
	Memory  []HeldFile   `json:"memory"`  // what lives in its memory: on each tmpfs and in /dev/shm
	Runtime []HeldFile   `json:"runtime"` // what it has where its service is declared to write while it runs, on disk or in memory
	Volumes []LostVolume `json:"volumes"` // and folders of the host
	More    int          `json:"more"`    // so many more files are in memory and in volumes than are listed
	Unknown []string     `json:"unknown"` // what could not be looked at, and why
}

// LostFile is a path that differs from the image.
type LostFile struct {
	DriftedFile
	Committed bool `json:"committed"` // HEAD or a commit before it has the same content
}

// HeldFile is a file that a container has beside its image.
type HeldFile struct {
	Path string `json:"path"`
	Size int64  `json:"size"` // in bytes
	Text string `json:"text"` // of short ones in memory; "" for others
}

// LostVolume is a volume, or a folder of the host, that a container has mounted.
type LostVolume struct {
	Name  string     `json:"name"`  // of a folder, its path on the host
	Path  string     `json:"path"`  // in the container
	Kept  bool       `json:"kept"`  // it stays; an anonymous volume goes with its container
	Files []HeldFile `json:"files"` // in one that goes
}

// Nothing reports whether all was looked at, and the container has nothing that
// is nowhere else but what it wrote where that was declared.
func (l Lost) Nothing() bool { return len(l.Files) == 0 && l.nothingBesides() }

// Committed reports whether that is so for the files that it has in another form
// than its image: the repository has each of them.
func (l Lost) Committed() bool {
	return len(l.Files) > 0 && l.nothingBesides() && !slices.ContainsFunc(l.Files, func(f LostFile) bool { return !f.Committed })
}

func (l Lost) nothingBesides() bool {
	return len(l.Memory)+l.More+len(l.Unknown) == 0 &&
		!slices.ContainsFunc(l.Volumes, func(v LostVolume) bool { return len(v.Files) > 0 })
}

// lost looks what would go with a container.
func (r *Runner) lost(ctx context.Context, g *gather.Gatherer, t target) (Lost, error) {
	out := Lost{Files: []LostFile{}, Memory: []HeldFile{}, Runtime: []HeldFile{}, Volumes: []LostVolume{}, Unknown: []string{}}
	set, texts, err := g.SinceImage(ctx, t.ID)
	if err != nil {
		return out, err
	}
	service := set.Services[0]
	c := service.Live[0]
	runtime := service.RuntimePaths
	if t.service != nil {
		runtime = t.service.RuntimePaths
	}
	service.RuntimePaths = nil
	ds, err := check.Drift(set, &service, c)
	if err != nil {
		out.Unknown = append(out.Unknown, "how it differs from its image: "+err.Error())
	}
	for _, f := range drifted(ds, texts) {
		if below(f.Path, runtime) == "" {
			out.Files = append(out.Files, LostFile{DriftedFile: f})
		} else if f.Sign != "-" && f.After.Type == evidence.TypeFile {
			out.Runtime = append(out.Runtime, HeldFile{Path: f.Path, Size: f.After.Size})
		}
	}
	committed(ctx, g, out.Files)
	return out, r.inMemory(ctx, c, runtime, &out)
}

// committed marks what a commit holds. Where the repository cannot be read
// nothing is known to be in it.
func committed(ctx context.Context, g *gather.Gatherer, files []LostFile) {
	contents := map[string]int64{}
	for _, f := range files {
		if f.hasContent() {
			contents[f.After.SHA256] = f.After.Size
		}
	}
	repo, err := g.Repository()
	if err != nil {
		return
	}
	held, err := repo.Holds(ctx, contents)
	if err != nil {
		return
	}
	for i, f := range files {
		files[i].Committed = f.hasContent() && held[f.After.SHA256]
	}
}

// hasContent reports whether it is a file that differs in what is in it alone.
func (f LostFile) hasContent() bool {
	return f.After != nil && f.After.SHA256 != "" && (f.What == "" || f.What == "content")
}

// lookWithin is how long looking into a container's memory may take.
const lookWithin = 10 * time.Second

// inMemory looks at what no export of a container has: its memory and its
// volumes.
func (r *Runner) inMemory(ctx context.Context, c evidence.Container, runtime []string, out *Lost) error {
	step := "look into its memory"
	r.Progress.Send(progress.Event{State: progress.Begun, Step: step})
	defer r.Progress.Send(progress.Event{State: progress.Done, Step: step})
	memory, err := check.InMemory(c)
	if err != nil {
		out.Unknown = append(out.Unknown, "what is in its memory: "+err.Error())
		return nil
	}
	folders := slices.Clone(memory)
	for _, m := range c.Mounts {
		v := LostVolume{Name: m.Name, Path: m.Destination, Files: []HeldFile{}}
		if v.Name == "" {
			v.Name = m.Source
		}
		goes, err := check.Anonymous(c, m)
		if err != nil {
			return err // InMemory could read the same
		}
		if v.Kept = !goes; goes {
			folders = append(folders, m.Destination)
		}
		out.Volumes = append(out.Volumes, v)
	}
	if len(folders) == 0 {
		return nil
	}
	what := "what is in its memory"
	if len(folders) > len(memory) {
		what = "what is in its memory and its volumes"
	}
	if c.State != "running" {
		out.Unknown = append(out.Unknown, what+": it is "+c.State)
		return nil
	}
	within, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	var away *engine.Unavailable
	listing, err := r.Engine.Files(within, c.ID, folders)
	switch {
	case ctx.Err() != nil || errors.As(err, &away):
		return err
	case err != nil:
		out.Unknown = append(out.Unknown, what+": "+err.Error())
		return nil
	case listing.Partial:
		out.Unknown = append(out.Unknown, "the rest of "+what+": not all of it can be read")
	}
	out.More = listing.More
	for _, f := range listing.Files {
		held := HeldFile{Path: f.Path, Size: f.Size, Text: f.Text}
		at := below(f.Path, folders)
		v := slices.IndexFunc(out.Volumes, func(v LostVolume) bool { return v.Path == at })
		switch {
		case v >= 0:
			out.Volumes[v].Files = append(out.Volumes[v].Files, held)
		case below(f.Path, runtime) != "":
			out.Runtime = append(out.Runtime, held)
		default:
			out.Memory = append(out.Memory, held)
		}
	}
	return nil
}

// below is the innermost of some folders that a path is or lies below; "" for
// none.
func below(path string, folders []string) string {
	at := ""
	for _, f := range folders {
		if (path == f || strings.HasPrefix(path, f+"/")) && len(f) > len(at) {
			at = f
		}
	}
	return at
}
