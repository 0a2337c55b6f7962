package docker

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/client"

	"github.com/labctl/labctl/runner/engine"
	"github.com/labctl/labctl/scenarios/evidence"
)

// Info implements engine.Observer. It is asked for once: engines run programs
// to answer, which takes up to a second, and the answer stays.
func (e *Engine) Info(ctx context.Context) (engine.Info, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.info != nil {
		return *e.info, nil
	}
	info, err := e.client.Info(ctx)
	if err != nil {
		return engine.Info{}, e.failed(err, "asking the engine about itself")
	}
	e.info = &engine.Info{
		Version: info.ServerVersion, API: e.client.ClientVersion(), Driver: info.Driver, Builder: e.builder,
		Root: info.DockerRootDir, CPUs: info.NCPU, NoCage: noCage(info),
	}
	return *e.info, nil
}

// Containers implements engine.Observer.
func (e *Engine) Containers(ctx context.Context) ([]engine.Summary, error) {
	list, err := e.client.ContainerList(ctx, container.ListOptions{All: true})
	if err != nil {
		return nil, e.failed(err, "listing containers")
	}
	summaries := make([]engine.Summary, len(list))
	for i, c := range list {
		summaries[i] = summary(c)
	}
	return summaries, nil
}

func summary(c container.Summary) engine.Summary {
	s := engine.Summary{
		ID:          c.ID,
		Image:       c.ImageID,
		ImageName:   c.Image,
		State:       string(c.State),
		Created:     time.Unix(c.Created, 0).UTC(),
		Labels:      c.Labels,
		Networks:    map[string]string{},
		NetworkMode: c.HostConfig.NetworkMode,
	}
	for _, name := range c.Names {
		// A link to the container adds a name with a second slash: /other/alias.
		if name = strings.TrimPrefix(name, "/"); !strings.Contains(name, "/") {
			s.Name = name
		}
	}
	for _, p := range c.Ports {
		s.Ports = append(s.Ports, engine.Port{HostIP: p.IP, Host: int(p.PublicPort), Container: int(p.PrivatePort), Protocol: p.Type})
	}
	if c.NetworkSettings != nil {
		for name, n := range c.NetworkSettings.Networks {
			s.Networks[name] = n.IPAddress
		}
	}
	return s
}

// Networks implements engine.Observer.
func (e *Engine) Networks(ctx context.Context) ([]engine.Network, error) {
	list, err := e.client.NetworkList(ctx, network.ListOptions{Filters: filters.NewArgs(filters.Arg("label", engine.LabelInstance))})
	if err != nil {
		return nil, e.failed(err, "listing networks")
	}
	networks := make([]engine.Network, 0, len(list))
	for _, n := range list {
		networks = append(networks, engine.Network{ID: n.ID, Name: n.Name, Labels: n.Labels, Internal: n.Internal, Created: n.Created})
	}
	return networks, nil
}

// Image implements engine.Observer.
func (e *Engine) Image(ctx context.Context, ref string) (evidence.Image, error) {
	var raw bytes.Buffer
	img, err := e.client.ImageInspect(ctx, ref, client.ImageInspectWithRawResponse(&raw))
	if err != nil {
		return evidence.Image{}, e.failed(err, "inspecting image %s", ref)
	}
	// As the engine sent it: fields that this client does not know are evidence too.
	var sent struct{ Config json.RawMessage }
	if err := json.Unmarshal(raw.Bytes(), &sent); err != nil {
		return evidence.Image{}, fmt.Errorf("inspecting image %s: %w", ref, err)
	}
	return evidence.Image{ID: img.ID, Layers: img.RootFS.Layers, Config: sent.Config}, nil
}

// ImagesLabelled implements engine.Observer.
func (e *Engine) ImagesLabelled(ctx context.Context, label, value string) ([]string, error) {
	list, err := e.client.ImageList(ctx, image.ListOptions{Filters: filters.NewArgs(filters.Arg("label", label+"="+value))})
	if err != nil {
		return nil, e.failed(err, "listing images with %s=%s", label, value)
	}
	ids := make([]string, len(list))
	for i, img := range list {
		ids[i] = img.ID
	}
	return ids, nil
}

// Unnamed implements engine.Observer.
func (e *Engine) Unnamed(ctx context.Context) ([]string, error) {
	list, err := e.client.ImageList(ctx, image.ListOptions{Filters: filters.NewArgs(filters.Arg("dangling", "true"))})
	if err != nil {
		return nil, e.failed(err, "listing images without a name")
	}
	ids := make([]string, len(list))
	for i, img := range list {
		ids[i] = img.ID
	}
	return ids, nil
}

// Tags implements engine.Observer.
func (e *Engine) Tags(ctx context.Context, prefix string) (map[string]string, error) {
	list, err := e.client.ImageList(ctx, image.ListOptions{})
	if err != nil {
		return nil, e.failed(err, "listing images")
	}
	tags := map[string]string{}
	for _, img := range list {
		for _, tag := range img.RepoTags {
			// An image without a name is listed as <none>:<none> by old engines.
			if tag != "<none>:<none>" && strings.HasPrefix(tag, prefix) {
				tags[tag] = img.ID
			}
		}
	}
	return tags, nil
}

// Received implements engine.Observer. A container that does not run has no
// network to ask and is an error.
func (e *Engine) Received(ctx context.Context, id string) (uint64, error) {
	stats, err := e.stats(ctx, id)
	if err != nil {
		return 0, err
	}
	var received uint64
	for _, n := range stats.Networks {
		received += n.RxBytes
	}
	return received, nil
}

// stats reads what the engine counts of a running container.
func (e *Engine) stats(ctx context.Context, id string) (container.StatsResponse, error) {
	var stats container.StatsResponse
	answer, err := e.client.ContainerStatsOneShot(ctx, id)
	if err != nil {
		return stats, e.failed(err, "reading statistics of container %s", id)
	}
	defer answer.Body.Close()
	if err := json.NewDecoder(answer.Body).Decode(&stats); err != nil {
		return stats, e.failed(err, "reading statistics of container %s", id)
	}
	if stats.Read.IsZero() {
		return stats, fmt.Errorf("reading statistics of container %s: it is not running", id)
	}
	return stats, nil
}
