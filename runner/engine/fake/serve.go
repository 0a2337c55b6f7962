package fake

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labctl/labctl/scenarios/evidence"
)

// at is the running container that answers at an address: of the host, or its
// own on a network.
func (s *state) at(address string) *record {
	host, service, err := net.SplitHostPort(address)
	if err != nil {
		return nil
	}
	port, err := strconv.Atoi(service)
	if err != nil {
		return nil
	}
	for _, c := range s.Containers {
		if c.State == "running" && (c.IP == host || c.Port == port && c.Spec.HostIP == host) {
			return c
		}
	}
	return nil
}

// Ready implements engine.Prober. Whatever runs is ready.
func (e *Engine) Ready(ctx context.Context, id, address, path string, within time.Duration) error {
	return e.request(ctx, "Ready", func(s *state) error {
		if s.at(address) == nil {
			return fmt.Errorf("GET http://%s%s was not answered with 200 within %v: nothing answered", address, path, within)
		}
		return nil
	})
}

// Get implements engine.Prober. A container answers every request with 200 and
// the content of the file of that path and query below /answers, or "ok" when
// there is none.
func (e *Engine) Get(ctx context.Context, address string, req evidence.Request, header map[string]string) evidence.Exchange {
	x := evidence.Exchange{Request: req}
	err := e.request(ctx, "Get", func(s *state) error {
		c := s.at(address)
		if c == nil {
			x.Failed = "dial tcp " + address + ": connect: connection refused"
			return nil
		}
		c.Received += 200 + uint64(len(req.Get))
		for name, value := range header {
			c.Received += uint64(len(name) + len(value))
		}
		x.Status, x.Body = http.StatusOK, "ok"
		if answer, ok := s.content(c, "/answers"+req.Get); ok {
			x.Body = answer
		}
		return nil
	})
	if err != nil {
		return evidence.Exchange{Request: req, Error: err.Error()}
	}
	return x
}

// Shell implements engine.Engine: what is typed is run as one script.
func (e *Engine) Shell(ctx context.Context, id string, stdin io.Reader, stdout, _ io.Writer) (int, error) {
	script, err := io.ReadAll(stdin)
	if err != nil {
		return 0, err
	}
	ended, err := e.Exec(ctx, id, "", strings.TrimSpace(string(script)), nil)
	if err != nil {
		return 0, err
	}
	_, err = fmt.Fprintf(stdout, "a shell in %s\n", id)
	return ended.ExitCode, err
}
