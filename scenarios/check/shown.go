package check

import (
	"fmt"
	"strings"

	"github.com/labctl/labctl/scenarios/evidence"
)

// How much of differing texts details show.
const (
	shownFiles   = 3
	shownLines   = 6   // changed ones, of a file
	shownColumns = 120 // of a line
)

// Indent begins those lines of Verdict.Details that belong to the line above
// them.
const Indent = "    "

// shown are differences as details tell them: one line each, and below the
// first of those whose texts the evidence has, the lines that changed.
func shown(set *evidence.Set, ds []evidence.Difference) []string {
	var out []string
	files := 0
	for _, d := range ds {
		out = append(out, d.String())
		if files == shownFiles {
			continue
		}
		if changed := changedLines(d.Unified(set.Texts)); len(changed) > 0 {
			files++
			out = append(out, changed...)
		}
	}
	return out
}

// changedLines are the first changed lines of a unified diff.
func changedLines(unified string) []string {
	var out []string
	more := 0
	for i, line := range strings.Split(unified, "\n") {
		changed := i >= 2 && (strings.HasPrefix(line, "+") || strings.HasPrefix(line, "-")) // after the two names
		switch {
		case !changed:
		case len(out) == shownLines:
			more++
		default:
			out = append(out, Indent+cut(line))
		}
	}
	if more > 0 {
		out = append(out, fmt.Sprintf("%s… and %d more lines; labctl drift shows all", Indent, more))
	}
	return out
}

// cut shortens a line that nobody would read to its end.
func cut(line string) string {
	runes := []rune(line)
	if len(runes) <= shownColumns {
		return line
	}
	return string(runes[:shownColumns]) + "…"
}

// lacking are the contents that shown could make use of and the evidence has
// not.
func lacking(set *evidence.Set, ds []evidence.Difference) []evidence.Entry {
	var out []evidence.Entry
	for _, d := range ds {
		for _, e := range d.Contents() {
			if _, there := set.Texts[e.SHA256]; !there && e.Size <= evidence.MaxText {
				out = append(out, e)
			}
		}
	}
	return out
}
