package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/client"

	"github.com/labctl/labctl/runner/engine"
)

// failed wraps an error of the engine with what was being done. It returns nil
// for nil.
func (e *Engine) failed(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), e.explain(err))
}

// explain makes the errors that callers tell apart of the engine's.
func (e *Engine) explain(err error) error {
	if u := (*engine.Unavailable)(nil); errors.As(err, &u) {
		return u
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if disconnected(err) {
		return e.away(err)
	}
	// The engine has no status codes for these.
	text := err.Error()
	has := func(s string) bool { return strings.Contains(text, s) }
	var kind error
	switch {
	case has("port is already allocated"), has("address already in use"):
		kind = engine.ErrPortTaken
	case has("is already in use by container"), has("network with name"):
		kind = engine.ErrNameTaken
	case has("has active endpoints"):
		kind = engine.ErrInUse
	case cerrdefs.IsNotFound(err), has("unrecognized image ID"): // the latter when somebody else removes it right now
		kind = engine.ErrNotFound
	default:
		return err
	}
	return fmt.Errorf("%w: %w", kind, err)
}

// disconnected tells an engine that is away, or went away in the middle of an
// answer, from one that answered with an error.
func disconnected(err error) bool {
	if client.IsErrConnectionFailed(err) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return true
	}
	for _, gone := range []error{syscall.ECONNREFUSED, syscall.ECONNRESET, syscall.EPIPE} {
		if errors.Is(err, gone) {
			return true
		}
	}
	var op *net.OpError
	return errors.As(err, &op)
}
