package apply

import (
	"context"
	"errors"
	"fmt"

	"github.com/labctl/labctl/runner/engine"
	"github.com/labctl/labctl/runner/plan"
	"github.com/labctl/labctl/runner/problem"
)

// claim makes an object under a name of the instance's. The name may be taken:
// by what an earlier start asked for and the engine finished after that start
// was killed, which is made again; or by something that is not the instance's,
// which is left alone.
func (p *Provisioner) claim(ctx context.Context, op plan.Op, create func() error) error {
	// Remembered first: a call that failed may have done its work.
	p.remember(op.Kind, op.Name, func(ctx context.Context) error {
		_, err := p.drop(ctx, op)
		return err
	})
	err := create()
	if !errors.Is(err, engine.ErrNameTaken) {
		return err
	}
	dropped, dropErr := p.drop(ctx, op)
	if dropErr != nil {
		return errors.Join(err, dropErr)
	}
	if !dropped {
		return taken(op, err)
	}
	return create()
}

// drop removes what an operation made, or an earlier one of the same name, and
// reports whether it was there. Nothing that is not the instance's is touched.
func (p *Provisioner) drop(ctx context.Context, op plan.Op) (bool, error) {
	own := func(labels map[string]string) bool {
		return labels[engine.LabelInstance] == p.Record.Instance && labels[engine.LabelUser] == p.Labels[engine.LabelUser]
	}
	if op.Kind == plan.Network {
		networks, err := p.Engine.Networks(ctx)
		if err != nil {
			return false, err
		}
		for _, n := range networks {
			if n.Name == op.Name && own(n.Labels) {
				return true, p.Engine.RemoveNetwork(ctx, n.ID)
			}
		}
		return false, nil
	}
	containers, err := p.Engine.Containers(ctx)
	if err != nil {
		return false, err
	}
	id := p.id(op)
	for _, c := range containers {
		// By ID too: what was finished has another name by now.
		if c.ID == id || c.Name == op.Name && own(c.Labels) {
			return true, p.Engine.RemoveContainer(ctx, c.ID)
		}
	}
	return false, nil
}

// taken says of a name that something else has it whose it is to give up.
func taken(op plan.Op, err error) error {
	if !errors.Is(err, engine.ErrNameTaken) {
		return err
	}
	kind, remove := "container", "docker rename or docker rm"
	if op.Kind == plan.Network {
		kind, remove = "network", "docker network rm"
	}
	return &problem.Problem{
		What: fmt.Sprintf("the name %s is taken on the engine", op.Name),
		Why:  fmt.Sprintf("a %s that is not part of this lab has it", kind),
		Mend: fmt.Sprintf("give the name back with %s, or choose another --learner", remove),
		Err:  err,
	}
}
