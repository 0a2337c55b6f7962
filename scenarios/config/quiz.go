package config

import (
	"github.com/zclconf/go-cty/cty"

	"github.com/labctl/labctl/scenarios/lab"
)

// quiz reads the questions. Like the lesson, they are asked without an
// instance.
func (r *resolver) quiz() {
	for _, b := range r.def.root.blocks["quiz"] {
		q := lab.Question{Name: b.name, Question: r.text(b, "question", scope{})}
		correct, known := 0, true
		for _, cb := range b.blocks["choice"] {
			c := lab.Choice{Letter: cb.name, Text: r.text(cb, "text", scope{}), Explain: r.text(cb, "explain", scope{})}
			if _, said := cb.attrs["correct"]; said {
				right, ok := get[bool](r, cb, "correct", cty.Bool, scope{})
				c.Correct, known = right, known && ok
			}
			if c.Correct {
				correct++
			}
			q.Choices = append(q.Choices, c)
		}
		switch n := len(q.Choices); {
		case n == 0 || !known: // reported already
		case n == 1:
			r.fail(b.at, sumQuiz, "quiz.%s offers one choice, so there is nothing to choose. Write another one.", b.name)
		case correct == 0:
			r.fail(b.at, sumQuiz, "No choice of quiz.%s is correct. Give those that are correct = true.", b.name)
		case correct == n:
			r.fail(b.at, sumQuiz, "Every choice of quiz.%s is correct, so nothing tells knowing from guessing. Add one that is not.", b.name)
		}
		r.lab.Quiz = append(r.lab.Quiz, q)
	}
}
