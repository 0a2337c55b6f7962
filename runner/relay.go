package runner

import (
	"slices"

	"github.com/labctl/labctl/runner/apply"
	"github.com/labctl/labctl/runner/engine"
	"github.com/labctl/labctl/runner/gather"
	"github.com/labctl/labctl/runner/plan"
	"github.com/labctl/labctl/runner/state"
	"github.com/labctl/labctl/scenarios/lab"
)

// relays are an instance's relays by the labels, whatever became of them. A
// grade does not rest on them: the containers behind are asked one by one.
func (w world) relays(l *lab.Lab, rec *state.Record) []plan.FoundRelay {
	var out []plan.FoundRelay
	for _, s := range l.Services {
		if s.Publish != lab.PublishRelay {
			continue
		}
		key, network := apply.Key(s.Name, s.Environment), plan.Names{Instance: rec.Instance}.Network(s.Environment)
		for _, c := range w.of(rec.Instance).containers {
			if !isRelay(c) || c.Labels[engine.LabelServes] != key {
				continue
			}
			_, on := c.Networks[network]
			publishes := len(gather.Publishing([]engine.Summary{c}, rec.Addresses[key])) > 0
			out = append(out, plan.FoundRelay{
				ID: c.ID, Name: c.Name, Service: s.Address(), Passes: on && publishes && c.State == "running",
			})
		}
	}
	return out
}

func isRelay(c engine.Summary) bool { return c.Labels[engine.LabelRole] == engine.RoleRelay }

// relayOf names the relay that passes on to a service; "" when none does.
func (w world) relayOf(l *lab.Lab, rec *state.Record, s lab.Service) string {
	all := w.relays(l, rec)
	i := slices.IndexFunc(all, func(r plan.FoundRelay) bool { return r.Service == s.Address() && r.Passes })
	if i < 0 {
		return ""
	}
	return all[i].Name
}

// needsRelays reports whether a lab has a service behind a relay.
func needsRelays(l *lab.Lab) bool {
	return slices.ContainsFunc(l.Services, func(s lab.Service) bool { return s.Publish == lab.PublishRelay })
}
