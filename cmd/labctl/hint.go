package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/labctl/labctl/runner"
)

type hintOptions struct {
	f        *Factory
	selector runner.Selector
	number   int
	format   Format
}

func newHintCmd(f *Factory, runF func(context.Context, *hintOptions) error) *cobra.Command {
	opts := &hintOptions{f: f}
	cmd := &cobra.Command{
		Use:   "hint [LAB]",
		Short: "Show the next hint",
		Long: `Show the next hint of a lab. Each call tells a little more; --number shows one
again.`,
		Example: `  labctl hint
  labctl hint --number 1`,
		Args:              atMost(1),
		ValidArgsFunction: completeRunning(f),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				opts.selector.Lab = args[0]
			}
			if cmd.Flags().Changed("number") && opts.number < 1 {
				return usageError(fmt.Sprintf("there is no hint %d", opts.number), "hints are numbered from 1")
			}
			if runF != nil {
				return runF(cmd.Context(), opts)
			}
			return hintRun(cmd.Context(), opts)
		},
	}
	cmd.Flags().IntVar(&opts.number, "number", 0, "show hint `N`, counted from 1 (default the next one)")
	complete(cmd, "number", cobra.NoFileCompletions)
	addLearner(cmd, &opts.selector.Learner, "whose lab: the learner's `NAME`")
	addFormat(cmd, &opts.format)
	return cmd
}

func hintRun(ctx context.Context, opts *hintOptions) error {
	r, in, err := find(ctx, opts.f, opts.selector)
	if err != nil {
		return err
	}
	hint, err := r.Hint(ctx, in, opts.number)
	if err != nil {
		return err
	}
	io := opts.f.IO
	if opts.format == JSON {
		return writeJSON(io.Out, struct {
			Schema string `json:"schema"`
			Lab    string `json:"lab"`
			*runner.Hint
		}{"labctl/hint/v1", in.Lab, hint})
	}
	fmt.Fprintf(io.Out, "%s\n\n%s", io.OutColors.Bold(fmt.Sprintf("Hint %d of %d", hint.Number, hint.Total)), showMarkdown(hint.Text, io.Width, io.OutColors))
	if hint.Number < hint.Total {
		fmt.Fprintln(io.Err, "\nlabctl hint shows the next one.")
	} else {
		fmt.Fprintln(io.Err, "\nThis is the last one.")
	}
	return nil
}
