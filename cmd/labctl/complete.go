package main

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"github.com/labctl/labctl/runner"
)

// Completion answers from what is there, and says nothing when looking fails:
// a shell's prompt is no place for errors.

// completeLabs completes the first argument with the shipped labs; a folder
// will do as well.
func completeLabs(f *Factory) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		names, err := f.Library.Names()
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		return names, cobra.ShellCompDirectiveFilterDirs
	}
}

// completeRunning completes the first argument with the labs that run.
func completeRunning(f *Factory) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		r, err := f.Runner(cmd.Context())
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		instances, err := r.Instances(cmd.Context(), false)
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		var names []string
		for _, in := range instances {
			names = append(names, in.Lab)
		}
		slices.Sort(names)
		return slices.Compact(names), cobra.ShellCompDirectiveNoFileComp
	}
}

// completeContainers completes the first argument with the containers of the
// instance that is meant, the stopped ones too where they will do.
func completeContainers(f *Factory, selector *runner.Selector, stopped bool) cobra.CompletionFunc {
	return completeOf(f, selector, func(ctx context.Context, r runner.API, in runner.Instance) ([]string, error) {
		return r.Containers(ctx, in, stopped)
	})
}

// completeTargets completes the first argument with what can be shot.
func completeTargets(f *Factory, selector *runner.Selector) cobra.CompletionFunc {
	return completeOf(f, selector, func(ctx context.Context, r runner.API, in runner.Instance) ([]string, error) {
		return r.Targets(ctx, in)
	})
}

// completeOf completes the first argument with names of the instance that is
// meant.
func completeOf(f *Factory, selector *runner.Selector, of func(context.Context, runner.API, runner.Instance) ([]string, error)) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		r, in, err := find(cmd.Context(), f, *selector)
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		names, err := of(cmd.Context(), r, in)
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

// completeScenarios completes a lab, then its scenarios.
func completeScenarios(f *Factory) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if len(args) == 0 {
			return completeLabs(f)(cmd, args, typed)
		}
		cwd, err := f.Cwd()
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		open, err := f.Library.Open(args[0], cwd)
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		lab, err := exampleOf(open)
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		var names []string
		for _, s := range lab.Scenarios {
			if !slices.Contains(args[1:], s.Name) {
				names = append(names, s.Name)
			}
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}
