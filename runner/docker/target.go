package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"
	"github.com/docker/go-connections/nat"
	"github.com/testcontainers/testcontainers-go/exec"
	"github.com/testcontainers/testcontainers-go/wait"
)

// target is what wait strategies look at: one address, and the container that
// is to answer there if that is known.
type target struct {
	engine    *Engine
	container string // ID; "" when nobody is known to serve the address
	host      string
	port      nat.Port
	stopped   bool // the container was seen not running
}

var _ wait.StrategyTarget = (*target)(nil)

func newTarget(e *Engine, id, address string) (*target, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("reading the address to ask: %w", err)
	}
	return &target{engine: e, container: id, host: host, port: nat.Port(port + "/tcp")}, nil
}

// Host is the address's host.
func (t *target) Host(context.Context) (string, error) { return t.host, nil }

// MappedPort is the address's port, whichever is asked for.
func (t *target) MappedPort(context.Context, nat.Port) (nat.Port, error) { return t.port, nil }

// State is the container's, or a running one's when there is none to look at.
func (t *target) State(ctx context.Context) (*container.State, error) {
	if t.container == "" {
		return &container.State{Running: true}, nil
	}
	c, err := t.Inspect(ctx)
	if err != nil {
		return nil, err
	}
	t.stopped = !c.State.Running
	return c.State, nil
}

// Inspect asks the engine about the container.
func (t *target) Inspect(ctx context.Context) (*container.InspectResponse, error) {
	c, err := t.engine.client.ContainerInspect(ctx, t.container)
	return &c, err
}

// Ports is the one port there is.
func (t *target) Ports(context.Context) (nat.PortMap, error) {
	return nat.PortMap{t.port: {{HostIP: t.host, HostPort: t.port.Port()}}}, nil
}

// Logs is the end of the container's log.
func (t *target) Logs(ctx context.Context) (io.ReadCloser, error) {
	return t.engine.client.ContainerLogs(ctx, t.container, container.LogsOptions{ShowStdout: true, ShowStderr: true, Tail: "20"})
}

var errAddressOnly = errors.New("only the address is asked, not the container")

// Exec is not for probes: what runs in a learner's container is not believed.
func (t *target) Exec(context.Context, []string, ...exec.ProcessOption) (int, io.Reader, error) {
	return 0, nil, errAddressOnly
}

// CopyFileFromContainer is not for probes either.
func (t *target) CopyFileFromContainer(context.Context, string) (io.ReadCloser, error) {
	return nil, errAddressOnly
}

// lastLog is the end of a container's log for an error message.
func (e *Engine) lastLog(ctx context.Context, id string) string {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	logs, err := (&target{engine: e, container: id}).Logs(ctx)
	if err != nil {
		return fmt.Sprintf("(cannot be read: %v)", err)
	}
	defer logs.Close()
	text := &bounded{limit: 4 << 10}
	if _, err := stdcopy.StdCopy(text, text, logs); err != nil {
		return fmt.Sprintf("(cannot be read: %v)", err)
	}
	if said := strings.TrimSpace(text.String()); said != "" {
		return said
	}
	return "(empty)"
}
