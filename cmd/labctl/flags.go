package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/labctl/labctl/runner/problem"
)

// Format is what an answer is written as.
type Format string

// The formats. Text is for people and may change; JSON is for scripts and has
// a schema.
const (
	Text Format = "text"
	JSON Format = "json"
)

var formats = []string{string(Text), string(JSON)}

// String implements pflag.Value.
func (f *Format) String() string { return string(*f) }

// Type implements pflag.Value.
func (f *Format) Type() string { return strings.Join(formats, "|") }

// Set implements pflag.Value. An unknown format is an error: a script that
// misspells one must not be given text.
func (f *Format) Set(s string) error {
	if !slices.Contains(formats, s) {
		mend := "--format " + strings.Join(formats, " or --format ")
		if near := nearest(s, formats); near != "" {
			mend = "--format " + near
		}
		return &problem.Problem{What: fmt.Sprintf("there is no format %q", s), Mend: mend, Usage: true}
	}
	*f = Format(s)
	return nil
}

// addFormat gives a command the flag --format.
func addFormat(cmd *cobra.Command, f *Format) {
	*f = Text
	cmd.Flags().Var(f, "format", "how to write the answer")
	complete(cmd, "format", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return formats, cobra.ShellCompDirectiveNoFileComp
	})
}

// addLearner gives a command the flag --learner. What it means there is said
// by usage, with the word for its value in backquotes.
func addLearner(cmd *cobra.Command, learner *string, usage string) {
	cmd.Flags().StringVar(learner, "learner", "", usage)
	complete(cmd, "learner", cobra.NoFileCompletions)
}

// complete says how a flag is completed; that the flag exists is certain.
func complete(cmd *cobra.Command, flag string, by cobra.CompletionFunc) {
	if err := cmd.RegisterFlagCompletionFunc(flag, by); err != nil {
		panic(err)
	}
}
