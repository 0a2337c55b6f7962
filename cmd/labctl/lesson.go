package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/labctl/labctl/runner"
	"github.com/labctl/labctl/runner/problem"
)

type lessonOptions struct {
	f        *Factory
	selector runner.Selector
	format   Format
}

func newLessonCmd(f *Factory, runF func(context.Context, *lessonOptions) error) *cobra.Command {
	opts := &lessonOptions{f: f}
	cmd := &cobra.Command{
		Use:   "lesson [LAB]",
		Short: "Show why it matters: a lab's lesson",
		Long: `Show a lab's lesson: why this matters, what professionals do, what can go wrong.
LAB is the name of a lab that labctl list shows, or a folder, such as ./my-lab; it
need not be started. Without LAB it is the lab of the workspace you are in, or
else the only one that was started.`,
		Example: `  labctl lesson drift-lab
  labctl lesson drift-lab | less`,
		Args:              atMost(1),
		ValidArgsFunction: completeLabs(f),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				opts.selector.Lab = args[0]
			}
			if runF != nil {
				return runF(cmd.Context(), opts)
			}
			return lessonRun(opts)
		},
	}
	addLearner(cmd, &opts.selector.Learner, "whose lab: the learner's `NAME` (default the one who started it, or your user name)")
	addFormat(cmd, &opts.format)
	return cmd
}

func lessonRun(opts *lessonOptions) error {
	_, l, err := read(opts.f, opts.selector)
	if err != nil {
		return err
	}
	if l.Lesson == "" {
		return &problem.Problem{What: l.Name + " has no lesson", Mend: "its brief says what there is to do: labctl start " + l.Name}
	}
	io := opts.f.IO
	if opts.format == JSON {
		return writeJSON(io.Out, struct {
			Schema string `json:"schema"`
			Lab    string `json:"lab"`
			Text   string `json:"text"` // Markdown
		}{"labctl/lesson/v1", l.Name, l.Lesson})
	}
	fmt.Fprint(io.Out, showMarkdown(l.Lesson, io.Width, io.OutColors))
	if len(l.Quiz) > 0 {
		fmt.Fprintf(io.Err, "\nlabctl quiz %s asks about it.\n", Clean(l.Name))
	}
	return nil
}
