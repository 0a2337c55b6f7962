package docker

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"

	"github.com/labctl/labctl/runner/engine"
	"github.com/labctl/labctl/scenarios/evidence"
)

// Inspect implements engine.Observer.
func (e *Engine) Inspect(ctx context.Context, id string) (evidence.Container, error) {
	c, raw, err := e.client.ContainerInspectWithRaw(ctx, id, false)
	if err != nil {
		return evidence.Container{}, e.failed(err, "inspecting container %s", id)
	}
	seen, err := observed(c, raw)
	if err != nil {
		return evidence.Container{}, fmt.Errorf("inspecting container %s: %w", id, err)
	}
	own, err := e.ownLabels(ctx, c)
	if err != nil {
		return evidence.Container{}, err
	}
	seen.Start = own[engine.LabelRole] == engine.RoleStart
	seen.Called = own[engine.LabelContainer]
	seen.Serves = own[engine.LabelServes]
	return seen, nil
}

// observed puts the engine's report in evidence's words. Config and HostConfig
// stay as the engine sent them: fields that this client does not know are
// evidence too.
func observed(c container.InspectResponse, raw []byte) (evidence.Container, error) {
	var sent struct{ Config, HostConfig json.RawMessage }
	if err := json.Unmarshal(raw, &sent); err != nil {
		return evidence.Container{}, err
	}
	created, err := time.Parse(time.RFC3339Nano, c.Created)
	if err != nil {
		return evidence.Container{}, fmt.Errorf("reading when it was created: %w", err)
	}
	started, err := time.Parse(time.RFC3339Nano, c.State.StartedAt)
	if err != nil {
		return evidence.Container{}, fmt.Errorf("reading when it was started: %w", err)
	}
	seen := evidence.Container{
		ID:            c.ID,
		Name:          strings.TrimPrefix(c.Name, "/"),
		Image:         c.Image,
		ImageName:     c.Config.Image,
		Created:       created.UTC(),
		Started:       started.UTC(),
		State:         string(c.State.Status),
		RestartPolicy: string(c.HostConfig.RestartPolicy.Name),
		Path:          c.Path,
		Args:          c.Args,
		Config:        sent.Config,
		HostConfig:    sent.HostConfig,
	}
	for _, m := range c.Mounts {
		if m.Type == mount.TypeTmpfs {
			continue
		}
		seen.Mounts = append(seen.Mounts, evidence.Mount{Type: string(m.Type), Name: m.Name,
			Source: m.Source, Destination: m.Destination, RW: m.RW})
	}
	slices.SortFunc(seen.Mounts, func(a, b evidence.Mount) int { return cmp.Compare(a.Destination, b.Destination) })
	for name, n := range c.NetworkSettings.Networks {
		seen.Networks = append(seen.Networks, name)
		seen.Aliases = append(append(seen.Aliases, n.Aliases...), n.DNSNames...) // later engines: its hostname is one
	}
	// Networks know a container by its name as well.
	seen.Aliases = append(seen.Aliases, seen.Name)
	slices.Sort(seen.Networks)
	slices.Sort(seen.Aliases)
	seen.Aliases = slices.Compact(seen.Aliases)
	return seen, nil
}

// ownLabels are a container's labels of labctl's that it did not get from its
// image: docker commit copies a container's labels into the image, and what
// is run from that image would pass for the container that start made.
func (e *Engine) ownLabels(ctx context.Context, c container.InspectResponse) (map[string]string, error) {
	own := map[string]string{}
	for _, label := range []string{engine.LabelRole, engine.LabelContainer, engine.LabelServes} {
		if value, ok := c.Config.Labels[label]; ok {
			own[label] = value
		}
	}
	if len(own) == 0 {
		return own, nil
	}
	img, err := e.client.ImageInspect(ctx, c.Image)
	if err = e.failed(err, "inspecting the image of container %s", c.ID); errors.Is(err, engine.ErrNotFound) {
		// An image can be removed by force below a stopped container only, so
		// this is not what answers; its labels are all there is to go by.
		return own, nil
	}
	if err != nil {
		return nil, err
	}
	if img.Config == nil {
		return own, nil
	}
	for label, value := range own {
		if inherited, ok := img.Config.Labels[label]; ok && inherited == value {
			delete(own, label)
		}
	}
	return own, nil
}
