package plan

import (
	"fmt"

	"github.com/labctl/labctl/scenarios/lab"
)

// unfinishedSuffix marks a start container that is not complete yet: it is
// renamed as the last act of its making, so that the engine itself tells a
// half-made one after this process was killed.
const unfinishedSuffix = "-starting"

// Names are an instance's names on the engine.
type Names struct{ Instance string }

// Container is the engine's name of a start container.
func (n Names) Container(name string) string { return n.Instance + "-" + name }

// Unfinished is the engine's name of a start container that is being made.
func (n Names) Unfinished(name string) string { return n.Container(name) + unfinishedSuffix }

// Network is the engine's name of an environment's network.
func (n Names) Network(environment string) string {
	if environment == "" {
		return n.Instance
	}
	return n.Instance + "-" + environment
}

// Demonstration is the engine's name of a record, the n-th in an environment.
func (n Names) Demonstration(environment string, number int) string {
	return fmt.Sprintf("%s-demonstrated-%s-%d", n.Instance, environment, number)
}

// Image is the engine's name of an image: the lab's tag, or one for the
// instance alone.
func (n Names) Image(image lab.Image) string {
	if image.Tag != "" {
		return image.Tag
	}
	return "labctl/" + n.Instance + ":" + image.Name
}

// Found is a start container that is there.
type Found struct {
	ID       string
	Name     string // the engine's, whatever it is by now
	Called   string // the lab's
	Finished bool   // its making came to its end
}

// Observed is what is there of an instance before it is started.
type Observed struct {
	Complete   bool     // an earlier start came to its end
	Networks   []string // names
	Containers []Found
	Relays     []FoundRelay
	Workspace  bool
}

// StartInstance plans what is missing of an instance. What a complete one has
// lost since, somebody took away on purpose: only its networks, its relays and
// the folder to work in come back.
func StartInstance(l *lab.Lab, names Names, workspace string, o Observed) Plan {
	var p Plan
	networks := map[string][]int{}
	if o.Complete {
		for i := range l.Environments {
			env := &l.Environments[i]
			if name := names.Network(env.Name); !has(o.Networks, name) {
				networks[env.Name] = []int{p.add(Op{Kind: Network, Name: name, Reason: "it was removed", Environment: env})}
			}
		}
		p.relays(l, names, o, nil, networks)
		if !o.Workspace {
			p.add(Op{Kind: Workspace, Name: workspace, Reason: "it is gone"})
		}
		return p
	}

	// The folder first: it is what most often cannot be had, and takes no time.
	var made []int
	if !o.Workspace {
		made = append(made, p.add(Op{Kind: Workspace, Name: workspace, Reason: "the learner works there"}))
	}
	for i := range l.Images {
		image := &l.Images[i]
		op := Op{Kind: Image, Name: names.Image(*image), Reason: "the lab's world is made of it", Image: image, After: append([]int(nil), made...)}
		made = append(made, p.add(op))
	}
	ready := made

	for i := range l.Environments {
		env := &l.Environments[i]
		networks[env.Name] = ready
		if name := names.Network(env.Name); !has(o.Networks, name) {
			networks[env.Name] = []int{p.add(Op{Kind: Network, Name: name, Reason: "it is not there", Environment: env, After: ready})}
		}
	}

	p.relays(l, names, o, ready, networks)

	start := l.Start()
	finished := map[string]bool{}
	removed := map[string][]int{}
	for _, c := range o.Containers {
		if c.Finished {
			finished[c.Called] = true
			continue
		}
		// Nobody can tell how far a half-made container got, so it is made again.
		removed[c.Called] = append(removed[c.Called], p.add(Op{Kind: RemoveContainer, Name: c.ID, Reason: c.Name + " is half-made"}))
	}
	for i := range start.Containers {
		c := &start.Containers[i]
		if finished[c.Name] {
			continue
		}
		temporary := names.Unfinished(c.Name)
		after := append(append([]int(nil), networks[c.Environment]...), removed[c.Name]...)
		step := p.add(Op{Kind: Create, Name: temporary, Reason: "the start has it", Container: c, After: after})
		step = p.add(Op{Kind: Start, Name: temporary, Reason: "it runs", Container: c, After: []int{step}})
		if c.Drift != "" {
			step = p.add(Op{Kind: Drift, Name: temporary, Reason: "somebody changed it by hand", Container: c, After: []int{step}})
		}
		if s := l.Service(c.Service, c.Environment); s != nil && s.Ready.Get != "" {
			step = p.add(Op{Kind: Ready, Name: temporary, Reason: s.Address() + " says when it is ready", Container: c, After: []int{step}})
		}
		step = p.add(Op{Kind: Record, Name: temporary, Reason: "what it is now is compared with later", Container: c, After: []int{step}})
		p.add(Op{Kind: Finish, Name: names.Container(c.Name), Reason: "it is complete", Container: c, After: []int{step}})
	}
	return p
}

func has(names []string, name string) bool {
	for _, n := range names {
		if n == name {
			return true
		}
	}
	return false
}
