package runner

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"

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

// Gather implements API.
func (r *Runner) Gather(ctx context.Context, in Instance) (*evidence.Set, error) {
	return r.gather(ctx, in, false)
}

// gather looks at an instance, or only at what demonstrations rest on.
func (r *Runner) gather(ctx context.Context, in Instance, behaviour bool) (*evidence.Set, error) {
	unlock, err := r.lock(ctx, in.Instance)
	if err != nil {
		return nil, err
	}
	defer unlock()
	g, err := r.gatherer(ctx, in)
	if err != nil {
		return nil, err
	}
	g.Behaviour = behaviour
	set, err := g.Gather(ctx)
	if err != nil {
		return nil, err
	}
	set.Quiz = r.quizOf(g.Lab)
	return set, nil
}

// gatherer looks at an instance, which the caller has locked.
func (r *Runner) gatherer(ctx context.Context, in Instance) (*gather.Gatherer, error) {
	w, err := r.look(ctx)
	if err != nil {
		return nil, err
	}
	rec, l, err := r.running(w, in)
	if err != nil {
		return nil, err
	}
	if r.parent == nil { // looks of a trial are not killed without it
		if err := r.sweep(ctx, w, rec); err != nil {
			return nil, err
		}
	}
	rec.Workspace = in.Workspace
	repo := workspace.Open(rec.Workspace)
	return &gather.Gatherer{
		Engine: r.Engine, Lab: l, Names: plan.Names{Instance: rec.Instance}, Record: rec,
		Labels: commonLabels(rec, r.User), Version: r.Version, Now: r.Now, Progress: r.Progress, Fresh: r.fresh,
		Baseline:   func() (*state.Baseline, error) { return r.State.LoadBaseline(rec.Instance) },
		Repository: func() (gather.Repository, error) { return repo, nil },
		CleanRoom: func(ctx context.Context, of, commit string) (gather.Built, error) {
			return r.build(ctx, r.buildRoom(rec, l), repo, of, commit)
		},
		CleanContents: func(ctx context.Context, commit string, wanted map[string]int64) (map[string]string, error) {
			return r.buildContents(ctx, r.buildRoom(rec, l), repo, commit, wanted)
		},
	}, nil
}

// running reads an instance that must be complete.
func (r *Runner) running(w world, in Instance) (*state.Record, *lab.Lab, error) {
	rec, err := r.record(w, in.Instance)
	if errors.Is(err, fs.ErrNotExist) || err == nil && rec.Stopped {
		return nil, nil, &problem.Problem{What: in.Instance + " is not running", Why: "nothing of it is on the engine", Mend: startCommand(&state.Record{Lab: in.Lab, Learner: in.Learner}) + " starts it", Err: ErrNotRunning}
	}
	if err != nil {
		return nil, nil, err
	}
	if !rec.Complete {
		return nil, nil, &problem.Problem{What: in.Instance + " is not complete", Why: "its start was cut off", Mend: startCommand(rec) + " finishes it"}
	}
	if len(w.of(in.Instance).networks) == 0 {
		return nil, nil, &problem.Problem{What: in.Instance + " cannot be graded", Why: "its network was removed", Mend: startCommand(rec) + " brings it back"}
	}
	if err := r.sameFacts(rec); err != nil {
		return nil, nil, err
	}
	l, err := r.lab(rec)
	return rec, l, err
}

// sameFacts holds what the instance's network says against what the folder kept
// of the start. The labels of a network cannot be changed, but anybody can make
// another of its name, on which the lab's base is the pet. Without the folder
// there is only the network to believe; the report says that it is lost.
func (r *Runner) sameFacts(rec *state.Record) error {
	kept, err := r.State.Load(rec.Instance)
	if err != nil || !kept.Complete {
		return nil
	}
	if kept.Seed == rec.Seed && kept.Definition == rec.Definition && maps.Equal(kept.Images, rec.Images) {
		return nil
	}
	return &problem.Problem{
		What: rec.Instance + " cannot be graded",
		Why:  "its network is not the one that it was started with: it names other images, another seed or another definition of the lab",
		Mend: stopCommand(rec) + ", then " + startCommand(rec),
	}
}

// sweep removes what an earlier look left that was killed: its fresh
// containers and its clean rooms. The lock says that no other look is at work.
func (r *Runner) sweep(ctx context.Context, w world, rec *state.Record) error {
	for _, c := range w.containers { // the latest first, so steps before the cage that holds them
		fresh := c.Labels[engine.LabelInstance] == rec.Instance && c.Labels[engine.LabelRole] == engine.RoleFresh
		if fresh || cleanroom.Left(c, rec.Instance) {
			if err := r.Engine.RemoveContainer(ctx, c.ID); err != nil {
				return err
			}
		}
	}
	return r.room(rec).Sweep(ctx)
}

// olderWithin is how long the build of an older commit may take. Several are
// tried, for no more than a word.
const olderWithin = 30 * time.Second

