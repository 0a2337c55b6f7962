package gather

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/labctl/labctl/runner/engine"
	"github.com/labctl/labctl/scenarios/check"
	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/lab"
)

// seen is what the label of a record says.
type seen struct {
	Service     string   `json:"service"`
	Environment string   `json:"environment"`
	Check       string   `json:"check"`
	Containers  []string `json:"containers"` // IDs
}

// RecordLabels are the labels of a record that stand beside those of all
// containers of an instance.
func RecordLabels(d evidence.Demonstration) (map[string]string, error) {
	says, err := json.Marshal(seen{d.Service, d.Environment, d.Check, d.Containers})
	if err != nil {
		return nil, fmt.Errorf("writing what was demonstrated: %w", err)
	}
	return map[string]string{engine.LabelRole: engine.RoleDemonstration, engine.LabelDemonstration: string(says)}, nil
}

// IsRecord reports whether a container is a record of an instance's, as far as
// the list of containers can tell.
func IsRecord(c engine.Summary, instance string) bool {
	return c.Labels[engine.LabelInstance] == instance && c.Labels[engine.LabelRole] == engine.RoleDemonstration && c.State == "created"
}

// demonstrations reads the records of a lab that asks for demonstrations, and
// the images that they are compared with. It does so whatever becomes of the
// checks that ask: what there is to be recorded depends on it.
func (s *session) demonstrations(ctx context.Context) error {
	asking := slices.DeleteFunc(slices.Clone(s.set.Checks), func(c lab.Check) bool { return c.Kind != check.Demonstrated.Type })
	if len(asking) == 0 {
		return nil
	}
	s.set.Demonstrations = []evidence.Demonstration{}
	for _, summary := range s.all {
		if !IsRecord(summary, s.Record.Instance) {
			continue
		}
		c, err := s.Engine.Inspect(ctx, summary.ID)
		if errors.Is(err, engine.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		if err := s.image(ctx, c.Image); err != nil {
			return err
		}
		d, is := record(c, s.set.Images[c.Image])
		if is && slices.ContainsFunc(asking, func(c lab.Check) bool {
			return c.Name == d.Check && c.Service == d.Service && c.Environment == d.Environment
		}) {
			s.set.Demonstrations = append(s.set.Demonstrations, d)
		}
	}
	slices.SortStableFunc(s.set.Demonstrations, func(a, b evidence.Demonstration) int { return a.Created.Compare(b.Created) })
	for _, service := range s.set.Services {
		if !slices.ContainsFunc(asking, func(c lab.Check) bool { return c.Service == service.Name }) {
			continue
		}
		for _, c := range service.Live {
			if err := s.image(ctx, c.Image); err != nil {
				return err
			}
		}
	}
	return nil
}

// record reads a record. A label that a container has through its image says
// nothing: a commit of a record has it, too.
func record(c evidence.Container, image evidence.Image) (evidence.Demonstration, bool) {
	text := labelOf(c.Config, engine.LabelDemonstration)
	var says seen
	if text == "" || text == labelOf(image.Config, engine.LabelDemonstration) || json.Unmarshal([]byte(text), &says) != nil {
		return evidence.Demonstration{}, false
	}
	return evidence.Demonstration{
		ID: c.ID, Name: c.Name, Created: c.Created, Image: c.Image,
		Service: says.Service, Environment: says.Environment, Check: says.Check, Containers: says.Containers,
	}, true
}

// labelOf is a label in a configuration as the engine told it.
func labelOf(config json.RawMessage, name string) string {
	var c struct{ Labels map[string]string }
	if json.Unmarshal(config, &c) != nil {
		return ""
	}
	return c.Labels[name]
}
