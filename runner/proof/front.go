package proof

import (
	"context"
	"errors"
	"fmt"

	"github.com/labctl/labctl/scenarios/lab"
	"github.com/labctl/labctl/scenarios/report"
)

// fronts let something else answer than what is shown.
var fronts = []Cheat{
	{
		Name: "other-port", Family: "front", Doc: "the committed pet answers, and an honest container idles on another port", Killer: "built_from_repo", Word: ofThePet, Needs: NeedsPets, Local: true,
		Do: func(ctx context.Context, w *World) error {
			if err := w.published(); err != nil {
				return err
			}
			honest, err := w.build(ctx)
			if err != nil {
				return err
			}
			if err := w.launder(ctx, nil); err != nil {
				return err
			}
			for _, p := range w.Places {
				_, err := w.docker(ctx, "run", "--detach", "--network", p.Network, "--publish", fmt.Sprintf("127.0.0.1::%d", p.Service.Port), "--name", w.number(), honest)
				if err != nil {
					return err
				}
			}
			return nil
		},
	},
	{
		Name: "shared-network", Family: "front", Doc: "the committed pet answers in the network namespace of an honest image's container", Killer: "served_by", Word: always(report.Impostor), Needs: NeedsPets, Local: true,
		Do: sharedNetwork,
	},
}

// published is for cheats that need an address on the host.
func (w *World) published() error {
	for _, p := range w.Places {
		if p.Service.Publish != lab.PublishPort {
			return notApplicable("%s is not published on the host", p.Service.Address())
		}
	}
	return nil
}

// sharedNetwork runs an honest image with nothing in it that listens.
func sharedNetwork(ctx context.Context, w *World) error {
	if err := w.published(); err != nil {
		return err
	}
	honest, err := w.build(ctx)
	if err != nil {
		return err
	}
	return w.eachPlace(ctx, func(_ int, p Place) error {
		if len(p.Pets) == 0 {
			return notApplicable("no container of the start serves %s", p.Service.Address())
		}
		pet, gone, err := w.editedPet(ctx, p)
		if err != nil {
			return err
		}
		image, err := w.made(w.docker(ctx, "commit", pet))
		if err = errors.Join(err, gone()); err != nil {
			return err
		}
		if err := w.shoot(ctx, p); err != nil {
			return err
		}
		ids, err := w.run(ctx, p, honest, extra{command: []string{"1000000"}, flags: []string{"--entrypoint", "sleep"}})
		if err != nil {
			return err
		}
		if _, err := w.docker(ctx, "run", "--detach", "--network", "container:"+ids[0], image); err != nil {
			return err
		}
		return nil
	})
}
