package apply

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/labctl/labctl/runner/engine"
	"github.com/labctl/labctl/runner/plan"
	"github.com/labctl/labctl/runner/problem"
	"github.com/labctl/labctl/runner/progress"
	"github.com/labctl/labctl/runner/state"
	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/lab"
)

// Provisioner does the operations of a start plan for one instance. It
// remembers what it created, so that it can be undone.
type Provisioner struct {
	Engine engine.Engine
	Lab    *lab.Lab
	Names  plan.Names
	Record *state.Record
	Store  *state.Store
	Labels map[string]string                 // of every object
	Facts  func() (map[string]string, error) // more labels, of networks; asked once the images are pinned
	Images *ImageMaker
	// Choose chooses the instance's addresses. It is asked as late as can be,
	// so that others have no time to choose the same.
	Choose   func(ctx context.Context) (map[string]string, error)
	Progress progress.Func

	// MakeWorkspace makes the learner's repository, and says how to undo that.
	MakeWorkspace func(ctx context.Context) (undo func() error, err error)

	mu       sync.Mutex
	ids      map[string]string // lab's name of a container, or address of a relay's service → ID
	relay    string            // ID of the image that relays run
	baseline state.Baseline
	undo     []undo
}

type undo struct {
	kind plan.Kind
	name string
	do   func(context.Context) error
}

// Do does one operation.
func (p *Provisioner) Do(ctx context.Context, op plan.Op) error {
	step := stepName(op)
	p.Progress.Send(progress.Event{State: progress.Begun, Step: step})
	if err := p.do(ctx, op, step); err != nil {
		p.Progress.Send(progress.Event{State: progress.Failed, Step: step})
		return fmt.Errorf("%s: %w", step, err)
	}
	p.Progress.Send(progress.Event{State: progress.Done, Step: step})
	return nil
}

// stepName is an operation in the words of a learner.
func stepName(op plan.Op) string {
	switch op.Kind {
	case plan.Image:
		return "image " + op.Name
	case plan.MakeRelayImage:
		return "image " + op.Name
	case plan.Network, plan.Workspace:
		return strings.TrimPrefix(string(op.Kind), "create ") + " " + op.Name
	}
	if op.Container == nil {
		return string(op.Kind) + " " + op.Name
	}
	switch op.Kind {
	case plan.Create:
		return "create " + op.Container.Name
	case plan.Start:
		return "start " + op.Container.Name
	case plan.Drift:
		return "years of history on " + op.Container.Name
	case plan.Ready:
		return "wait until " + op.Container.Name + " answers"
	case plan.Record:
		return "note what " + op.Container.Name + " is like"
	default:
		return "finish " + op.Container.Name
	}
}

func (p *Provisioner) do(ctx context.Context, op plan.Op, step string) error {
	detail := func(line string) {
		p.Progress.Send(progress.Event{State: progress.Detail, Step: step, Detail: line})
	}
	switch op.Kind {
	case plan.Image:
		id, created, err := p.Images.Make(ctx, *op.Image, op.Name, detail)
		if created {
			p.remember(plan.Image, op.Name, func(ctx context.Context) error { return p.Engine.RemoveImage(ctx, op.Name) })
		}
		if err != nil {
			return err
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.Record.Images[op.Name] = id
		return nil
	case plan.Network:
		ctx, done := whole(ctx)
		defer done()
		return p.network(ctx, op)
	case plan.Workspace:
		undo, err := p.MakeWorkspace(ctx)
		if err == nil {
			p.remember(op.Kind, op.Name, func(context.Context) error { return undo() })
		}
		return err
	case plan.RemoveContainer:
		return p.Engine.RemoveContainer(ctx, op.Name)
	case plan.Create:
		ctx, done := whole(ctx)
		defer done()
		return p.create(ctx, op)
	case plan.Start:
		ctx, done := whole(ctx)
		defer done()
		return p.Engine.StartContainer(ctx, p.id(op))
	case plan.Drift:
		return p.drift(ctx, op)
	case plan.Ready:
		return p.ready(ctx, op)
	case plan.Record:
		return p.record(ctx, op)
	case plan.MakeRelayImage:
		return p.makeRelayImage(ctx, detail)
	case plan.CreateRelay:
		ctx, done := whole(ctx)
		defer done()
		return p.createRelay(ctx, op)
	case plan.StartRelay:
		ctx, done := whole(ctx)
		defer done()
		return p.Engine.StartContainer(ctx, p.id(op))
	case plan.Finish:
		return taken(op, p.Engine.RenameContainer(ctx, p.id(op), op.Name))
	}
	return fmt.Errorf("no way to %s", op.Kind)
}

// whole is a context for a short call that is not to be cut off: an engine
// that is no longer listened to may finish the call after its undoing.
func whole(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), callWithin)
}

