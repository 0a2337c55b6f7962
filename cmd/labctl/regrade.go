package main

import (
	"fmt"

	"github.com/labctl/labctl/runner"
	"github.com/labctl/labctl/runner/problem"
	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/report"
)

// regradeRun grades saved evidence with the checks of another definition, or
// with those that it should carry.
func regradeRun(opts *checkOptions, set *evidence.Set) error {
	cwd, err := opts.f.Cwd()
	if err != nil {
		return err
	}
	open, err := opts.f.Library.Open(opts.against, cwd)
	if err != nil {
		return err
	}
	l, diags := open.Definition.Resolve(set.Learner, set.Seed)
	if diags.HasErrors() {
		return &runner.LabError{Source: open.Source, Diags: diags, Files: open.Definition.Files}
	}
	compared, err := report.Regrade(set, l)
	if err != nil {
		return &problem.Problem{What: "cannot grade " + evidenceName(opts) + " with " + opts.against, Err: err, Mend: "name the definition of lab " + set.Lab, Usage: true}
	}
	if opts.format == JSON {
		err = writeJSON(opts.f.IO.Out, compared)
	} else {
		showReport(opts.f.IO, compared.Report)
		showComparison(opts.f.IO, compared)
	}
	if err != nil {
		return err
	}
	// Whatever else it says: somebody may have had a hand in it.
	if len(compared.Unlike) > 0 {
		return exitError(exitFailed)
	}
	return verdict(compared.Report)
}

// showComparison says what the definition changes.
func showComparison(io *Streams, compared report.Comparison) {
	fmt.Fprintln(io.Out)
	switch {
	case !compared.Same:
		fmt.Fprintf(io.Out, "The evidence was gathered with another definition: %s.\n", Clean(compared.Embedded))
	case len(compared.Unlike) == 0:
		fmt.Fprintln(io.Out, "The evidence was gathered with this definition, and carries its checks.")
	default:
		how := "It was edited."
		if gathered := compared.Report.Labctl; gathered != version() {
			how = "It was edited, or labctl " + gathered + " read the definition otherwise than this one, " + version() + "."
		}
		fmt.Fprintln(io.Out, wrap("The evidence was gathered with this definition, and carries other checks or services. "+Clean(how)+" So this is no grade:", io.Width, ""))
		for _, line := range compared.Unlike {
			fmt.Fprintf(io.Out, "  %s %s\n", io.OutColors.Red("✗"), Clean(line))
		}
	}
	if len(compared.Changed) == 0 {
		fmt.Fprintln(io.Out, "With its own checks nothing comes out otherwise.")
		return
	}
	fmt.Fprintln(io.Out, "What comes out otherwise than with its own checks:")
	for _, c := range compared.Changed {
		name := c.Name
		if c.Environment != "" {
			name += " (" + place(c.Service, c.Environment) + ")"
		}
		fmt.Fprintf(io.Out, "  %s  %s → %s, %d → %s\n", Clean(name), c.From, c.To, c.PointsFrom, count(c.PointsTo, "point", "points"))
	}
}
