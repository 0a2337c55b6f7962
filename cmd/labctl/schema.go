package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/labctl/labctl/runner/problem"
	"github.com/labctl/labctl/scenarios/schema"
)

//go:generate go test . -run ^TestSchemasAreThoseOfTheTypes$ -update

type schemaOptions struct {
	f    *Factory
	name string
}

func newSchemaCmd(f *Factory, runF func(context.Context, *schemaOptions) error) *cobra.Command {
	opts := &schemaOptions{f: f}
	return &cobra.Command{
		Use:   "schema [" + strings.Join(schema.Names(), "|") + "]",
		Short: "Show the JSON Schema of what labctl writes for programs",
		Long: `Write the schema of one of labctl's formats, as JSON Schema 2020-12 with a
description of each value. Without a name it lists those there are.`,
		Example: `  labctl schema
  labctl schema evidence >evidence.schema.json`,
		Args: atMost(1),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return schema.Names(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				opts.name = args[0]
			}
			if runF != nil {
				return runF(cmd.Context(), opts)
			}
			return schemaRun(opts)
		},
	}
}

func schemaRun(opts *schemaOptions) error {
	if opts.name == "" {
		return list(opts.f.IO.Out)
	}
	text, there := schema.Of(opts.name)
	if !there {
		mend := "labctl schema"
		if near := nearest(opts.name, schema.Names()); near != "" {
			mend += " " + near
		}
		return &problem.Problem{What: fmt.Sprintf("there is no schema %q", opts.name), Mend: mend, Usage: true}
	}
	_, err := opts.f.IO.Out.Write(text)
	return err
}

// list names the schemas, and the formats that they are of.
func list(w io.Writer) error {
	for _, name := range schema.Names() {
		if _, err := fmt.Fprintf(w, "%-10s  labctl/%s/v1\n", name, name); err != nil {
			return err
		}
	}
	return nil
}
