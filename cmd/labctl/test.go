package main

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/labctl/labctl/runner"
	"github.com/labctl/labctl/scenarios/lab"
)

type testOptions struct {
	f         *Factory
	lab       string // "" for every shipped lab
	scenarios []string
	cheats    []string // the only cheats and honest ways to try
	parallel  int
	seed      *int64
	trust     bool
	keep      bool
	format    Format
}

func newTestCmd(f *Factory, runF func(context.Context, *testOptions) error) *cobra.Command {
	opts := &testOptions{f: f}
	var seed int64
	cmd := &cobra.Command{
		Use:   "test [LAB [SCENARIO...]]",
		Short: "Prove that a lab's checks tell right from wrong",
		Long: `Treat a lab's checks as the thing under test. LAB is a shipped lab's name or a
folder; without it all shipped labs are tested.

Every scenario is brought about in an instance of its own, graded, and its
report compared with what the scenario expects. All instances of a lab draw the
same values; --seed has others drawn. Then labctl fakes the rebuild
itself, in ways that it derives from the lab's start and right scenario, and
demands that the named check says no; and it rebuilds honestly in many ways,
which must get all points. Those share instances, and what comes out wrong there
is tried again in one of its own. With scenarios named, just those are tried.

The matrix has a row for each cheat and a column for each check. A cheat that
survives, or an honest way that is accused, fails the lab: exit code 1. What
could not be tried is exit code 3.`,
		Example: `  labctl test drift-lab
  labctl test drift-lab --seed 7
  labctl test drift-lab --cheat poisoned-base
  labctl test drift-lab --cheat commit,save-load,plain
  labctl test ./my-lab patched_in_place --trust --keep`,
		ValidArgsFunction: completeScenarios(f),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				opts.lab, opts.scenarios = args[0], args[1:]
			}
			if cmd.Flags().Changed("seed") {
				opts.seed = &seed
			}
			if opts.parallel < 1 {
				return usageError(fmt.Sprintf("labctl test: --parallel %d runs nothing", opts.parallel), "--parallel 1")
			}
			if len(opts.cheats) > 0 && (opts.lab == "" || len(opts.scenarios) > 0) {
				return usageError("labctl test: --cheat is tried alone, in one lab", "labctl test LAB --cheat "+strings.Join(opts.cheats, ","))
			}
			if runF != nil {
				return runF(cmd.Context(), opts)
			}
			return testRun(cmd.Context(), opts)
		},
	}
	cmd.Flags().IntVar(&opts.parallel, "parallel", min(12, 3*runtime.NumCPU()), "try `N` things at once")
	complete(cmd, "parallel", cobra.NoFileCompletions)
	cmd.Flags().Int64Var(&seed, "seed", 0, "draw the labs' values from this `NUMBER`; without it they are always the same")
	complete(cmd, "seed", cobra.NoFileCompletions)
	cmd.Flags().BoolVar(&opts.trust, "trust", false, "let a lab from a folder run its scripts on this machine")
	cmd.Flags().BoolVar(&opts.keep, "keep", false, "keep the instances that came out wrong, to look at them")
	cmd.Flags().StringSliceVar(&opts.cheats, "cheat", nil, "try the cheat or honest way of this `NAME` alone, and keep its instance; of several (a,b) none is kept")
	complete(cmd, "cheat", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return slices.Concat(lab.DerivedCheats, lab.HonestWays), cobra.ShellCompDirectiveNoFileComp
	})
	addFormat(cmd, &opts.format, JUnit)
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
	tally := testTally{opts: opts, Schema: "labctl/test/v1", Lab: opts.lab, begun: time.Now(), Scenarios: []runner.TestResult{}, Proofs: []runner.ProofResult{}}
	show := newTestView(f, len(labs))
	f.progress.Show()
	outcomes, err := r.Test(ctx, runner.TestOptions{
		Labs: labs, Cwd: cwd, Scenarios: opts.scenarios, Derived: opts.cheats, KeepAll: len(opts.cheats) == 1, Parallel: opts.parallel, Seed: opts.seed, Trust: opts.trust, Keep: opts.keep,
		Report: func(result runner.TestResult) {
			if opts.format == Text {
				show.scenario(result)
			}
		},
		Tried: func(outcome runner.TestOutcome) {
			if opts.format == Text {
				show.lab(outcome)
			}
		},
	})
	f.progress.Close()
	for _, outcome := range outcomes {
		tally.add(outcome)
	}
	if err != nil {
		return err
	}
	return tally.end()
}

// testView shows how things come out: of a single lab at once, of several when
// all of one was tried, since they are tried side by side.
type testView struct {
	f    *Factory
	labs int
	held map[string][]runner.TestResult // by lab, until it is shown
}

