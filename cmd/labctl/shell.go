package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/labctl/labctl/runner"
)

type shellOptions struct {
	f         *Factory
	container string
	selector  runner.Selector
}

func newShellCmd(f *Factory, runF func(context.Context, *shellOptions) error) *cobra.Command {
	opts := &shellOptions{f: f}
	cmd := &cobra.Command{
		Use:   "shell [CONTAINER]",
		Short: "Open a shell in a container",
		Long: `Open a shell in a container of a lab: by the name that the lab uses for it, or by
the one docker ps shows. Without CONTAINER it is the one that is live.

labctl exits with the shell's exit code.`,
		Example: `  labctl shell pet-01
  echo 'cat /etc/booking.conf' | labctl shell pet-01`,
		Args:              atMost(1),
		ValidArgsFunction: completeContainers(f, &opts.selector, false),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				opts.container = args[0]
			}
			if runF != nil {
				return runF(cmd.Context(), opts)
			}
			return shellRun(cmd.Context(), opts)
		},
	}
	cmd.Flags().StringVar(&opts.selector.Lab, "lab", "", "the `LAB` (default that of the folder, else the only one running)")
	complete(cmd, "lab", completeRunning(f))
	addLearner(cmd, &opts.selector.Learner, "whose lab: the learner's `NAME`")
	return cmd
}

func shellRun(ctx context.Context, opts *shellOptions) error {
	r, in, err := find(ctx, opts.f, opts.selector)
	if err != nil {
		return err
	}
	io := opts.f.IO
	code, err := r.Shell(ctx, in, opts.container, io.In, io.Out, io.Err)
	if err != nil {
		return err
	}
	if code != 0 {
		return exitError(code)
	}
	return nil
}
