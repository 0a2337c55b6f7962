package runner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/labctl/labctl/runner/problem"
	"github.com/labctl/labctl/runner/state"
	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/lab"
	"github.com/labctl/labctl/scenarios/report"
)

// Progress is what a learner has reached in a lab: nothing, where nothing was
// kept.
func (d *Desk) Progress(lab, learner string) (*state.Progress, error) {
	p, err := d.State.Progress(lab, learner, slug(learner))
	return p, mendable(err)
}

// LabProgress is a shipped lab, and what a learner has reached in it. Its JSON is
// part of labctl/list/v1.
type LabProgress struct {
	LabInfo
	Passed *state.Passed  `json:"passed"`          // null until a check passed
	Quiz   *evidence.Quiz `json:"quiz,omitempty"`  // of a lab that has one
	Error  string         `json:"error,omitempty"` // why both are not known
}

// List are the shipped labs in the order in which they are best done.
func (d *Desk) List(learner string) ([]LabProgress, error) {
	labs, err := d.Library.List()
	if err != nil {
		return nil, err
	}
	out := []LabProgress{}
	for _, info := range labs {
		row := LabProgress{LabInfo: info}
		p, err := d.Progress(info.Name, learner)
		if err != nil {
			row.Error = err.Error()
		} else {
			row.Passed, row.Quiz = p.Passed, Quiz(info.questions, p)
		}
		out = append(out, row)
	}
	return out, nil
}

// Debrief is what a lab has to say to who has passed it, Markdown; "" when it
// says nothing.
func (d *Desk) Debrief(instance string) (string, error) {
	rec, err := d.State.Load(instance)
	if err != nil {
		return "", err
	}
	l, err := lookUp(d.State, d.Library, rec)
	if err != nil || l.Debrief == nil {
		return "", err
	}
	t, err := told(l, rec)
	if err != nil {
		return "", err
	}
	text, err := l.Debrief(t)
	if err != nil {
		return "", fmt.Errorf("writing the debrief: %w", err)
	}
	return text, nil
}

// Answer keeps an answer to a question of the lab, letters in any order, and
// tells all that is known of the question now. An answer that is none is an
// error.
func (d *Desk) Answer(ctx context.Context, l *lab.Lab, q lab.Question, picked string) (state.Answer, error) {
	if err := ValidAnswer(q, picked); err != nil {
		return state.Answer{}, err
	}
	letters := strings.Split(picked, "")
	slices.Sort(letters)
	picked = strings.Join(letters, "")
	right := picked == q.Correct()
	var after state.Answer
	err := d.State.ChangeProgress(ctx, l.Name, l.Learner, slug(l.Learner), func(p *state.Progress) {
		before, tried := p.Answers[q.Name]
		after = before
		if !tried {
			after = state.Answer{First: picked, FirstRight: right}
		}
		after.Right = after.Right || right
		after.Tries++
		p.Answers[q.Name] = after
	})
	return after, mendable(err)
}

// ValidAnswer says why letters are no answer to a question.
func ValidAnswer(q lab.Question, picked string) error {
	var letters []string
	for _, c := range q.Choices {
		letters = append(letters, c.Letter)
	}
	seen := ""
	for _, r := range picked {
		if !slices.Contains(letters, string(r)) {
			return &problem.Problem{What: "there is no choice " + string(r), Mend: "choose of " + strings.Join(letters, ", "), Usage: true}
		}
		if strings.ContainsRune(seen, r) {
			return &problem.Problem{What: "choice " + string(r) + " is there twice", Mend: "name each once", Usage: true}
		}
		seen += string(r)
	}
	switch {
	case picked == "":
		return &problem.Problem{What: "this is no answer", Mend: "choose of " + strings.Join(letters, ", "), Usage: true}
	case len(picked) > 1 && !q.Multiple():
		return &problem.Problem{What: "one choice is right, and " + picked + " are several", Mend: "choose one of " + strings.Join(letters, ", "), Usage: true}
	}
	return nil
}

// Quiz is how a lab's questions were answered so far; nil when it has none.
func Quiz(questions []lab.Question, p *state.Progress) *evidence.Quiz {
	if len(questions) == 0 {
		return nil
	}
	out := &evidence.Quiz{Questions: len(questions)}
	for _, q := range questions {
		a, answered := p.Answers[q.Name]
		if answered {
			out.Answered++
		}
		if a.Right {
			out.Right++
		}
		if a.FirstRight {
			out.FirstTry++
		}
	}
	return out
}

// Pass keeps a report that passed, unless a better one is there.
func (d *Desk) Pass(ctx context.Context, r report.Report) error {
	err := d.State.ChangeProgress(ctx, r.Lab, r.Learner, slug(r.Learner), func(p *state.Progress) {
		if p.Passed == nil || r.Score > p.Passed.Score {
			p.Passed = &state.Passed{Time: r.Evidence.Time, Score: r.Score, Max: r.Max, Evidence: r.Evidence.Digest}
		}
	})
	return mendable(err)
}

// quizOf is the result of the quiz as evidence has it.
func (r *Runner) quizOf(l *lab.Lab) *evidence.Quiz {
	desk := Desk{Library: r.Library, State: r.State}
	p, err := desk.Progress(l.Name, l.Learner)
	if err == nil {
		return Quiz(l.Quiz, p)
	}
	if len(l.Quiz) == 0 {
		return nil
	}
	return &evidence.Quiz{Questions: len(l.Quiz), Error: err.Error()}
}

// mendable says of damaged progress what to do.
func mendable(err error) error {
	if damaged := (*state.DamagedProgress)(nil); errors.As(err, &damaged) {
		return &problem.Problem{
			What: "your progress cannot be read", Err: err,
			Mend: "mend the file, or move it away to begin anew; it was left as it is",
		}
	}
	return err
}
