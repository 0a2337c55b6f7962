package main

import (
	"fmt"
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// proseWidth is the most that lines of prose are wide: longer ones read badly.
const proseWidth = 80

// markdown reads CommonMark, less HTML: on a terminal that is text like any
// other.
var markdown = parser.NewParser(
	parser.WithBlockParsers(
		util.Prioritized(parser.NewSetextHeadingParser(), 100),
		util.Prioritized(parser.NewThematicBreakParser(), 200),
		util.Prioritized(parser.NewListParser(), 300),
		util.Prioritized(parser.NewListItemParser(), 400),
		util.Prioritized(parser.NewCodeBlockParser(), 500),
		util.Prioritized(parser.NewATXHeadingParser(), 600),
		util.Prioritized(parser.NewFencedCodeBlockParser(), 700),
		util.Prioritized(parser.NewBlockquoteParser(), 800),
		util.Prioritized(parser.NewParagraphParser(), 1000),
	),
	parser.WithInlineParsers(
		util.Prioritized(parser.NewCodeSpanParser(), 100),
		util.Prioritized(parser.NewLinkParser(), 200),
		util.Prioritized(parser.NewAutoLinkParser(), 300),
		util.Prioritized(parser.NewEmphasisParser(), 500),
	),
	parser.WithParagraphTransformers(
		util.Prioritized(parser.LinkReferenceParagraphTransformer, 100),
	),
)

// showMarkdown shows a lab's prose: headings and strong words bold, code
// coloured, lines filled to the width. Blocks of code are never broken, nor is
// `code` in a line: they are there to be copied. Backticks stay, so that code can
// be told without colours.
//
// The text is cleaned before it is read, so nothing of it reaches the terminal
// that was not.
func showMarkdown(prose string, width int, c colors) string {
	source := []byte(CleanText(strings.ReplaceAll(prose, "\r\n", "\n")))
	v := markdownView{source: source, c: c}
	var b strings.Builder
	for _, line := range v.blocks(markdown.Parse(text.NewReader(source)), min(width, proseWidth), true) {
		b.WriteString(strings.TrimRight(line, " "))
		b.WriteByte('\n')
	}
	return b.String()
}

type markdownView struct {
	source []byte
	c      colors
}

// style is how a piece of a line is painted.
type style struct{ bold, italic, code bool }

func (v *markdownView) paint(text string, s style) string {
	if s.code {
		text = v.c.Cyan(text)
	}
	if s.italic {
		text = v.c.Italic(text)
	}
	if s.bold {
		text = v.c.Bold(text)
	}
	return text
}

// blocks are the lines of what a block holds; apart, with a blank line between
// two.
func (v *markdownView) blocks(parent ast.Node, width int, apart bool) []string {
	var lines []string
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		inner := v.block(n, width)
		if len(inner) == 0 { // of a link's address, say
			continue
		}
		if apart && len(lines) > 0 {
			lines = append(lines, "")
		}
		lines = append(lines, inner...)
	}
	return lines
}

func (v *markdownView) block(n ast.Node, width int) []string {
	switch n := n.(type) {
	case *ast.Heading:
		return v.prose(n, style{bold: true}, width)
	case *ast.CodeBlock, *ast.FencedCodeBlock:
		return v.code(n.Lines())
	case *ast.List:
		return v.list(n, width)
	case *ast.Blockquote:
		return hang(v.blocks(n, width-2, true), "│ ", "│ ")
	case *ast.ThematicBreak:
		return []string{strings.Repeat("─", max(width, 1))}
	}
	return v.prose(n, style{}, width)
}

func (v *markdownView) code(segments *text.Segments) []string {
	var lines []string
	for i := range segments.Len() {
		at := segments.At(i)
		line := strings.TrimRight(string(at.Value(v.source)), "\n")
		lines = append(lines, "    "+v.c.Cyan(line))
	}
	return lines
}

func (v *markdownView) list(n *ast.List, width int) []string {
	var lines []string
	number := n.Start
	for item := n.FirstChild(); item != nil; item = item.NextSibling() {
		mark := "- "
		if n.IsOrdered() {
			mark = fmt.Sprintf("%d%c ", number, n.Marker)
			number++
		}
		if len(lines) > 0 && !n.IsTight {
			lines = append(lines, "")
		}
		inner := v.blocks(item, width-columns(mark), !n.IsTight)
		lines = append(lines, hang(inner, mark, strings.Repeat(" ", len(mark)))...)
	}
	return lines
}

