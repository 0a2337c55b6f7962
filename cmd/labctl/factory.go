package main

import (
	"context"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"time"

	"github.com/labctl/labctl/labs"
	"github.com/labctl/labctl/runner"
	"github.com/labctl/labctl/runner/engine"
	"github.com/labctl/labctl/runner/state"
)

// Factory hands the commands what they are made of. Parts that cost something,
// or that can be missing, are made when a command asks for them: list,
// validate, version and check --from work on a machine without an engine.
type Factory struct {
	IO      *Streams
	Library *runner.Library

	connect  func(context.Context) (engine.Engine, error)
	engine   engine.Engine // once connected
	progress *progressView
	entered  bool // a command of ours began to run
}

func newFactory(io *Streams, connect func(context.Context) (engine.Engine, error)) *Factory {
	return &Factory{
		IO:       io,
		Library:  runner.NewLibrary(labs.FS),
		connect:  connect,
		progress: newProgressView(io),
	}
}

// Runner connects to the engine. What the runner does is shown only after
// ShowProgress.
func (f *Factory) Runner(ctx context.Context) (runner.API, error) {
	if f.engine == nil {
		e, err := f.connect(ctx)
		if err != nil {
			return nil, err
		}
		f.engine = e
	}
	root, err := state.DefaultRoot()
	if err != nil {
		return nil, err
	}
	name, err := userName()
	if err != nil {
		return nil, err
	}
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding labctl's own program: %w", err)
	}
	return &runner.Runner{
		Engine:   f.engine,
		State:    state.New(root),
		Library:  f.Library,
		User:     name,
		Version:  version(),
		Progress: f.progress.Send,
		Now:      time.Now,
		Program:  program,
	}, nil
}

// Desk is where labs are read, without an engine.
func (f *Factory) Desk() (*runner.Desk, error) {
	root, err := state.DefaultRoot()
	if err != nil {
		return nil, err
	}
	return &runner.Desk{Library: f.Library, State: state.New(root)}, nil
}

// Close lets go of the engine, if there is one.
func (f *Factory) Close() error {
	if f.engine == nil {
		return nil
	}
	return f.engine.Close()
}

// Cwd is the working directory.
func (f *Factory) Cwd() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("finding the working directory: %w", err)
	}
	return dir, nil
}

// userName is the host user's: it says whose instances these are.
func userName() (string, error) {
	// By number: os/user.Current believes $USER in a static binary.
	if u, err := user.LookupId(strconv.Itoa(os.Getuid())); err == nil && u.Username != "" {
		return u.Username, nil
	}
	if name := os.Getenv("USER"); name != "" {
		return name, nil
	}
	return "", fmt.Errorf("finding out who you are: user %d has no name; set USER", os.Getuid())
}

// learnerName is the learner where none is named.
func learnerName() (string, error) {
	if name := os.Getenv("USER"); name != "" {
		return name, nil
	}
	return userName()
}
