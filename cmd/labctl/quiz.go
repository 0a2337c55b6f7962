package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/labctl/labctl/runner"
	"github.com/labctl/labctl/runner/problem"
	"github.com/labctl/labctl/runner/state"
	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/lab"
)

const quizSchema = "labctl/quiz/v1"

type quizOptions struct {
	f        *Factory
	selector runner.Selector
	answers  string
	format   Format
}

func newQuizCmd(f *Factory, runF func(context.Context, *quizOptions) error) *cobra.Command {
	opts := &quizOptions{f: f}
	cmd := &cobra.Command{
		Use:   "quiz [LAB]",
		Short: "Ask a lab's questions, and explain every answer",
		Long: `Ask the questions of a lab, one at a time, and explain every choice afterwards.
The first try is the one that counts; any number may follow. What was answered is
kept, also when you leave in between, and stands in the report of labctl check,
apart from the points. Asked is what you have not had right yet, or else all.

LAB is the name of a lab that labctl list shows, or a folder, such as ./my-lab; it
need not be started. Without LAB it is the lab of the workspace you are in, or
else the only one that was started.

--answers answers without asking, all or some of the questions: 2=ac picks a and
c for the second one. Without it nobody is asked where standard input is no
terminal, or with --format json: the questions are shown.`,
		Example: `  labctl quiz drift-lab
  labctl quiz drift-lab --format json
  labctl quiz drift-lab --answers 1=b,2=ac --format json`,
		Args:              atMost(1),
		ValidArgsFunction: completeLabs(f),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				opts.selector.Lab = args[0]
			}
			if runF != nil {
				return runF(cmd.Context(), opts)
			}
			return quizRun(cmd.Context(), opts)
		},
	}
	addLearner(cmd, &opts.selector.Learner, "who answers: the learner's `NAME` (default the one who started the lab, or your user name)")
	cmd.Flags().StringVar(&opts.answers, "answers", "", "answer so instead of being asked: `NUMBER=LETTERS,…`")
	complete(cmd, "answers", cobra.NoFileCompletions)
	addFormat(cmd, &opts.format)
	return cmd
}

// quizDocument is labctl/quiz/v1: the questions, what this call answered, and the
// result of the whole quiz.
type quizDocument struct {
	Schema    string         `json:"schema"`
	Lab       string         `json:"lab"`
	Learner   string         `json:"learner"`
	Questions []quizQuestion `json:"questions"` // all of them
	Answers   []quizAnswer   `json:"answers"`   // given by this call
	Result    *evidence.Quiz `json:"result"`
}

// quizQuestion is one question, without what is right.
type quizQuestion struct {
	Number   int          `json:"number"` // from 1
	Name     string       `json:"name"`   // the lab's for it
	Question string       `json:"question"`
	Multiple bool         `json:"multiple"` // several choices are right
	Choices  []quizOption `json:"choices"`
}

// quizOption is one choice of a question, as it is asked.
type quizOption struct {
	Letter string `json:"letter"`
	Text   string `json:"text"`
}

// quizAnswer is one answer, and what there is to say about it.
type quizAnswer struct {
	Number   int          `json:"number"` // of the question, from 1
	Name     string       `json:"name"`   // the lab's for the question
	Question string       `json:"question"`
	Picked   string       `json:"picked"`  // letters
	Correct  string       `json:"correct"` // letters, sorted
	Right    bool         `json:"right"`
	Tries    int          `json:"tries"`     // this one included
	FirstTry bool         `json:"first_try"` // the first one was right
	Choices  []quizChoice `json:"choices"`
}

// quizChoice is one choice of a question, explained.
type quizChoice struct {
	Letter  string `json:"letter"`
	Text    string `json:"text"`
	Correct bool   `json:"correct"`
	Explain string `json:"explain"`
}

