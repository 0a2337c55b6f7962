package main

import (
	"context"
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/labctl/labctl/runner"
)

type testOptions struct {
	f         *Factory
	lab       string // "" for every shipped lab
	scenarios []string
	parallel  int
	trust     bool
	keep      bool
	format    Format
}

func newTestCmd(f *Factory, runF func(context.Context, *testOptions) error) *cobra.Command {
	opts := &testOptions{f: f}
	cmd := &cobra.Command{
		Use:   "test [LAB [SCENARIO...]]",
		Short: "Prove that a lab's checks tell right from wrong",
		Long: `Bring about every scenario of a lab in an instance of its own, grade it, and
compare the report with what the scenario expects. LAB is a shipped lab's name
or a folder; without it all shipped labs are tested.`,
		Example: `  labctl test drift-lab
  labctl test ./my-lab patched_in_place --trust --keep`,
		ValidArgsFunction: completeScenarios(f),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				opts.lab, opts.scenarios = args[0], args[1:]
			}
			if opts.parallel < 1 {
				return usageError(fmt.Sprintf("labctl test: --parallel %d runs nothing", opts.parallel), "--parallel 1")
			}
			if runF != nil {
				return runF(cmd.Context(), opts)
			}
			return testRun(cmd.Context(), opts)
		},
	}
	cmd.Flags().IntVar(&opts.parallel, "parallel", min(4, max(2, runtime.NumCPU())), "run `N` scenarios at once")
	complete(cmd, "parallel", cobra.NoFileCompletions)
	cmd.Flags().BoolVar(&opts.trust, "trust", false, "let a lab from a folder run its scripts on this machine")
	cmd.Flags().BoolVar(&opts.keep, "keep", false, "keep the instances that came out wrong, to look at them")
	addFormat(cmd, &opts.format)
	return cmd
}

func testRun(ctx context.Context, opts *testOptions) error {
	f := opts.f
	cwd, err := f.Cwd()
	if err != nil {
		return err
	}
	labs := []string{opts.lab}
	if opts.lab == "" {
		if labs, err = f.Library.Names(); err != nil {
			return err
		}
	}
	for _, lab := range labs {
		// Labs that are wrong are said before an engine is looked for.
		if _, err := f.Library.Open(lab, cwd); err != nil {
			return err
		}
	}
	r, err := f.Runner(ctx)
	if err != nil {
		return err
	}
	results := []runner.TestResult{}
	for _, lab := range labs {
		of, err := r.Test(ctx, runner.TestOptions{
			Lab: lab, Cwd: cwd, Scenarios: opts.scenarios, Parallel: opts.parallel, Trust: opts.trust, Keep: opts.keep,
			Report: func(result runner.TestResult) {
				if opts.format == Text {
					showTestResult(f.IO, result)
				}
			},
		})
		if err != nil {
			return err
		}
		results = append(results, of...)
	}
	return testEnd(opts, results)
}

// testEnd sums up, and decides the exit code: a scenario that could not be
// brought about is no verdict on the lab.
func testEnd(opts *testOptions, results []runner.TestResult) error {
	var different, failed int
	for _, result := range results {
		switch {
		case result.Error != "":
			failed++
		case !result.OK:
			different++
		}
	}
	io := opts.f.IO
	if opts.format == JSON {
		if err := writeJSON(io.Out, struct {
			Schema  string              `json:"schema"`
			Lab     string              `json:"lab"` // "" when all shipped labs were tested
			OK      bool                `json:"ok"`
			Results []runner.TestResult `json:"results"`
		}{"labctl/test/v1", opts.lab, different+failed == 0, results}); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(io.Out, "\n%s, %d as expected", count(len(results), "scenario", "scenarios"), len(results)-different-failed)
		if different > 0 {
			fmt.Fprintf(io.Out, ", %d not", different)
		}
		if failed > 0 {
			fmt.Fprintf(io.Out, ", %d could not be tried", failed)
		}
		fmt.Fprintln(io.Out, ".")
	}
	switch {
	case failed > 0:
		return exitError(exitFailed)
	case different > 0:
		return exitError(exitNotPassed)
	}
	return nil
}

// showTestResult is one scenario in a line, and what was different below it.
func showTestResult(io *Streams, result runner.TestResult) {
	c := io.OutColors
	mark := c.Green("✓")
	if !result.OK {
		mark = c.Red("✗")
	}
	if result.Error != "" {
		mark = c.Yellow("!")
	}
	verdict := ""
	if r := result.Report; r != nil {
		verdict = fmt.Sprintf("  %d/%d %s", r.Score, r.Max, Clean(string(r.Provenance.Word)))
	}
	fmt.Fprintf(io.Out, "%s %s%s  %s\n", mark, Clean(result.Scenario), verdict, c.Faint(fmt.Sprintf("%.1fs", result.Seconds)))
	if result.Error != "" {
		fmt.Fprintf(io.Out, "    %s\n", Clean(result.Error))
	}
	for _, difference := range result.Differences {
		if difference != result.Error {
			fmt.Fprintf(io.Out, "    %s\n", Clean(difference))
		}
	}
	if result.Kept != "" {
		fmt.Fprintf(io.Out, "    kept: labctl status shows %s, labctl stop removes it\n", Clean(result.Kept))
	}
}
