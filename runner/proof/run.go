package proof

import (
	"context"
	"fmt"
	"slices"

	"github.com/docker/go-units"

	"github.com/labctl/labctl/scenarios/lab"
)

// runs are honest ways of running what was built.
var runs = []Way{
	{"compose", "Docker Compose builds and runs it", byCompose},
	{"restart-policy", "a restart policy", func(ctx context.Context, w *World) error {
		return w.rightRun(ctx, extra{flags: []string{"--restart", "unless-stopped"}})
	}},
	{"labels", "labels", func(ctx context.Context, w *World) error {
		return w.rightRun(ctx, extra{flags: []string{"--label", "team=booking", "--label", "org.opencontainers.image.title=web"}})
	}},
	{"names", "a name of the learner's own", func(ctx context.Context, w *World) error {
		return w.rightRun(ctx, extra{flags: []string{"--hostname", "web"}, named: true})
	}},
	{"init", "--init", func(ctx context.Context, w *World) error { return w.rightRun(ctx, extra{flags: []string{"--init"}}) }},
	{"less-memory", "a stricter memory limit", func(ctx context.Context, w *World) error {
		return w.rightRun(ctx, extra{flagsOf: lessMemory})
	}},
	{"read-only", "a read-only root filesystem", func(ctx context.Context, w *World) error {
		return w.rightRun(ctx, extra{flags: []string{"--read-only"}})
	}},
	{"any-address", "published on all addresses of the host: -p 8080:8080", anyAddress},
	{"pet-stopped", "the pet stopped instead of removed", func(ctx context.Context, w *World) error {
		if err := w.goRight(ctx); err != nil {
			return err
		}
		image, err := w.build(ctx)
		if err != nil {
			return err
		}
		return w.eachPlace(ctx, func(_ int, p Place) error {
			if len(p.Pets) > 0 {
				if _, err := w.docker(ctx, append([]string{"stop", "--time", "1"}, p.Pets...)...); err != nil {
					return err
				}
			}
			if _, err := w.run(ctx, p, image, extra{}); err != nil {
				return err
			}
			return nil
		})
	}},
}

// rightRun builds the right repository and runs it in a way of its own.
func (w *World) rightRun(ctx context.Context, x extra) error {
	if err := w.goRight(ctx); err != nil {
		return err
	}
	image, err := w.build(ctx)
	if err != nil {
		return err
	}
	_, err = w.replace(ctx, image, x)
	return err
}

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
func anyAddress(ctx context.Context, w *World) error {
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
	return w.rightRun(ctx, extra{})
}
