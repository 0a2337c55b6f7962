package docker

import (
	"context"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/blkiodev"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/go-connections/nat"
	"github.com/docker/go-units"

	"github.com/labctl/labctl/runner/engine"
)

// CreateNetwork implements engine.Actuator.
func (e *Engine) CreateNetwork(ctx context.Context, name string, internal bool, labels map[string]string) error {
	_, err := e.client.NetworkCreate(ctx, name, network.CreateOptions{Driver: "bridge", Internal: internal, Labels: labels})
	if err != nil && strings.Contains(err.Error(), "non-overlapping IPv4 address pool") {
		// Engines have addresses for about 30 networks as they are installed.
		return fmt.Errorf("creating network %s: the engine has no addresses left for another network;"+
			" remove networks that nothing uses (docker network ls, docker network rm NAME): %w", name, err)
	}
	return e.failed(err, "creating network %s", name)
}

// RemoveNetwork implements engine.Actuator.
func (e *Engine) RemoveNetwork(ctx context.Context, name string) error {
	return e.failed(e.client.NetworkRemove(ctx, name), "removing network %s", name)
}

// ConnectNetwork implements engine.Actuator.
func (e *Engine) ConnectNetwork(ctx context.Context, name, container string) error {
	return e.failed(e.client.NetworkConnect(ctx, name, container, nil), "connecting container %s to network %s", container, name)
}

// CreateContainer implements engine.Actuator.
func (e *Engine) CreateContainer(ctx context.Context, spec engine.ContainerSpec) (string, error) {
	config, host, err := requested(spec)
	if err != nil {
		return "", fmt.Errorf("creating container %s: %w", spec.Name, err)
	}
	var endpoints *network.NetworkingConfig
	if spec.Network != "" {
		settings := &network.EndpointSettings{}
		if spec.Alias != "" {
			settings.Aliases = []string{spec.Alias}
		}
		endpoints = &network.NetworkingConfig{EndpointsConfig: map[string]*network.EndpointSettings{spec.Network: settings}}
	}
	created, err := e.client.ContainerCreate(ctx, config, host, endpoints, nil, spec.Name)
	if err != nil {
		return "", e.failed(err, "creating container %s of image %s", spec.Name, spec.Image)
	}
	return created.ID, nil
}

// requested asks for what `docker run --detach` with the same flags asks for,
// empty lists and defaults included: a container that labctl made is compared
// with those that learners make.
func requested(spec engine.ContainerSpec) (*container.Config, *container.HostConfig, error) {
	run := spec.Run
	config := &container.Config{
		Image:        spec.Image,
		User:         run.User,
		Cmd:          run.Command,
		Labels:       spec.Labels,
		ExposedPorts: nat.PortSet{},
	}
	for _, name := range slices.Sorted(maps.Keys(run.Env)) {
		config.Env = append(config.Env, name+"="+run.Env[name])
	}

	oomKillDisable, swappiness := false, int64(-1)
	host := &container.HostConfig{
		NetworkMode:    container.NetworkMode(spec.Network),
		PortBindings:   nat.PortMap{},
		RestartPolicy:  container.RestartPolicy{Name: container.RestartPolicyDisabled},
		CapDrop:        run.CapDrop,
		DNS:            append([]string{}, spec.DNS...),
		DNSOptions:     []string{},
		DNSSearch:      []string{},
		ReadonlyRootfs: run.ReadOnly,
		Sysctls:        spec.Sysctls,
		Resources: container.Resources{
			PidsLimit:            &run.Pids,
			OomKillDisable:       &oomKillDisable,
			MemorySwappiness:     &swappiness,
			BlkioWeightDevice:    []*blkiodev.WeightDevice{},
			BlkioDeviceReadBps:   []*blkiodev.ThrottleDevice{},
			BlkioDeviceReadIOps:  []*blkiodev.ThrottleDevice{},
			BlkioDeviceWriteBps:  []*blkiodev.ThrottleDevice{},
			BlkioDeviceWriteIOps: []*blkiodev.ThrottleDevice{},
			Devices:              []container.DeviceMapping{},
			Ulimits:              []*container.Ulimit{},
		},
	}
	if spec.Network == "" {
		host.NetworkMode = network.NetworkDefault
	}
	if run.Init {
		host.Init = &run.Init
	}
	if len(run.Tmpfs) > 0 {
		host.Tmpfs = map[string]string{}
		for _, mount := range run.Tmpfs {
			path, options, _ := strings.Cut(mount, ":")
			host.Tmpfs[path] = options
		}
	}
	var err error
	if run.Memory != "" {
		if host.Memory, err = units.RAMInBytes(run.Memory); err != nil {
			return nil, nil, fmt.Errorf("memory %q: %w", run.Memory, err)
		}
	}
	if run.CPUs != "" {
		if host.NanoCPUs, err = nanoCPUs(run.CPUs); err != nil {
			return nil, nil, err
		}
	}
	if spec.Publish != 0 {
		port := nat.Port(strconv.Itoa(spec.Publish) + "/tcp")
		binding := nat.PortBinding{HostIP: spec.HostIP}
		if spec.HostPort != 0 {
			binding.HostPort = strconv.Itoa(spec.HostPort)
		}
		config.ExposedPorts[port] = struct{}{}
		host.PortBindings[port] = []nat.PortBinding{binding}
	}
	return config, host, nil
}

// nanoCPUs converts "0.5" to billionths of a processor.
func nanoCPUs(cpus string) (int64, error) {
	n, ok := new(big.Rat).SetString(cpus)
	if !ok {
		return 0, fmt.Errorf("cpus %q: not a number", cpus)
	}
	if n.Mul(n, big.NewRat(1e9, 1)); !n.IsInt() {
		return 0, fmt.Errorf("cpus %q: more precise than a billionth", cpus)
	}
	return n.Num().Int64(), nil
}

// StartContainer implements engine.Actuator.
func (e *Engine) StartContainer(ctx context.Context, id string) error {
	return e.failed(e.client.ContainerStart(ctx, id, container.StartOptions{}), "starting container %s", id)
}

// RenameContainer implements engine.Actuator.
func (e *Engine) RenameContainer(ctx context.Context, id, name string) error {
	return e.failed(e.client.ContainerRename(ctx, id, name), "renaming container %s to %s", id, name)
}

// RemoveContainer implements engine.Actuator. When it returns nil, the
// container's name, port and network are free again.
func (e *Engine) RemoveContainer(ctx context.Context, id string) error {
	err := e.client.ContainerRemove(ctx, id, container.RemoveOptions{Force: true, RemoveVolumes: true})
	if err != nil && strings.Contains(err.Error(), "is already in progress") {
		err = e.waitRemoved(ctx, id)
	}
	if cerrdefs.IsNotFound(err) {
		return nil
	}
	return e.failed(err, "removing container %s", id)
}

// waitRemoved waits for a removal that somebody else began.
func (e *Engine) waitRemoved(ctx context.Context, id string) error {
	removed, failed := e.client.ContainerWait(ctx, id, container.WaitConditionRemoved)
	select {
	case err := <-failed:
		return err
	case end := <-removed:
		if end.Error != nil {
			return fmt.Errorf("%s", end.Error.Message)
		}
		return nil
	}
}