// callWithin is how long a call that is not cut off may take.
const callWithin = time.Minute

func (p *Provisioner) network(ctx context.Context, op plan.Op) error {
	if err := p.choose(ctx); err != nil {
		return err
	}
	labels, err := p.Facts()
	if err != nil {
		return err
	}
	for k, v := range p.Labels {
		labels[k] = v
	}
	labels[engine.LabelRole] = engine.RoleNetwork
	labels[engine.LabelEnvironment] = op.Environment.Name
	err = p.claim(ctx, op, func() error { return p.Engine.CreateNetwork(ctx, op.Name, op.Environment.Internal, labels) })
	if err != nil {
		return err
	}
	return p.ownAddresses(ctx)
}

// choose gives the instance its addresses, once for all its networks.
func (p *Provisioner) choose(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.Record.Addresses != nil {
		return nil
	}
	var err error
	p.Record.Addresses, err = p.Choose(ctx)
	return err
}

// ownAddresses makes sure that no other instance has one of this instance's
// addresses. A port is free for a moment whenever a learner replaces a
// container, so a free port alone does not say that nobody has it. Of two that
// chose the same at once, the older network keeps it.
func (p *Provisioner) ownAddresses(ctx context.Context) error {
	networks, err := p.Engine.Networks(ctx)
	if err != nil {
		return err
	}
	var since time.Time
	for _, n := range networks {
		if n.Labels[engine.LabelInstance] == p.Record.Instance && (since.IsZero() || n.Created.Before(since)) {
			since = n.Created
		}
	}
	for _, n := range networks {
		if n.Labels[engine.LabelInstance] == p.Record.Instance || n.Created.After(since) {
			continue
		}
		for _, address := range Addresses(n) {
			for _, own := range p.Record.Addresses {
				if own == address {
					return fmt.Errorf("%s belongs to instance %s: %w", own, n.Labels[engine.LabelInstance], engine.ErrPortTaken)
				}
			}
		}
	}
	return nil
}

func (p *Provisioner) create(ctx context.Context, op plan.Op) error {
	c := op.Container
	image := p.image(c.Image)
	spec := engine.ContainerSpec{
		Name:    op.Name,
		Image:   image,
		Network: p.Names.Network(c.Environment),
		Alias:   c.Name,
		Run:     c.Run,
		Labels:  map[string]string{},
	}
	for k, v := range p.Labels {
		spec.Labels[k] = v
	}
	spec.Labels[engine.LabelRole] = engine.RoleStart
	spec.Labels[engine.LabelContainer] = c.Name
	spec.Labels[engine.LabelEnvironment] = c.Environment
	if s := p.Lab.Service(c.Service, c.Environment); s != nil {
		spec = Serving(spec, *s, p.Record.Addresses)
	}
	return p.claim(ctx, op, func() error {
		id, err := p.Engine.CreateContainer(ctx, spec)
		if err != nil {
			return err
		}
		p.created(op, id)
		return nil
	})
}

func (p *Provisioner) drift(ctx context.Context, op plan.Op) error {
	res, err := p.Engine.Exec(ctx, p.id(op), op.Container.DriftUser, op.Container.Drift, Variables(p.Lab.Params))
	if err == nil && res.ExitCode == 0 {
		return nil
	}
	// Engines say in several ways that there is nothing left to run it in.
	if c, inspectErr := p.Engine.Inspect(ctx, p.id(op)); inspectErr == nil && c.State != "running" {
		return &problem.Problem{
			What: fmt.Sprintf("%s does not run any more", op.Container.Name),
			Why:  "its program ended before its drift script did",
			Mend: fmt.Sprintf("see in the lab that the command of image.%s keeps running in the foreground", op.Container.Image),
			Err:  err,
		}
	}
	if err != nil {
		return err
	}
	return &problem.Problem{
		What: fmt.Sprintf("the drift script of %s ended with exit code %d", op.Container.Name, res.ExitCode),
		Why:  strings.TrimSpace(res.Output),
		Mend: "mend the script in the lab",
	}
}

func (p *Provisioner) ready(ctx context.Context, op plan.Op) error {
	s := p.Lab.Service(op.Container.Service, op.Container.Environment)
	within, err := time.ParseDuration(s.Ready.Within)
	if err != nil {
		return fmt.Errorf("reading how long %s may take: %w", s.Address(), err)
	}
	id := p.id(op)
	address := p.Record.Addresses[Key(s.Name, s.Environment)]
	if lab.OnNetwork(s.Publish) {
		if address, err = NetworkAddress(ctx, p.Engine, id, p.Names.Network(s.Environment), s.Port); err != nil {
			return err
		}
	}
	err = p.Engine.Ready(ctx, id, address, s.Ready.Get, within)
	var unavailable *engine.Unavailable
	if err == nil || ctx.Err() != nil || errors.As(err, &unavailable) {
		return err
	}
	return &problem.Problem{
		What: op.Container.Name + " did not get ready",
		Why:  err.Error(),
		Mend: fmt.Sprintf("see in the lab that image.%s serves %s on port %d within %s; a busy machine may need more", op.Container.Image, s.Ready.Get, s.Port, s.Ready.Within),
		Err:  err,
	}
}

