// Package problem is the shape of errors that people read: what could not be
// done, why, and how to mend it.
package problem

import "strings"

// Problem is an error for people. Every part is one sentence without a full
// stop, starting in lower case.
type Problem struct {
	What  string // "cannot start drift-lab"
	Why   string
	Mend  string // what to type or do
	Usage bool   // the command line or the lab is wrong, not the world
	Err   error  // the cause, for errors.Is; may be nil
}

func (p *Problem) Error() string {
	parts := []string{p.What}
	if p.Why != "" {
		parts = append(parts, p.Why)
	} else if p.Err != nil {
		parts = append(parts, p.Err.Error())
	}
	s := strings.Join(parts, ": ")
	if p.Mend != "" {
		s += "; " + p.Mend
	}
	return s
}

func (p *Problem) Unwrap() error { return p.Err }
