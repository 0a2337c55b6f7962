package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/labctl/labctl/runner"
)

type listOptions struct {
	f       *Factory
	learner string
	format  Format
}

func newListCmd(f *Factory, runF func(*listOptions) error) *cobra.Command {
	opts := &listOptions{f: f}
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "Show the labs there are, in learning order",
		Example: "  labctl list",
		Args:    atMost(0),
		RunE: func(*cobra.Command, []string) error {
			if runF != nil {
				return runF(opts)
			}
			return listRun(opts)
		},
	}
	addLearner(cmd, &opts.learner, "who has passed: the learner's `NAME` (default the one whose workspace you are in, or your user name)")
	addFormat(cmd, &opts.format)
	return cmd
}

func listRun(opts *listOptions) error {
	desk, err := opts.f.Desk()
	if err != nil {
		return err
	}
	if opts.learner == "" {
		cwd, err := opts.f.Cwd()
		if err != nil {
			return err
		}
		if opts.learner, err = learnerName(); err != nil {
			return err
		}
		opts.learner = desk.LearnerOf(cwd, opts.learner)
	}
	labs, err := desk.List(opts.learner)
	if err != nil {
		return err
	}
	io := opts.f.IO
	if opts.format == JSON {
		return writeJSON(io.Out, struct {
			Schema  string               `json:"schema"`
			Learner string               `json:"learner"`
			Labs    []runner.LabProgress `json:"labs"`
		}{"labctl/list/v1", opts.learner, labs})
	}
	t := table{{"LAB", "TITLE", "LEVEL", "MINUTES", "PASSED", "TEACHES"}}
	for _, l := range labs {
		t = append(t, []string{Clean(l.Name), Clean(l.Title), Clean(l.Level), fmt.Sprint(l.Minutes), passedCell(l), strings.Join(cleanAll(l.Teaches), ", ")})
	}
	t.write(io.Out, io.Width, io.OutColors)
	for _, l := range labs {
		if l.Error != "" {
			fmt.Fprintf(io.Err, "\n%s: %s\n", Clean(l.Name), Clean(l.Error))
		}
	}
	fmt.Fprintf(io.Err, "\nPASSED is what %s passed; --learner NAME shows what others did.\n", Clean(opts.learner))
	fmt.Fprintln(io.Err, "labctl lesson LAB says why it matters; labctl start LAB begins.")
	return nil
}

// passedCell is the score of a lab that was passed.
func passedCell(l runner.LabProgress) string {
	switch {
	case l.Error != "":
		return "?"
	case l.Passed == nil:
		return "no"
	}
	return fmt.Sprintf("%d/%d", l.Passed.Score, l.Passed.Max)
}
