package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// agreed asks on a terminal before something is done that cannot be undone. The
// question is clean text. Whatever is not yes is no, Ctrl-C too.
func agreed(ctx context.Context, streams *Streams, question string) (bool, error) {
	fmt.Fprintf(streams.Err, "%s [y/N] ", question)
	type line struct {
		text string
		err  error
	}
	typed := make(chan line, 1)
	// A terminal cannot be asked to stop reading.
	go func() {
		text, err := bufio.NewReader(streams.In).ReadString('\n')
		typed <- line{text, err}
	}()
	select {
	case <-ctx.Done():
		fmt.Fprintln(streams.Err)
		return false, nil
	case answer := <-typed:
		if answer.err != nil && !errors.Is(answer.err, io.EOF) {
			return false, fmt.Errorf("reading the answer: %w", answer.err)
		}
		word := strings.ToLower(strings.TrimSpace(answer.text))
		return word == "y" || word == "yes", nil
	}
}
