package main

import (
	"fmt"
	"io"
	"strings"
)

// table is rows of clean text; the first one is the heading.
type table [][]string

// write puts the columns under each other, and breaks the last one so that
// lines are no wider than width.
func (t table) write(w io.Writer, width int, c colors) {
	const gap = "  "
	var widths []int
	for _, row := range t {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], columns(cell))
		}
	}
	for i, row := range t {
		var cells []string
		before := 0
		for j, cell := range row {
			if j == len(row)-1 {
				cell = wrap(cell, width, strings.Repeat(" ", before))
			}
			cells = append(cells, pad(cell, widths[j]))
			before += widths[j] + len(gap)
		}
		line := strings.TrimRight(strings.Join(cells, gap), " ")
		if i == 0 {
			line = c.Bold(line)
		}
		fmt.Fprintln(w, line)
	}
}