// hang puts first before the first line, and then before the others.
func hang(lines []string, first, then string) []string {
	if len(lines) == 0 {
		return []string{first}
	}
	for i := range lines {
		if i == 0 {
			lines[i] = first + lines[i]
		} else {
			lines[i] = then + lines[i]
		}
	}
	return lines
}

// prose is what stands in a line, broken between words.
func (v *markdownView) prose(n ast.Node, s style, width int) []string {
	var w flow
	v.inline(&w, n, s)
	var lines []string
	for _, line := range w.lines(width) {
		var b strings.Builder
		for _, p := range line {
			b.WriteString(v.paint(p.text, p.style))
		}
		lines = append(lines, b.String())
	}
	return lines
}

func (v *markdownView) inline(w *flow, parent ast.Node, s style) {
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		switch n := n.(type) {
		case *ast.Text:
			w.add(string(util.UnescapePunctuations(n.Value(v.source))), s)
			if n.HardLineBreak() {
				w.end()
			} else if n.SoftLineBreak() {
				w.open = false
			}
		case *ast.CodeSpan:
			s.code = true
			w.addWhole("`"+v.plain(n)+"`", s)
			s.code = false
		case *ast.Emphasis:
			inner := s
			inner.bold, inner.italic = s.bold || n.Level > 1, s.italic || n.Level == 1
			v.inline(w, n, inner)
		case *ast.Link:
			v.inline(w, n, s)
			w.add(" ("+string(n.Destination)+")", s)
		case *ast.AutoLink:
			w.add(string(n.URL(v.source)), s)
		default: // an image: what stands for it
			v.inline(w, n, s)
		}
	}
}

// plain is the text of a code span, on one line.
func (v *markdownView) plain(span ast.Node) string {
	var b strings.Builder
	for n := span.FirstChild(); n != nil; n = n.NextSibling() {
		if t, ok := n.(*ast.Text); ok {
			b.Write(t.Value(v.source))
		}
	}
	return strings.ReplaceAll(b.String(), "\n", " ")
}

// flow is words that are to be laid into lines.
type flow struct {
	words []word
	open  bool // what comes next belongs to the last one
}

type word struct {
	pieces []piece
	width  int
	last   bool // of its line
}

type piece struct {
	text  string
	style style
}

// add adds text that is broken where it has spaces.
func (w *flow) add(text string, s style) {
	const spaces = " \t\n"
	w.open = w.open && strings.TrimLeft(text, spaces) == text
	for i, field := range strings.Fields(text) {
		w.open = w.open && i == 0
		w.addWhole(field, s)
	}
	w.open = w.open && strings.TrimRight(text, spaces) == text
}

// addWhole adds text that is not broken.
func (w *flow) addWhole(text string, s style) {
	if !w.open {
		w.words = append(w.words, word{})
	}
	at := &w.words[len(w.words)-1]
	at.pieces, at.width, w.open = append(at.pieces, piece{text, s}), at.width+columns(text), true
}

// end ends a line.
func (w *flow) end() {
	if len(w.words) > 0 {
		w.words[len(w.words)-1].last = true
	}
	w.open = false
}

// lines lays the words into lines of a width; a word that is wider has a line
// of its own. What is painted alike is one piece, the spaces between included.
func (w *flow) lines(width int) [][]piece {
	var lines [][]piece
	column, ended := 0, true
	for _, word := range w.words {
		if ended || column+1+word.width > width {
			lines = append(lines, nil)
			column = 0
		}
		line := &lines[len(lines)-1]
		if column > 0 {
			between := style{}
			if last := (*line)[len(*line)-1].style; last == word.pieces[0].style {
				between = last
			}
			*line = join(*line, piece{" ", between})
			column++
		}
		for _, p := range word.pieces {
			*line = join(*line, p)
		}
		column += word.width
		ended = word.last
	}
	return lines
}

func join(line []piece, p piece) []piece {
	if n := len(line); n > 0 && line[n-1].style == p.style {
		line[n-1].text += p.text
		return line
	}
	return append(line, p)
}
