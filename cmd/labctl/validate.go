package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/cobra"

	"github.com/labctl/labctl/runner"
)

type validateOptions struct {
	f      *Factory
	lab    string
	format Format
}

func newValidateCmd(f *Factory, runF func(*validateOptions) error) *cobra.Command {
	opts := &validateOptions{f: f}
	cmd := &cobra.Command{
		Use:   "validate [DIR]",
		Short: "Say everything that is wrong with a lab",
		Long: `Read a lab's folder and say everything that is wrong with it, at once and without
an engine: file, line, the text that is wrong, and what was expected. DIR is the
current folder unless it is given; a shipped lab's name will do as well.`,
		Example: `  labctl validate ./my-lab
  labctl validate drift-lab --format json`,
		Args:              atMost(1),
		ValidArgsFunction: completeLabs(f),
		RunE: func(_ *cobra.Command, args []string) error {
			opts.lab = "."
			if len(args) > 0 {
				opts.lab = args[0]
			}
			if runF != nil {
				return runF(opts)
			}
			return validateRun(opts)
		},
	}
	addFormat(cmd, &opts.format)
	return cmd
}

func validateRun(opts *validateOptions) error {
	f := opts.f
	summary, err := validate(f, opts.lab)
	wrong := (*runner.LabError)(nil)
	if err != nil && !errors.As(err, &wrong) {
		return err
	}
	if opts.format == JSON {
		if err := writeValidation(f.IO, wrong); err != nil {
			return err
		}
		if wrong != nil {
			return exitError(exitUsage)
		}
		return nil
	}
	if wrong != nil {
		writeDiagnostics(f.IO.Out, f.IO.OutColors, wrong.Diags, wrong.Files)
		fmt.Fprintf(f.IO.Out, "%s\n", f.IO.OutColors.Red(count(len(wrong.Diags), "thing is", "things are")+" wrong."))
		return exitError(exitUsage)
	}
	fmt.Fprintf(f.IO.Out, "%s %s\n", f.IO.OutColors.Green("✓"), summary)
	return nil
}

// validate reads a lab and says in a line what is in it. A lab that is wrong
// is *runner.LabError.
func validate(f *Factory, ref string) (summary string, err error) {
	cwd, err := f.Cwd()
	if err != nil {
		return "", err
	}
	shipped, err := f.Library.Names()
	if err != nil {
		return "", err
	}
	if !slices.Contains(shipped, ref) && !filepath.IsAbs(ref) {
		ref = filepath.Join(cwd, ref) // a folder, however it is written
	}
	open, err := f.Library.Validate(ref, cwd)
	if err != nil {
		return "", err
	}
	l, err := exampleOf(open)
	if err != nil {
		return "", err
	}
	points := 0
	for _, check := range l.Checks {
		points += check.Points
	}
	return fmt.Sprintf("%s: %s, %s, %s", Clean(l.Name),
		count(len(l.Scenarios), "scenario", "scenarios"), count(len(l.Checks), "check", "checks"), count(points, "point", "points")), nil
}

// diagnostic is one entry of labctl/validate/v1.
type diagnostic struct {
	File     string `json:"file"`
	Line     int    `json:"line"` // from 1; 0 when it is about the folder as a whole
	Column   int    `json:"column"`
	Severity string `json:"severity"`
	Summary  string `json:"summary"`
	Detail   string `json:"detail"`
	Snippet  string `json:"snippet"` // the source line
}

func writeValidation(io *Streams, wrong *runner.LabError) error {
	all := []diagnostic{}
	if wrong != nil {
		for _, d := range wrong.Diags {
			entry := diagnostic{Severity: severity(d), Summary: d.Summary, Detail: d.Detail}
			if at := d.Subject; at != nil {
				entry.File, entry.Line, entry.Column = at.Filename, at.Start.Line, at.Start.Column
				entry.Snippet = sourceLine(wrong.Files[at.Filename], at).text
			}
			all = append(all, entry)
		}
	}
	return writeJSON(io.Out, struct {
		Schema      string       `json:"schema"`
		Valid       bool         `json:"valid"`
		Diagnostics []diagnostic `json:"diagnostics"`
	}{"labctl/validate/v1", wrong == nil, all})
}

func severity(d *hcl.Diagnostic) string {
	if d.Severity == hcl.DiagWarning {
		return "warning"
	}
	return "error"
}

// count is a number with the word that goes with it.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
