package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/labctl/labctl/runner"
	"github.com/labctl/labctl/scenarios/check"
)

// showMatrix shows what was tried of one lab: rows are cheats and honest ways,
// columns are checks. The check that must kill a cheat is in brackets.
func showMatrix(io *Streams, proofs []runner.ProofResult) {
	m := matrix{io: io, c: io.OutColors}
	for _, p := range proofs {
		m.name = max(m.name, columns(p.Name))
		if p.Report == nil {
			continue
		}
		for _, result := range p.Report.Checks {
			if !slices.Contains(m.checks, result.Name) {
				m.checks = append(m.checks, result.Name)
			}
		}
	}
	for _, p := range proofs {
		m.blank = m.blank || p.Report != nil && slices.ContainsFunc(m.checks, func(name string) bool { _, asked := p.Checks[name]; return !asked })
	}
	m.legend()
	family := ""
	for _, p := range proofs {
		if p.Family != family {
			family = p.Family
			fmt.Fprintf(io.Out, "\n%s\n", m.c.Bold(family))
		}
		m.row(p)
	}
}

type matrix struct {
	io     *Streams
	c      colors
	checks []string // the columns
	name   int      // how wide a name is
	blank  bool     // not every check was asked about each
}

// legend says which column is which check.
func (m *matrix) legend() {
	if len(m.checks) == 0 {
		return
	}
	items := make([]string, 0, len(m.checks))
	for i, name := range m.checks {
		items = append(items, fmt.Sprintf("%s=%s", column(i), Clean(name)))
	}
	fmt.Fprintf(m.io.Out, "\n%s\n", wrap(strings.Join(items, "  "), m.io.Width, ""))
	fmt.Fprintln(m.io.Out, m.c.Faint("✓ passes  ✗ fails  – skipped  ! could not look  [✗] the check that must kill the cheat"))
	if m.blank {
		fmt.Fprintln(m.io.Out, m.c.Faint("blank: it was tried where the check asks nothing"))
	}
	heads := make([]string, 0, len(m.checks))
	for i := range m.checks {
		heads = append(heads, " "+column(i)+" ")
	}
	fmt.Fprintf(m.io.Out, "\n  %s %s\n", strings.Repeat(" ", m.name), strings.Join(heads, ""))
}

// column is the letter of a column.
func column(i int) string {
	if i < 26 {
		return string(rune('a' + i))
	}
	return fmt.Sprint(i)
}

// row is one cheat or honest way, and why it is not as it should be.
func (m *matrix) row(p runner.ProofResult) {
	mark := m.c.Red("✗")
	switch {
	case p.Outcome == runner.NotApplicable:
		mark = m.c.Faint("–")
	case p.OK:
		mark = m.c.Green("✓")
	case p.Outcome == runner.Untried:
		mark = m.c.Yellow("!")
	}
	cells := make([]string, 0, len(m.checks))
	for _, name := range m.checks {
		cells = append(cells, m.cell(p, name))
	}
	word := p.Outcome
	if p.Report != nil {
		word = Clean(string(p.Report.Provenance.Word))
	}
	fmt.Fprintf(m.io.Out, "%s %s %s %s  %s\n", mark, pad(Clean(p.Name), m.name), strings.Join(cells, ""), pad(word, 11), m.c.Faint(fmt.Sprintf("%.1fs", p.Seconds)))
	if p.Because != "" {
		for _, line := range strings.Split(p.Outcome+": "+p.Because, "\n") {
			fmt.Fprintf(m.io.Out, "    %s\n", wrap(Clean(line), m.io.Width, "    "))
		}
	}
	showKept(m.io, p.Kept)
}

// cell is how one check came out, three columns wide.
func (m *matrix) cell(p runner.ProofResult, name string) string {
	var mark string
	status, asked := p.Checks[name]
	switch {
	case !asked:
		return "   "
	case status == check.Pass:
		mark = m.c.Green("✓")
	case status == check.Fail:
		mark = m.c.Red("✗")
	case status == check.Skip:
		mark = m.c.Faint("–")
	default:
		mark = m.c.Yellow("!")
	}
	if slices.Contains(p.Killers, name) {
		return "[" + mark + "]"
	}
	return " " + mark + " "
}
