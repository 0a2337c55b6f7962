package runner_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/labctl/labctl/labs"
	"github.com/labctl/labctl/runner"
	"github.com/labctl/labctl/runner/state"
	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/lab"
	"github.com/labctl/labctl/scenarios/report"
)

// Every lab that is shipped teaches, asks and looks back.
func TestShippedLabsTeach(t *testing.T) {
	t.Parallel()
	desk := runner.Desk{Library: runner.NewLibrary(labs.FS), State: state.New(t.TempDir())}
	names, err := desk.Library.Names()
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		l, err := desk.Open(runner.Selector{Lab: name, Cwd: t.TempDir()}, "ada")
		if err != nil {
			t.Fatal(err)
		}
		if words := len(strings.Fields(l.Lesson)); words < 300 || words > 600 {
			t.Errorf("%s: the lesson has %d words, want 300 to 600", name, words)
		}
		if l.Brief == nil || l.Debrief == nil {
			t.Errorf("%s: the brief or the debrief is missing", name)
		}
		if len(l.Hints) < 3 {
			t.Errorf("%s: %d hints, want 3", name, len(l.Hints))
		}
		if len(l.Quiz) == 0 {
			t.Errorf("%s: there is no quiz", name)
		}
	}
}

func TestAnswersAndTheirResult(t *testing.T) {
	t.Parallel()
	desk := runner.Desk{Library: runner.NewLibrary(os.DirFS(t.TempDir())), State: state.New(t.TempDir())}
	choices := func(correct string) []lab.Choice {
		var out []lab.Choice
		for _, letter := range []string{"a", "b", "c"} {
			out = append(out, lab.Choice{Letter: letter, Correct: strings.Contains(correct, letter)})
		}
		return out
	}
	one, several := lab.Question{Name: "one", Choices: choices("b")}, lab.Question{Name: "several", Choices: choices("ac")}
	l := &lab.Lab{Name: "l", Learner: "Ada Lovelace", Quiz: []lab.Question{one, several, {Name: "open", Choices: choices("a")}}}
	for _, step := range []struct {
		q                lab.Question
		picked           string
		right, firstTry  bool
		tries, inQuiz    int
		quizRight, first int
	}{
		{one, "a", false, false, 1, 1, 0, 0},
		{several, "ca", true, true, 1, 2, 1, 1},
		{one, "b", true, false, 2, 2, 2, 1},
		{several, "a", true, true, 2, 2, 2, 1}, // what was right once stays so
	} {
		a, err := desk.Answer(t.Context(), l, step.q, step.picked)
		if err != nil {
			t.Fatal(err)
		}
		if a.Right != step.right || a.FirstRight != step.firstTry || a.Tries != step.tries {
			t.Errorf("%s=%s: %+v", step.q.Name, step.picked, a)
		}
		p, err := desk.Progress(l.Name, l.Learner)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := *runner.Quiz(l.Quiz, p), (evidence.Quiz{Questions: 3, Answered: step.inQuiz, Right: step.quizRight, FirstTry: step.first}); got != want {
			t.Errorf("%s=%s: %+v, want %+v", step.q.Name, step.picked, got, want)
		}
	}
	if _, err := desk.Answer(t.Context(), l, one, "ab"); err == nil {
		t.Error("two answers were taken for one")
	}
	if got := runner.Quiz(nil, &state.Progress{}); got != nil {
		t.Errorf("of a lab without a quiz: %+v", got)
	}
}

func TestTheBestPassIsKept(t *testing.T) {
	t.Parallel()
	desk := runner.Desk{State: state.New(t.TempDir())}
	for i, score := range []int{80, 100, 90, 100} {
		r := report.Report{Lab: "l", Learner: "ada", Passed: true, Score: score, Max: 100, Evidence: report.Source{Digest: "sha256:d", Time: time.Unix(int64(i), 0).UTC()}}
		if err := desk.Pass(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	p, err := desk.Progress("l", "ada")
	if want := (state.Passed{Time: time.Unix(1, 0).UTC(), Score: 100, Max: 100, Evidence: "sha256:d"}); err != nil || p.Passed == nil || *p.Passed != want {
		t.Errorf("kept %+v, %v; want %+v", p.Passed, err, want)
	}
}
