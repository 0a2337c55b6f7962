package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/labctl/labctl/runner"
	"github.com/labctl/labctl/runner/engine"
	"github.com/labctl/labctl/runner/problem"
)

// Exit codes. Scripts rely on them.
const (
	exitOK        = 0 // done; graded and passed
	exitNotPassed = 1 // graded, and not passed
	exitUsage     = 2 // the command line or the lab is wrong
	exitFailed    = 3 // could not be graded or carried out
)

// exitError ends the command with a code after everything was said.
type exitError int

func (e exitError) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// exitCode is the one place where errors become exit codes.
func exitCode(err error) int {
	if err == nil {
		return exitOK
	}
	if said := exitError(0); errors.As(err, &said) {
		return int(said)
	}
	if p := (*problem.Problem)(nil); errors.As(err, &p) && p.Usage {
		return exitUsage
	}
	if wrong := (*runner.LabError)(nil); errors.As(err, &wrong) {
		return exitUsage
	}
	return exitFailed
}

// sayError says on standard error what went wrong, if something did, and returns
// the exit code.
func sayError(io *Streams, err error, interrupted bool) int {
	code := exitCode(err)
	if said := exitError(0); err == nil || errors.As(err, &said) {
		return code
	}
	if wrong := (*runner.LabError)(nil); errors.As(err, &wrong) {
		writeDiagnostics(io.Err, io.ErrColors, wrong.Diags, wrong.Files)
	}
	text, mend := explain(err)
	if interrupted && errors.Is(err, context.Canceled) && mend == "" {
		text = "interrupted: " + text
	}
	fmt.Fprintf(io.Err, "%s %s\n", io.ErrColors.Red("labctl:"), CleanText(text))
	if mend != "" {
		fmt.Fprintf(io.Err, "%s %s\n", io.ErrColors.Bold("try:"), CleanText(mend))
	}
	return code
}

// explain splits an error into what and why, and how to mend it.
func explain(err error) (text, mend string) {
	text = err.Error()
	if p := (*problem.Problem)(nil); errors.As(err, &p) && p.Mend != "" {
		return strings.TrimSuffix(text, "; "+p.Mend), p.Mend
	}
	if away := (*engine.Unavailable)(nil); errors.As(err, &away) && away.Mend != "" {
		return strings.TrimSuffix(text, ": "+away.Mend), away.Mend
	}
	if wrong := (*runner.LabError)(nil); errors.As(err, &wrong) {
		return text, "labctl validate shows the same without starting anything"
	}
	return text, ""
}

// usageError is an error of the command line.
func usageError(what, mend string) error {
	return &problem.Problem{What: what, Mend: mend, Usage: true}
}

// asUsage makes an error of the command line of any error, with what it says
// on one line.
func asUsage(err error) error {
	if p := (*problem.Problem)(nil); errors.As(err, &p) {
		return err
	}
	return usageError(strings.Join(strings.Fields(err.Error()), " "), "labctl --help")
}
