package cleanroom

import (
	"bytes"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// piece is a part of a rewritten line: text, or the place of an image.
type piece struct {
	text  string
	image string // pinned ID
}

// edit is one instruction as a single line, in the place of its lines from
// start to end; its heredocs follow as they are, up to the line last.
type edit struct {
	start, end, last int // lines, from 1
	line             []piece
	stage            bool // it is a FROM
}

func newEdit(node *parser.Node, line []piece) edit {
	return edit{start: node.StartLine, end: headerEnd(node), last: node.EndLine, line: line, stage: strings.EqualFold(node.Value, "from")}
}

// pinned lists the images that take a rewritten reference, each once.
func (d *dockerfile) pinned() []string {
	var ids []string
	seen := map[string]bool{}
	for _, e := range d.edits {
		for _, p := range e.line {
			if p.image != "" && !seen[p.image] {
				seen[p.image] = true
				ids = append(ids, p.image)
			}
		}
	}
	return ids
}

// rewrite gives the Dockerfile with each of the lab's images under its alias,
// and with the instruction labelled, unless it is "", at the begin of each stage.
// Every instruction is on one line, the last of those it had, and comments are
// gone: builders of different age then read the same instructions in it.
func (d *dockerfile) rewrite(alias func(imageID string) string, labelled string) []byte {
	source := bytes.SplitAfter(d.source, []byte("\n"))
	var out bytes.Buffer
	next := 1 // the line to be written
	if d.escape != parser.DefaultEscapeToken {
		out.WriteString("# escape=" + string(d.escape) + "\n")
		next++
	}
	for _, e := range d.edits {
		out.WriteString(strings.Repeat("\n", max(e.end-next, 0)))
		for _, p := range e.line {
			if p.image != "" {
				out.WriteString(alias(p.image))
			}
			out.WriteString(p.text)
		}
		out.WriteByte('\n')
		for _, line := range source[e.end:e.last] {
			out.Write(line)
		}
		next = e.last + 1
		if e.stage && labelled != "" {
			out.WriteString(labelled + "\n")
			next++
		}
	}
	return out.Bytes()
}
