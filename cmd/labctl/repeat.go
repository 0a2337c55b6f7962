package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/labctl/labctl/runner/problem"
	"github.com/labctl/labctl/runner/progress"
	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/report"
)

// repeatRun looks at an instance several times, grades each look, and says what
// did not come out alike: a verdict that wavers is none.
func repeatRun(ctx context.Context, opts *checkOptions) error {
	r, in, err := find(ctx, opts.f, opts.selector)
	if err != nil {
		return err
	}
	opts.f.progress.Show()
	defer opts.f.progress.Close()
	var runs []report.Report
	var last *evidence.Set
	for n := range opts.repeat {
		step := fmt.Sprintf("look %d of %d", n+1, opts.repeat)
		opts.f.progress.Send(progress.Event{State: progress.Begun, Step: step, Total: opts.repeat})
		set, err := r.Gather(ctx, in)
		if err != nil {
			return err
		}
		last = set
		graded, err := asSaved(set)
		if err != nil {
			return err
		}
		opts.f.progress.Send(progress.Event{State: progress.Done, Step: step})
		runs = append(runs, graded)
	}
	opts.f.progress.Close()
	all := report.Repeated(runs)
	if opts.format == JSON {
		err = writeJSON(opts.f.IO.Out, all)
	} else {
		showReport(opts.f.IO, all.Report)
		showWavering(opts.f.IO, all)
	}
	if err != nil {
		return err
	}
	if all.Wavers() {
		return exitError(exitFailed)
	}
	demonstrate(ctx, opts.f.IO, looked{r, in}, last)
	return verdict(all.Report) // each is as the last
}

// asSaved grades evidence as it would be read again from a file.
func asSaved(set *evidence.Set) (report.Report, error) {
	saved, err := evidence.Marshal(set)
	if err != nil {
		return report.Report{}, err
	}
	if set, err = evidence.Unmarshal(saved); err != nil {
		return report.Report{}, &problem.Problem{What: "cannot grade the evidence", Err: err}
	}
	return report.Grade(set)
}

// showWavering says what did not come out alike, each time.
func showWavering(io *Streams, all report.Repeat) {
	fmt.Fprintln(io.Out)
	if !all.Wavers() {
		fmt.Fprintf(io.Out, "Looked %d times: each time the same.\n", all.Runs)
		return
	}
	fmt.Fprintf(io.Out, "%s\n", io.OutColors.Red(fmt.Sprintf("Looked %d times, and it wavers. So this is no grade:", all.Runs)))
	for _, w := range all.Wavering {
		name := w.Name
		if w.Environment != "" {
			name += " (" + place(w.Service, w.Environment) + ")"
		}
		fmt.Fprintf(io.Out, "  %s  %s\n", Clean(name), strings.Join(w.Outcomes, ", "))
	}
	if words := slices.Compact(slices.Clone(all.Words)); len(words) > 1 {
		fmt.Fprintf(io.Out, "  provenance  %s\n", strings.Join(wordsOf(all.Words), ", "))
	}
}

func wordsOf(all []report.Word) []string {
	var out []string
	for _, w := range all {
		out = append(out, string(w))
	}
	return out
}
