package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/labctl/labctl/runner"
)

type stopOptions struct {
	f        *Factory
	selector runner.Selector
	all      bool
	yes      bool
	purge    bool
	format   Format
}

func newStopCmd(f *Factory, runF func(context.Context, *stopOptions) error) *cobra.Command {
	opts := &stopOptions{f: f}
	cmd := &cobra.Command{
		Use:   "stop [LAB]",
		Short: "Remove a lab's containers and networks",
		Long: `Remove what a lab has on the engine: the containers and networks that start made,
and the containers that the learner put in their place. What is no part of the
lab is named and left alone. The workspace stays, unless --purge is given.`,
		Example: `  labctl stop
  labctl stop drift-lab --purge --yes
  labctl stop --all`,
		Args:              atMost(1),
		ValidArgsFunction: completeRunning(f),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				opts.selector.Lab = args[0]
			}
			if opts.all && (opts.selector.Lab != "" || opts.selector.Learner != "") {
				return usageError("labctl stop: --all stops everything of yours; it takes no LAB and no --learner", "labctl stop --help")
			}
			if opts.format == JSON && !opts.yes {
				return usageError("labctl stop: --format json asks nothing", "add --yes")
			}
			if runF != nil {
				return runF(cmd.Context(), opts)
			}
			return stopRun(cmd.Context(), opts)
		},
	}
	cmd.Flags().BoolVar(&opts.all, "all", false, "stop all of your labs")
	addLearner(cmd, &opts.selector.Learner, "whose lab: the learner's `NAME`")
	cmd.Flags().BoolVar(&opts.yes, "yes", false, "do not ask")
	cmd.Flags().BoolVar(&opts.purge, "purge", false, "also remove the lab's images and the workspace folder")
	addFormat(cmd, &opts.format)
	return cmd
}

// stopped is one instance in labctl/stop/v1.
type stopped struct {
	Lab        string   `json:"lab"`
	Learner    string   `json:"learner"`
	Instance   string   `json:"instance"`
	Containers []string `json:"containers"`
	Networks   []string `json:"networks"`
	Images     []string `json:"images"`
	Workspace  string   `json:"workspace"` // "" when it stays
	Left       []string `json:"left"`
}

func stopRun(ctx context.Context, opts *stopOptions) error {
	f := opts.f
	chosen := opts.selector
	if err := aim(f, &chosen); err != nil {
		return err
	}
	r, err := f.Runner(ctx)
	if err != nil {
		return err
	}
	instances, err := chooseStopped(ctx, r, opts, chosen)
	if err != nil {
		return err
	}
	if len(instances) == 0 && opts.format == Text {
		if chosen.Lab == "" {
			fmt.Fprintln(f.IO.Out, "No lab is running.")
		} else {
			fmt.Fprintf(f.IO.Out, "%s is not running.\n", Clean(chosen.Lab))
		}
	}
	done := []stopped{}
	for _, in := range instances {
		plan, err := r.PlanStop(ctx, in, opts.purge)
		if err != nil {
			return err
		}
		if opts.format == Text {
			showStopPlan(f.IO, plan)
		}
		if err := agree(ctx, f.IO, opts, plan); err != nil {
			return err
		}
		if err := r.Stop(ctx, plan); err != nil {
			return err
		}
		if opts.format == Text {
			showStopped(f.IO, plan, opts.purge)
		}
		done = append(done, stopped{
			Lab: in.Lab, Learner: in.Learner, Instance: in.Instance,
			Containers: present(plan.Containers), Networks: present(plan.Networks), Images: present(plan.Images),
			Workspace: plan.Workspace, Left: present(plan.Left),
		})
	}
	if opts.format == JSON {
		return writeJSON(f.IO.Out, struct {
			Schema  string    `json:"schema"`
			Stopped []stopped `json:"stopped"`
		}{"labctl/stop/v1", done})
	}
	return nil
}

// showStopped says what is left of an instance, and how that goes, too.
func showStopped(io *Streams, p *runner.StopPlan, purged bool) {
	in := p.Instance
	if purged && len(p.Left) > 0 {
		fmt.Fprintf(io.Out, "%s is stopped, and nothing of it is left but what is named above.\n", Clean(in.Lab))
		return
	}
	if purged {
		fmt.Fprintf(io.Out, "%s is stopped, and nothing of it is left.\n", Clean(in.Lab))
		return
	}
	fmt.Fprintf(io.Out, "%s is stopped. Its images and the workspace %s stay; labctl stop %s --purge removes them, too.\n", Clean(in.Lab), Clean(in.Workspace), Clean(in.Instance))
}

// chooseStopped are the instances that are meant; none when nothing that was
// meant runs. A lab that does not exist at all is an error.
func chooseStopped(ctx context.Context, r runner.API, opts *stopOptions, chosen runner.Selector) ([]runner.Instance, error) {
	if opts.all {
		return r.Instances(ctx, opts.purge)
	}
	chosen.Stopped = opts.purge
	in, err := r.Find(ctx, chosen)
	if errors.Is(err, runner.ErrNotRunning) {
		if opts.selector.Lab != "" {
			_, err := opts.f.Library.Open(opts.selector.Lab, chosen.Cwd)
			return nil, err
		}
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return []runner.Instance{in}, nil
}

// showStopPlan says what will go and what is left alone.
func showStopPlan(io *Streams, p *runner.StopPlan) {
	c := io.OutColors
	fmt.Fprintf(io.Out, "Of %s, learner %s, this removes:\n", c.Bold(Clean(p.Instance.Lab)), Clean(p.Instance.Learner))
	show := func(what string, names []string) {
		for _, name := range names {
			fmt.Fprintf(io.Out, "  %s %s\n", pad(what, 9), Clean(name))
		}
	}
	show("container", p.Containers)
	show("network", p.Networks)
	var named, ids []string
	for _, image := range p.Images {
		if strings.HasPrefix(image, "sha256:") { // it has no name
			ids = append(ids, image)
		} else {
			named = append(named, image)
		}
	}
	if len(ids) > fewImages {
		ids = []string{fmt.Sprintf("%d without a name, built on the lab's images", len(ids))}
	}
	show("image", named)
	show("image", ids)
	if p.Workspace != "" {
		show("workspace", []string{p.Workspace})
		for _, change := range p.Unsaved {
			fmt.Fprintf(io.Out, "            %s %s\n", c.Yellow("not committed:"), Clean(change))
		}
	}
	if len(p.Left) > 0 {
		fmt.Fprintln(io.Out, "It leaves alone:")
		for _, left := range p.Left {
			fmt.Fprintf(io.Out, "  %s\n", Clean(left))
		}
	}
}

// fewImages is how many images without a name are shown one by one: learners who
// build often leave dozens.
const fewImages = 3

// agree asks before anything is removed. Where nobody can be asked, --yes must
// have said so.
func agree(ctx context.Context, streams *Streams, opts *stopOptions, p *runner.StopPlan) error {
	if opts.yes {
		return nil
	}
	if !streams.InTerminal {
		return usageError("labctl stop: nobody can be asked, standard input is no terminal", "add --yes")
	}
	if yes, err := agreed(ctx, streams, "Remove it?"); yes || err != nil {
		return err
	}
	fmt.Fprintf(streams.Err, "%s was left as it is.\n", Clean(p.Instance.Lab))
	return exitError(exitFailed)
}

// present is a list that JSON shows as [] when it is empty.
func present(list []string) []string { return append([]string{}, list...) }
