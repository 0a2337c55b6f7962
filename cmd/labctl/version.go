package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// linkedVersion is set by the Makefile: go build -ldflags "-X main.linkedVersion=…".
var linkedVersion string

// version is labctl's: as linked, else as go install recorded it.
func version() string {
	if linkedVersion != "" {
		return linkedVersion
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "unreleased"
}

type versionOptions struct {
	f      *Factory
	format Format
}

func newVersionCmd(f *Factory, runF func(*versionOptions) error) *cobra.Command {
	opts := &versionOptions{f: f}
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Show labctl's version",
		Example: "  labctl version --format json",
		Args:    atMost(0),
		RunE: func(*cobra.Command, []string) error {
			if runF != nil {
				return runF(opts)
			}
			return versionRun(opts)
		},
	}
	addFormat(cmd, &opts.format)
	return cmd
}

func versionRun(opts *versionOptions) error {
	if opts.format == JSON {
		return writeJSON(opts.f.IO.Out, struct {
			Schema  string `json:"schema"`
			Version string `json:"version"`
			Go      string `json:"go"`
		}{"labctl/version/v1", version(), runtime.Version()})
	}
	fmt.Fprintf(opts.f.IO.Out, "labctl %s (%s)\n", version(), runtime.Version())
	return nil
}
