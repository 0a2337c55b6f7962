package runner

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/labctl/labctl/runner/engine"
	"github.com/labctl/labctl/runner/progress"
	"github.com/labctl/labctl/runner/proof"
	"github.com/labctl/labctl/scenarios/check"
	"github.com/labctl/labctl/scenarios/lab"
	"github.com/labctl/labctl/scenarios/report"
)

// Starting and removing an instance for every cheat and every honest way takes
// most of a proof's time. So what replaces the servers anyway is tried in one
// instance after the other, a lane, which is tidied between; and honest ways
// that get along are gone at once. What does not come out as it should there is
// tried again, alone and in an instance of its own, and that counts.

// attempt is what is tried at once: a cheat, or honest ways.
type attempt struct {
	items []int // by their index
	needs proof.Needs
}

// attempts puts honest ways together, one of each family. What the lab says is
// not applicable stays by itself.
func attempts(todo []item) []attempt {
	var out []attempt
	families := map[string][]int{}
	for i, item := range todo {
		if item.way.Family == "" || item.way.Alone() || item.result.declaredAway != "" {
			out = append(out, attempt{[]int{i}, item.needs})
			continue
		}
		families[item.way.Family] = append(families[item.way.Family], i)
	}
	for n := 0; ; n++ {
		var a attempt
		for _, family := range slices.Sorted(maps.Keys(families)) {
			if n < len(families[family]) {
				i := families[family][n]
				a.items = append(a.items, i)
				a.needs = max(a.needs, todo[i].needs)
			}
		}
		if len(a.items) == 0 {
			return out
		}
		out = append(out, a)
	}
}

// lanes deals attempts to at least n instances. One that needs an instance as
// it was started comes first there, then those that take from the start's
// containers, then those that need nothing.
func lanes(all []attempt, n int) [][]attempt {
	by := map[proof.Needs][]attempt{}
	for _, a := range all {
		by[a.needs] = append(by[a.needs], a)
	}
	shared := slices.Concat(by[proof.NeedsStart], by[proof.NeedsPets], by[proof.NeedsNothing])
	out := make([][]attempt, min(len(shared), max(n, len(by[proof.NeedsStart]))))
	for i, a := range shared {
		out[i%len(out)] = append(out[i%len(out)], a)
	}
	for _, a := range slices.Concat(by[proof.NeedsOwnBase], by[proof.NeedsAll]) {
		out = append(out, []attempt{a})
	}
	return out
}

// along tries a lane, and what came out wrong there once more.
func (t *trial) along(ctx context.Context, all []attempt, todo []item) error {
	l := &lane{trial: t, attempts: all, todo: todo}
	for _, i := range l.try(ctx) {
		if ctx.Err() == nil {
			l := &lane{trial: t, attempts: []attempt{{[]int{i}, todo[i].needs}}, todo: todo}
			l.try(ctx)
		}
	}
	return ctx.Err()
}

// lane is what is tried in one instance.
type lane struct {
	*trial
	attempts []attempt
	todo     []item

	in       *tried
	stays    map[string]bool // by ID, the containers that the start made
	pristine string          // a copy of the workspace as the start made it
	numbers  int             // of a herd, that were given
	words    map[int]expected
}

// expected is the word of provenance that an item must get, or why there is none.
type expected struct {
	word report.Word
	err  error
}

// alone reports whether the lane is there for one item.
func (l *lane) alone() bool { return len(l.attempts) == 1 && len(l.attempts[0].items) == 1 }

// try tries all of it, and returns what is to be tried again.
func (l *lane) try(ctx context.Context) (again []int) {
	first := l.todo[l.attempts[0].items[0]]
	o := instanceOptions{name: "lane-" + first.result.Name, seed: l.model.seed, ownBase: first.needs == proof.NeedsOwnBase}
	if l.alone() {
		o.name, o.keep, o.always = "proof-"+first.result.Name, l.o.Keep, l.o.KeepAll
	}
	results := map[int]ProofResult{}
	var kept string
	err := l.instance(ctx, o, func(ctx context.Context, in *tried) (bool, error) {
		l.in = in
		if err := l.open(ctx); err != nil {
			return false, err
		}
		ok := true
		for n := range l.attempts {
			if n > 0 {
				if err := l.tidy(ctx); err != nil {
					return false, err
				}
			}
			for i, result := range l.attempt(ctx, n) {
				results[i] = result
				ok = ok && result.OK
				if result.OK && !l.alone() {
					l.record(i, result)
				}
			}
			if ctx.Err() != nil {
				return false, ctx.Err()
			}
		}
		return ok, nil
	}, &kept)
	items := 0
	for _, a := range l.attempts {
		items += len(a.items)
		for _, i := range a.items {
			if !results[i].OK && !l.alone() {
				again = append(again, i)
			}
		}
	}
	switch i := l.attempts[0].items[0]; {
	case l.alone():
		result, is := results[i]
		if !is {
			result = l.todo[i].result
		}
		if err != nil {
			result.OK, result.Outcome, result.Because = false, Untried, err.Error()
		}
		result.Kept = kept
		l.record(i, result)
	case err != nil && len(results) == items:
		l.mu.Lock()
		defer l.mu.Unlock()
		l.left = errors.Join(l.left, err) // all was tried, and something stays
	}
	return again
}

// record keeps how an item came out.
func (l *lane) record(i int, result ProofResult) {
	state := progress.Done
	if !result.OK {
		state = progress.Failed
	}
	l.Progress.Send(progress.Event{State: state, Step: result.Name})
	l.mu.Lock()
	defer l.mu.Unlock()
	l.outcome.Proofs[i] = result
}

