package main

import (
	"io"
	"os"

	"golang.org/x/term"
)

// Streams are the command's input and outputs, and what is known of each.
// Answers go to Out alone, so that they can be piped; everything said on the
// way goes to Err.
type Streams struct {
	In  io.Reader
	Out io.Writer
	Err io.Writer

	InTerminal  bool // somebody can be asked
	ErrTerminal bool // progress may be redrawn
	Width       int  // columns of Out

	OutColors colors
	ErrColors colors
}

// defaultWidth is for outputs that have none of their own.
const defaultWidth = 80

// systemStreams are those of the process.
func systemStreams() *Streams {
	return &Streams{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
		InTerminal:  isTerminal(os.Stdin),
		ErrTerminal: isTerminal(os.Stderr) && !plainTerminal(),
		Width:       width(os.Stdout),
		OutColors:   newColors(colorful(os.Stdout)),
		ErrColors:   newColors(colorful(os.Stderr)),
	}
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// plainTerminal is true of a terminal that cannot move its cursor.
func plainTerminal() bool { return os.Getenv("TERM") == "dumb" }

// colorful decides about colours for one stream: never for pipes, nor for dumb
// terminals, nor for people who said no (https://no-color.org).
func colorful(f *os.File) bool {
	return isTerminal(f) && !plainTerminal() && os.Getenv("NO_COLOR") == ""
}

func width(f *os.File) int {
	if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 0 {
		return w
	}
	return defaultWidth
}
