package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/labctl/labctl/runner"
	"github.com/labctl/labctl/runner/problem"
	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/report"
)

type checkOptions struct {
	f        *Factory
	selector runner.Selector
	save     string
	from     string
	against  string // a definition whose checks are asked instead
	repeat   int    // 0 for once
	format   Format
}

func newCheckCmd(f *Factory, runF func(context.Context, *checkOptions) error) *cobra.Command {
	opts := &checkOptions{f: f}
	cmd := &cobra.Command{
		Use:   "check [LAB]",
		Short: "Grade what is live, and how it came to be",
		Long: `Look at what is live, grade it and say why. Without LAB it is the lab of the
workspace you are in, or else the only one running.

A check that passes is kept for labctl list, and the lab's debrief is told. Where
a lab wants features demonstrated before they are promoted, what behaves right is
recorded on the engine.

--save keeps the evidence that the grade was computed from; --from computes the
same report from it again, on any machine, without an engine. With --definition
it is graded with the checks of a lab as it is in a folder (or shipped), for the
learner and seed of the evidence; which checks come out otherwise is said, and so
is evidence whose own checks are not those of its definition: exit code 3.

--repeat looks several times, and names each check that wavers: exit code 3.

Exit codes: 0 passed; 1 not passed; 2 the command line is wrong; 3 something
could not be looked at, which is never a grade.`,
		Example: `  labctl check
  labctl check --save evidence.json
  labctl check --from evidence.json --format json
  labctl check --from evidence.json --definition drift-lab
  labctl check --repeat 10`,
		Args:              atMost(1),
		ValidArgsFunction: completeRunning(f),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				opts.selector.Lab = args[0]
			}
			if opts.from != "" && (opts.selector != runner.Selector{} || opts.save != "") {
				return usageError("labctl check: --from grades a file; it takes no LAB, --learner or --save", "labctl check --from FILE")
			}
			if opts.against != "" && opts.from == "" {
				return usageError("labctl check: --definition grades a file again; say which with --from", "labctl check --from FILE --definition "+opts.against)
			}
			if cmd.Flags().Changed("repeat") {
				if opts.repeat < 2 {
					return usageError(fmt.Sprintf("labctl check: --repeat %d repeats nothing", opts.repeat), "labctl check --repeat 10")
				}
				if opts.from != "" || opts.save != "" {
					return usageError("labctl check: --repeat looks several times at what runs; it takes no --from or --save", fmt.Sprintf("labctl check --repeat %d", opts.repeat))
				}
			}
			if runF != nil {
				return runF(cmd.Context(), opts)
			}
			return checkRun(cmd.Context(), opts)
		},
	}
	addLearner(cmd, &opts.selector.Learner, "whose lab: the learner's `NAME`")
	cmd.Flags().StringVar(&opts.save, "save", "", "keep the evidence in this `FILE`")
	cmd.Flags().StringVar(&opts.from, "from", "", "grade the evidence in this `FILE` (- for standard input)")
	cmd.Flags().StringVar(&opts.against, "definition", "", "grade with the checks of this lab: a `FOLDER`, or a shipped lab's name")
	cmd.Flags().IntVar(&opts.repeat, "repeat", 0, "look and grade `N` times, and name what wavers")
	complete(cmd, "definition", completeLabs(f))
	complete(cmd, "repeat", cobra.NoFileCompletions)
	addFormat(cmd, &opts.format)
	return cmd
}

func checkRun(ctx context.Context, opts *checkOptions) error {
	if opts.repeat > 0 {
		return repeatRun(ctx, opts)
	}
	var saved []byte
	var look looked
	var err error
	if opts.save != "" {
		// Gathering takes a while; what it finds must not be lost at its end.
		if _, err := os.Stat(filepath.Dir(opts.save)); err != nil {
			return cannotSave(opts.save, err)
		}
	}
	if opts.from != "" {
		saved, err = readEvidence(opts)
	} else {
		saved, look, err = gather(ctx, opts)
	}
	if err != nil {
		return err
	}
	// What was just gathered is graded as it will be read again, so that the
	// two reports cannot differ.
	set, err := evidence.Unmarshal(saved)
	if err != nil {
		return &problem.Problem{What: "cannot grade " + evidenceName(opts), Err: err, Mend: "labctl check --save FILE makes such a file", Usage: opts.from != ""}
	}
	if opts.against != "" {
		return regradeRun(opts, set)
	}
	graded, err := report.Grade(set)
	if err != nil {
		return &problem.Problem{What: "cannot grade " + evidenceName(opts), Err: err, Usage: opts.from != ""}
	}
	if opts.format == JSON {
		err = writeJSON(opts.f.IO.Out, graded)
	} else {
		showReport(opts.f.IO, graded)
	}
	if err != nil {
		return err
	}
	if opts.from == "" {
		demonstrate(ctx, opts.f.IO, look, set)
	}
	if opts.from == "" && graded.Passed && !graded.CouldNotLook() {
		passed(ctx, opts, graded)
	}
	return verdict(graded)
}

