// Package gather looks at an instance and writes down what it sees. What the
// checks need is asked for once, and only by checks that can still be decided:
// one that is skipped costs nothing.
package gather

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"time"

	"github.com/labctl/labctl/runner/engine"
	"github.com/labctl/labctl/runner/plan"
	"github.com/labctl/labctl/runner/progress"
	"github.com/labctl/labctl/runner/state"
	"github.com/labctl/labctl/scenarios/check"
	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/lab"
)

// olderCommits is how many commits before HEAD are built at the most to find
// out which one an outdated image is of.
const olderCommits = 5

// Repository is the learner's repository.
type Repository interface {
	Head(ctx context.Context) (evidence.Head, error)
	// Holds reports which contents, by SHA-256 with their sizes, HEAD or a
	// commit before it holds.
	Holds(ctx context.Context, contents map[string]int64) (map[string]bool, error)
	// Older are commits before HEAD, the newest first.
	Older(ctx context.Context, limit int) ([]string, error)
	// Files are those of a commit, with their contents.
	Files(ctx context.Context, commit string) ([]lab.File, error)
}

// Built is what a clean room made of one state of the repository.
type Built struct {
	Build  evidence.Build
	Image  evidence.Image
	Layers map[string]evidence.Layer
}

// Gatherer looks at one instance.
type Gatherer struct {
	Engine   engine.Engine
	Lab      *lab.Lab
	Names    plan.Names
	Record   *state.Record
	User     string
	Baseline func() (*state.Baseline, error)
	// Repository opens the workspace; its error says why it cannot.
	Repository func() (Repository, error)
	// CleanRoom builds a commit, or the working tree.
	CleanRoom func(ctx context.Context, of, commit string) (Built, error)
	// CleanContents builds HEAD once more, and reads files that only the build
	// made. Drift asks for it.
	CleanContents func(ctx context.Context, commit string, wanted map[string]int64) (map[string]string, error)
	Labels        map[string]string // of containers it makes
	Version       string
	Now           func() time.Time
	Progress      progress.Func

	// Behaviour looks only at what a demonstration rests on: what is live where one
	// is asked for, how it behaves, and whether it is what answers.
	Behaviour bool

	// Fresh is what fresh containers did at earlier looks at this instance. What
	// is there is not tried again: the image and the declaration are the same.
	// Nil has each look try its own.
	Fresh *sync.Map
}

// Gather looks once, and once more when something changed meanwhile.
func (g *Gatherer) Gather(ctx context.Context) (*evidence.Set, error) {
	for attempt := 1; ; attempt++ {
		set, err := g.once(ctx)
		if err != nil {
			return nil, err
		}
		changed, err := g.changed(ctx, set)
		if err != nil {
			return nil, err
		}
		if changed == "" {
			return set, nil
		}
		if attempt == 2 {
			set.Unstable = changed
			return set, nil
		}
		g.Progress.Notice(changed + " while labctl looked; looking again")
	}
}

// session is the work on one set.
type session struct {
	*Gatherer
	all     []engine.Summary
	repo    Repository
	repoErr error

	mu    sync.Mutex // of what several services have in common
	set   *evidence.Set
	asked map[string]bool // what was gathered already

	more map[int]check.Needs // what else decides a check, by its index in the set

	startTexts map[string]string // of the baseline, by SHA-256
	lacks      []evidence.Entry  // contents that checks could show

	// behaviour is what is asked of each service to see how it behaves, and so
	// what a fresh container of it is asked too.
	behaviour map[int][]evidence.Request
}

// begin is the work on a set that has nothing yet.
func (g *Gatherer) begin() *session {
	checks := g.Lab.Checks
	if g.Behaviour {
		checks = check.Demonstrating(checks)
	}
	return &session{
		Gatherer: g, asked: map[string]bool{}, more: map[int]check.Needs{}, behaviour: map[int][]evidence.Request{},
		set: &evidence.Set{
			Schema: evidence.Schema, Labctl: g.Version, Time: g.Now().UTC().Truncate(time.Second),
			Lab: g.Lab.Name, Learner: g.Lab.Learner, Instance: g.Record.Instance,
			Definition: g.Lab.Definition, Seed: g.Lab.Seed, Checks: checks, Pinned: g.pinned(),
			Images: map[string]evidence.Image{}, Layers: map[string]evidence.Layer{}, Trees: map[string]evidence.Tree{},
		},
	}
}