// open notes what the instance is like before anything was tried in it.
func (l *lane) open(ctx context.Context) error {
	w, err := l.in.look(ctx)
	if err != nil {
		return err
	}
	l.stays = map[string]bool{}
	for _, c := range w.of(l.in.rec.Instance).containers {
		l.stays[c.ID] = true
	}
	if len(l.attempts) > 1 {
		l.in.fresh = &sync.Map{}
		l.pristine = filepath.Join(l.in.tmp, "pristine")
		if err := copyFolder(ctx, l.in.rec.Workspace, l.pristine); err != nil {
			return err
		}
	}
	before, err := l.world(ctx, l.in.tmp)
	if err != nil {
		return err
	}
	l.words = map[int]expected{}
	for _, a := range l.attempts {
		for _, i := range a.items {
			if tell := l.todo[i].word; tell != nil {
				word, err := tell(ctx, before)
				l.words[i] = expected{word, err}
			}
		}
	}
	return ctx.Err()
}

// tidy leaves nothing of what was tried but what the start made: its
// containers, as far as they are there, and the workspace as it was.
func (l *lane) tidy(ctx context.Context) error {
	p, err := l.in.PlanStop(ctx, l.in.in, false)
	if err != nil {
		return err
	}
	for _, c := range p.present.Containers {
		if l.stays[c.ID] {
			continue
		}
		if err := l.in.Engine.RemoveContainer(ctx, c.ID); err != nil {
			return err
		}
	}
	if l.in.after != nil {
		err := l.in.after(ctx)
		if l.in.after = nil; err != nil {
			return err
		}
	}
	if err := os.RemoveAll(l.in.rec.Workspace); err != nil {
		return fmt.Errorf("tidying the workspace: %w", err)
	}
	return copyFolder(ctx, l.pristine, l.in.rec.Workspace)
}

// copyFolder copies a folder with all that belongs to its files.
func copyFolder(ctx context.Context, from, to string) error {
	if out, err := exec.CommandContext(ctx, "cp", "-a", from, to).CombinedOutput(); err != nil {
		return fmt.Errorf("copying %s: %w: %s", from, err, out)
	}
	return nil
}

// attempt tries what is tried at once, and says how each item came out.
func (l *lane) attempt(ctx context.Context, n int) map[int]ProofResult {
	a, begun := l.attempts[n], time.Now()
	var names []string
	for _, i := range a.items {
		names = append(names, l.todo[i].result.Name)
		l.Progress.Send(progress.Event{State: progress.Begun, Step: l.todo[i].result.Name})
	}
	keepPets := slices.ContainsFunc(l.attempts[n+1:], func(a attempt) bool { return a.needs == proof.NeedsPets })
	rep, err := l.grade(ctx, a, keepPets)
	out := map[int]ProofResult{}
	for _, i := range a.items {
		result := l.todo[i].result
		result.Provenance = l.words[i].word
		result.With = slices.DeleteFunc(slices.Clone(names), func(name string) bool { return name == result.Name })
		result.judge(rep, err)
		result.Seconds = time.Since(begun).Seconds()
		out[i] = result
	}
	return out
}

// grade brings an attempt about and grades it.
func (l *lane) grade(ctx context.Context, a attempt, keepPets bool) (*report.Report, error) {
	first := l.todo[a.items[0]]
	tmp := filepath.Join(l.in.tmp, first.result.Name)
	if err := os.Mkdir(tmp, 0o755); err != nil {
		return nil, fmt.Errorf("making a folder for %s: %w", first.result.Name, err)
	}
	w, err := l.world(ctx, tmp)
	if err != nil {
		return nil, err
	}
	w.KeepPets = keepPets
	l.in.after = func(ctx context.Context) error {
		l.mu.Lock()
		l.images = append(l.images, w.Images()...)
		l.mu.Unlock()
		return w.Close(ctx)
	}
	if first.do != nil {
		if err = l.words[a.items[0]].err; err == nil {
			err = first.do(ctx, w)
		}
	} else {
		var ways []proof.Way
		for _, i := range a.items {
			ways = append(ways, l.todo[i].way)
		}
		err = proof.Go(ctx, w, ways...)
	}
	if err != nil {
		return nil, err
	}
	return l.in.grade(ctx)
}

// world is the instance as cheats and ways see it now.
func (l *lane) world(ctx context.Context, tmp string) (*proof.World, error) {
	in := l.in
	told, err := told(in.lab, in.rec)
	if err != nil {
		return nil, err
	}
	now, err := in.look(ctx)
	if err != nil {
		return nil, err
	}
	w := &proof.World{
		Instance: in.rec.Instance, Workspace: in.rec.Workspace, Tmp: tmp, Env: slices.Clone(in.env),
		Model: l.model.Model, Numbers: &l.numbers, Builder: in.Engine,
	}
	for _, s := range places(in.lab) {
		t := told.Services[slices.IndexFunc(told.Services, func(t lab.ToldService) bool { return t.Name == s.Name && t.Environment == s.Environment })]
		p := proof.Place{Service: s, Network: t.Network, Run: strings.Fields(t.Run)}
		p.Address = strings.TrimPrefix(t.URL, "http://")
		for _, c := range in.lab.Start().Containers {
			if c.Service != s.Name || c.Environment != s.Environment {
				continue
			}
			for _, there := range now.containers {
				if l.stays[there.ID] && there.Labels[engine.LabelContainer] == c.Name {
					p.Pets = append(p.Pets, there.ID)
				}
			}
		}
		w.Places = append(w.Places, p)
	}
	if slices.ContainsFunc(in.lab.Checks, func(c lab.Check) bool { return c.Kind == check.Demonstrated.Type }) {
		w.Demonstrate = in.demonstrate
	}
	return w, nil
}
