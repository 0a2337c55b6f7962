package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/labctl/labctl/runner"
	"github.com/labctl/labctl/runner/problem"
)

type startOptions struct {
	f       *Factory
	lab     string
	learner string
	seed    *int64
	dir     string
	format  Format
}

func newStartCmd(f *Factory, runF func(context.Context, *startOptions) error) *cobra.Command {
	opts := &startOptions{f: f}
	var seed int64
	cmd := &cobra.Command{
		Use:   "start LAB",
		Short: "Start a lab and say what there is to do",
		Long: `Start a lab: make its images ready, start its containers, make the workspace (a
git repository in ./LAB), and print the brief. LAB is the name of a lab that
labctl list shows, or a folder, such as ./my-lab.

Starting what runs already changes nothing and prints the brief again. Starting
what was cut off finishes it.`,
		Example: `  labctl start drift-lab
  labctl start drift-lab --learner ada --dir ~/labs/ada`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError("labctl start: which lab?", "labctl list shows the labs there are")
			}
			return atMost(1)(cmd, args)
		},
		ValidArgsFunction: completeLabs(f),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.lab = args[0]
			if cmd.Flags().Changed("seed") {
				opts.seed = &seed
			}
			if runF != nil {
				return runF(cmd.Context(), opts)
			}
			return startRun(cmd.Context(), opts)
		},
	}
	addLearner(cmd, &opts.learner, "who learns: the lab's values are drawn from the `NAME` (default your user name)")
	cmd.Flags().Int64Var(&seed, "seed", 0, "draw the lab's values from this `NUMBER` instead")
	cmd.Flags().StringVar(&opts.dir, "dir", "", "make the workspace in this `FOLDER` (default ./LAB)")
	complete(cmd, "dir", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return nil, cobra.ShellCompDirectiveFilterDirs
	})
	addFormat(cmd, &opts.format)
	return cmd
}

func startRun(ctx context.Context, opts *startOptions) error {
	f := opts.f
	cwd, err := f.Cwd()
	if err != nil {
		return err
	}
	// A lab that is wrong is said before an engine is looked for.
	if _, err := f.Library.Open(opts.lab, cwd); err != nil {
		return err
	}
	if opts.learner == "" {
		if opts.learner, err = learnerName(); err != nil {
			return err
		}
	}
	r, err := f.Runner(ctx)
	if err != nil {
		return err
	}
	f.progress.Show()
	started, err := r.Start(ctx, runner.StartOptions{
		Lab: opts.lab, Learner: opts.learner, Seed: opts.seed, Dir: opts.dir, Cwd: cwd,
	})
	f.progress.Close()
	if errors.Is(err, context.Canceled) {
		return interruptedStart(err)
	}
	if err != nil {
		return err
	}
	if opts.format == JSON {
		return writeStatus(f.IO.Out, []runner.Instance{started.Instance})
	}
	showStarted(f.IO, started, cwd)
	return nil
}

// showStarted prints the brief, where the workspace is and what to type next.
func showStarted(io *Streams, started *runner.Started, cwd string) {
	if started.Already {
		fmt.Fprintf(io.Err, "%s runs already; nothing was changed.\n", Clean(started.Instance.Lab))
		for _, s := range started.Instance.Services {
			if len(s.Live) == 0 {
				fmt.Fprintf(io.Err, "Nothing is live at %s. If the machine or the engine was restarted, docker start brings back what docker ps --all shows.\n", Clean(s.Address))
			}
		}
	}
	fmt.Fprintln(io.Err)
	if started.Brief != "" {
		fmt.Fprint(io.Out, showMarkdown(started.Brief, io.Width, io.OutColors))
		fmt.Fprintln(io.Out)
	}
	there := started.Instance.Workspace
	if near, err := filepath.Rel(cwd, there); err == nil && filepath.IsLocal(near) {
		there = near
	}
	fmt.Fprintf(io.Out, "The workspace is %s. Next:\n\n", Clean(started.Instance.Workspace))
	next := []string{
		"labctl check             # what is right and what is not yet",
		"labctl hint              # when you are stuck",
	}
	if started.Lesson {
		next = append([]string{"labctl lesson            # why it matters, to read first"}, next...)
	}
	if there != "." {
		next = append([]string{"cd " + runner.ShellQuote(there)}, next...)
	}
	if dir := notInPath(); dir != "" {
		next = append([]string{"export PATH=" + runner.ShellQuote(dir) + ":$PATH   # so that your shell finds labctl"}, next...)
	}
	for _, line := range next {
		fmt.Fprintf(io.Out, "    %s\n", io.OutColors.Cyan(Clean(line)))
	}
}

// notInPath is the folder of this labctl, when the shell would not find it (or
// another one) by its name; "" when all is well.
func notInPath() string {
	self, err := os.Executable()
	if err != nil {
		return ""
	}
	if found, err := exec.LookPath("labctl"); err == nil {
		a, errA := os.Stat(found)
		b, errB := os.Stat(self)
		if errA == nil && errB == nil && os.SameFile(a, b) {
			return ""
		}
	}
	return filepath.Dir(self)
}

// interruptedStart says what became of a start that was given up. The runner's
// error has a second line when it could not clean up.
func interruptedStart(err error) error {
	if strings.Contains(err.Error(), "\n") {
		return err
	}
	return &problem.Problem{
		What: "interrupted",
		Why:  "nothing that this call made was left",
		Mend: "the same command begins again",
		Err:  err,
	}
}