// pinned are the lab's images as they were when the instance was started.
func (g *Gatherer) pinned() []evidence.Pinned {
	var out []evidence.Pinned
	for _, image := range g.Lab.Images {
		if id := g.Record.Images[g.Names.Image(image)]; id != "" {
			out = append(out, evidence.Pinned{Name: image.Name, Tag: image.Tag, ID: id})
		}
	}
	return out
}

func (g *Gatherer) once(ctx context.Context) (*evidence.Set, error) {
	s := g.begin()
	g.Progress.Send(progress.Event{State: progress.Begun, Step: "look at what is live"})
	if err := s.look(ctx); err != nil {
		return nil, err
	}
	g.Progress.Send(progress.Event{State: progress.Done, Step: "look at what is live"})
	if err := s.answer(ctx); err != nil {
		return nil, err
	}
	if err := s.texts(ctx); err != nil {
		return nil, err
	}
	return s.set, nil
}

// look reads what needs no asking: what is live, its filesystem before any
// probe can change it, and what became of the start's containers.
func (s *session) look(ctx context.Context) error {
	var err error
	if s.all, err = s.Engine.Containers(ctx); err != nil {
		return err
	}
	for _, declared := range s.Lab.Services {
		service, err := s.service(ctx, declared)
		if err != nil {
			return err
		}
		s.set.Services = append(s.set.Services, service)
	}
	if err := s.start(ctx); err != nil {
		return err
	}
	if err := s.demonstrations(ctx); err != nil {
		return err
	}
	s.repo, s.repoErr = s.Repository()
	return nil
}

func (s *session) service(ctx context.Context, declared lab.Service) (evidence.Service, error) {
	out := s.declared(declared)
	var err error
	if out.Live, err = s.live(ctx, out); err != nil {
		return out, err
	}
	for i := range out.Live {
		if !s.Behaviour {
			s.tree(ctx, &out.Live[i])
		}
	}
	out.Sharers = sharers(s.all, out.Live)
	if len(out.Live) == 0 && out.Address != "" {
		e := s.Engine.Get(ctx, out.Address, evidence.Request{Get: readyPath(declared)}, nil)
		if e.Status != 0 {
			out.Answered = fmt.Sprintf("HTTP %d", e.Status)
		}
	}
	return out, nil
}

// declared is what is known of a service before anybody looked.
func (s *session) declared(declared lab.Service) evidence.Service {
	out := evidence.Service{
		Name: declared.Name, Environment: declared.Environment, Port: declared.Port, Publish: declared.Publish,
		Network: s.Names.Network(declared.Environment), Replicas: declared.Replicas,
		RuntimePaths: declared.RuntimePaths, Run: declared.Run, Live: []evidence.Container{},
	}
	if !lab.OnNetwork(declared.Publish) {
		out.Address = s.address(declared)
	}
	return out
}

// live is what answers for a service.
func (s *session) live(ctx context.Context, service evidence.Service) ([]evidence.Container, error) {
	candidates := Publishing(s.all, service.Address)
	if lab.OnNetwork(service.Publish) {
		candidates = Attached(s.all, service.Network)
	}
	live := []evidence.Container{}
	for _, summary := range candidates {
		c, err := s.Engine.Inspect(ctx, summary.ID)
		if errors.Is(err, engine.ErrNotFound) {
			continue // gone meanwhile: the second look will tell
		}
		if err != nil {
			return nil, err
		}
		if serves(c, service) {
			live = append(live, c)
		}
	}
	return live, nil
}

func readyPath(s lab.Service) string {
	if s.Ready.Get != "" {
		return s.Ready.Get
	}
	return "/"
}

func (s *session) address(declared lab.Service) string {
	return s.Record.Addresses[label(declared.Name, declared.Environment)]
}

// label names a service and environment as labels and records do: booking or
// booking.prod.
func label(service, environment string) string {
	if environment == "" {
		return service
	}
	return service + "." + environment
}

// tree reads a container's filesystem into the set.
func (s *session) tree(ctx context.Context, c *evidence.Container) {
	tree, err := s.Engine.Tree(ctx, c.ID)
	if err != nil {
		c.TreeError = err.Error()
		return
	}
	c.Tree = tree.Digest()
	s.set.Trees[c.Tree] = tree
}

