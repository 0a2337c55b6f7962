package gather

import (
	"context"

	"github.com/labctl/labctl/runner/progress"
	"github.com/labctl/labctl/scenarios/check"
	"github.com/labctl/labctl/scenarios/evidence"
)

// Bounds of the texts that are read to show drift, in bytes.
const (
	MaxDriftText  = 64 << 10 // of one file
	MaxDriftTexts = 8 << 20  // of all
)

// Drift looks at containers to tell how they differ from their images and from
// what HEAD makes: at one, by its ID, or at all that is live for "". They are
// in the set as live: below the service that they answer or once answered for,
// else below one without a name. The texts are those of files that differ, by
// SHA-256.
func (g *Gatherer) Drift(ctx context.Context, container string) (set *evidence.Set, texts map[string]string, err error) {
	s := g.begin()
	if err := s.filesystems(ctx, container); err != nil {
		return nil, nil, err
	}
	s.repo, s.repoErr = s.Repository()
	s.head(ctx)
	if s.set.Head.Error == "" {
		built, err := s.clean(ctx, evidence.OfHead, s.set.Head.Commit)
		if err != nil {
			return nil, nil, err
		}
		s.keep(built)
	}
	texts, err = s.driftTexts(ctx)
	return s.set, texts, err
}

// SinceImage is Drift without what HEAD makes: nothing is built.
func (g *Gatherer) SinceImage(ctx context.Context, container string) (set *evidence.Set, texts map[string]string, err error) {
	s := g.begin()
	if err := s.filesystems(ctx, container); err != nil {
		return nil, nil, err
	}
	texts, err = s.driftTexts(ctx)
	return s.set, texts, err
}

// filesystems puts into the set the container of an ID, or all that is live,
// with what it holds and what its image holds.
func (s *session) filesystems(ctx context.Context, container string) error {
	step := "look at the filesystems"
	s.Progress.Send(progress.Event{State: progress.Begun, Step: step})
	defer s.Progress.Send(progress.Event{State: progress.Done, Step: step})
	var err error
	if s.all, err = s.Engine.Containers(ctx); err != nil {
		return err
	}
	if err := s.choose(ctx, container); err != nil {
		return err
	}
	for i := range s.set.Services {
		live := s.set.Services[i].Live
		for j := range live {
			s.tree(ctx, &live[j])
			if err := s.layers(ctx, live[j].Image); err != nil {
				return err
			}
		}
	}
	return nil
}

// choose puts into the set the container of an ID, or all that is live.
func (s *session) choose(ctx context.Context, container string) error {
	var unserved []evidence.Service
	for _, declared := range s.Lab.Services {
		service := s.declared(declared)
		live, err := s.live(ctx, service)
		if err != nil {
			return err
		}
		for _, c := range live {
			if container == "" || c.ID == container {
				service.Live = append(service.Live, c)
			}
		}
		if len(service.Live) > 0 {
			s.set.Services = append(s.set.Services, service)
		} else {
			unserved = append(unserved, service)
		}
	}
	if container == "" || len(s.set.Services) > 0 {
		return nil
	}
	c, err := s.Engine.Inspect(ctx, container)
	if err != nil {
		return err
	}
	of := evidence.Service{}
	for _, service := range unserved {
		if c.Serves == label(service.Name, service.Environment) {
			of = service
		}
	}
	of.Live = []evidence.Container{c}
	s.set.Services = append(s.set.Services, of)
	return nil
}

// driftTexts reads what differs and may be text.
func (s *session) driftTexts(ctx context.Context) (map[string]string, error) {
	var files []evidence.Entry
	head, headErr := check.HeadBuild(s.set)
	for i := range s.set.Services {
		service := &s.set.Services[i]
		for _, c := range service.Live {
			// What cannot be compared is said where it is shown.
			ds, _ := check.Drift(s.set, service, c)
			if headErr == nil && head.Image != "" {
				since, _, _ := check.SinceBuild(s.set, service, c, head)
				ds = append(ds, since...)
			}
			for _, d := range ds {
				files = append(files, d.Contents()...)
			}
		}
	}
	wanted := evidence.Wanted(files, MaxDriftText, MaxDriftTexts)
	found, err := s.contents(ctx, wanted)
	if err != nil {
		return nil, err
	}
	// A clean room's image is gone once it was looked at.
	unread := map[string]int64{}
	for _, e := range s.layered(head.Image) {
		size, is := wanted[e.SHA256]
		if _, there := found[e.SHA256]; is && !there {
			unread[e.SHA256] = size
		}
	}
	if len(unread) > 0 {
		made, err := s.CleanContents(ctx, head.Commit, unread)
		if err != nil && (ctx.Err() != nil || away(err)) {
			return nil, err
		}
		for sum, content := range made {
			found[sum] = content
		}
	}
	return evidence.Texts(found), nil
}
