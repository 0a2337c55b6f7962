// Command labctl puts a learner in front of a production server that somebody
// changed by hand, and grades how it was made right.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/labctl/labctl/runner/docker"
	"github.com/labctl/labctl/runner/engine"
)

func main() {
	os.Exit(run(newFactory(systemStreams(), connectDocker), os.Args[1:]))
}

// run is the whole program but for the process's ends: it returns the exit
// code.
func run(f *Factory, args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// The first signal cancels, so that what was begun is cleaned up; from
	// then on signals do what they always do, and the second one kills.
	context.AfterFunc(ctx, stop)

	root := newRootCmd(f)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	f.progress.Close()
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err != nil && !f.entered {
		// Nothing of ours ran: cobra refused the command line.
		err = asUsage(err)
	}
	return sayError(f.IO, err, ctx.Err() != nil)
}

// connectDocker finds the Docker Engine as the docker command does.
func connectDocker(ctx context.Context) (engine.Engine, error) {
	e, err := docker.Connect(ctx)
	if err != nil {
		return nil, err // never a nil *docker.Engine in an interface
	}
	return e, nil
}
