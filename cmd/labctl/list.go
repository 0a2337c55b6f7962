package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/labctl/labctl/runner"
)

type listOptions struct {
	f      *Factory
	format Format
}

func newListCmd(f *Factory, runF func(*listOptions) error) *cobra.Command {
	opts := &listOptions{f: f}
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "Show the labs there are",
		Example: "  labctl list",
		Args:    atMost(0),
		RunE: func(*cobra.Command, []string) error {
			if runF != nil {
				return runF(opts)
			}
			return listRun(opts)
		},
	}
	addFormat(cmd, &opts.format)
	return cmd
}

func listRun(opts *listOptions) error {
	labs, err := opts.f.Library.List()
	if err != nil {
		return err
	}
	io := opts.f.IO
	if opts.format == JSON {
		return writeJSON(io.Out, struct {
			Schema string           `json:"schema"`
			Labs   []runner.LabInfo `json:"labs"`
		}{"labctl/list/v1", labs})
	}
	t := table{{"LAB", "TITLE", "LEVEL", "MINUTES", "TEACHES"}}
	for _, l := range labs {
		t = append(t, []string{Clean(l.Name), Clean(l.Title), Clean(l.Level), fmt.Sprint(l.Minutes), strings.Join(cleanAll(l.Teaches), ", ")})
	}
	t.write(io.Out, io.Width, io.OutColors)
	fmt.Fprintln(io.Err, "\nlabctl start LAB begins one.")
	return nil
}
