package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/labctl/labctl/runner/problem"
)

// newRootCmd is labctl itself. Every command is made here.
func newRootCmd(f *Factory) *cobra.Command {
	root := &cobra.Command{
		Use:   "labctl",
		Short: "Learn to rebuild servers instead of repairing them",
		Long: `labctl puts you in front of a production server that somebody changed by hand.
You make it right with docker, git and an editor; labctl grades whether it works
and how it came to be: rebuilt from the repository, or patched in place.`,
		Example: `  labctl start drift-lab
  cd drift-lab
  labctl check`,
		Args:          knownCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SilenceErrors: true, // sayError prints them
		SilenceUsage:  true,
		PersistentPreRun: func(*cobra.Command, []string) {
			f.entered = true
		},
	}
	root.SetIn(f.IO.In)
	root.SetOut(f.IO.Out)
	root.SetErr(f.IO.Err)
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(
		newListCmd(f, nil),
		newLessonCmd(f, nil),
		newStartCmd(f, nil),
		newStatusCmd(f, nil),
		newShellCmd(f, nil),
		newDriftCmd(f, nil),
		newCheckCmd(f, nil),
		newHintCmd(f, nil),
		newQuizCmd(f, nil),
		newShootCmd(f, nil),
		newStopCmd(f, nil),
		newTestCmd(f, nil),
		newValidateCmd(f, nil),
		newSchemaCmd(f, nil),
		newVersionCmd(f, nil),
	)
	root.SetHelpCommand(newHelpCmd())
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		if cmd.Name() == "completion" {
			cmd.Args = knownCommand
			cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		}
	}
	return root
}

// newHelpCmd is cobra's help command with an error where there is nothing to
// help with.
func newHelpCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Show the help of a command",
		RunE: func(cmd *cobra.Command, args []string) error {
			about, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return knownCommand(about, rest)
			}
			return about.Help()
		},
	}
}

// knownCommand refuses arguments of a command that only has subcommands.
func knownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	mend := cmd.CommandPath() + " --help"
	cmd.SuggestionsMinimumDistance = 2
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		mend = cmd.CommandPath() + " " + near[0]
	}
	return usageError(fmt.Sprintf("%s has no command %q", cmd.CommandPath(), args[0]), mend)
}

// atMost refuses more arguments than a command takes.
func atMost(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) <= n {
			return nil
		}
		return usageError(fmt.Sprintf("%s: unexpected argument %q", cmd.CommandPath(), args[n]), cmd.CommandPath()+" --help")
	}
}

// flagError says which flag was wrong and which was probably meant.
func flagError(cmd *cobra.Command, err error) error {
	if p := (*problem.Problem)(nil); errors.As(err, &p) {
		return p // a value's own explanation
	}
	mend := cmd.CommandPath() + " --help"
	if unknown := (*pflag.NotExistError)(nil); errors.As(err, &unknown) {
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		if near := nearest(unknown.GetSpecifiedName(), names); near != "" {
			mend = cmd.CommandPath() + " --" + near
		}
	}
	return usageError(fmt.Sprintf("%s: %s", cmd.CommandPath(), err), mend)
}

// nearest is the name that was probably meant, "" when none is near.
func nearest(name string, names []string) string {
	best, distance := "", 3
	for _, candidate := range slices.Sorted(slices.Values(names)) {
		if strings.HasPrefix(candidate, name) && name != "" {
			return candidate
		}
		if d := levenshtein.Distance(name, candidate, nil); d < distance {
			best, distance = candidate, d
		}
	}
	return best
}
