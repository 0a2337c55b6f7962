package gather

import (
	"context"
	"slices"

	"github.com/labctl/labctl/runner/progress"
	"github.com/labctl/labctl/scenarios/check"
	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/report"
)

// provenance gathers what the word for how it came to be still lacks, for
// every service that is not just as the start left it.
func (s *session) provenance(ctx context.Context) error {
	needs, replaced := wanted{}, false
	for i, service := range s.set.Services {
		if slices.ContainsFunc(service.Live, func(c evidence.Container) bool { return !c.Start }) {
			needs.service(i, check.Needs{Layers: true, Fresh: true, Traffic: service.Address != "", Source: true})
			needs.head, needs.build, replaced = true, true, true
		}
	}
	if !replaced {
		return nil
	}
	if err := s.gather(ctx, needs); err != nil {
		return err
	}
	if s.set.Head.Error != "" {
		return nil
	}
	if err := s.handMade(ctx); err != nil {
		return err
	}
	// What HEAD does not explain may be the working tree's, or an older commit's.
	unexplained, err := s.unexplained()
	if err != nil || !unexplained {
		return err
	}
	if len(s.set.Head.Dirty) > 0 {
		if unexplained, err = s.explain(ctx, evidence.OfWorktree, s.set.Head.Commit); err != nil || !unexplained {
			return err
		}
	}
	older, err := s.repo.Older(ctx, olderCommits)
	if err != nil {
		return nil // the word is then "unproven" or "laundered", which holds as well
	}
	for _, commit := range older {
		if unexplained, err = s.explain(ctx, evidence.OfOlder, commit); err != nil || !unexplained {
			return err
		}
	}
	return nil
}

// explain builds one more state of the repository and reports whether
// something live is still not explained.
func (s *session) explain(ctx context.Context, of, commit string) (bool, error) {
	step := "build what HEAD is not: " + of
	s.Progress.Send(progress.Event{State: progress.Begun, Step: step})
	b, err := s.clean(ctx, of, commit)
	if err != nil {
		return false, err
	}
	s.Progress.Send(progress.Event{State: progress.Done, Step: step})
	s.keep(b)
	return s.unexplained()
}

func (s *session) unexplained() (bool, error) {
	r, err := report.Grade(s.set)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(r.Services, func(p report.ServiceProvenance) bool {
		return p.Word == report.Laundered || p.Word == report.Unproven
	}), nil
}
