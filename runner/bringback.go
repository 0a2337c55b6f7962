package runner

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/labctl/labctl/runner/gather"
	"github.com/labctl/labctl/runner/plan"
)

// bringBack is what to type for another container of a service, made from the
// repository and run as the service declares. What start made for no service has
// no other way back than another start.
func (a *aiming) bringBack(ctx context.Context, g *gather.Gatherer, t target) ([]string, error) {
	if t.service == nil {
		return []string{strings.Trim(stopCommand(a.rec), "`"), strings.Trim(startCommand(a.rec), "`")}, nil
	}
	told, err := told(a.lab, a.rec)
	if err != nil {
		return nil, err
	}
	image := t.service.Name + ":" + a.version(ctx, g)
	run := []string{"docker run --detach --name " + a.nextName(t)}
	for _, s := range told.Services {
		if s.Name == t.service.Name && s.Environment == t.service.Environment && s.Run != "" {
			run = append(run, s.Run)
		}
	}
	run = append(run, image)
	for _, word := range t.service.Run.Command {
		run = append(run, ShellQuote(word))
	}
	return []string{"cd " + ShellQuote(a.rec.Workspace), "docker build --tag " + image + " .", strings.Join(run, " ")}, nil
}

// version is what an image that is built now is tagged with: the commit, where
// the working tree has nothing else. Otherwise it is the instance, since others
// may build theirs on this engine.
func (a *aiming) version(ctx context.Context, g *gather.Gatherer) string {
	repo, err := g.Repository()
	if err != nil {
		return a.in.Instance
	}
	head, err := repo.Head(ctx)
	if err != nil || len(head.Dirty) > 0 {
		return a.in.Instance
	}
	return fmt.Sprintf("%.7s", head.Commit)
}

var numbered = regexp.MustCompile(`^(.*-)([0-9]{1,8})$`)

// nextName is a name for the next one of a herd. Cattle get numbers, and no
// number is given twice; a pet's successor is number one.
func (a *aiming) nextName(t target) string {
	herd, width := plan.Names{Instance: a.in.Instance}.Network(t.service.Environment)+"-web-", 3
	if m := numbered.FindStringSubmatch(t.Name); m != nil && t.called == "" {
		herd, width = m[1], len(m[2])
	}
	last := 0
	for _, c := range a.w.containers {
		if m := numbered.FindStringSubmatch(c.Name); m != nil && m[1] == herd {
			n, _ := strconv.Atoi(m[2]) // at most eight digits
			last = max(last, n)
		}
	}
	return fmt.Sprintf("%s%0*d", herd, width, last+1)
}
