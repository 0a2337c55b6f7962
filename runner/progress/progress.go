// Package progress carries what is going on from the places that do long work
// to whoever shows it.
package progress

// State is where a step is.
type State int

const (
	Begun  State = iota
	Detail       // something to tell within a step
	Done
	Failed
	Notice // something the user should know that belongs to no step
)

// Event is one thing to show.
type Event struct {
	State  State
	Step   string // "image labctl/base:1", the same for all events of one step
	Detail string // "step 3/6: COPY www /srv/www"
	Total  int    // steps in all, 0 when unknown
}

// Func takes events. It may be called from several goroutines at once, and a
// nil Func takes them too.
type Func func(Event)

// Send passes an event on.
func (f Func) Send(e Event) {
	if f != nil {
		f(e)
	}
}

// Notice passes on something that belongs to no step.
func (f Func) Notice(text string) { f.Send(Event{State: Notice, Detail: text}) }
