// Package proof holds the ways in which a rebuild can be faked, and the honest
// ones that must not be accused. They are derived from a lab's own start and
// right scenario, so that they exist for labs that their author never thought
// of attacking.
//
// A cheat makes the service behave right, and must be told from a rebuild by
// the kind of check that it names. A way is somebody's honest work, and must
// get all points. Neither looks at evidence: what they are made of is read
// from the engine's own export, so that a fault of the grader's reading cannot
// hide itself.
package proof

import (
	"context"
	"fmt"
	"slices"

	"github.com/labctl/labctl/scenarios/report"
)

// Cheat is one way of faking a rebuild.
type Cheat struct {
	Name   string
	Family string
	Doc    string // what is done, in a few words
	Killer string // the kind of check that must fail
	Word   func(ctx context.Context, w *World) (report.Word, error)

	Needs Needs
	Local bool // it leaves the repository alone: others can be tried at once, each in places of its own

	Do func(ctx context.Context, w *World) error
}

// Needs is what a cheat or a way needs of the instance in which it is tried.
type Needs int

const (
	NeedsNothing Needs = iota // it replaces whatever runs
	NeedsPets                 // the start's containers, running or not, edited or not
	NeedsStart                // an instance just as it was started
	NeedsOwnBase              // the same, whose bases are images and tags of its own: what is done to them must not reach anybody else's
	NeedsAll                  // an instance that nothing else is tried in: nobody knows what a lab's own script does
)

// Cheats are all cheats, family by family.
func Cheats() []Cheat {
	return slices.Concat(onThePet, onAReplacement, launders, dresses, lies, fronts)
}

// NotApplicable is the error of a cheat or a way that a lab has no place for.
// A lab says so too, or it counts as a failure: what is not tried proves
// nothing.
type NotApplicable struct{ Why string }

func (e *NotApplicable) Error() string { return e.Why }

func notApplicable(format string, args ...any) error {
	return &NotApplicable{Why: fmt.Sprintf(format, args...)}
}

// always is the word of a cheat that comes out the same in every lab.
func always(word report.Word) func(context.Context, *World) (report.Word, error) {
	return func(context.Context, *World) (report.Word, error) { return word, nil }
}
