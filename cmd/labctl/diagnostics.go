package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// writeDiagnostics writes what is wrong with a lab's source: where, what, the
// line with the offending text marked, and what was expected.
func writeDiagnostics(w io.Writer, c colors, diags hcl.Diagnostics, files map[string]*hcl.File) {
	for _, d := range diags {
		where := ""
		if d.Subject != nil {
			where = fmt.Sprintf("%s:%d,%d: ", Clean(d.Subject.Filename), d.Subject.Start.Line, d.Subject.Start.Column)
		}
		fmt.Fprintf(w, "%s%s\n", c.Bold(where), c.Red(Clean(d.Summary)))
		if d.Subject != nil {
			line := sourceLine(files[d.Subject.Filename], d.Subject)
			if line.text != "" {
				line.write(w, c)
			}
		}
		if d.Detail != "" {
			fmt.Fprintln(w, indented(d.Detail, "  "))
		}
		fmt.Fprintln(w)
	}
}

// markedLine is a line of source and which bytes of it are meant.
type markedLine struct {
	text       string
	number     int
	start, end int
}

// sourceLine is the first line of a range; its text is empty where there is no
// source.
func sourceLine(file *hcl.File, at *hcl.Range) markedLine {
	if file == nil || at.Start.Byte > len(file.Bytes) {
		return markedLine{}
	}
	begin := bytes.LastIndexByte(file.Bytes[:at.Start.Byte], '\n') + 1
	text, _, _ := bytes.Cut(file.Bytes[begin:], []byte{'\n'})
	text = bytes.TrimSuffix(text, []byte{'\r'})
	m := markedLine{text: string(text), number: at.Start.Line}
	m.start = min(at.Start.Byte-begin, len(text))
	m.end = max(m.start, min(at.End.Byte-begin, len(text)))
	return m
}

// write shows the line with carets under what is meant, which shows without
// colours as well. Tabs become spaces, so that the carets are in their place.
func (m markedLine) write(w io.Writer, c colors) {
	show := func(s string) string { return Clean(strings.ReplaceAll(s, "\t", "    ")) }
	before, marked, after := show(m.text[:m.start]), show(m.text[m.start:m.end]), show(m.text[m.end:])
	gutter := fmt.Sprintf("  %d | ", m.number)
	fmt.Fprintf(w, "%s%s%s%s\n", c.Faint(gutter), before, c.Red(marked), after)
	fmt.Fprintf(w, "%s%s\n", strings.Repeat(" ", columns(gutter)+columns(before)), c.Red(strings.Repeat("^", max(1, columns(marked)))))
}
