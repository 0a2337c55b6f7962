// Package plan decides what has to be done to an engine, from what a lab wants
// and what is there. It is pure: the same lab and the same observation give
// the same plan, and Plan.String tells all of it.
package plan

import (
	"fmt"
	"strings"

	"github.com/labctl/labctl/scenarios/lab"
)

// Kind is what an operation does.
type Kind string

// The operations. Each is one thing done to one object.
const (
	Image           Kind = "make image"
	Network         Kind = "create network"
	Workspace       Kind = "create workspace"
	Create          Kind = "create container"
	Start           Kind = "start container"
	Drift           Kind = "drift container"
	Ready           Kind = "wait for container"
	Record          Kind = "record container"
	Finish          Kind = "name container"
	MakeRelayImage  Kind = "make relay image"
	CreateRelay     Kind = "create relay"
	StartRelay      Kind = "start relay"
	RemoveContainer Kind = "remove container"
	RemoveNetwork   Kind = "remove network"
	RemoveImage     Kind = "remove image"
	RemoveWorkspace Kind = "remove workspace"
	Halt            Kind = "mark instance stopped"
	Forget          Kind = "forget instance"
)

// Op is one operation.
type Op struct {
	Kind   Kind
	Name   string // the object, as the engine or the host calls it
	Reason string
	After  []int // indexes of operations that must have succeeded before

	Image       *lab.Image       // of Image
	Environment *lab.Environment // of Network
	Container   *lab.Container   // of Create to Finish
	Service     *lab.Service     // of CreateRelay and StartRelay
}

// Plan is operations in an order in which they can be run one by one.
type Plan struct{ Ops []Op }

func (p *Plan) add(op Op) int {
	p.Ops = append(p.Ops, op)
	return len(p.Ops) - 1
}

// String is the plan as text, an operation a line:
//
//	3 create network drift-lab-ida: it is not there (after 1, 2)
func (p Plan) String() string {
	var b strings.Builder
	for i, op := range p.Ops {
		fmt.Fprintf(&b, "%d %s %s: %s", i, op.Kind, op.Name, op.Reason)
		if len(op.After) > 0 {
			fmt.Fprintf(&b, " (after %s)", strings.Trim(strings.ReplaceAll(fmt.Sprint(op.After), " ", ", "), "[]"))
		}
		b.WriteByte('\n')
	}
	return b.String()
}
