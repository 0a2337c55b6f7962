package main

import (
	"fmt"
	"io"
	"strings"
)

// table is rows of clean text; the first one is the heading.
type table [][]string

// write puts the columns under each other.
func (t table) write(w io.Writer, c colors) {
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
		for j, cell := range row {
			cells = append(cells, pad(cell, widths[j]))
		}
		line := strings.TrimRight(strings.Join(cells, "  "), " ")
		if i == 0 {
			line = c.Bold(line)
		}
		fmt.Fprintln(w, line)
	}
}
