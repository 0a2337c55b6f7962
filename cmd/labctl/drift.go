package main

import (
	"context"
	"fmt"
	"reflect"
	"strings"

	"github.com/spf13/cobra"

	"github.com/labctl/labctl/runner"
)

type driftOptions struct {
	f         *Factory
	container string
	selector  runner.Selector
	format    Format
}

func newDriftCmd(f *Factory, runF func(context.Context, *driftOptions) error) *cobra.Command {
	opts := &driftOptions{f: f}
	cmd := &cobra.Command{
		Use:   "drift [CONTAINER]",
		Short: "Show how a container differs from its image and from HEAD",
		Long: `Show how a container's filesystem differs from its image, and from what a clean
build of the workspace's last commit makes: each path, and of text the lines.
The container is named as for labctl shell, and may be stopped. Without
CONTAINER it is all that is live.

The comparisons are those of the checks no_drift and built_from_repo, but for
that the second looks at the filesystem rather than the image: so it also tells
what of a container is not in the repository yet.

Exit codes: 0 shown, whether anything differs or not; 2 the command line is
wrong; 3 something could not be looked at.`,
		Example: `  labctl drift
  labctl drift pet-01
  labctl drift pet-01 --format json | jq -r '.containers[].image_differences[].diff'`,
		Args:              atMost(1),
		ValidArgsFunction: completeContainers(f, &opts.selector, true),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				opts.container = args[0]
			}
			if runF != nil {
				return runF(cmd.Context(), opts)
			}
			return driftRun(cmd.Context(), opts)
		},
	}
	cmd.Flags().StringVar(&opts.selector.Lab, "lab", "", "the `LAB` (default that of the folder, else the only one running)")
	complete(cmd, "lab", completeRunning(f))
	addLearner(cmd, &opts.selector.Learner, "whose lab: the learner's `NAME`")
	addFormat(cmd, &opts.format)
	return cmd
}

func driftRun(ctx context.Context, opts *driftOptions) error {
	r, in, err := find(ctx, opts.f, opts.selector)
	if err != nil {
		return err
	}
	opts.f.progress.Show()
	drift, err := r.Drift(ctx, in, opts.container)
	opts.f.progress.Close()
	if err != nil {
		return err
	}
	if opts.format == JSON {
		if err := writeJSON(opts.f.IO.Out, drift); err != nil {
			return err
		}
	} else {
		showDrift(opts.f.IO, drift)
	}
	if drift.CouldNotLook() {
		return exitError(exitFailed)
	}
	return nil
}

// showDrift shows drift to people, a container after the other.
func showDrift(io *Streams, d *runner.Drift) {
	v := driftView{io: io, c: io.OutColors}
	fmt.Fprintf(io.Out, "%s, learner %s\n", v.c.Bold(Clean(d.Lab)), Clean(d.Learner))
	for _, c := range d.Containers {
		v.container(c)
	}
}

type driftView struct {
	io *Streams
	c  colors
}

func (v *driftView) container(c runner.ContainerDrift) {
	name := c.Name
	if c.Called != "" && c.Called != c.Name {
		name = c.Called + " (" + c.Name + ")"
	}
	is := c.State
	if c.Live {
		is = "live"
	}
	if c.Service != "" {
		is += ", " + place(c.Service, c.Environment)
	}
	fmt.Fprintf(v.io.Out, "\n%s  %s\n", v.c.Bold(Clean(name)), v.c.Faint(Clean(is)))

	image := "its image"
	if !strings.HasPrefix(c.ImageName, "sha256:") {
		image += " " + c.ImageName
	}
	v.compared(image, couldNotCompare(c.ImageError), c.ImageDifferences, nil)

	what := "what HEAD makes"
	if c.Head.Commit != "" {
		what = fmt.Sprintf("what commit %.7s makes", c.Head.Commit)
	}
	files := c.Head.Differences
	if len(files) > 0 && reflect.DeepEqual(files, c.ImageDifferences) {
		files, c.Head.Image = nil, append([]string{"the same differs"}, c.Head.Image...)
	}
	v.compared(what, nothingToCompare(c.Head), files, c.Head.Image)
}

// nothingToCompare says why there is nothing that HEAD makes; "" when there is.
func nothingToCompare(h runner.HeadDrift) string {
	switch {
	case h.Refused != "":
		return "the clean room refuses HEAD's Dockerfile: " + h.Refused
	case h.Failed != "":
		return "HEAD does not build: " + h.Failed
	}
	return couldNotCompare(h.Error)
}

func couldNotCompare(why string) string {
	if why == "" {
		return ""
	}
	return "could not be compared: " + why
}

// compared shows one comparison: why there is none, or all that differs.
func (v *driftView) compared(with, none string, files []runner.DriftedFile, other []string) {
	fmt.Fprintf(v.io.Out, "  compared with %s\n", Clean(with))
	if none != "" {
		first, rest, _ := strings.Cut(none, "\n")
		fmt.Fprintf(v.io.Out, "    %s %s\n", v.c.Yellow("!"), Clean(first))
		for line := range strings.Lines(rest) {
			fmt.Fprintf(v.io.Out, "      %s\n", Clean(strings.TrimSuffix(line, "\n")))
		}
		return
	}
	if len(files)+len(other) == 0 {
		fmt.Fprintf(v.io.Out, "    %s\n", v.c.Green("nothing differs"))
	}
	for _, f := range files {
		v.file(f)
	}
	for _, line := range other {
		fmt.Fprintf(v.io.Out, "    %s\n", Clean(line))
	}
}

func (v *driftView) file(f runner.DriftedFile) {
	about := ""
	if f.What != "" && f.What != "content" {
		about = "  " + f.What
	}
	if f.Diff == "" {
		about += sizes(f)
	}
	fmt.Fprintf(v.io.Out, "    %s%s\n", v.c.Bold(f.Sign+" "+Clean(f.Path)), Clean(about))
	names := 2 // which are above already
	for line := range strings.Lines(f.Diff) {
		if names--; names < 0 {
			fmt.Fprintf(v.io.Out, "      %s\n", v.c.diff(CleanText(strings.TrimSuffix(line, "\n"))))
		}
	}
}

// sizes are sizes and digests of contents that are not shown as text.
func sizes(f runner.DriftedFile) string {
	state := func(s *runner.FileState) string {
		switch {
		case s == nil:
			return ""
		case s.SHA256 == "":
			return s.Type
		}
		return fmt.Sprintf("%s, sha256 %.12s", count(int(s.Size), "byte", "bytes"), s.SHA256)
	}
	before, after := state(f.Before), state(f.After)
	switch {
	case before == after:
		return ""
	case before != "" && after != "":
		return "  " + before + " → " + after
	}
	return "  " + before + after
}