// looked is an instance that was looked at, and by whom.
type looked struct {
	runner   runner.API
	instance runner.Instance
}

// demonstrate records what was seen to behave, for labs that want that. It comes
// after grading, which the record would else change; what goes wrong with it
// changes no grade.
func demonstrate(ctx context.Context, io *Streams, look looked, set *evidence.Set) {
	recorded, err := look.runner.Demonstrate(ctx, look.instance, set)
	for _, d := range recorded {
		fmt.Fprintf(io.Err, "\nDemonstrated in %s: %s. What you promote now is that image.\n", Clean(d.Environment), Clean(d.Image))
	}
	if err != nil {
		fmt.Fprintf(io.Err, "\n%s what was demonstrated was not recorded: %s; check again before you promote it\n", io.ErrColors.Yellow("!"), CleanText(err.Error()))
	}
}

// passed keeps that an instance has passed, and tells what its lab has to say
// about that. It is for who sits there, so it is no part of the report; and what
// goes wrong with it changes no grade.
func passed(ctx context.Context, opts *checkOptions, graded report.Report) {
	io := opts.f.IO
	notice := func(what string, err error) {
		fmt.Fprintf(io.Err, "\n%s %s: %s\n", io.ErrColors.Yellow("!"), what, CleanText(err.Error()))
	}
	desk, err := opts.f.Desk()
	if err != nil {
		notice("that you passed was not kept", err)
		return
	}
	if err := desk.Pass(ctx, graded); err != nil {
		notice("that you passed was not kept", err)
	}
	if opts.format != Text {
		return
	}
	debrief, err := desk.Debrief(graded.Instance)
	if err != nil {
		notice("the debrief cannot be told", err)
	} else if debrief != "" {
		fmt.Fprintf(io.Err, "\n%s", showMarkdown(debrief, io.Width, io.ErrColors))
	}
	if q := graded.Quiz; q != nil && q.Right < q.Questions && q.Error == "" {
		fmt.Fprintf(io.Err, "\nlabctl quiz %s asks what you know now.\n", Clean(graded.Lab))
	}
}

// verdict is a report's exit code. Could-not-look is never a grade.
func verdict(graded report.Report) error {
	switch {
	case graded.CouldNotLook():
		return exitError(exitFailed)
	case !graded.Passed:
		return exitError(exitNotPassed)
	}
	return nil
}

// gather looks at an instance and returns its evidence as it is saved.
func gather(ctx context.Context, opts *checkOptions) ([]byte, looked, error) {
	r, in, err := find(ctx, opts.f, opts.selector)
	if err != nil {
		return nil, looked{}, err
	}
	look := looked{r, in}
	opts.f.progress.Show()
	set, err := r.Gather(ctx, in)
	opts.f.progress.Close()
	if err != nil {
		return nil, look, err
	}
	saved, err := evidence.Marshal(set)
	if err != nil {
		return nil, look, err
	}
	if opts.save != "" {
		if err := writeWhole(opts.save, saved); err != nil {
			return nil, look, err
		}
		fmt.Fprintf(opts.f.IO.Err, "The evidence is in %s.\n", Clean(opts.save))
	}
	return saved, look, nil
}

func readEvidence(opts *checkOptions) ([]byte, error) {
	var saved []byte
	var err error
	if opts.from == "-" {
		saved, err = io.ReadAll(opts.f.IO.In)
	} else {
		saved, err = os.ReadFile(opts.from)
	}
	if err != nil {
		return nil, &problem.Problem{What: "cannot read " + evidenceName(opts), Err: err, Mend: "labctl check --save FILE makes such a file", Usage: true}
	}
	return saved, nil
}

func evidenceName(opts *checkOptions) string {
	switch opts.from {
	case "":
		return "the evidence"
	case "-":
		return "the evidence on standard input"
	}
	return opts.from
}

// writeWhole writes a file so that a reader finds all of it or what was there
// before. What is no file, such as /dev/stdout, is written to as it is.
func writeWhole(path string, content []byte) error {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		if err := os.WriteFile(path, content, 0); err != nil {
			return cannotSave(path, err)
		}
		return nil
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".labctl-*")
	if err != nil {
		return cannotSave(path, err)
	}
	defer func() { _ = os.Remove(f.Name()) }() // gone already when all went well
	_, err = f.Write(content)
	if err := errors.Join(err, f.Chmod(0o644), f.Close()); err != nil {
		return cannotSave(path, err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return cannotSave(path, err)
	}
	return nil
}

func cannotSave(path string, err error) error {
	return &problem.Problem{What: "cannot save the evidence in " + path, Err: err, Mend: "name a file in a folder that exists and that you may write to", Usage: true}
}