// record adds one container to the baseline and keeps all of it, so that what
// is finished on the engine is never without its record.
func (p *Provisioner) record(ctx context.Context, op plan.Op) error {
	c, err := p.Engine.Inspect(ctx, p.id(op))
	if err != nil {
		return err
	}
	tree, err := p.Engine.Tree(ctx, c.ID)
	if err != nil {
		return err
	}
	image, err := p.Engine.Image(ctx, c.Image)
	if err != nil {
		return err
	}
	layers, err := p.Engine.Layers(ctx, c.Image)
	if err != nil {
		return err
	}
	texts, err := p.handMade(ctx, c.ID, image, layers, tree)
	if err != nil {
		return err
	}
	c.Name = p.Names.Container(op.Container.Name)
	c.Tree = tree.Digest()

	p.mu.Lock()
	defer p.mu.Unlock()
	b := &p.baseline
	if b.Images == nil {
		b.Images, b.Layers, b.Trees = map[string]evidence.Image{}, map[string]evidence.Layer{}, map[string]evidence.Tree{}
	}
	if b.Texts == nil {
		b.Texts = map[string]string{}
	}
	b.Containers = append(b.Containers, c)
	b.Images[image.ID] = image
	b.Trees[c.Tree] = tree
	for id, layer := range layers {
		b.Layers[id] = layer
	}
	maps.Copy(b.Texts, texts)
	return p.Store.SaveBaseline(p.Record.Instance, b)
}

// handMade are the texts that a container has by hand, by SHA-256. Once
// somebody changes them they are nowhere else.
func (p *Provisioner) handMade(ctx context.Context, id string, image evidence.Image, layers map[string]evidence.Layer, tree evidence.Tree) (map[string]string, error) {
	var stack []evidence.Layer
	for _, diff := range image.Layers {
		stack = append(stack, layers[diff])
	}
	var files []evidence.Entry
	for _, d := range evidence.Diff(evidence.Union(stack), tree, evidence.Exactly) {
		for _, e := range d.Contents() {
			if e == d.After {
				files = append(files, e)
			}
		}
	}
	share := evidence.MaxTexts / int64(len(p.Lab.Start().Containers))
	wanted := evidence.Wanted(files, evidence.MaxText, share)
	if len(wanted) == 0 {
		return nil, nil
	}
	contents, err := p.Engine.Contents(ctx, engine.Source{Container: id}, wanted)
	return evidence.Texts(contents), err
}

// Resume takes over what an earlier start recorded of containers that it
// finished.
func (p *Provisioner) Resume(b state.Baseline) { p.baseline = b }

func (p *Provisioner) image(name string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, image := range p.Lab.Images {
		if image.Name == name {
			return p.Record.Images[p.Names.Image(image)]
		}
	}
	return ""
}

// id is that of the container which an operation is about, once it is created.
func (p *Provisioner) id(op plan.Op) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ids[called(op)]
}

func (p *Provisioner) created(op plan.Op, id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ids == nil {
		p.ids = map[string]string{}
	}
	p.ids[called(op)] = id
}

// called names the container that an operation is about.
func called(op plan.Op) string {
	if op.Service != nil {
		return op.Service.Address()
	}
	return op.Container.Name
}

func (p *Provisioner) remember(kind plan.Kind, name string, do func(context.Context) error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.undo = append(p.undo, undo{kind, name, do})
}

// Undo removes what Do created, the last first, or only what is of some kinds.
// It goes on after failures and returns the first.
func (p *Provisioner) Undo(ctx context.Context, kinds ...plan.Kind) error {
	var first error
	var kept []undo
	for i := len(p.undo) - 1; i >= 0; i-- {
		u := p.undo[i]
		if len(kinds) > 0 && !contains(kinds, u.kind) {
			kept = append([]undo{u}, kept...)
			continue
		}
		p.Progress.Send(progress.Event{State: progress.Detail, Step: "undo", Detail: u.name})
		if err := u.do(ctx); err != nil && !errors.Is(err, engine.ErrNotFound) && first == nil {
			first = fmt.Errorf("removing %s: %w", u.name, err)
		}
	}
	p.undo = kept
	return first
}

func contains(kinds []plan.Kind, kind plan.Kind) bool {
	for _, k := range kinds {
		if k == kind {
			return true
		}
	}
	return false
}
