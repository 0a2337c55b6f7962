package main

import (
	"regexp"
	"strings"
)

// proseWidth is the most that lines of prose are wide: longer ones read badly.
const proseWidth = 80

// listItem begins an item of a list.
var listItem = regexp.MustCompile(`^ {0,3}([-*]|[0-9]+\.) +`)

// showMarkdown shows a lab's prose: headings and strong words bold, code
// coloured, paragraphs and lists filled to the width, since a value that was
// filled in makes lines longer than they were written. Indented code stays as
// it is, to be copied. It knows the little that lessons need; backticks stay,
// so that code can be told without colours.
func showMarkdown(text string, width int, c colors) string {
	width = min(width, proseWidth)
	var b strings.Builder
	var paragraph, indent string // what is not shown yet, and how its further lines begin
	flush := func() {
		if paragraph != "" {
			b.WriteString(showInline(paragraph[:len(indent)]+wrap(paragraph[len(indent):], width, indent), c) + "\n")
		}
		paragraph, indent = "", ""
	}
	for line := range strings.Lines(text) {
		line = Clean(strings.TrimRight(line, "\r\n"))
		heading := strings.TrimLeft(line, "#")
		switch item := listItem.FindString(line); {
		case strings.TrimSpace(line) == "":
			flush()
			b.WriteByte('\n')
		case heading != line && strings.HasPrefix(heading, " "):
			flush()
			b.WriteString(c.Bold(strings.TrimSpace(heading)) + "\n")
		case strings.HasPrefix(line, "    "):
			flush()
			b.WriteString(c.Cyan(line) + "\n")
		case item != "":
			flush()
			paragraph, indent = line, strings.Repeat(" ", len(item))
		default:
			paragraph = strings.TrimPrefix(paragraph+" ", " ") + line
		}
	}
	flush()
	return b.String()
}

// showInline paints `code` and **strong** within a paragraph.
func showInline(line string, c colors) string {
	var b strings.Builder
	for line != "" {
		code, strong := strings.Index(line, "`"), strings.Index(line, "**")
		switch {
		case code >= 0 && (strong < 0 || code < strong):
			end := strings.Index(line[code+1:], "`")
			if end < 0 {
				return b.String() + line
			}
			end += code + 2
			b.WriteString(line[:code] + c.Cyan(line[code:end]))
			line = line[end:]
		case strong >= 0:
			end := strings.Index(line[strong+2:], "**")
			if end < 0 {
				return b.String() + line
			}
			end += strong + 2
			b.WriteString(line[:strong] + c.Bold(line[strong+2:end]))
			line = line[end+2:]
		default:
			return b.String() + line
		}
	}
	return b.String()
}
