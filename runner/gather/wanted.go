package gather

import (
	"context"
	"errors"
	"maps"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/labctl/labctl/scenarios/check"
	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/lab"
)

// wanted is what one round has to gather; services by index in the set.
type wanted struct {
	requests map[int][]evidence.Request
	images   map[int]bool
	layers   map[int]bool
	fresh    map[int]bool
	traffic  map[int]bool
	source   map[int]bool // true or absent
	head     bool
	build    bool
	pinned   bool // the lab's images that have a tag
}

// want adds what one check needs.
func (s *session) want(w *wanted, c lab.Check, kind check.Kind, n check.Needs) {
	for i, service := range s.set.Services {
		if service.Name != c.Service || c.Environment != "" && service.Environment != c.Environment {
			continue
		}
		w.service(i, n)
		if kind.Behaviour {
			s.behaviour[i] = append(s.behaviour[i], n.Requests...)
		}
	}
	w.head = w.head || n.Head || n.Build || n.Source
	w.build = w.build || n.Build
	w.pinned = w.pinned || n.Images
}

func (w *wanted) service(i int, n check.Needs) {
	if w.requests == nil {
		w.requests, w.images, w.layers = map[int][]evidence.Request{}, map[int]bool{}, map[int]bool{}
		w.fresh, w.traffic, w.source = map[int]bool{}, map[int]bool{}, map[int]bool{}
	}
	w.requests[i] = append(w.requests[i], n.Requests...)
	w.images[i] = w.images[i] || n.Images
	w.layers[i] = w.layers[i] || n.Layers || n.Build
	w.fresh[i] = w.fresh[i] || n.Fresh
	w.traffic[i] = w.traffic[i] || n.Traffic
	if n.Source {
		w.source[i] = true
	}
}

// atOnce is how many services are looked at beside each other. Most of a look is
// waiting, for a server to get ready or for the engine's statistics.
const atOnce = 4

// gather does one round. The clean room runs beside the rest: it builds while
// the others wait for answers.
func (s *session) gather(ctx context.Context, w wanted) error {
	if w.head && s.first("head") {
		s.head(ctx)
	}
	if err := s.source(ctx, w); err != nil {
		return err
	}
	var built *Built
	group, ctx := errgroup.WithContext(ctx)
	if w.build && s.set.Head.Error == "" && s.first("build") {
		group.Go(func() error {
			b, err := s.clean(ctx, evidence.OfHead, s.set.Head.Commit)
			built = &b
			return err
		})
	}
	group.Go(func() error {
		services, ctx := errgroup.WithContext(ctx)
		services.SetLimit(atOnce)
		services.Go(func() error { return s.pinnedImages(ctx, w) })
		for i := range s.set.Services {
			services.Go(func() error { return s.serviceRound(ctx, i, w) })
		}
		return services.Wait()
	})
	if err := group.Wait(); err != nil {
		return err
	}
	if built != nil {
		s.keep(*built)
	}
	return nil
}

func (s *session) serviceRound(ctx context.Context, i int, w wanted) error {
	service := &s.set.Services[i]
	if w.layers[i] {
		for _, c := range service.Live {
			if err := s.layers(ctx, c.Image); err != nil {
				return err
			}
		}
	}
	if w.images[i] {
		for _, c := range service.Live {
			if err := s.image(ctx, c.Image); err != nil {
				return err
			}
		}
	}
	for _, request := range w.requests[i] {
		if err := s.ask(ctx, service, request); err != nil {
			return err
		}
	}
	// Side by side: engines tell statistics once a second, which is as long as
	// a fresh container takes.
	var both errgroup.Group
	if w.traffic[i] && s.first("traffic "+key(service)) {
		both.Go(func() error {
			s.traffic(ctx, service)
			return nil
		})
	}
	if w.fresh[i] && s.first("fresh "+key(service)) {
		both.Go(func() error { return s.fresh(ctx, service, s.behaviour[i]) })
	}
	return errors.Join(both.Wait(), ctx.Err())
}

// first reports whether something is asked for the first time.
func (s *session) first(what string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.asked[what] {
		return false
	}
	s.asked[what] = true
	return true
}

func key(s *evidence.Service) string { return s.Name + "." + s.Environment }

// pinnedImages reads the lab's images that Dockerfiles build FROM into the set.
func (s *session) pinnedImages(ctx context.Context, w wanted) error {
	if !w.pinned {
		return nil
	}
	for _, p := range s.set.Pinned {
		if p.Tag == "" {
			continue
		}
		if err := s.image(ctx, p.ID); err != nil {
			return err
		}
	}
	return nil
}

// image reads an image into the set, and not what its layers hold.
func (s *session) image(ctx context.Context, id string) error {
	if _, known := s.knownImage(id); known || !s.first("image "+id) {
		return nil
	}
	image, err := s.Engine.Image(ctx, id)
	if away(err) || ctx.Err() != nil {
		return errors.Join(err, ctx.Err())
	}
	if err != nil {
		image = evidence.Image{ID: id, Error: err.Error()}
	}
	s.keepImage(image, nil)
	return nil
}

// knownImage is an image that the set has.
func (s *session) knownImage(id string) (evidence.Image, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	image, known := s.set.Images[id]
	return image, known
}

// keepImage puts an image into the set, and layers that it has.
func (s *session) keepImage(image evidence.Image, layers map[string]evidence.Layer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if image.ID != "" {
		s.set.Images[image.ID] = image
	}
	maps.Copy(s.set.Layers, layers)
}

// layers reads an image and what its layers hold into the set.
func (s *session) layers(ctx context.Context, id string) error {
	if !s.first("layers " + id) {
		return nil
	}
	if image, known := s.knownImage(id); known && s.knownLayers(image) {
		return nil
	}
	image, err := s.Engine.Image(ctx, id)
	var layers map[string]evidence.Layer
	if err == nil {
		layers, err = s.Engine.Layers(ctx, id)
	}
	if err != nil {
		if away(err) {
			return err
		}
		image = evidence.Image{ID: id, Error: err.Error()}
	}
	s.keepImage(image, layers)
	return nil
}

// knownLayers reports whether the set has all layers of an image.
func (s *session) knownLayers(image evidence.Image) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !slices.ContainsFunc(image.Layers, func(l string) bool { _, ok := s.set.Layers[l]; return !ok })
}

// head reads the repository into the set.
func (s *session) head(ctx context.Context) {
	if s.repoErr != nil {
		s.set.Head.Error = s.repoErr.Error()
		return
	}
	head, err := s.repo.Head(ctx)
	if err != nil {
		head.Error = err.Error()
	}
	s.set.Head = head
}

// clean builds one state of the repository; a clean room that could not be
// had is evidence too.
func (s *session) clean(ctx context.Context, of, commit string) (Built, error) {
	b, err := s.CleanRoom(ctx, of, commit)
	if err != nil {
		if ctx.Err() != nil || away(err) {
			return b, errors.Join(ctx.Err(), err)
		}
		return Built{Build: evidence.Build{Of: of, Commit: commit, Error: err.Error()}}, nil
	}
	return b, nil
}

func (s *session) keep(b Built) {
	s.set.Builds = append(s.set.Builds, b.Build)
	s.keepImage(b.Image, b.Layers)
}
