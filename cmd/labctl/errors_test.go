package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/labctl/labctl/runner"
	"github.com/labctl/labctl/runner/engine"
	"github.com/labctl/labctl/runner/problem"
)

func TestErrorsBecomeExitCodesAndTwoLines(t *testing.T) {
	t.Parallel()
	away := &engine.Unavailable{Host: "unix:///x.sock", Why: "no engine answers", Mend: "start it"}
	tests := []struct {
		name        string
		err         error
		interrupted bool
		code        int
		says        string
	}{
		{"nothing", nil, false, exitOK, ""},
		{"said already", exitError(7), false, 7, ""},
		{"anything", errors.New("disk full"), false, exitFailed, "labctl: disk full\n"},
		{"usage", usageError("which lab?", "labctl list"), false, exitUsage, "labctl: which lab?\ntry: labctl list\n"},
		{"the world", &problem.Problem{What: "cannot start", Why: "it is late", Mend: "sleep"}, false, exitFailed, "labctl: cannot start: it is late\ntry: sleep\n"},
		{"wrapped", fmt.Errorf("starting x: %w", &problem.Problem{What: "cannot", Mend: "do"}), false, exitFailed, "labctl: starting x: cannot\ntry: do\n"},
		{"engine", fmt.Errorf("looking: %w", away), false, exitFailed, "labctl: looking: no engine answers (unix:///x.sock)\ntry: start it\n"},
		{"lab", &runner.LabError{Source: "x"}, false, exitUsage, "labctl: the lab in x has 0 errors\ntry: labctl validate shows the same without starting anything\n"},
		{"interrupted", fmt.Errorf("building: %w", context.Canceled), true, exitFailed, "labctl: interrupted: building: context canceled\n"},
		{"hostile", errors.New("reading \x1b[2J\u202e"), false, exitFailed, "labctl: reading \\x1b[2J\\u202e\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			code := sayError(&Streams{Err: &out, ErrColors: newColors(false)}, tt.err, tt.interrupted)
			if code != tt.code || out.String() != tt.says {
				t.Errorf("exit code %d and %q, want %d and %q", code, out.String(), tt.code, tt.says)
			}
		})
	}
}

func TestInterruptedStartSaysWhatWasLeft(t *testing.T) {
	t.Parallel()
	clean := interruptedStart(errors.Join(context.Canceled, nil))
	if text, _ := explain(clean); text != "interrupted: nothing that this call made was left" || !errors.Is(clean, context.Canceled) {
		t.Errorf("cleaned up: %q", text)
	}
	left := errors.Join(context.Canceled, errors.New("removing x: in use"))
	if got := interruptedStart(left); got.Error() != left.Error() {
		t.Errorf("not cleaned up: %q", got)
	}
}
