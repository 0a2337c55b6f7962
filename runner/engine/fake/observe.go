package fake

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/docker/go-units"

	"github.com/labctl/labctl/runner/engine"
	"github.com/labctl/labctl/scenarios/evidence"
)

// Info implements engine.Observer.
func (e *Engine) Info(ctx context.Context) (engine.Info, error) {
	info := engine.Info{Version: "20.10.24", API: "1.41", Driver: "fake", Builder: "1"}
	return info, e.request(ctx, "Info", func(*state) error { return nil })
}

// Containers implements engine.Observer.
func (e *Engine) Containers(ctx context.Context) (list []engine.Summary, err error) {
	err = e.request(ctx, "Containers", func(s *state) error {
		for _, c := range slices.Backward(s.sorted()) { // newest first, as engines do
			summary := engine.Summary{
				ID: c.ID, Name: c.Spec.Name, Image: c.Image, ImageName: c.Spec.Image, State: c.State,
				Created: c.Created, Labels: s.labels(c), Networks: map[string]string{}, NetworkMode: c.Spec.Network,
			}
			if c.Spec.Network == "" {
				summary.NetworkMode = "default"
			}
			for _, network := range c.networks() {
				if summary.Networks[network] = ""; c.State == "running" {
					summary.Networks[network] = c.IP
				}
			}
			if c.Port != 0 {
				summary.Ports = []engine.Port{{HostIP: c.Spec.HostIP, Host: c.Port, Container: c.Spec.Publish, Protocol: "tcp"}}
			}
			list = append(list, summary)
		}
		return nil
	})
	return list, err
}

// bridge is the network of containers that are given none.
const bridge = "bridge"

// networks are those that a container is on, the first the one that it was
// created on.
func (c *record) networks() []string {
	return append([]string{cmp.Or(c.Spec.Network, bridge)}, c.Joined...)
}

// labels are a container's own and its image's.
func (s *state) labels(c *record) map[string]string {
	labels := map[string]string{}
	inherited, _ := s.Images[c.Image].Config["Labels"].(map[string]any)
	for name, value := range inherited {
		labels[name] = value.(string)
	}
	maps.Copy(labels, c.Spec.Labels)
	return labels
}

// Inspect implements engine.Observer.
func (e *Engine) Inspect(ctx context.Context, id string) (seen evidence.Container, err error) {
	err = e.request(ctx, "Inspect", func(s *state) error {
		c, err := s.container(id)
		if err != nil {
			return err
		}
		config := s.containerConfig(c)
		seen = evidence.Container{
			ID: c.ID, Name: c.Spec.Name, Image: c.Image, ImageName: c.Spec.Image, Created: c.Created, Started: c.Started,
			State: c.State, RestartPolicy: "no", Networks: slices.Sorted(slices.Values(c.networks())),
		}
		for i, word := range append(texts(config["Entrypoint"]), texts(config["Cmd"])...) {
			if i == 0 {
				seen.Path = word
			} else {
				seen.Args = append(seen.Args, word)
			}
		}
		own := func(label string) string {
			inherited, _ := s.Images[c.Image].Config["Labels"].(map[string]any)
			if value := c.Spec.Labels[label]; inherited[label] != value {
				return value
			}
			return ""
		}
		seen.Start = own(engine.LabelRole) == engine.RoleStart
		seen.Called, seen.Serves = own(engine.LabelContainer), own(engine.LabelServes)
		seen.Aliases = []string{c.Spec.Name}
		if c.Spec.Alias != "" {
			seen.Aliases = append(seen.Aliases, c.Spec.Alias)
		}
		slices.Sort(seen.Aliases)
		if seen.Config, err = json.Marshal(config); err != nil {
			return err
		}
		seen.HostConfig, err = hostConfig(c.Spec)
		return err
	})
	return seen, err
}

// texts are the words of a command in a configuration.
func texts(list any) (words []string) {
	switch list := list.(type) {
	case []string:
		return slices.Clone(list)
	case []any:
		for _, word := range list {
			words = append(words, word.(string))
		}
	}
	return words
}