// start reads the baseline, and what became of the containers in it.
func (s *session) start(ctx context.Context) error {
	s.set.Start.Containers, s.set.Start.Now = []evidence.Container{}, []evidence.Container{}
	b, err := s.Baseline()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		s.set.Start.Lost = "the instance's folder is gone, and the baseline with it"
	case err != nil:
		s.set.Start.Lost = err.Error()
	default:
		s.set.Start.Containers, s.startTexts = b.Containers, b.Texts
		for id, image := range b.Images {
			s.set.Images[id] = image
		}
		for id, layer := range b.Layers {
			s.set.Layers[id] = layer
		}
		for digest, tree := range b.Trees {
			s.set.Trees[digest] = tree
		}
	}
	for _, summary := range s.all {
		if summary.Labels[engine.LabelInstance] != s.Record.Instance || summary.Labels[engine.LabelRole] != engine.RoleStart {
			continue
		}
		c, err := s.Engine.Inspect(ctx, summary.ID)
		if errors.Is(err, engine.ErrNotFound) {
			continue
		}
		if err != nil {
			s.set.Start.Error = err.Error()
			return nil
		}
		if c.Start {
			s.set.Start.Now = append(s.set.Start.Now, c)
		}
	}
	return nil
}

// answer gathers what the checks need, and evaluates them on the way, so that
// nothing is gathered for a check that one it requires has already settled.
func (s *session) answer(ctx context.Context) error {
	statuses := map[int]check.Status{}
	for len(statuses) < len(s.set.Checks) {
		before := len(statuses) + len(s.more)
		ready, err := s.ready(statuses)
		if err != nil {
			return err
		}
		needs := wanted{}
		for _, r := range ready {
			s.want(&needs, s.set.Checks[r.check], r.kind, r.needs)
		}
		if err := s.gather(ctx, needs); err != nil {
			return err
		}
		for _, r := range ready {
			v := r.kind.Eval(s.set.Checks[r.check], s.set)
			if _, again := s.more[r.check]; v.More != nil && !again {
				s.more[r.check] = *v.More
				continue
			}
			statuses[r.check] = v.Status
			s.lacks = append(s.lacks, v.Lacks...)
		}
		if len(statuses)+len(s.more) == before {
			break // checks that require each other: the report says so
		}
	}
	if s.Behaviour {
		return s.answering(ctx)
	}
	return s.provenance(ctx)
}

// answering looks whether what is live is what answers.
func (s *session) answering(ctx context.Context) error {
	var needs wanted
	for i, service := range s.set.Services {
		asked := slices.ContainsFunc(s.set.Checks, func(c lab.Check) bool { return c.Service == service.Name && c.Environment == service.Environment })
		needs.service(i, check.Needs{Traffic: asked && service.Address != ""})
	}
	return s.gather(ctx, needs)
}

// asking is a check that can be decided once what it needs is there.
type asking struct {
	check int // index in the set
	kind  check.Kind
	needs check.Needs
}

// ready are the checks to gather for next: those of which all that they require
// passed. Where some of them ask nothing of the engine it is these alone, so
// that what requires them is gathered for beside the rest, not after it. Checks
// that cannot be decided any more are skipped.
func (s *session) ready(statuses map[int]check.Status) ([]asking, error) {
	var ready, local []asking
	for i, c := range s.set.Checks {
		if _, done := statuses[i]; done {
			continue
		}
		switch s.requirement(c, statuses) {
		case check.Pass:
			kind, ok := check.Find(c.Kind)
			if !ok {
				return nil, fmt.Errorf("check %s is of kind %q, which this labctl does not know", c.Name, c.Kind)
			}
			needs, err := kind.Needs(c)
			if err != nil {
				return nil, fmt.Errorf("reading what check %s needs: %w", c.Name, err)
			}
			if more, again := s.more[i]; again {
				needs = more
			}
			ready = append(ready, asking{i, kind, needs})
			if needs.Local() {
				local = append(local, ready[len(ready)-1])
			}
		case check.Unknown: // later
		default:
			statuses[i] = check.Skip
		}
	}
	if len(local) > 0 {
		return local, nil
	}
	return ready, nil
}

// requirement is Pass when all that a check requires passed, Unknown while
// one is not decided, and otherwise what stands in its way.
func (s *session) requirement(c lab.Check, statuses map[int]check.Status) check.Status {
	for _, name := range c.Requires {
		for i, other := range s.set.Checks {
			if other.Name != name || !sameEnvironment(s.set.Checks, c, other) {
				continue
			}
			status, done := statuses[i]
			if !done {
				return check.Unknown
			}
			if status != check.Pass {
				return check.Skip
			}
		}
	}
	return check.Pass
}

// sameEnvironment reports whether a required check's row counts for c: the row
// of its own environment where there is one, else every row.
func sameEnvironment(checks []lab.Check, c, other lab.Check) bool {
	if other.Environment == c.Environment {
		return true
	}
	return !slices.ContainsFunc(checks, func(o lab.Check) bool {
		return o.Name == other.Name && o.Environment == c.Environment
	})
}
