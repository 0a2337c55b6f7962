package runner

import (
	"strings"

	"github.com/labctl/labctl/runner/state"
)

// startCommand is what to type to start an instance, whoever types it and
// wherever: labs can have one name and come from several folders, and the
// learner need not be who types.
func startCommand(rec *state.Record) string {
	source := rec.Source
	if source == "" {
		source = rec.Lab
	}
	return "`labctl start " + ShellQuote(source) + " --learner " + ShellQuote(rec.Learner) + "`"
}

// stopCommand is what to type to stop it.
func stopCommand(rec *state.Record) string {
	return "`labctl stop " + ShellQuote(rec.Instance) + "`"
}

// ShellQuote writes a word as a shell reads it.
func ShellQuote(s string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./,:+@%"
	if s != "" && strings.Trim(s, plain) == "" && s[0] != '-' {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
