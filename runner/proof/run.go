package proof

import (
	"context"
	"fmt"
	"slices"

	"github.com/docker/go-units"

	"github.com/labctl/labctl/scenarios/lab"
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
		at := slices.Index(p.Run, "--publish")
		if at < 0 || p.Service.Publish != lab.PublishPort {
			return notApplicable("%s is not published on the host", p.Service.Address())
		}
		run := slices.Clone(p.Run)
		run[at+1] = fmt.Sprintf("%s:%d", hostPort(p.Address), p.Service.Port)
		w.Places[i].Run = run
	}
	return nil
}
