package docker

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/docker/docker/api/types/versions"
	"github.com/docker/docker/client"
	"github.com/docker/go-connections/sockets"

	"github.com/labctl/labctl/runner/engine"
)

// minAPI is Docker 20.10's: the first with one-shot stats.
const minAPI = "1.41"

// answersWithin is how long an engine may take to say that it is there. One
// whose disk hangs takes connections and never answers.
const answersWithin = 20 * time.Second

// Engine is a connection to one local Docker Engine. It is safe for concurrent
// use.
type Engine struct {
	client    *client.Client
	transport *http.Transport
	host      string // for messages: unix:///var/run/docker.sock
	builder   string // what builds ask for: "1" classic, "2" BuildKit

	mu   sync.Mutex
	info *engine.Info // once it was asked for
}

var _ engine.Engine = (*Engine)(nil)

// Connect finds the engine as the docker command does (DOCKER_HOST, then
// DOCKER_CONTEXT or the current context, then the default socket) and makes
// sure that it answers. An engine that cannot be used is *engine.Unavailable.
func Connect(ctx context.Context) (*Engine, error) {
	home, err := os.UserHomeDir()
	if err != nil {
		home = "" // contexts are then found through DOCKER_CONFIG only
	}
	host, err := endpoint(os.Getenv, home)
	if err != nil {
		return nil, err
	}
	return connectTo(ctx, host, answersWithin)
}

// connectTo connects to an engine at a local socket, which must answer within
// that time.
func connectTo(ctx context.Context, host string, within time.Duration) (*Engine, error) {
	transport := &http.Transport{MaxIdleConns: 6, IdleConnTimeout: 30 * time.Second} // as the client's own
	c, err := client.NewClientWithOpts(client.WithHost(host), client.WithAPIVersionNegotiation(), client.WithHTTPClient(&http.Client{
		Transport: &watch{next: transport, host: host, after: 3 * within}, CheckRedirect: client.CheckRedirect,
	}))
	if err == nil {
		err = sockets.ConfigureTransport(transport, "unix", strings.TrimPrefix(host, "unix://"))
	}
	if err != nil {
		return nil, &engine.Unavailable{Host: host, Why: "the Docker client does not take this address",
			Mend: "set DOCKER_HOST to unix://PATH", Err: err}
	}
	e := &Engine{client: c, transport: transport, host: host, builder: "1"}
	answer, done := context.WithTimeout(ctx, within)
	defer done()
	ping, err := c.Ping(answer)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return nil, errors.Join(&engine.Unavailable{Host: host, Why: fmt.Sprintf("the Docker Engine has not answered for %v", within),
			Mend: "restart it: sudo systemctl restart docker", Err: err}, e.Close())
	}
	if err != nil {
		err = e.explain(err)
		// Ping succeeds or the engine is of no use, whatever its reason.
		if u := (*engine.Unavailable)(nil); !errors.As(err, &u) && ctx.Err() == nil {
			err = &engine.Unavailable{Host: host, Why: "the Docker Engine does not answer as one",
				Mend: "see what `docker version` says", Err: err}
		}
		return nil, errors.Join(err, e.Close())
	}
	// Ping alone does not settle on a version.
	c.NegotiateAPIVersionPing(ping)
	if api := c.ClientVersion(); versions.LessThan(api, minAPI) {
		return nil, errors.Join(&engine.Unavailable{Host: host,
			Why:  fmt.Sprintf("the Docker Engine is too old: it speaks API %s, labctl needs %s", api, minAPI),
			Mend: "install Docker 20.10 or later"}, e.Close())
	}
	if ping.BuilderVersion != "" {
		e.builder = string(ping.BuilderVersion)
	}
	return e, nil
}

// Close lets go of the connection.
func (e *Engine) Close() error {
	e.transport.CloseIdleConnections()
	return e.client.Close()
}

// away says why no connection to the engine could be made or kept. The client
// drops the cause of a failed connection, so the socket is tried once more.
func (e *Engine) away(err error) *engine.Unavailable {
	u := &engine.Unavailable{Host: e.host, Err: err}
	conn, cause := net.DialTimeout("unix", strings.TrimPrefix(e.host, "unix://"), time.Second)
	switch {
	case cause == nil:
		_ = conn.Close() // nothing was sent
		u.Why = "the Docker Engine went away"
		u.Mend = "make sure that `docker info` answers, then do this again"
	case errors.Is(cause, fs.ErrPermission):
		u.Why = "you may not use the Docker Engine's socket"
		u.Mend = "run as root, or join its group: sudo usermod -aG docker $USER, then log in again"
	case errors.Is(cause, fs.ErrNotExist):
		u.Why = "no Docker Engine is running: its socket does not exist"
		u.Mend = "start it (sudo systemctl start docker), or install it (sudo apt install docker.io)"
	default:
		u.Why = "no Docker Engine answers at its socket"
		u.Mend = "start it: sudo systemctl start docker"
	}
	return u
}
