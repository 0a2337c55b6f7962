// Package apply runs plans. It is the only place with concurrency in
// provisioning, and it decides nothing: what is done, and in what order, is
// the plan's.
package apply

import (
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/labctl/labctl/runner/plan"
)

// Run does every operation of a plan, each as soon as all it comes after have
// succeeded. The first failure ends it: what did not start by then does not.
func Run(ctx context.Context, p plan.Plan, do func(context.Context, plan.Op) error) error {
	group, ctx := errgroup.WithContext(ctx)
	succeeded := make([]chan struct{}, len(p.Ops))
	for i := range succeeded {
		succeeded[i] = make(chan struct{})
	}
	for i, op := range p.Ops {
		group.Go(func() error {
			for _, before := range op.After {
				select {
				case <-succeeded[before]:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := do(ctx, op); err != nil {
				return err
			}
			close(succeeded[i])
			return nil
		})
	}
	return group.Wait()
}
