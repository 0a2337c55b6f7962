package cleanroom

import (
	"maps"
	"slices"

	"github.com/labctl/labctl/scenarios/evidence"
)

// stage is one stage of a Dockerfile, and what it stands on.
type stage struct {
	name  string          // "" for none
	from  string          // pinned ID of the image below it; "" for scratch
	taken map[string]bool // of one on scratch: pinned IDs of the images below what was put into it
}

// source is what a reference in FROM, COPY --from or a mount stands for.
type source struct {
	image string // pinned ID; "" for a stage, and for scratch
	stage *stage // an earlier one, or the one that the reference is in
}

// begin is a new stage on what its FROM stands for. One that continues a stage
// on scratch has all that was put into that one.
func begin(name string, on source) *stage {
	s := &stage{name: name, from: on.image, taken: map[string]bool{}}
	if on.stage != nil {
		s.from = on.stage.from
		maps.Copy(s.taken, on.stage.taken)
	}
	return s
}

// take notes that something of a source is put into the stage. On an image
// that says nothing of what the stage stands on.
func (s *stage) take(of source) {
	switch {
	case s.from != "":
	case of.image != "":
		s.taken[of.image] = true
	case of.stage.from != "":
		s.taken[of.stage.from] = true
	default:
		maps.Copy(s.taken, of.stage.taken)
	}
}

// lineage is what the last stage stands on.
func (r *reading) lineage() evidence.Lineage {
	last := r.stages[len(r.stages)-1]
	return evidence.Lineage{From: last.from, Taken: slices.Sorted(maps.Keys(last.taken))}
}

// Lineage is on which of the lab's images the Dockerfile's last stage stands.
func (c *Context) Lineage() evidence.Lineage { return c.dockerfile.lineage }
