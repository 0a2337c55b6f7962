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
// a schema; JUnit is what CI systems read test results as.
const (
	Text  Format = "text"
	JSON  Format = "json"
	JUnit Format = "junit"
)

// formatValue is a flag that takes one of some formats.
type formatValue struct {
	format  *Format
	formats []string
}

// String implements pflag.Value.
func (v formatValue) String() string { return string(*v.format) }

// Type implements pflag.Value.
func (v formatValue) Type() string { return strings.Join(v.formats, "|") }

// Set implements pflag.Value. An unknown format is an error: a script that
// misspells one must not be given text.
func (v formatValue) Set(s string) error {
	if !slices.Contains(v.formats, s) {
		mend := "--format " + strings.Join(v.formats, " or --format ")
		if near := nearest(s, v.formats); near != "" {
			mend = "--format " + near
		}
		return &problem.Problem{What: fmt.Sprintf("there is no format %q", s), Mend: mend, Usage: true}
	}
	*v.format = Format(s)
	return nil
}

// addFormat gives a command the flag --format, with text, json and what else
// it can write.
func addFormat(cmd *cobra.Command, f *Format, others ...Format) {
	*f = Text
	v := formatValue{format: f}
	for _, format := range append([]Format{Text, JSON}, others...) {
		v.formats = append(v.formats, string(format))
	}
	cmd.Flags().Var(v, "format", "how to write the answer")
	complete(cmd, "format", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return v.formats, cobra.ShellCompDirectiveNoFileComp
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