// hostConfig is a container's HostConfig, as the engine would report it.
func hostConfig(spec engine.ContainerSpec) (json.RawMessage, error) {
	run := spec.Run
	host := map[string]any{
		"Binds": nil, "NetworkMode": spec.Network, "PortBindings": map[string]any{}, "AutoRemove": false,
		"RestartPolicy": map[string]any{"Name": "no", "MaximumRetryCount": 0}, "VolumesFrom": nil,
		"CapAdd": nil, "CapDrop": nil, "CgroupnsMode": "host", "GroupAdd": nil, "IpcMode": "private", "Links": nil,
		"PidMode": "", "Privileged": false, "PublishAllPorts": false, "ReadonlyRootfs": run.ReadOnly, "SecurityOpt": nil,
		"UTSMode": "", "UsernsMode": "", "Memory": 0, "MemorySwap": 0, "NanoCpus": 0, "PidsLimit": nil, "Devices": []any{},
	}
	if spec.Network == "" {
		host["NetworkMode"] = "default"
	}
	if spec.Publish != 0 {
		binding := map[string]any{"HostIp": spec.HostIP, "HostPort": ""}
		if spec.HostPort != 0 {
			binding["HostPort"] = strconv.Itoa(spec.HostPort)
		}
		host["PortBindings"] = map[string]any{fmt.Sprintf("%d/tcp", spec.Publish): []any{binding}}
	}
	if len(spec.DNS) > 0 {
		host["Dns"] = spec.DNS
	}
	if len(spec.Sysctls) > 0 {
		host["Sysctls"] = spec.Sysctls
	}
	if run.Memory != "" {
		memory, err := units.RAMInBytes(run.Memory)
		if err != nil {
			return nil, err
		}
		host["Memory"], host["MemorySwap"] = memory, 2*memory
	}
	if run.CPUs != "" {
		cpus, err := strconv.ParseFloat(run.CPUs, 64)
		if err != nil {
			return nil, err
		}
		host["NanoCpus"] = int64(cpus * 1e9)
	}
	if run.Pids != 0 {
		host["PidsLimit"] = run.Pids
	}
	if len(run.CapDrop) > 0 {
		host["CapDrop"] = run.CapDrop
	}
	if run.Init {
		host["Init"] = true
	}
	if len(run.Tmpfs) > 0 {
		mounts := map[string]any{}
		for _, mount := range run.Tmpfs {
			path, options, _ := strings.Cut(mount, ":")
			mounts[path] = options
		}
		host["Tmpfs"] = mounts
	}
	return json.Marshal(host)
}

// Networks implements engine.Observer.
func (e *Engine) Networks(ctx context.Context) (list []engine.Network, err error) {
	err = e.request(ctx, "Networks", func(s *state) error {
		for _, name := range slices.Sorted(maps.Keys(s.Networks)) {
			n := *s.Networks[name]
			if _, ours := n.Labels[engine.LabelInstance]; !ours {
				continue
			}
			list = append(list, n)
		}
		return nil
	})
	return list, err
}

// Image implements engine.Observer.
func (e *Engine) Image(ctx context.Context, ref string) (found evidence.Image, err error) {
	err = e.request(ctx, "Image", func(s *state) error {
		img, err := s.image(ref)
		if err != nil {
			return err
		}
		found = evidence.Image{ID: img.ID, Layers: img.Layers}
		found.Config, err = json.Marshal(img.Config)
		return err
	})
	return found, err
}

// ImagesLabelled implements engine.Observer.
func (e *Engine) ImagesLabelled(ctx context.Context, label, value string) (ids []string, err error) {
	err = e.request(ctx, "ImagesLabelled", func(s *state) error {
		for _, id := range slices.Sorted(maps.Keys(s.Images)) {
			if labels, _ := s.Images[id].Config["Labels"].(map[string]any); labels[label] == value {
				ids = append(ids, id)
			}
		}
		return nil
	})
	return ids, err
}

// Unnamed implements engine.Observer.
func (e *Engine) Unnamed(ctx context.Context) (ids []string, err error) {
	err = e.request(ctx, "Unnamed", func(s *state) error {
		for _, id := range slices.Sorted(maps.Keys(s.Images)) {
			if len(s.Images[id].Tags) == 0 {
				ids = append(ids, id)
			}
		}
		return nil
	})
	return ids, err
}

// Tags implements engine.Observer.
func (e *Engine) Tags(ctx context.Context, prefix string) (tags map[string]string, err error) {
	tags = map[string]string{}
	err = e.request(ctx, "Tags", func(s *state) error {
		for _, img := range s.Images {
			for _, tag := range img.Tags {
				if strings.HasPrefix(tag, prefix) {
					tags[tag] = img.ID
				}
			}
		}
		return nil
	})
	return tags, err
}

// Received implements engine.Observer.
func (e *Engine) Received(ctx context.Context, id string) (bytes uint64, err error) {
	err = e.request(ctx, "Received", func(s *state) error {
		c, err := s.container(id)
		if err != nil {
			return err
		}
		if c.State != "running" {
			return fmt.Errorf("reading statistics of container %s: it is not running", id)
		}
		bytes = c.Received
		return nil
	})
	return bytes, err
}
