package proof

import (
	"context"
	"fmt"
	"slices"

	"github.com/docker/go-units"
)

// runs are honest ways of running what was built.
var runs = family("run", []Way{
	{Name: "compose", Doc: "Docker Compose builds and runs it", whole: byCompose},
	{Name: "restart-policy", Doc: "a restart policy", run: extra{flags: []string{"--restart", "unless-stopped"}}},
	{Name: "labels", Doc: "labels", run: extra{flags: []string{"--label", "team=booking", "--label", "org.opencontainers.image.title=web"}}},
	{Name: "names", Doc: "a name of the learner's own", run: extra{flags: []string{"--hostname", "web"}, named: true}},
	{Name: "init", Doc: "--init", run: extra{flags: []string{"--init"}}},
	{Name: "less-memory", Doc: "a stricter memory limit", run: extra{flagsOf: lessMemory}},
	{Name: "read-only", Doc: "a read-only root filesystem", run: extra{flags: []string{"--read-only"}}},
	{Name: "any-address", Doc: "published on all addresses of the host: -p 8080:8080", before: anyAddress},
	{Name: "network-id", Doc: "the network named by its ID", before: networkID},
	{Name: "pet-stopped", Doc: "the pet stopped instead of removed", Needs: NeedsStart, before: func(_ context.Context, w *World) error {
		w.KeepPets = true
		return nil
	}},
})

// lessMemory is three quarters of what a service may have, or plenty where it
// may have all. The last of several equal flags counts.
func lessMemory(p Place) ([]string, error) {
	if p.Service.Run.Memory == "" {
		return []string{"--memory", "512m"}, nil
	}
	most, err := units.RAMInBytes(p.Service.Run.Memory)
	if err != nil {
		return nil, fmt.Errorf("reading the memory of %s: %w", p.Service.Address(), err)
	}
	return []string{"--memory", fmt.Sprint(most / 4 * 3)}, nil
}

// anyAddress publishes as people do who do not think of addresses.
func anyAddress(_ context.Context, w *World) error {
	if err := w.published(); err != nil {
		return err
	}
	for i, p := range w.Places {
		w.Places[i].Run = with(p.Run, "--publish", fmt.Sprintf("%s:%d", hostPort(p.Address), p.Service.Port))
	}
	return nil
}

// networkID names networks as Compose and other programs do.
func networkID(ctx context.Context, w *World) error {
	for i, p := range w.Places {
		id, err := w.docker(ctx, "network", "inspect", "--format", "{{.Id}}", p.Network)
		if err != nil {
			return err
		}
		w.Places[i].Run = with(p.Run, "--network", id)
	}
	return nil
}

// with are flags of docker run, of which one that is there has another value.
func with(run []string, flag, value string) []string {
	run = slices.Clone(run)
	run[slices.Index(run, flag)+1] = value
	return run
}