func quizRun(ctx context.Context, opts *quizOptions) error {
	desk, l, err := read(opts.f, opts.selector)
	if err != nil {
		return err
	}
	if len(l.Quiz) == 0 {
		return &problem.Problem{What: l.Name + " has no quiz", Mend: "labctl start " + l.Name + " starts the lab"}
	}
	// Progress that cannot be read would be found out after the first answer.
	progress, err := desk.Progress(l.Name, l.Learner)
	if err != nil {
		return err
	}
	if opts.answers == "" && opts.format == Text && opts.f.IO.InTerminal {
		return newAsking(opts.f.IO, desk, l, progress).run(ctx)
	}
	var picked map[int]string
	if opts.answers != "" {
		if picked, err = parseAnswers(l.Quiz, opts.answers); err != nil {
			return err
		}
	}
	doc := quizDocument{Schema: quizSchema, Lab: l.Name, Learner: l.Learner, Answers: []quizAnswer{}}
	view := quizView{io: opts.f.IO, lab: l}
	for i, q := range l.Quiz {
		doc.Questions = append(doc.Questions, asked(i, q))
		letters, given := picked[i]
		if opts.answers == "" && opts.format == Text {
			view.question(i)
		}
		if !given {
			continue
		}
		answer, err := desk.Answer(ctx, l, q, letters)
		if err != nil {
			return err
		}
		doc.Answers = append(doc.Answers, answered(i, q, letters, answer))
		if opts.format == Text {
			view.question(i)
			view.explain(i, letters)
		}
	}
	if progress, err = desk.Progress(l.Name, l.Learner); err != nil {
		return err
	}
	doc.Result = runner.Quiz(l.Quiz, progress)
	if opts.format == JSON {
		return writeJSON(opts.f.IO.Out, doc)
	}
	if opts.answers == "" {
		fmt.Fprintf(opts.f.IO.Err, "Nobody can be asked, standard input is no terminal. Answer so: labctl quiz %s --answers 1=b,2=ac\n", Clean(l.Name))
		return nil
	}
	view.result(doc.Result)
	return nil
}

func asked(i int, q lab.Question) quizQuestion {
	out := quizQuestion{Number: i + 1, Name: q.Name, Question: q.Question, Multiple: q.Multiple()}
	for _, c := range q.Choices {
		out.Choices = append(out.Choices, quizOption{c.Letter, c.Text})
	}
	return out
}

func answered(i int, q lab.Question, letters string, a state.Answer) quizAnswer {
	out := quizAnswer{
		Number: i + 1, Name: q.Name, Question: q.Question, Picked: letters, Correct: q.Correct(), Right: isRight(q, letters),
		Tries: a.Tries, FirstTry: a.FirstRight,
	}
	for _, c := range q.Choices {
		out.Choices = append(out.Choices, quizChoice{c.Letter, c.Text, c.Correct, c.Explain})
	}
	return out
}

// isRight says whether letters, each there once, are the right answer.
func isRight(q lab.Question, letters string) bool {
	correct := q.Correct()
	return len(letters) == len(correct) && strings.Trim(letters, correct) == ""
}

// parseAnswers reads 1=b,2=ac: the letters that are picked, by the question's
// place. All of them are valid, or it is an error.
func parseAnswers(questions []lab.Question, text string) (map[int]string, error) {
	const form = "answer with --answers 1=b,2=ac"
	picked := map[int]string{}
	for one := range strings.SplitSeq(text, ",") {
		number, letters, ok := strings.Cut(one, "=")
		n, err := strconv.Atoi(strings.TrimSpace(number))
		if !ok || err != nil {
			return nil, usageError(fmt.Sprintf("labctl quiz: %q is no answer", one), form)
		}
		if n < 1 || n > len(questions) {
			return nil, usageError(fmt.Sprintf("labctl quiz: there is no question %d", n), fmt.Sprintf("questions are numbered from 1 to %d", len(questions)))
		}
		if _, twice := picked[n-1]; twice {
			return nil, usageError(fmt.Sprintf("labctl quiz: question %d is answered twice", n), form)
		}
		letters = plainLetters(letters)
		if err := runner.ValidAnswer(questions[n-1], letters); err != nil {
			text, mend := explain(err)
			return nil, usageError(fmt.Sprintf("labctl quiz: question %d: %s", n, text), mend)
		}
		picked[n-1] = letters
	}
	return picked, nil
}

// plainLetters is an answer as people type it, without what is between letters.
func plainLetters(s string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return strings.ContainsRune(" \t,;+", r) }), "")
}
