package cleanroom

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/labctl/labctl/runner/engine"
)

// largestFile is how large a file a step may write. It is less than a build may
// take of the disk (most), because the classic builder writes out files with
// holes in them as long as they are, and goes on with that when told to stop.
const largestFile = 1 << 30

// builder chooses who builds. What runs nothing needs none of the limits that
// only the classic builder keeps, and BuildKit is faster. What does run
// something is for the classic builder where its steps can be caged, unless
// the Dockerfile has what that does not know.
func builder(info engine.Info, runs, modern bool) string {
	switch {
	case !runs:
		return engine.BuilderBuildKit
	case info.NoCage == "" && !modern:
		return engine.BuilderClassic
	}
	return info.Builder
}

// runs tells whether a build runs anything: by its Dockerfile, or because an
// image that it stands on says so with ONBUILD.
func (r *Room) runs(ctx context.Context, c *Context) (bool, error) {
	if c.dockerfile.runs {
		return true, nil
	}
	for _, id := range c.Pinned() {
		image, err := r.Observer.Image(ctx, id)
		if err != nil {
			return false, fmt.Errorf("reading the lab's image %s: %w", id, err)
		}
		var config struct{ OnBuild []string }
		if err := json.Unmarshal(image.Config, &config); err != nil {
			return false, fmt.Errorf("reading the lab's image %s: %w", id, err)
		}
		if len(config.OnBuild) > 0 {
			return true, nil
		}
	}
	return false, nil
}

// limits are those of a build by the classic builder. A build gets half of the
// processors, so that whoever works on the machine keeps the others.
func (r *Room) limits(info engine.Info, c *Context) engine.Limits {
	limits := engine.Limits{
		Memory:   cmp.Or(r.Memory, DefaultMemory),
		CPUs:     float64(info.CPUs) / 2,
		FileSize: largestFile,
	}
	if info.NoCage != "" {
		return limits
	}
	labels := maps.Clone(r.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	labels[engine.LabelInstance], labels[engine.LabelRole] = r.Instance, engine.RoleCage
	images := c.Pinned()
	for _, tag := range slices.Sorted(maps.Keys(r.Pins)) {
		if id := r.Pins[tag]; !slices.Contains(images, id) {
			images = append(images, id)
		}
	}
	limits.Cage = &engine.Cage{Pids: cmp.Or(r.Pids, DefaultPids), Images: images, Labels: labels}
	return limits
}

// uncaged says that a build runs something without a limit on processes.
func (r *Room) uncaged(info engine.Info, builder string) {
	if r.Notice == nil {
		return
	}
	why, rest := info.NoCage, "memory, processor and time are"
	if why == "" {
		why = "the Dockerfile needs BuildKit"
	}
	if builder == engine.BuilderBuildKit {
		rest = "time and disk are"
	}
	r.Notice(fmt.Sprintf("the clean room cannot limit how many processes this build starts (%s); %s limited", why, rest))
}
