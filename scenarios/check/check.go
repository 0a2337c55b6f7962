// Package check holds the kinds of questions that labs ask. A kind is a value:
// what it is called, which attributes it takes, what evidence it needs and how
// it decides. Kinds do no I/O; whoever gathers hands them the evidence.
package check

import (
	"github.com/zclconf/go-cty/cty"

	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/lab"
)

// Status is how a check came out. Its zero value is Unknown, so that a check
// nobody evaluated never counts as passed.
type Status string

const (
	Unknown Status = ""
	Pass    Status = "pass"
	Fail    Status = "fail"
	Error   Status = "error" // could not look: never a grade
	Skip    Status = "skip"  // a check that it requires did not pass, or there is nothing to ask: Observed says why
)

// Verdict is what a kind says of one check.
type Verdict struct {
	Status    Status
	Container string   // name of the container that decided it, if one did
	Expected  string   // one line
	Observed  string   // one line
	Details   []string // paths and short diffs: "~ /etc/booking.conf", what belongs to one below it after Indent
	Notes     []string // what does not change the verdict but should be known
	Next      string   // overrides the check's own next step; for errors, how to mend

	// More is what else decides it, where that shows only from what is there. It
	// is gathered, and the check asked once more. Nil for nothing.
	More *Needs

	// Lacks are contents that Details would show, had the evidence their texts.
	Lacks []evidence.Entry
}

// Needs is the evidence that a check is decided by. What several checks need
// is gathered once.
type Needs struct {
	Requests []evidence.Request // asked of every live container, and of a fresh one where Fresh is set too
	Trees    bool               // live filesystems
	Images   bool               // the live images, and the lab's images that have a tag; not what their layers hold
	Layers   bool               // what the live images' layers hold
	Build    bool               // clean rooms of the repository
	Head     bool               // HEAD and its files
	Source   bool               // what HEAD adds to the start commit; where it packs something, also what was by hand and the live images' layers
	Fresh    bool               // a fresh container of each live image
	Traffic  bool               // bytes received while the address is probed
}

// Local reports whether nothing has to be asked of the engine or of a service.
// It may turn out later that it has.
func (n Needs) Local() bool {
	return len(n.Requests) == 0 && !n.Trees && !n.Images && !n.Layers && !n.Build && !n.Fresh && !n.Traffic
}

// Attribute is one attribute of a check block of this kind.
type Attribute struct {
	Name     string
	Type     cty.Type // attributes of object types may be optional
	Required bool
	Doc      string

	// Reference is the kind of block that the attribute names, "environment",
	// "check" or "image", without quotes. In the spec it is the name; Type says
	// whether it is one or a list of them.
	Reference string

	// Expression keeps the attribute unevaluated until there is evidence. In
	// the spec it is an Expression instead of a value.
	Expression bool
}

// Expression is an attribute that is evaluated against evidence: its source
// and the values of what it refers to besides evidence.
type Expression struct {
	Source string                     `json:"source"`
	Values map[string]ExpressionValue `json:"values,omitempty"` // param, local, lab, learner, each

	// Start are the lab's names of the containers that each service had at the
	// start, by its address: "booking" or "booking.prod".
	Start map[string][]string `json:"start,omitempty"`
}

// ExpressionValue is a value with its type, as go-cty's JSON has them.
type ExpressionValue struct {
	Type  []byte `json:"type"`
	Value []byte `json:"value"`
}

// Kind is one kind of check.
type Kind struct {
	Type       string // the block's first label: check "http" "…"
	Doc        string // what it proves and how it decides, one paragraph
	Title      string // title of a check that gives none; %s is the service
	Why, Next  string // defaults
	Points     int    // weight in the standard set
	Service    bool   // asks about a service: the service attribute is required
	Behaviour  bool   // its requests are asked of a fresh container by survives
	Attributes []Attribute

	// Validate reports what is wrong with a spec whose values are known,
	// beyond types: one message each. Nil when there is nothing to say.
	Validate func(spec []byte) []string

	Needs func(c lab.Check) (Needs, error)
	Eval  func(c lab.Check, set *evidence.Set) Verdict
}
