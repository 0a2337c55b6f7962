package apply

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"sort"
	"strconv"

	"github.com/labctl/labctl/runner/engine"
	"github.com/labctl/labctl/scenarios/lab"
)

// Key names a service and environment in labels and records: "booking" or
// "booking.prod".
func Key(service, environment string) string {
	if environment == "" {
		return service
	}
	return service + "." + environment
}

// Serving is a container's specification with what makes it serve: the
// address it publishes, or the name it is found by on its network.
func Serving(spec engine.ContainerSpec, s lab.Service, addresses map[string]string) engine.ContainerSpec {
	if spec.Labels != nil {
		spec.Labels[engine.LabelServes] = Key(s.Name, s.Environment)
	}
	switch s.Publish {
	case lab.PublishPort:
		host, port, _ := net.SplitHostPort(addresses[Key(s.Name, s.Environment)])
		spec.Publish = s.Port
		spec.HostIP = host
		spec.HostPort, _ = strconv.Atoi(port)
	case lab.PublishRelay, lab.PublishNone:
		spec.Alias = s.Name
	}
	return spec
}

// Addresses are those that an instance's network says are the instance's, by
// Key; none when it is not a network of labctl's making.
func Addresses(n engine.Network) map[string]string {
	var out map[string]string
	if json.Unmarshal([]byte(n.Labels[engine.LabelAddresses]), &out) != nil {
		return nil
	}
	return out
}

// NetworkAddress is where a container's port is reached over one of its
// networks: host:port.
func NetworkAddress(ctx context.Context, o engine.Observer, id, network string, port int) (string, error) {
	all, err := o.Containers(ctx)
	if err != nil {
		return "", err
	}
	for _, c := range all {
		if c.ID != id {
			continue
		}
		if ip := c.Networks[network]; ip != "" {
			return net.JoinHostPort(ip, strconv.Itoa(port)), nil
		}
		return "", fmt.Errorf("container %s has no address on network %s", c.Name, network)
	}
	return "", fmt.Errorf("finding the address of container %.12s: %w", id, engine.ErrNotFound)
}

// Variables is a map as environment variables, sorted.
func Variables(m map[string]string) []string {
	env := make([]string, 0, len(m))
	for k, v := range m {
		env = append(env, k+"="+v)
	}
	sort.Strings(env)
	return env
}
