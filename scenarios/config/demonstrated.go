package config

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/labctl/labctl/scenarios/check"
	"github.com/labctl/labctl/scenarios/lab"
)

// demonstrable reports what is wrong with where a check demonstrated asks: in
// one environment, with a later one in which the service is, too.
func (r *resolver) demonstrable(b *block, services []lab.Service) bool {
	at := b.attrAt("service")
	service := services[0].Name
	order := r.environmentsOf(service)
	if len(order) < 2 {
		r.fail(at, sumVacuous, "This check cannot be decided: service.%s is not in two environments, so nothing comes after its demonstration. Remove the check, or add environments.", service)
		return false
	}
	if len(services) > 1 {
		r.fail(at, sumValue, "Say in which environment it is demonstrated: service.%s.%s.", service, order[len(order)-2])
		return false
	}
	a, given := b.attrs["before"]
	if !given {
		return true // said already
	}
	before, _, ok := r.reference(a.Expr, "environment")
	if !ok {
		return false
	}
	here, later := slices.Index(order, services[0].Environment), slices.Index(order, before)
	switch {
	case later < 0:
		r.fail(a.Expr.Range(), sumValue, "service.%s is in no environment %q. %s", service, before, didYouMean(before, order))
	case later <= here:
		r.fail(a.Expr.Range(), sumValue, "environment.%s does not come after environment.%s. The order of the environment blocks is that of promotion: %s.", before, services[0].Environment, strings.Join(order, ", "))
	}
	return later > here
}

// demonstrations completes the checks demonstrated once all checks are known:
// what they name must ask how the service behaves there, and what names nothing
// means all that does.
func (r *resolver) demonstrations() {
	for i := range r.lab.Checks {
		row := &r.lab.Checks[i]
		if row.Kind != check.Demonstrated.Type || row.Spec == nil {
			continue
		}
		var spec check.DemonstratedSpec
		if err := json.Unmarshal(row.Spec, &spec); err != nil {
			continue // it was just written
		}
		b := r.checkBlock(row.Name)
		there := r.behaviourOf(*row)
		if _, given := b.attrs["behaviour"]; !given {
			spec.Behaviour = there
		}
		for _, name := range spec.Behaviour {
			if !slices.Contains(there, name) {
				r.fail(b.attrAt("behaviour"), sumValue, "check.%s does not ask how service.%s.%s behaves. %s", name, row.Service, row.Environment, whichAsk(there))
			}
		}
		if len(spec.Behaviour) == 0 {
			r.fail(b.attrAt("behaviour"), sumVacuous, "This check cannot be decided: it names no check of how service.%s.%s behaves, so there is nothing to demonstrate. %s", row.Service, row.Environment, whichAsk(there))
			continue
		}
		if encoded, err := json.Marshal(spec); err == nil { // texts always can be
			row.Spec = encoded
		}
	}
}

// checkBlock is the block of a check that is in no set.
func (r *resolver) checkBlock(name string) *block {
	blocks := r.def.root.blocks["check"]
	return blocks[slices.IndexFunc(blocks, func(b *block) bool { return b.name == name && b.labels[0] != setKind })]
}

// behaviourOf names the behaviour checks of a check's service in its
// environment.
func (r *resolver) behaviourOf(row lab.Check) []string {
	var names []string
	for _, c := range r.lab.Checks {
		kind, known := check.Find(c.Kind)
		if known && kind.Behaviour && c.Service == row.Service && c.Environment == row.Environment {
			names = append(names, c.Name)
		}
	}
	return names
}

func whichAsk(names []string) string {
	if len(names) == 0 {
		return "No check does; write one of a kind that asks, such as http."
	}
	return "Those that do: check." + strings.Join(names, ", check.") + "."
}
