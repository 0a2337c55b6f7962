package apply

import (
	"context"
	"errors"
	"maps"
	"net"
	"strconv"

	"github.com/labctl/labctl/runner/engine"
	"github.com/labctl/labctl/runner/plan"
	"github.com/labctl/labctl/runner/rootfs"
	"github.com/labctl/labctl/scenarios/lab"
)

// relayRun holds a relay to what it needs: two processes for each connection, no
// privilege, and nothing to write.
var relayRun = lab.Run{Memory: "64m", Pids: 256, User: "65534:65534", ReadOnly: true, CapDrop: []string{"ALL"}}

func (p *Provisioner) makeRelayImage(ctx context.Context, progress func(string)) error {
	id, created, err := p.Images.Relay(ctx, progress)
	if created {
		p.remember(plan.MakeRelayImage, plan.RelayImage, func(ctx context.Context) error {
			err := p.Engine.RemoveImage(ctx, plan.RelayImage)
			if errors.Is(err, engine.ErrInUse) {
				return nil // by another instance's relay, since
			}
			return err
		})
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.relay = id
	return err
}

// createRelay makes a service's relay. It is on the environment's network, but
// without the service's name: it serves nothing itself. Engines publish nothing
// of an internal network, so there it publishes from their own one.
func (p *Provisioner) createRelay(ctx context.Context, op plan.Op) error {
	s := *op.Service
	network := p.Names.Network(s.Environment)
	host, port, err := net.SplitHostPort(p.Record.Addresses[Key(s.Name, s.Environment)])
	if err != nil {
		return err
	}
	spec := engine.ContainerSpec{
		Name: op.Name, Network: network, Run: relayRun, Labels: maps.Clone(p.Labels),
		Publish: rootfs.RelayPort, HostIP: host,
		// Nobody but the engine is asked who carries the service's name.
		DNS: []string{"127.0.0.1"},
		// Who is on two networks must be no way from the one into the other.
		Sysctls: map[string]string{"net.ipv4.ip_forward": "0"},
	}
	if spec.HostPort, err = strconv.Atoi(port); err != nil {
		return err
	}
	spec.Run.Command = rootfs.RelayCommand(s.Name, network, s.Port)
	spec.Labels[engine.LabelRole] = engine.RoleRelay
	spec.Labels[engine.LabelServes] = Key(s.Name, s.Environment)
	spec.Labels[engine.LabelEnvironment] = s.Environment
	internal := p.internal(s.Environment)
	if internal {
		spec.Network = ""
	}
	p.mu.Lock()
	spec.Image = p.relay
	p.mu.Unlock()
	return p.claim(ctx, op, func() error {
		id, err := p.Engine.CreateContainer(ctx, spec)
		if err != nil {
			return err
		}
		p.created(op, id)
		if internal {
			return p.Engine.ConnectNetwork(ctx, network, id)
		}
		return nil
	})
}

func (p *Provisioner) internal(environment string) bool {
	for _, e := range p.Lab.Environments {
		if e.Name == environment {
			return e.Internal
		}
	}
	return false
}
