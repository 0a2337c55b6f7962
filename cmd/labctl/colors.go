package main

import "github.com/fatih/color"

// colors paint text for one stream; each of them returns its text unchanged
// where there is to be no colour. They take text that is clean already.
type colors struct {
	Bold, Faint, Italic, Red, Green, Yellow, Cyan func(a ...any) string
}

func newColors(on bool) colors {
	paint := func(attributes ...color.Attribute) func(a ...any) string {
		c := color.New(attributes...)
		// Each stream decides for itself; the library's global decides by
		// standard output for all.
		if on {
			c.EnableColor()
		} else {
			c.DisableColor()
		}
		return c.SprintFunc()
	}
	return colors{
		Bold:   paint(color.Bold),
		Faint:  paint(color.Faint),
		Italic: paint(color.Italic),
		Red:    paint(color.FgRed),
		Green:  paint(color.FgGreen),
		Yellow: paint(color.FgYellow),
		Cyan:   paint(color.FgCyan),
	}
}

// diff paints a line of a unified diff.
func (c colors) diff(line string) string {
	switch line[:min(1, len(line))] {
	case "+":
		return c.Green(line)
	case "-":
		return c.Red(line)
	case "@":
		return c.Cyan(line)
	}
	return line
}
