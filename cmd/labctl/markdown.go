package main

import (
	"strings"
)

// showMarkdown shows a lab's prose on a terminal: headings and strong words
// bold, code coloured, everything else as it was written. It knows the little
// that lessons need; backticks stay, so that code can be told without colours.
func showMarkdown(text string, c colors) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		line = Clean(strings.TrimRight(line, "\r\n"))
		switch heading := strings.TrimLeft(line, "#"); {
		case heading != line && strings.HasPrefix(heading, " "):
			b.WriteString(c.Bold(strings.TrimSpace(heading)))
		case strings.HasPrefix(line, "    "):
			b.WriteString(c.Cyan(line))
		default:
			b.WriteString(showInline(line, c))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// showInline paints `code` and **strong** within one line.
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