func newTestView(f *Factory, labs int) *testView {
	return &testView{f: f, labs: labs, held: map[string][]runner.TestResult{}}
}

func (v *testView) scenario(result runner.TestResult) {
	if v.labs > 1 {
		v.held[result.Lab] = append(v.held[result.Lab], result)
		return
	}
	v.f.progress.Aside(func() { showTestResult(v.f.IO, result) })
}

func (v *testView) lab(outcome runner.TestOutcome) {
	v.f.progress.Aside(func() {
		io := v.f.IO
		if v.labs > 1 {
			fmt.Fprintf(io.Out, "\n%s\n\n", io.OutColors.Bold(Clean(outcome.Lab)))
		}
		for _, result := range v.held[outcome.Lab] {
			showTestResult(io, result)
		}
		if len(outcome.Proofs) > 0 {
			showMatrix(io, outcome.Proofs)
		}
	})
}

// testTally sums up what was tried. Its JSON is labctl/test/v1.
type testTally struct {
	Schema    string               `json:"schema"`
	Lab       string               `json:"lab"` // "" when all shipped labs were tested
	OK        bool                 `json:"ok"`
	Scenarios []runner.TestResult  `json:"scenarios"`
	Proofs    []runner.ProofResult `json:"proofs"` // cheats, and honest ways

	opts              *testOptions
	begun             time.Time
	wrong, failed     int // of all: not as they should be, and not tried
	different, broken int // the same of scenarios
	cheats, killed    int
	honest, cleared   int
	away              int // not applicable
}

func (t *testTally) add(o runner.TestOutcome) {
	t.Scenarios = append(t.Scenarios, o.Scenarios...)
	t.Proofs = append(t.Proofs, o.Proofs...)
	for _, s := range o.Scenarios {
		switch {
		case s.Error != "":
			t.broken++
		case !s.OK:
			t.different++
		}
	}
	for _, p := range o.Proofs {
		switch {
		case p.Outcome == runner.Untried:
			t.failed++
		case !p.OK:
			t.wrong++
		}
		switch {
		case p.Outcome == runner.NotApplicable:
			t.away++
		case p.Family == runner.Honest:
			t.honest++
		default:
			t.cheats++
		}
		switch p.Outcome {
		case runner.Killed:
			t.killed++
		case runner.Cleared:
			t.cleared++
		}
	}
}

// end writes the sum, and decides the exit code: what could not be tried is no
// verdict on the lab.
func (t *testTally) end() error {
	t.wrong, t.failed = t.wrong+t.different, t.failed+t.broken
	t.OK = t.wrong+t.failed == 0
	io := t.opts.f.IO
	switch t.opts.format {
	case JSON:
		if err := writeJSON(io.Out, t); err != nil {
			return err
		}
	case JUnit:
		if err := writeJUnit(io.Out, t); err != nil {
			return err
		}
	default:
		t.show(io)
	}
	switch {
	case t.failed > 0:
		return exitError(exitFailed)
	case t.wrong > 0:
		return exitError(exitNotPassed)
	}
	return nil
}

func (t *testTally) show(io *Streams) {
	fmt.Fprintf(io.Out, "\n%s, %d as expected", count(len(t.Scenarios), "scenario", "scenarios"), len(t.Scenarios)-t.different-t.broken)
	if t.different > 0 {
		fmt.Fprintf(io.Out, ", %d not", t.different)
	}
	if t.broken > 0 {
		fmt.Fprintf(io.Out, ", %d could not be tried", t.broken)
	}
	fmt.Fprintln(io.Out, ".")
	if len(t.Proofs) == 0 {
		return
	}
	if t.cheats > 0 {
		fmt.Fprintf(io.Out, "%s, %d killed by the check that should.\n", count(t.cheats, "cheat", "cheats"), t.killed)
	}
	if t.honest > 0 {
		fmt.Fprintf(io.Out, "%s, %d with all points.\n", count(t.honest, "honest way", "honest ways"), t.cleared)
	}
	if t.away > 0 {
		fmt.Fprintf(io.Out, "%d not applicable, as the lab says.\n", t.away)
	}
	fmt.Fprintf(io.Out, "%s\n", io.OutColors.Faint(fmt.Sprintf("In %.0f seconds.", time.Since(t.begun).Seconds())))
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
		fmt.Fprintln(io.Out, indented(result.Error, "    "))
	}
	for _, difference := range result.Differences {
		if difference != result.Error {
			fmt.Fprintf(io.Out, "    %s\n", Clean(difference))
		}
	}
	showKept(io, result.Kept)
}

func showKept(io *Streams, instance string) {
	if instance != "" {
		fmt.Fprintf(io.Out, "    kept: labctl status shows %s, labctl stop removes it\n", Clean(instance))
	}
}
