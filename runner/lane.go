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
// most of a proof's time. So what replaces the servers anyway is tried in the
// instances that others needed, one after the other: a lane, which is tidied
// between. Honest ways that get along are gone at once, and cheats that leave the
// repository alone are tried at once where there are several places, each in its
// own. What does not come out as it should there is tried again, alone and in an
// instance of its own, and that counts.

// attempt is what is tried at once: cheats, or honest ways.
type attempt struct {
	items []int // by their index
	needs proof.Needs
	away  bool // the lab says that it is not applicable, so it should do nothing
}

// attempts puts honest ways together, one of each family, and as many cheats as
// there are places. What the lab says is not applicable stays by itself.
func attempts(todo []item, places int) []attempt {
	var out []attempt
	open := map[proof.Needs]int{} // attempts that take another cheat
	families := map[string][]int{}
	for i, item := range todo {
		if item.local && item.result.declaredAway == "" {
			at, is := open[item.needs]
			if !is || len(out[at].items) == places {
				at = len(out)
				open[item.needs] = at
				out = append(out, attempt{needs: item.needs})
			}
			out[at].items = append(out[at].items, i)
			continue
		}
		if item.way.Family == "" || item.way.Alone() || item.result.declaredAway != "" {
			out = append(out, attempt{[]int{i}, item.needs, item.result.declaredAway != ""})
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

// lanes are what is tried first in an instance, one for each, and what any of
// them goes on with. Those that share with nobody begin: they cannot help at the
// end. There are at least n that share, as long as there is something for them;
// those that need no instance as it was started have nothing that must be first.
func lanes(all []attempt, n int) (firsts []first, rest *queue) {
	rest = &queue{}
	shared := 0
	for _, a := range all {
		if a.needs == proof.NeedsOwnBase || a.needs == proof.NeedsAll {
			firsts = append(firsts, first{attempt: a, alone: true})
		}
	}
	for _, a := range all {
		switch {
		case a.needs == proof.NeedsStart && !a.away:
			firsts = append(firsts, first{attempt: a})
			shared++
		case a.needs == proof.NeedsStart || a.needs == proof.NeedsPets:
			rest.pets = append(rest.pets, a)
		case a.needs == proof.NeedsNothing:
			rest.others = append(rest.others, a)
		}
	}
	for range min(n-shared, len(rest.pets)+len(rest.others)) {
		firsts = append(firsts, first{})
	}
	return firsts, rest
}

// first is what a lane begins with: nothing, where it has no items.
type first struct {
	attempt
	alone bool // and ends with
}

// queue is what lanes go on with.
type queue struct {
	mu     sync.Mutex
	pets   []attempt // that take from the start's containers
	others []attempt // that need nothing
}

// next takes what is to be tried next. Pets says whether others still need the
// start's containers then.
func (q *queue) next() (a attempt, pets, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	from := &q.pets
	if len(q.pets) == 0 {
		from = &q.others
	}
	if len(*from) == 0 {
		return a, false, false
	}
	a, *from = (*from)[0], (*from)[1:]
	return a, len(q.pets) > 0, true
}

// wanted are all that are left, and whether some need the start's containers.
func (q *queue) wanted() (left []attempt, pets bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return slices.Concat(q.pets, q.others), len(q.pets) > 0
}

// along tries a lane, and what came out wrong there once more. A lane that broke
// off leaves what is next to others, of which it may be the last.
func (t *trial) along(ctx context.Context, begin first, rest *queue) error {
	for ctx.Err() == nil {
		a, pets, more := begin.attempt, false, true
		if len(a.items) == 0 {
			a, pets, more = rest.next()
		} else if !begin.alone {
			_, pets = rest.wanted()
		}
		if !more {
			return nil
		}
		l := &lane{trial: t, alone: begin.alone, rest: rest}
		for _, i := range l.try(ctx, a, pets) {
			once := &lane{trial: t, alone: true}
			once.try(ctx, attempt{items: []int{i}, needs: t.todo[i].needs}, false)
		}
		if begin.alone {
			break
		}
		begin = first{}
	}
	return ctx.Err()
}

// lane is what is tried in one instance.
type lane struct {
	*trial
	alone bool   // it is there for one item
	rest  *queue // that it goes on with, when it is not

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

// try tries all of it, and returns what is to be tried again.
func (l *lane) try(ctx context.Context, a attempt, pets bool) (again []int) {
	begin := l.todo[a.items[0]]
	o := instanceOptions{name: "lane-" + begin.result.Name, ownBase: a.needs == proof.NeedsOwnBase}
	if l.alone {
		o.name, o.keep, o.always = "proof-"+begin.result.Name, l.o.Keep, l.o.KeepAll
	}
	begun, results := slices.Clone(a.items), map[int]ProofResult{}
	var kept string
	err := l.instance(ctx, o, func(ctx context.Context, in *tried) (bool, error) {
		l.in = in
		if err := l.open(ctx, a); err != nil {
			return false, err
		}
		ok := true
		for more := true; more; {
			for i, result := range l.attempt(ctx, a, pets) {
				results[i] = result
				ok = ok && result.OK
				if result.OK && !l.alone {
					l.record(i, result)
				}
			}
			if ctx.Err() != nil {
				return false, ctx.Err()
			}
			if l.alone {
				break
			}
			if a, pets, more = l.rest.next(); !more {
				break
			}
			begun = append(begun, a.items...)
			if err := l.tidy(ctx); err != nil {
				return false, err
			}
		}
		return ok, nil
	}, &kept)
	for _, i := range begun {
		if !results[i].OK && !l.alone {
			again = append(again, i)
		}
	}
	if l.alone {
		i := begun[0]
		result, is := results[i]
		if !is {
			result = l.todo[i].result
		}
		if err != nil {
			result.OK, result.Outcome, result.Because = false, Untried, err.Error()
		}
		result.Kept = kept
		l.record(i, result)
	}
	return again
}

// record keeps how an item came out.
func (l *lane) record(i int, result ProofResult) {
	l.ended(l.step(i), result.OK)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.outcome.Proofs[i] = result
}

// step is how the progress calls an item.
func (t *trial) step(i int) string { return t.name + " " + t.todo[i].result.Name }

// open notes what the instance is like before anything was tried in it, of which
// a will be the first.
func (l *lane) open(ctx context.Context, a attempt) error {
	w, err := l.in.look(ctx)
	if err != nil {
		return err
	}
	l.stays = map[string]bool{}
	for _, c := range w.of(l.in.rec.Instance).containers {
		l.stays[c.ID] = true
	}
	may := []attempt{a}
	if !l.alone {
		left, _ := l.rest.wanted()
		may = append(may, left...)
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
	for _, a := range may {
		for _, i := range a.items {
			if tell := l.todo[i].word; tell != nil {
				word, err := tell(ctx, before.In(placesOf(a, i, before.Places), l.in.tmp))
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
func (l *lane) attempt(ctx context.Context, a attempt, keepPets bool) map[int]ProofResult {
	begun := time.Now()
	var names []string
	for _, i := range a.items {
		names = append(names, l.todo[i].result.Name)
		l.Progress.Send(progress.Event{State: progress.Begun, Step: l.step(i)})
	}
	rep, errs := l.grade(ctx, a, keepPets)
	out := map[int]ProofResult{}
	for n, i := range a.items {
		result := l.todo[i].result
		result.Provenance = l.words[i].word
		result.With = slices.DeleteFunc(slices.Clone(names), func(name string) bool { return name == result.Name })
		seen := rep
		if rep != nil && l.todo[i].local && len(a.items) > 1 {
			all := places(l.in.lab)
			seen = only(rep, placesOf(a, i, all), all)
		}
		result.judge(seen, errs[n])
		result.Seconds = time.Since(begun).Seconds()
		out[i] = result
	}
	return out
}

// placesOf are those of all places that an item of an attempt has for itself, if
// it is one of several cheats: each place has a cheat.
func placesOf[P any](a attempt, i int, all []P) []P {
	var own []P
	for n, p := range all {
		if a.items[n%len(a.items)] == i {
			own = append(own, p)
		}
	}
	return own
}

// only is what a report says of some of the places, and of none in particular.
func only(r *report.Report, own, all []lab.Service) *report.Report {
	of := func(places []lab.Service, service, environment string) bool {
		return slices.ContainsFunc(places, func(p lab.Service) bool { return p.Name == service && p.Environment == environment })
	}
	part := *r
	part.Checks, part.Services, part.Score, part.Max = nil, nil, 0, 0
	for _, c := range r.Checks {
		if of(own, c.Service, c.Environment) || !of(all, c.Service, c.Environment) {
			part.Checks = append(part.Checks, c)
			part.Score, part.Max = part.Score+c.Points, part.Max+c.Max
		}
	}
	for _, s := range r.Services {
		if of(own, s.Service, s.Environment) {
			part.Services = append(part.Services, s)
			if len(part.Services) == 1 {
				part.Provenance = s.Provenance
			} else if part.Provenance.Word != s.Word {
				part.Provenance = r.Provenance
			}
		}
	}
	return &part
}

// grade brings an attempt about and grades it. There are as many errors as items.
func (l *lane) grade(ctx context.Context, a attempt, keepPets bool) (*report.Report, []error) {
	errs := make([]error, len(a.items))
	whole := func(err error) (*report.Report, []error) {
		for n := range errs {
			errs[n] = errors.Join(errs[n], err)
		}
		return nil, errs
	}
	name := l.todo[a.items[0]].result.Name
	tmp := filepath.Join(l.in.tmp, name)
	if err := os.Mkdir(tmp, 0o755); err != nil {
		return whole(fmt.Errorf("making a folder for %s: %w", name, err))
	}
	w, err := l.world(ctx, tmp)
	if err != nil {
		return whole(err)
	}
	w.KeepPets = keepPets
	worlds := []*proof.World{w}
	l.in.after = func(ctx context.Context) error {
		var err error
		for _, w := range worlds {
			l.mu.Lock()
			l.images = append(l.images, w.Images()...)
			l.mu.Unlock()
			err = errors.Join(err, w.Close(ctx))
		}
		return err
	}
	if len(a.items) == 1 && l.todo[a.items[0]].do != nil {
		i := a.items[0]
		if err = l.words[i].err; err == nil {
			err = l.todo[i].do(ctx, w)
		}
	} else if l.todo[a.items[0]].do == nil {
		var ways []proof.Way
		for _, i := range a.items {
			ways = append(ways, l.todo[i].way)
		}
		err = proof.Go(ctx, w, ways...)
	} else {
		// Environment by environment, as learners do.
		for at, p := range w.Places {
			n := at % len(a.items)
			i := a.items[n]
			if errs[n] = errors.Join(errs[n], l.words[i].err); errs[n] != nil {
				continue
			}
			here := w.In([]proof.Place{p}, filepath.Join(tmp, fmt.Sprint(at)))
			worlds = append(worlds, here)
			if errs[n] = os.Mkdir(here.Tmp, 0o755); errs[n] == nil {
				errs[n] = l.todo[i].do(ctx, here)
			}
		}
	}
	if err != nil {
		return whole(err)
	}
	rep, err := l.in.grade(ctx)
	if err != nil {
		return whole(err)
	}
	return rep, errs
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
		Model: l.model, Numbers: &l.numbers, Builder: in.Engine,
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
