package gather

import (
	"context"
	"fmt"
	"sort"
	"strings"

	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/lab"
)

// changed says what is different now from when the set was gathered; "" when
// nothing is.
func (g *Gatherer) changed(ctx context.Context, set *evidence.Set) (string, error) {
	all, err := g.Engine.Containers(ctx)
	if err != nil {
		return "", err
	}
	for _, service := range set.Services {
		var before, now []string
		for _, c := range service.Live {
			before = append(before, c.ID+c.Started.String())
		}
		candidates := Publishing(all, service.Address)
		if lab.OnNetwork(service.Publish) {
			candidates = Attached(all, service.Network)
		}
		for _, summary := range candidates {
			c, err := g.Engine.Inspect(ctx, summary.ID)
			if err != nil {
				return fmt.Sprintf("container %s went away", summary.Name), nil
			}
			if serves(c, service) {
				now = append(now, c.ID+c.Started.String())
			}
		}
		sort.Strings(before)
		sort.Strings(now)
		if strings.Join(before, " ") != strings.Join(now, " ") {
			return "what answers for " + service.Name + " changed", nil
		}
	}
	if set.Head.Commit == "" {
		return "", nil
	}
	repo, err := g.Repository()
	if err != nil {
		return "the workspace went away", nil
	}
	head, err := repo.Head(ctx)
	if err != nil {
		return "", err
	}
	if head.Commit != set.Head.Commit {
		return "HEAD changed", nil
	}
	return "", nil
}
