package main

import (
	"context"
	"os"
	"strings"

	"github.com/labctl/labctl/runner"
	"github.com/labctl/labctl/scenarios/config"
	"github.com/labctl/labctl/scenarios/lab"
)

// find connects and picks the instance that a command means: of LAB and
// --learner, of the folder it is called in, else the only one that runs.
func find(ctx context.Context, f *Factory, s runner.Selector) (runner.API, runner.Instance, error) {
	if err := aim(f, &s); err != nil {
		return nil, runner.Instance{}, err
	}
	r, err := f.Runner(ctx)
	if err != nil {
		return nil, runner.Instance{}, err
	}
	in, err := r.Find(ctx, s)
	return r, in, err
}

// aim completes a selector: with the working directory, and with the name of
// the lab where it was given by its folder.
func aim(f *Factory, s *runner.Selector) error {
	cwd, err := f.Cwd()
	if err != nil {
		return err
	}
	s.Cwd = cwd
	if s.Lab == "." || s.Lab == ".." || strings.ContainsRune(s.Lab, os.PathSeparator) {
		open, err := f.Library.Open(s.Lab, cwd)
		if err != nil {
			return err
		}
		s.Lab = open.Definition.Name()
	}
	return nil
}

// read opens the lab that a command means, without an engine.
func read(f *Factory, s runner.Selector) (*runner.Desk, *lab.Lab, error) {
	cwd, err := f.Cwd()
	if err != nil {
		return nil, nil, err
	}
	s.Cwd = cwd
	desk, err := f.Desk()
	if err != nil {
		return nil, nil, err
	}
	learner, err := learnerName()
	if err != nil {
		return nil, nil, err
	}
	l, err := desk.Open(s, learner)
	return desk, l, err
}

// exampleOf is a lab as some learner gets it, for what is the same for all.
func exampleOf(open *runner.OpenLab) (*lab.Lab, error) {
	const somebody = "learner"
	l, diags := open.Definition.Resolve(somebody, config.SeedOf(somebody))
	if diags.HasErrors() {
		return nil, &runner.LabError{Source: open.Source, Diags: diags, Files: open.Definition.Files}
	}
	return l, nil
}
