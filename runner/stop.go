package runner

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/labctl/labctl/runner/apply"
	"github.com/labctl/labctl/runner/cleanroom"
	"github.com/labctl/labctl/runner/engine"
	"github.com/labctl/labctl/runner/gather"
	"github.com/labctl/labctl/runner/plan"
	"github.com/labctl/labctl/runner/problem"
	"github.com/labctl/labctl/runner/progress"
	"github.com/labctl/labctl/runner/state"
	"github.com/labctl/labctl/runner/workspace"
	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/lab"
)

// PlanStop implements API. Of the containers it takes the lab's own, and those
// that the learner made: on the instance's networks, or publishing its address
// from an image on the lab's base.
func (r *Runner) PlanStop(ctx context.Context, in Instance, purge bool) (*StopPlan, error) {
	w, err := r.look(ctx)
	if err != nil {
		return nil, err
	}
	rec, err := r.record(w, in.Instance)
	if unreadable := (*problem.Problem)(nil); errors.Is(err, fs.ErrNotExist) || errors.As(err, &unreadable) {
		rec = &state.Record{Instance: in.Instance, Lab: in.Lab, Learner: in.Learner}
	} else if err != nil {
		return nil, err
	}
	s := &stopping{Runner: r, rec: rec, w: w, plan: &StopPlan{Instance: in}}
	s.plan.present.Instance, s.plan.present.Purge = in.Instance, purge
	if err := s.containers(ctx); err != nil {
		return nil, err
	}
	for _, n := range w.of(in.Instance).networks {
		s.plan.present.Networks = append(s.plan.present.Networks, plan.Object{ID: n.ID, Name: n.Name, Why: "it is the instance's"})
		s.plan.Networks = append(s.plan.Networks, n.Name)
	}
	if purge {
		if err := s.purge(ctx); err != nil {
			return nil, err
		}
	}
	s.plan.ran = s.used
	return s.plan, nil
}

// stopping is one call of PlanStop.
type stopping struct {
	*Runner
	rec  *state.Record
	w    world
	plan *StopPlan
	used []string // images of the containers that go
}

func (s *stopping) containers(ctx context.Context) error {
	mine := s.w.of(s.rec.Instance)
	for _, c := range s.w.containers {
		why, err := s.why(ctx, mine, c)
		if err != nil {
			return err
		}
		if why == "" {
			continue
		}
		s.plan.present.Containers = append(s.plan.present.Containers, plan.Object{ID: c.ID, Name: c.Name, Why: why})
		s.plan.Containers = append(s.plan.Containers, c.Name)
		s.used = append(s.used, c.Image)
	}
	return nil
}

// why says why a container goes with the instance; "" when it does not.
func (s *stopping) why(ctx context.Context, mine world, c engine.Summary) (string, error) {
	if c.Labels[engine.LabelInstance] == s.rec.Instance || cleanroom.Left(c, s.rec.Instance) {
		return "it is the instance's", nil
	}
	for _, n := range mine.networks {
		if _, on := c.Networks[n.Name]; on {
			return "it is on network " + n.Name, nil
		}
	}
	if with, shares := strings.CutPrefix(c.NetworkMode, "container:"); shares && slices.ContainsFunc(s.plan.present.Containers, func(o plan.Object) bool {
		return o.ID == with || o.Name == with
	}) {
		return "it shares the network of a container that goes", nil
	}
	if s.rec.Stopped {
		return "", nil // its address may be another's by now
	}
	for _, address := range s.rec.Addresses {
		if len(gather.Publishing([]engine.Summary{c}, address)) == 0 {
			continue
		}
		on, err := s.onBase(ctx, c.Image)
		if err != nil {
			return "", err
		}
		if on {
			return "it answers at " + address + " from an image on the lab's base", nil
		}
		s.plan.Left = append(s.plan.Left, fmt.Sprintf("%s answers at %s, but its image is not on the lab's base", c.Name, address))
	}
	return "", nil
}

