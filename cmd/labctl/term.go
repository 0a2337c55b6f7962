package main

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean makes one line of text from elsewhere (a container, a workspace, a lab)
// safe to print: whatever a terminal would act on, or that would show other
// than it is, is written as an escape. That is control characters with line
// breaks and ESC among them, invalid UTF-8, and characters that are invisible
// or turn the direction of writing.
func Clean(s string) string { return clean(s, "") }

// CleanText is Clean for text of several lines: line breaks and tabs stay.
func CleanText(s string) string { return clean(s, "\n\t") }

// indented is text of several lines from elsewhere, safe to print, with an indent
// before each.
func indented(s, indent string) string {
	return indent + strings.ReplaceAll(CleanText(s), "\n", "\n"+indent)
}

func clean(s, keep string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case shown(r) || strings.ContainsRune(keep, r):
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\r':
			b.WriteString(`\r`)
		case r < utf8.RuneSelf:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r <= 0xffff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
		i += size
	}
	return b.String()
}

// shown is true of characters that show as what they are. Spaces other than
// the common one do not: they could set apart what looks joined.
func shown(r rune) bool { return unicode.IsPrint(r) }

// cleanAll cleans each of several lines.
func cleanAll(lines []string) []string {
	cleaned := make([]string, len(lines))
	for i, line := range lines {
		cleaned[i] = Clean(line)
	}
	return cleaned
}

// wrap breaks clean text between words so that no line is wider than width,
// and puts indent before each line but the first. A word that is wider than a
// line stays whole: it may be a path to copy.
func wrap(text string, width int, indent string) string {
	const narrowest = 20
	room := max(width-columns(indent), narrowest)
	var b strings.Builder
	column := 0
	for _, word := range strings.Fields(text) {
		w := columns(word)
		switch {
		case column == 0:
		case column+1+w > room:
			b.WriteString("\n" + indent)
			column = 0
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += w
	}
	return b.String()
}

// pad fills clean text with spaces up to a width in columns.
func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-columns(s)))
}

// columns is how wide clean text is, taking every character for one column.
func columns(s string) int { return utf8.RuneCountInString(s) }
