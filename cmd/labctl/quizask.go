package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/labctl/labctl/runner"
	"github.com/labctl/labctl/runner/problem"
	"github.com/labctl/labctl/runner/state"
	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/lab"
)

// errLeft ends asking: there is nothing more to read.
var errLeft = errors.New("the input has ended")

// asking is one interactive quiz.
type asking struct {
	view     quizView
	desk     *runner.Desk
	progress *state.Progress
	typed    chan line
}

type line struct {
	text string
	err  error
}

func newAsking(streams *Streams, desk *runner.Desk, l *lab.Lab, progress *state.Progress) *asking {
	a := &asking{view: quizView{io: streams, lab: l}, desk: desk, progress: progress, typed: make(chan line)}
	// A terminal cannot be asked to stop reading: Ctrl-C ends the quiz while
	// this one still waits.
	go func() {
		in := bufio.NewReader(streams.In)
		for {
			text, err := in.ReadString('\n')
			if text != "" && errors.Is(err, io.EOF) {
				err = nil // a last line without an end; the end comes next
			}
			a.typed <- line{text, err}
			if err != nil {
				return
			}
		}
	}()
	return a
}

func (a *asking) run(ctx context.Context) error {
	l, todo := a.view.lab, a.todo()
	if n := len(l.Quiz) - len(todo); n > 0 {
		fmt.Fprintf(a.view.io.Err, "%s answered right before; here is the rest.\n\n", count(n, "question was", "questions were"))
	}
	err := a.ask(ctx, todo)
	if err != nil && !errors.Is(err, errLeft) && !errors.Is(err, context.Canceled) {
		return err
	}
	if err != nil {
		fmt.Fprintln(a.view.io.Out) // the prompt's line
	}
	if errors.Is(err, context.Canceled) {
		return &problem.Problem{What: "interrupted", Why: "what you answered is kept", Mend: "labctl quiz " + l.Name + " goes on", Err: err}
	}
	progress, err := a.desk.Progress(l.Name, l.Learner)
	if err != nil {
		return err
	}
	a.view.result(runner.Quiz(l.Quiz, progress))
	return nil
}

// todo are the places of the questions to ask: those that were not answered
// right yet, else all.
func (a *asking) todo() []int {
	var todo, all []int
	for i, q := range a.view.lab.Quiz {
		all = append(all, i)
		if !a.progress.Answers[q.Name].Right {
			todo = append(todo, i)
		}
	}
	if len(todo) == 0 {
		return all
	}
	return todo
}

func (a *asking) ask(ctx context.Context, todo []int) error {
	for at, i := range todo {
		a.view.question(i)
		letters, err := a.answer(ctx, a.view.lab.Quiz[i])
		if err != nil {
			return err
		}
		a.view.explain(i, letters)
		if at+1 < len(todo) {
			if _, err := a.prompt(ctx, "Enter shows the next one. "); err != nil {
				return err
			}
			fmt.Fprintln(a.view.io.Out)
		}
	}
	return nil
}

// answer asks until there is an answer, and keeps it.
func (a *asking) answer(ctx context.Context, q lab.Question) (string, error) {
	ask := "Your answer: "
	if q.Multiple() {
		ask = "Your answer, several letters: "
	}
	for {
		typed, err := a.prompt(ctx, ask)
		if err != nil {
			return "", err
		}
		letters := plainLetters(strings.TrimSpace(typed))
		if err := runner.ValidAnswer(q, letters); err != nil {
			fmt.Fprintln(a.view.io.Out, Clean(err.Error())+".")
			continue
		}
		_, err = a.desk.Answer(ctx, a.view.lab, q, letters)
		return letters, err
	}
}

// prompt reads a line. Leaving is context.Canceled for Ctrl-C, errLeft for
// Ctrl-D.
func (a *asking) prompt(ctx context.Context, ask string) (string, error) {
	fmt.Fprint(a.view.io.Out, a.view.io.OutColors.Bold(ask))
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case typed := <-a.typed:
		if errors.Is(typed.err, io.EOF) {
			return "", errLeft
		}
		if typed.err != nil {
			return "", fmt.Errorf("reading the answer: %w", typed.err)
		}
		return typed.text, nil
	}
}

// quizView shows questions and what is said about answers.
type quizView struct {
	io  *Streams
	lab *lab.Lab
}

func (v *quizView) question(i int) {
	c, q := v.io.OutColors, v.lab.Quiz[i]
	several := ""
	if q.Multiple() {
		several = ", several choices are right"
	}
	fmt.Fprintf(v.io.Out, "%s%s\n\n%s\n\n", c.Bold(fmt.Sprintf("Question %d of %d", i+1, len(v.lab.Quiz))), several, v.markdown(q.Question, 0))
	for _, choice := range q.Choices {
		v.item("  "+c.Bold(choice.Letter)+"  ", 5, choice.Text)
	}
	fmt.Fprintln(v.io.Out)
}

// explain says whether an answer was right, and what every choice is about.
func (v *quizView) explain(i int, letters string) {
	c, q := v.io.OutColors, v.lab.Quiz[i]
	verdict := c.Green("✓") + " Right."
	if !isRight(q, letters) {
		correct := q.Correct()
		verdict = fmt.Sprintf("%s Not right. You chose %s; it is %s.", c.Red("✗"), spelled(letters), spelled(correct))
	}
	fmt.Fprintf(v.io.Out, "%s\n\n", verdict)
	for _, choice := range q.Choices {
		mark := c.Red("✗")
		if choice.Correct {
			mark = c.Green("✓")
		}
		v.item("  "+mark+" "+c.Bold(choice.Letter)+"  ", 7, choice.Explain)
	}
	fmt.Fprintln(v.io.Out)
}

// spelled writes letters for people: "a and c".
func spelled(letters string) string {
	parts := strings.Split(letters, "")
	if n := len(parts); n > 1 {
		return strings.Join(parts[:n-1], ", ") + " and " + parts[n-1]
	}
	return letters
}

func (v *quizView) result(r *evidence.Quiz) {
	fmt.Fprintln(v.io.Out, wrap("Quiz: "+quizResult(r)+".", v.io.Width, ""))
	if r.Right < r.Questions {
		fmt.Fprintf(v.io.Err, "labctl quiz %s asks what is not right yet.\n", Clean(v.lab.Name))
	}
}

// quizResult is the result of a quiz in a line.
func quizResult(r *evidence.Quiz) string {
	if r.Error != "" {
		return "not known, " + Clean(r.Error)
	}
	if r.Answered == 0 {
		return "not answered yet"
	}
	result := fmt.Sprintf("%d of %s right, %d at the first try", r.Right, count(r.Questions, "question", "questions"), r.FirstTry)
	if left := r.Questions - r.Answered; left > 0 {
		result += fmt.Sprintf(", %d not answered yet", left)
	}
	return result
}

// item shows a text behind a mark of some columns.
func (v *quizView) item(mark string, width int, text string) {
	lines := strings.Split(v.markdown(text, width), "\n")
	fmt.Fprintln(v.io.Out, strings.Join(hang(lines, mark, strings.Repeat(" ", width)), "\n"))
}

// markdown lays a text out, as many columns narrower; without a line break at
// its end.
func (v *quizView) markdown(text string, narrower int) string {
	return strings.TrimSuffix(showMarkdown(text, min(v.io.Width, proseWidth)-narrower, v.io.OutColors), "\n")
}
