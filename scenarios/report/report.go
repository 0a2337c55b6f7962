// Package report makes a report of evidence: what each check says, the points,
// and how what is live came to be. It is a pure function: the same evidence
// gives the same report, on any machine.
package report

import (
	"time"

	"github.com/labctl/labctl/scenarios/check"
	"github.com/labctl/labctl/scenarios/evidence"
)

// Schema names the format of a report's JSON.
const Schema = "labctl/report/v1"

// Report is one graded instance.
type Report struct {
	Schema     string              `json:"schema"`
	Lab        string              `json:"lab"`
	Learner    string              `json:"learner"`
	Instance   string              `json:"instance"`
	Labctl     string              `json:"labctl"` // version that gathered the evidence
	Definition string              `json:"definition"`
	Seed       int64               `json:"seed"`
	Evidence   Source              `json:"evidence"`
	Passed     bool                `json:"passed"` // every required check passed
	Score      int                 `json:"score"`
	Max        int                 `json:"max"`
	Provenance Provenance          `json:"provenance"` // the worst of Services that checks ask about; of all where none does
	Services   []ServiceProvenance `json:"services"`
	Checks     []Result            `json:"checks"`
	Quiz       *evidence.Quiz      `json:"quiz,omitempty"` // of a lab that has one; apart from the points
}

// Source is the evidence a report was made of.
type Source struct {
	Digest string    `json:"digest"`
	Time   time.Time `json:"time"` // when it was gathered
}

// Provenance is how what is live came to be.
type Provenance struct {
	Word    Word   `json:"word"`
	Because string `json:"because"` // one sentence
}

// ServiceProvenance is the provenance of one service in one environment.
type ServiceProvenance struct {
	Service     string `json:"service"`
	Environment string `json:"environment"`
	Provenance
}

// Result is how one check came out, in one environment.
type Result struct {
	Name        string       `json:"name"`
	Kind        string       `json:"kind"`
	Title       string       `json:"title"`
	Service     string       `json:"service"`
	Environment string       `json:"environment"`
	Container   string       `json:"container"` // that decided it
	Status      check.Status `json:"status"`
	Required    bool         `json:"required"`
	Points      int          `json:"points"`
	Max         int          `json:"max"`
	Expected    string       `json:"expected"`
	Observed    string       `json:"observed"`
	Details     []string     `json:"details"`
	Notes       []string     `json:"notes"`
	SkippedFor  string       `json:"skipped_because"`
	Why         string       `json:"why"`
	Next        string       `json:"next"`
}

// CouldNotLook reports whether some check could not be decided, so that there
// is no grade.
func (r Report) CouldNotLook() bool {
	for _, c := range r.Checks {
		if c.Status == check.Error || c.Status == check.Unknown {
			return true
		}
	}
	return false
}

// Text is every sentence of the report on a line of its own, in plain text:
// what a scenario's says is looked for in.
func (r Report) Text() []string {
	var out []string
	for _, p := range r.Services {
		out = append(out, string(p.Word)+": "+p.Because)
	}
	for _, c := range r.Checks {
		out = append(out, string(c.Status)+" "+c.Name+": "+c.Title)
		if c.Expected != "" {
			out = append(out, "expected "+c.Expected)
		}
		if c.Observed != "" {
			out = append(out, "observed "+c.Observed)
		}
		out = append(out, c.Details...)
		out = append(out, c.Notes...)
		if c.SkippedFor != "" {
			out = append(out, "skipped because "+c.SkippedFor)
		}
	}
	return out
}