// onBase reports whether an image stands on one that the instance pinned.
func (s *stopping) onBase(ctx context.Context, id string) (bool, error) {
	image, err := s.Engine.Image(ctx, id)
	if errors.Is(err, engine.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	for _, pinned := range s.rec.Images {
		base, err := s.Engine.Image(ctx, pinned)
		if errors.Is(err, engine.ErrNotFound) {
			continue
		}
		if err != nil {
			return false, err
		}
		if len(base.Layers) > 0 && image.StandsOn(base) {
			return true, nil
		}
	}
	return false, nil
}

// purge adds the instance's images and its workspace.
func (s *stopping) purge(ctx context.Context) error {
	if err := s.images(ctx); err != nil {
		return err
	}
	return s.workspace(ctx)
}

// images adds those that are the instance's, and tells of those that may be
// somebody else's.
func (s *stopping) images(ctx context.Context) error {
	ids, err := s.Engine.ImagesLabelled(ctx, engine.LabelInstance, s.rec.Instance)
	if err != nil {
		return err
	}
	tags, err := s.Engine.Tags(ctx, "")
	if err != nil {
		return err
	}
	with, twins := twin(s.w.networks, s.rec, s.lab), []string{}
	for _, id := range slices.Concat(s.used, s.rec.Ran) {
		on, err := s.onBase(ctx, id)
		if err != nil {
			return err
		}
		pinned := slices.Contains(slices.Collect(maps.Values(s.rec.Images)), id)
		if !on || pinned || slices.Contains(ids, id) || slices.Contains(twins, id) {
			continue
		}
		if with == "" {
			ids = append(ids, id)
			continue
		}
		twins = append(twins, id)
		s.plan.Left = append(s.plan.Left, fmt.Sprintf("image %s: learner %s may have built the same", called(tags, id), with))
	}
	for tag, id := range s.rec.Images {
		if s.sharedImage(id) {
			s.plan.Left = append(s.plan.Left, fmt.Sprintf("image %s: another instance stands on it", tag))
			ids = slices.DeleteFunc(ids, func(i string) bool { return i == id })
			continue
		}
		ids = append(ids, id) // last: the others stand on it
	}
	relays, err := s.relayImages(ctx)
	if err != nil {
		return err
	}
	ids = append(ids, relays...)
	loose, err := s.looseImages(ctx)
	if err != nil {
		return err
	}
	ids = append(loose, ids...)
	for _, id := range ids {
		if slices.ContainsFunc(s.plan.present.Images, func(o plan.Object) bool { return o.ID == id }) {
			continue
		}
		if _, err := s.Engine.Image(ctx, id); errors.Is(err, engine.ErrNotFound) {
			continue
		} else if err != nil {
			return err
		}
		name := called(tags, id)
		s.plan.present.Images = append(s.plan.present.Images, plan.Object{ID: id, Name: name, Why: "purging was asked for"})
		s.plan.Images = append(s.plan.Images, name)
	}
	return s.others(ctx, tags, append(twins, ids...))
}

// others tells of images with a name that stand on the instance's, but for those
// that were told of: the learner built them, or anybody who builds on the same.
func (s *stopping) others(ctx context.Context, tags map[string]string, told []string) error {
	var names []string
	told = append(told, s.pinnedElsewhere()...)
	for _, tag := range slices.Sorted(maps.Keys(tags)) {
		if strings.HasPrefix(tag, "labctl/") || cleanroom.UsedBy(tag) != "" || slices.Contains(told, tags[tag]) {
			continue // labctl's own, of an instance
		}
		on, err := s.onBase(ctx, tags[tag])
		if err != nil {
			return err
		}
		if on {
			names = append(names, tag)
		}
	}
	if len(names) > 0 {
		s.plan.Left = append(s.plan.Left, fmt.Sprintf("built on the lab's images, by you or by somebody else: docker image rm %s", strings.Join(names, " ")))
	}
	return nil
}

// workspace adds it, with what no commit of it has.
func (s *stopping) workspace(ctx context.Context) error {
	if s.rec.Workspace == "" {
		return nil
	}
	if now := s.plan.Instance.Workspace; now != "" {
		s.rec.Workspace = now // it was moved
	}
	m, _, ok, err := workspace.FindMarker(s.rec.Workspace)
	if err != nil {
		return err
	}
	if !ok && workspace.Unfinished(s.rec.Workspace, s.rec.Instance) {
		s.plan.Workspace, s.plan.present.Workspace = s.rec.Workspace, s.rec.Workspace
		return nil
	}
	if !ok || m.Instance != s.rec.Instance {
		left := s.rec.Workspace + " is not this instance's workspace (any more)"
		if _, err := os.Stat(s.rec.Workspace); errors.Is(err, fs.ErrNotExist) {
			left = "the workspace is not in " + s.rec.Workspace + " any more; wherever it was moved to, it stays"
		}
		s.plan.Left = append(s.plan.Left, left)
		return nil
	}
	s.plan.Workspace, s.plan.present.Workspace = s.rec.Workspace, s.rec.Workspace
	head, err := workspace.Open(s.rec.Workspace).Head(ctx)
	if err != nil {
		s.plan.Unsaved = append(s.plan.Unsaved, "its commits cannot be read: "+err.Error())
	}
	for _, change := range head.Dirty {
		s.plan.Unsaved = append(s.plan.Unsaved, change.Sign+" "+change.Path)
	}
	return nil
}

// called is an image as a learner knows it.
func called(tags map[string]string, id string) string {
	if names := tagsOf(tags, id); len(names) > 0 {
		return names[0]
	}
	return fmt.Sprintf("%.19s", id)
}

// twin is the learner of another instance, of those with these networks, that
// began with the same files as one does; "" when there is none. Equal builds are
// one image: what the one ran the other may have built, to be run now.
func twin(networks []engine.Network, rec *state.Record, draw func(*state.Record) (*lab.Lab, error)) string {
	own, err := draw(rec)
	if err != nil {
		return "" // what it began with is not known
	}
	for _, n := range networks {
		other, err := factsOf(n)
		if err != nil || other.Instance == rec.Instance || other.Definition != rec.Definition {
			continue
		}
		as := *rec
		as.Learner, as.Seed = other.Learner, other.Seed
		l, err := draw(&as)
		if err == nil && slices.EqualFunc(l.Commits, own.Commits, func(a, b lab.Commit) bool { return reflect.DeepEqual(a.Files, b.Files) }) {
			return other.Learner
		}
	}
	return ""
}

// looseImages are images without a name on a base that labctl made and that
// goes with this instance: builds and commits of the learner that nothing runs
// any more. Where another instance stands on the same base they may be its
// learner's, and stay.
func (s *stopping) looseImages(ctx context.Context) ([]string, error) {
	l, err := s.lab(s.rec)
	if err != nil {
		return nil, nil // which bases labctl made is not known
	}
	building, err := s.builtOn(ctx, s.rec.Instance)
	if err != nil {
		return nil, err
	}
	var bases [][]string
	for _, image := range l.Images {
		id := s.rec.Images[plan.Names{Instance: s.rec.Instance}.Image(image)]
		if image.Rootfs == "" || id == "" {
			continue
		}
		base, err := s.Engine.Image(ctx, id)
		if err != nil {
			continue // gone meanwhile
		}
		shared, err := s.sharedLayers(ctx, base.Layers, building)
		if err != nil {
			return nil, err
		}
		if !shared {
			bases = append(bases, base.Layers)
		}
	}
	if len(bases) == 0 {
		return nil, nil
	}
	return s.unnamed(ctx, func(image evidence.Image) bool {
		return slices.ContainsFunc(bases, func(base []string) bool {
			return len(base) < len(image.Layers) && slices.Equal(base, image.Layers[:len(base)])
		})
	})
}

// unnamed are the images without a name of which something is so.
func (r *Runner) unnamed(ctx context.Context, is func(evidence.Image) bool) ([]string, error) {
	all, err := r.Engine.Unnamed(ctx)
	if err != nil {
		return nil, err
	}
	return r.those(ctx, all, is)
}

// those are the images of which something is so. One that cannot be read any more
// is gone meanwhile.
func (r *Runner) those(ctx context.Context, ids []string, is func(evidence.Image) bool) ([]string, error) {
	var out []string
	for _, id := range ids {
		image, err := r.Engine.Image(ctx, id)
		if err == nil && is(image) {
			out = append(out, id)
		} else if err != nil && !errors.Is(err, engine.ErrNotFound) {
			return nil, err
		}
	}
	return out, nil
}

// relayImages are those that the instance's relays ran, and no container that
// stays runs now.
func (s *stopping) relayImages(ctx context.Context) ([]string, error) {
	l, err := s.lab(s.rec)
	if err != nil || !needsRelays(l) {
		return nil, nil
	}
	ids, err := s.Engine.ImagesLabelled(ctx, engine.LabelRole, engine.RoleRelay)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(ids, func(id string) bool {
		return slices.ContainsFunc(s.w.containers, func(c engine.Summary) bool {
			return c.Image == id && !slices.ContainsFunc(s.plan.present.Containers, func(o plan.Object) bool { return o.ID == c.ID })
		})
	}), nil
}

// sharedImage reports whether another instance stands on an image.
func (s *stopping) sharedImage(id string) bool {
	return slices.Contains(s.pinnedElsewhere(), id)
}

// builtOn are the images that instances but one build on now. The steps of such a
// build have no names, and one that starts has no network yet which would say
// what it stands on.
func (r *Runner) builtOn(ctx context.Context, but string) ([]string, error) {
	tags, err := r.Engine.Tags(ctx, "")
	return aliased(tags, but), err
}

// aliased are the images that clean rooms of instances but one have a name for.
func aliased(tags map[string]string, but string) []string {
	var ids []string
	for tag, id := range tags {
		if by := cleanroom.UsedBy(tag); by != "" && by != but {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// sharedLayers reports whether another instance stands on an image with the
// same layers, or builds on it: the bases of two labs can be one root filesystem
// under two IDs.
func (s *stopping) sharedLayers(ctx context.Context, layers, building []string) (bool, error) {
	for _, id := range slices.Concat(s.pinnedElsewhere(), building) {
		image, err := s.Engine.Image(ctx, id)
		if errors.Is(err, engine.ErrNotFound) {
			continue
		}
		if err != nil {
			return false, err
		}
		if slices.Equal(image.Layers, layers) {
			return true, nil
		}
	}
	return false, nil
}

// pinnedElsewhere are the images that other instances stand on.
func (s *stopping) pinnedElsewhere() []string { return pinnedBy(s.w.networks, s.rec.Instance) }

// Stop implements API.
func (r *Runner) Stop(ctx context.Context, p *StopPlan) error {
	unlock, err := r.lock(ctx, p.Instance.Instance)
	if err != nil {
		return err
	}
	defer unlock()
	// A later purge must know what they ran: nothing else names it then.
	if rec, err := r.State.Load(p.Instance.Instance); err == nil && !p.present.Purge {
		rec.Ran = append(rec.Ran, p.ran...)
		slices.Sort(rec.Ran)
		rec.Ran = slices.Compact(rec.Ran)
		if err := r.State.Save(rec); err != nil {
			return err
		}
	}
	todo := plan.StopInstance(p.present)
	r.Progress.Send(progress.Event{State: progress.Detail, Total: len(todo.Ops)})
	return apply.Run(ctx, todo, func(ctx context.Context, op plan.Op) error {
		if op.Kind == plan.RemoveImage {
			return r.removeImage(ctx, op.Name, p.Instance.Instance)
		}
		return r.remove(ctx, op)
	})
}

// remove does one operation of a stop plan.
func (r *Runner) remove(ctx context.Context, op plan.Op) error {
	switch op.Kind {
	case plan.RemoveContainer:
		return r.Engine.RemoveContainer(ctx, op.Name)
	case plan.RemoveNetwork:
		err := r.Engine.RemoveNetwork(ctx, op.Name)
		if errors.Is(err, engine.ErrNotFound) {
			return nil
		}
		return err
	case plan.RemoveWorkspace:
		if err := os.RemoveAll(op.Name); err != nil {
			return fmt.Errorf("removing the workspace: %w", err)
		}
		return nil
	case plan.Halt:
		if err := r.room(&state.Record{Instance: op.Name}).Clear(ctx); err != nil {
			return err
		}
		return r.State.Halt(op.Name)
	case plan.Forget:
		// The clean room's names go with the instance; the lock says that
		// nobody builds there now.
		if err := r.room(&state.Record{Instance: op.Name}).Clear(ctx); err != nil {
			return err
		}
		return r.State.Remove(op.Name)
	}
	return fmt.Errorf("no way to %s", op.Kind)
}

// removeImage removes an image, unless somebody else uses it by now.
func (r *Runner) removeImage(ctx context.Context, id, instance string) error {
	err := r.dropImage(ctx, id, instance)
	if errors.Is(err, engine.ErrInUse) {
		r.Progress.Notice(fmt.Sprintf("image %s stays: something else uses it", id))
		return nil
	}
	return err
}

// dropImage removes every name of an image, and with the last the image. It is
// engine.ErrInUse while a container or another image stands on it, or another
// instance than the one it is removed for: by now, since planning a purge and
// removing containers takes a while in which others start. One that builds has no
// network yet which would say so.
func (r *Runner) dropImage(ctx context.Context, id, instance string) error {
	networks, err := r.Engine.Networks(ctx)
	if err != nil {
		return err
	}
	if slices.Contains(pinnedBy(networks, instance), id) {
		return fmt.Errorf("removing image %s: %w: another instance stands on it", id, engine.ErrInUse)
	}
	tags, err := r.Engine.Tags(ctx, "")
	if err != nil {
		return err
	}
	refs := tagsOf(tags, id)
	for _, ref := range refs {
		if by := cleanroom.UsedBy(ref); by != "" && by != instance {
			return fmt.Errorf("removing image %s: %w: %s builds on it", id, engine.ErrInUse, by)
		}
	}
	return r.dropNames(ctx, id, refs)
}

// dropNames removes an image's names, and with the last the image; one that has
// none is removed.
func (r *Runner) dropNames(ctx context.Context, id string, refs []string) error {
	if len(refs) == 0 {
		refs = []string{id}
	}
	for _, ref := range refs {
		if err := r.Engine.RemoveImage(ctx, ref); err != nil && !errors.Is(err, engine.ErrNotFound) {
			return err
		}
	}
	return nil
}

// tagsOf are the tags of one image, sorted.
func tagsOf(tags map[string]string, id string) []string {
	var out []string
	for _, tag := range slices.Sorted(maps.Keys(tags)) {
		if tags[tag] == id {
			out = append(out, tag)
		}
	}
	return out
}
