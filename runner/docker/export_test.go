package docker

import (
	"context"

	"github.com/docker/docker/client"

	"github.com/labctl/labctl/runner/engine"
)

// UseBuilder makes builds ask for a builder: "1" classic, "2" BuildKit.
func (e *Engine) UseBuilder(version string) { e.builder = version }

// Client is the client below, for what only tests do.
func (e *Engine) Client() *client.Client { return e.client }

// For tests of what needs no engine.
var (
	Endpoint   = endpoint
	ConnectTo  = connectTo
	ReadLayers = readLayers
)

// Trace is BuildKit's progress.
type Trace struct{ trace }

// Read is trace.read.
func (t *Trace) Read(aux []byte) ([]string, error) { return t.read(aux) }

// HoldCage starts a cage; release ends the connection that holds it, and
// nothing else.
func HoldCage(ctx context.Context, e *Engine, spec engine.Cage) (release func(), err error) {
	c, err := e.openCage(ctx, spec)
	if err != nil {
		return nil, err
	}
	return c.stdin.Close, nil
}
