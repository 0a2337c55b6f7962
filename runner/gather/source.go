package gather

import (
	"context"

	"github.com/labctl/labctl/scenarios/check"
	"github.com/labctl/labctl/scenarios/evidence"
)

// source gathers what tells whether the repository holds the pet in an archive.
// The layers of what is live are read for that only where there is an archive:
// most repositories have none.
func (s *session) source(ctx context.Context, w wanted) error {
	if s.set.Head.Error != "" || len(w.source) == 0 {
		return nil
	}
	if s.first("start commit") {
		s.set.Start.Files = evidence.Committed(s.Lab.Commits)
	}
	added, err := check.Added(s.set)
	if err != nil || len(added) == 0 {
		return nil // the check says so
	}
	for i := range w.source {
		w.layers[i] = true
	}
	return s.handMade(ctx)
}

// handMade lists the contents that the start's containers had by hand, and
// which of them a commit holds.
func (s *session) handMade(ctx context.Context) error {
	if s.set.Start.Lost != "" || !s.first("hand made") {
		return nil
	}
	contents, err := s.set.ByHand()
	if err != nil {
		return nil // the set says so itself
	}
	sizes := map[string]int64{}
	for _, c := range contents {
		sizes[c.SHA256] = c.Size
	}
	held, err := s.repo.Holds(ctx, sizes)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		s.set.Start.Lost = "what commits hold could not be read: " + err.Error()
		return nil
	}
	for i := range contents {
		contents[i].Committed = held[contents[i].SHA256]
	}
	s.set.Start.HandMade = contents
	return nil
}
