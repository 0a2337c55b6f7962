package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/labctl/labctl/runner"
)

type statusOptions struct {
	f       *Factory
	lab     string
	learner string
	format  Format
}

func newStatusCmd(f *Factory, runF func(context.Context, *statusOptions) error) *cobra.Command {
	opts := &statusOptions{f: f}
	cmd := &cobra.Command{
		Use:   "status [LAB]",
		Short: "Show what runs, and what is live in production",
		Long: `Show your running labs: where each one's workspace is, and for each service its
address and the containers that answer there.`,
		Example: `  labctl status
  labctl status drift-lab --format json`,
		Args:              atMost(1),
		ValidArgsFunction: completeRunning(f),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				opts.lab = args[0]
			}
			if runF != nil {
				return runF(cmd.Context(), opts)
			}
			return statusRun(cmd.Context(), opts)
		},
	}
	addLearner(cmd, &opts.learner, "only this learner's, by `NAME`")
	addFormat(cmd, &opts.format)
	return cmd
}

func statusRun(ctx context.Context, opts *statusOptions) error {
	chosen := runner.Selector{Lab: opts.lab, Learner: opts.learner}
	if err := aim(opts.f, &chosen); err != nil {
		return err
	}
	r, err := opts.f.Runner(ctx)
	if err != nil {
		return err
	}
	all, err := r.Instances(ctx, false)
	if err != nil {
		return err
	}
	instances := matching(all, chosen)
	if len(instances) == 0 && chosen.Lab != "" {
		// A misspelt lab is an error, one that does not run is an answer.
		if _, err := opts.f.Library.Open(opts.lab, chosen.Cwd); err != nil {
			return err
		}
	}
	if opts.format == JSON {
		return writeStatus(opts.f.IO.Out, instances)
	}
	if len(instances) == 0 {
		showNothing(opts.f.IO, chosen.Lab)
	}
	for i, in := range instances {
		if i > 0 {
			fmt.Fprintln(opts.f.IO.Out)
		}
		showInstance(opts.f.IO, in)
	}
	return nil
}

// matching are the instances of a lab and a learner, where these are given.
func matching(all []runner.Instance, s runner.Selector) []runner.Instance {
	chosen := []runner.Instance{}
	for _, in := range all {
		if (s.Lab == "" || s.Lab == in.Lab || s.Lab == in.Instance) && (s.Learner == "" || s.Learner == in.Learner) {
			chosen = append(chosen, in)
		}
	}
	return chosen
}

// statusSchema names the format of statusDocument.
const statusSchema = "labctl/status/v1"

// statusDocument is what runs, for programs.
type statusDocument struct {
	Schema    string            `json:"schema"`
	Instances []runner.Instance `json:"instances"`
}

// writeStatus writes labctl/status/v1.
func writeStatus(w io.Writer, instances []runner.Instance) error {
	return writeJSON(w, statusDocument{statusSchema, instances})
}

// showNothing says that nothing runs, and how to begin.
func showNothing(io *Streams, lab string) {
	if lab == "" {
		fmt.Fprintln(io.Out, "Nothing is running. labctl list shows the labs, labctl start LAB starts one.")
		return
	}
	fmt.Fprintf(io.Out, "%s is not running. labctl start %s starts it.\n", Clean(lab), Clean(lab))
}

func showInstance(io *Streams, in runner.Instance) {
	c := io.OutColors
	fmt.Fprintf(io.Out, "%s, learner %s, since %s\n", c.Bold(Clean(in.Lab)), Clean(in.Learner), in.Started.Local().Format(time.DateTime))
	if in.Unfinished != "" {
		fmt.Fprintf(io.Out, "  %s %s\n", c.Yellow("!"), Clean(in.Unfinished))
	}
	fmt.Fprintf(io.Out, "  workspace  %s\n", Clean(in.Workspace))
	for _, s := range in.Services {
		name := s.Name
		if s.Environment != "" {
			name += " in " + s.Environment
		}
		address := "on its network only"
		if s.Address != "" {
			address = "http://" + s.Address
		}
		fmt.Fprintf(io.Out, "  service    %s, %s\n", Clean(name), Clean(address))
		if s.Relay != "" {
			fmt.Fprintf(io.Out, "    relay    %s\n", Clean(s.Relay))
		}
		if s.Unreached != "" {
			fmt.Fprintf(io.Out, "    relay    %s: %s\n", c.Red("none"), Clean(s.Unreached))
		}
		if len(s.Live) == 0 {
			fmt.Fprintf(io.Out, "    live     %s\n", c.Red("nothing"))
		}
		for _, l := range s.Live {
			fmt.Fprintf(io.Out, "    live     %s %s\n", c.Green(Clean(l.Name)), c.Faint(fmt.Sprintf("(%s, image %s)", Clean(shortID(l.ID)), Clean(shortID(l.Image)))))
		}
	}
}

// shortID is an ID as docker ps shows it; names are left as they are.
func shortID(id string) string {
	const short = 12
	hex := strings.TrimPrefix(id, "sha256:")
	if len(hex) == 64 && strings.Trim(hex, "0123456789abcdef") == "" {
		return hex[:short]
	}
	return id
}
