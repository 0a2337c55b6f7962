package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/labctl/labctl/runner"
)

type shootOptions struct {
	f         *Factory
	container string
	selector  runner.Selector
	random    bool
	yes       bool
	wait      time.Duration
	format    Format
}

// shootWait is how long labctl follows what comes back, unless it is told.
const shootWait = 10 * time.Second

func newShootCmd(f *Factory, runF func(context.Context, *shootOptions) error) *cobra.Command {
	opts := &shootOptions{f: f}
	cmd := &cobra.Command{
		Use:   "shoot [CONTAINER]",
		Short: "Kill a container, and see what is lost and what comes back",
		Long: `Cattle get numbers, and when they get sick you shoot them. Shoot kills a container
of a lab, and removes it: a server that dies does not come back with its disk. It
says before what that would cost: the files that its image lacks, what lives in
its memory, its volumes. Then it says how to bring another one back from the
repository, and follows whether the service answers again, and when.

It takes what is live, and what start made; nothing else. CONTAINER is named as
for labctl shell, or by the beginning of its ID. Without it, it is the one that is
live. Where nobody can be asked, and without --yes, it says what it would cost, and
kills nothing.

It ends as soon as the service is whole again, or when --wait is over. Nothing
brings a container back by itself: to see how long it takes you, shoot with
--wait 10m, and run another one in a second terminal. Ctrl-C ends the wait.

Exit codes: 0 shot, whatever came back; 2 the command line is wrong; 3 not shot,
or labctl could not look what came back.`,
		Example: `  labctl shoot pet-01
  labctl shoot --random --wait 10m
  labctl shoot --yes --format json | jq .lost`,
		Args:              atMost(1),
		ValidArgsFunction: completeTargets(f, &opts.selector),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				opts.container = args[0]
			}
			if opts.random && opts.container != "" {
				return usageError("labctl shoot: --random chooses the container; it takes none", "labctl shoot --random")
			}
			if opts.wait < 0 {
				return usageError("labctl shoot: --wait is a time of 0s or more", "--wait 10s")
			}
			if opts.format == JSON && !opts.yes {
				return usageError("labctl shoot: --format json asks nothing", "add --yes")
			}
			if runF != nil {
				return runF(cmd.Context(), opts)
			}
			return shootRun(cmd.Context(), opts)
		},
	}
	cmd.Flags().BoolVar(&opts.random, "random", false, "one of those that are live")
	cmd.Flags().BoolVar(&opts.yes, "yes", false, "do not ask")
	cmd.Flags().DurationVar(&opts.wait, "wait", shootWait, "how long to follow what comes back: `TIME`, such as 30s or 10m")
	complete(cmd, "wait", cobra.NoFileCompletions)
	cmd.Flags().StringVar(&opts.selector.Lab, "lab", "", "the `LAB` (default that of the folder, else the only one running)")
	complete(cmd, "lab", completeRunning(f))
	addLearner(cmd, &opts.selector.Learner, "whose lab: the learner's `NAME`")
	addFormat(cmd, &opts.format)
	return cmd
}

func shootRun(ctx context.Context, opts *shootOptions) error {
	f := opts.f
	r, in, err := find(ctx, f, opts.selector)
	if err != nil {
		return err
	}
	f.progress.Show()
	shot, err := r.PlanShoot(ctx, in, opts.container, opts.random)
	f.progress.Close()
	if err != nil {
		return err
	}
	v := shotView{io: f.IO, c: f.IO.OutColors, shot: shot}
	if opts.format == Text {
		v.cost()
	}
	if !opts.yes {
		if !f.IO.InTerminal {
			return usageError("labctl shoot: nobody can be asked, standard input is no terminal", "add --yes")
		}
		yes, err := agreed(ctx, f.IO, "Shoot "+Clean(shot.Container.Name)+"?")
		if err != nil {
			return err
		}
		if !yes {
			fmt.Fprintf(f.IO.Err, "%s lives.\n", Clean(shot.Container.Name))
			return exitError(exitFailed)
		}
	}
	if err := r.Shoot(ctx, in, shot); err != nil {
		return err
	}
	if opts.format == Text {
		v.dead()
		if shot.Live() && opts.wait > 0 {
			fmt.Fprintf(f.IO.Err, "Now labctl follows what comes back, for %s at the most; Ctrl-C ends that.\n", opts.wait)
		}
	}
	f.progress.Show()
	followed := r.Follow(ctx, shot, opts.wait)
	f.progress.Close()
	if opts.format == JSON {
		return errors.Join(followed, writeJSON(f.IO.Out, shot))
	}
	if followed != nil {
		return followed
	}
	v.back()
	return nil
}