// build makes one state of the repository in a clean room.
func (r *Runner) build(ctx context.Context, room *cleanroom.Room, repo *workspace.Repo, of, commit string) (gather.Built, error) {
	step := "clean room: build " + map[string]string{
		evidence.OfHead: "HEAD", evidence.OfWorktree: "the working tree", evidence.OfOlder: fmt.Sprintf("%.7s", commit),
	}[of]
	r.Progress.Send(progress.Event{State: progress.Begun, Step: step})
	defer r.Progress.Send(progress.Event{State: progress.Done, Step: step})
	var files []lab.File
	var err error
	if of == evidence.OfWorktree {
		files, err = repo.WorktreeFiles(ctx)
	} else {
		files, err = repo.Files(ctx, commit)
	}
	var refused *workspace.Refused
	if errors.As(err, &refused) {
		return gather.Built{Build: evidence.Build{Of: of, Commit: commit, Refused: refused.Error()}}, nil
	}
	if err != nil {
		return gather.Built{}, err
	}
	if of == evidence.OfOlder {
		room.Timeout = olderWithin
	}
	b, image, layers, err := room.Build(ctx, files, of, commit)
	return gather.Built{Build: b, Image: image, Layers: layers}, err
}

// Hint implements API.
func (r *Runner) Hint(ctx context.Context, in Instance, n int) (*Hint, error) {
	w, err := r.look(ctx)
	if err != nil {
		return nil, err
	}
	rec, l, err := r.running(w, in)
	if err != nil {
		return nil, err
	}
	if len(l.Hints) == 0 {
		return nil, &problem.Problem{What: in.Lab + " has no hints"}
	}
	if n == 0 {
		n = min(rec.Hints+1, len(l.Hints))
	}
	if n < 1 || n > len(l.Hints) {
		return nil, &problem.Problem{What: fmt.Sprintf("there is no hint %d", n), Mend: fmt.Sprintf("hints are numbered from 1 to %d", len(l.Hints)), Usage: true}
	}
	rec.Workspace = in.Workspace
	t, err := told(l, rec)
	if err != nil {
		return nil, err
	}
	text, err := l.Hints[n-1](t)
	if err != nil {
		return nil, fmt.Errorf("writing hint %d: %w", n, err)
	}
	rec.Hints = max(rec.Hints, n)
	if err := r.State.Save(rec); err != nil {
		return nil, err
	}
	return &Hint{Number: n, Total: len(l.Hints), Text: text}, nil
}

// Shell implements API.
func (r *Runner) Shell(ctx context.Context, in Instance, name string, stdin io.Reader, stdout, stderr io.Writer) (int, error) {
	id, err := r.container(ctx, in, name)
	if err != nil {
		return 0, err
	}
	return r.Engine.Shell(ctx, id, stdin, stdout, stderr)
}

// container finds a running container of an instance by the lab's name or the
// engine's; without a name, the one that is live.
func (r *Runner) container(ctx context.Context, in Instance, name string) (string, error) {
	choices, err := r.reachable(ctx, in, false)
	if err != nil {
		return "", err
	}
	if name != "" {
		return pick(in, choices, name, "running container")
	}
	if len(choices) == 1 {
		return choices[0].ID, nil
	}
	p := &problem.Problem{What: "which container?", Usage: true}
	if len(choices) == 0 {
		p.What, p.Usage = "nothing of "+in.Instance+" runs", false
		p.Mend = "see docker ps --all; docker start NAME starts a container again"
	}
	return "", thereAre(p, choices)
}

// pick finds a container by the lab's name or the engine's; what says what it
// should be.
func pick(in Instance, choices []engine.Summary, name, what string) (string, error) {
	for _, c := range choices {
		if c.Name == name || c.Name == in.Instance+"-"+name || c.ID == name {
			return c.ID, nil
		}
	}
	return "", thereAre(&problem.Problem{What: fmt.Sprintf("no %s of %s is called %q", what, in.Instance, name), Usage: true}, choices)
}

// thereAre says in a problem which containers could have been named.
func thereAre(p *problem.Problem, choices []engine.Summary) *problem.Problem {
	if len(choices) > 0 {
		p.Mend = "choose one: " + strings.Join(slices.Sorted(slices.Values(names(choices))), ", ")
	}
	return p
}

func names(containers []engine.Summary) []string {
	var out []string
	for _, c := range containers {
		out = append(out, c.Name)
	}
	return out
}

// reachable are the containers of an instance, its own and what is live on its
// services: the running ones, or stopped ones too. Its relays are not the
// learner's to look into.
func (r *Runner) reachable(ctx context.Context, in Instance, stopped bool) ([]engine.Summary, error) {
	w, err := r.look(ctx)
	if err != nil {
		return nil, err
	}
	networks := w.of(in.Instance).networks
	var out []engine.Summary
	for _, c := range w.containers {
		mine := c.Labels[engine.LabelInstance] == in.Instance
		for _, n := range networks {
			_, on := c.Networks[n.Name]
			mine = mine || on
		}
		mine = mine && !isRelay(c)
		for _, s := range in.Services {
			mine = mine || slices.ContainsFunc(s.Live, func(l LiveContainer) bool { return l.ID == c.ID })
		}
		if gather.IsRecord(c, in.Instance) {
			continue // nothing ever ran in it
		}
		if mine && (stopped || c.State == "running") {
			out = append(out, c)
		}
	}
	return out, nil
}

// Containers implements API.
func (r *Runner) Containers(ctx context.Context, in Instance, stopped bool) ([]string, error) {
	choices, err := r.reachable(ctx, in, stopped)
	return names(choices), err
}
