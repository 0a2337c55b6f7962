package config

import (
	"fmt"
	"slices"

	"github.com/zclconf/go-cty/cty"

	"github.com/labctl/labctl/scenarios/check"
	"github.com/labctl/labctl/scenarios/lab"
)

// setKinds are the members of the standard set, in the order of reports.
var setKinds = []string{"replaced", "run_as_declared", "no_drift", "source", "built_from_repo", "served_by", "survives", "same_image", "promoted"}

// setRequirement is the member that all others require: nothing else matters
// while the pet is live.
const setRequirement = "replaced"

// requiredBy are the kinds whose members a member requires, where the set has
// them. HEAD may well make an image out of the pet in an archive: that is not
// being built from the repository.
func requiredBy(kind string) []string {
	switch kind {
	case setRequirement:
		return nil
	case "built_from_repo":
		return []string{setRequirement, "source"}
	}
	return []string{setRequirement}
}

var setAttributes = []string{"service", "points", "prefix", "except"}

// applies says whether a member has a question to ask about a service in the
// given environments.
func applies(kind string, rows []lab.Service) bool {
	if len(rows) == 0 {
		return false
	}
	switch kind {
	case "served_by":
		return rows[0].Publish == lab.PublishPort
	case "same_image":
		return rows[0].Replicas > 1 || len(rows) > 1
	case "promoted":
		return len(rows) > 1
	}
	return true
}

// member is one check of a set.
type member struct {
	kind check.Kind
	name string
}

// members are the checks that a set stands for.
func (r *resolver) members(b *block) (members []member, rows []lab.Service) {
	a, ok := b.attrs["service"]
	if !ok {
		r.fail(b.at, sumMissingAttr, "A check %q needs the attribute \"service\": the service that it asks about.", setKind)
		return nil, nil
	}
	service, environment, ok := r.reference(a.Expr, "service")
	if !ok {
		return nil, nil
	}
	rows = r.servicesOf(service, environment)
	prefix, _ := get[string](r, b, "prefix", cty.String, scope{})
	if prefix != "" {
		if !validName.MatchString(prefix) {
			r.invalid(b, "prefix", fmt.Sprintf("%q cannot begin a name; use lower-case letters, digits, - and _", prefix))
		}
		prefix += "_"
	}
	except, _ := get[[]string](r, b, "except", cty.List(cty.String), scope{})
	for _, kind := range setKinds {
		k, known := check.Find(kind)
		if known && applies(kind, rows) && !slices.Contains(except, kind) {
			members = append(members, member{kind: k, name: prefix + kind})
		}
	}
	return members, rows
}

// declareSet enters the names of a set's members.
func (r *resolver) declareSet(b *block) {
	members, _ := r.members(b)
	for _, m := range members {
		if before, taken := r.names["check"][m.name]; taken {
			r.fail(b.nameAt, sumDuplicate, "This set's check.%s has the name of another check, at %s. Give the set a prefix = \"…\", which its checks' names then begin with.", m.name, place(before))
			continue
		}
		r.declare("check", m.name, b.nameAt)
	}
}

// set expands a set into its members' rows.
func (r *resolver) set(b *block) {
	members, rows := r.members(b)
	r.setBlock(b, members, rows)
	if len(members) == 0 {
		return
	}
	overrides := map[string]*block{}
	for _, o := range b.blocks["member"] {
		overrides[o.name] = o
	}
	points := r.memberPoints(b, members, overrides)
	for i, m := range members {
		row := lab.Check{Name: m.name, Kind: m.kind.Type, Service: rows[0].Name, Required: true}
		for _, other := range members {
			if slices.Contains(requiredBy(m.kind.Type), other.kind.Type) {
				row.Requires = append(row.Requires, other.name)
			}
		}
		o := overrides[m.kind.Type]
		if o == nil {
			o = &block{}
		}
		if v, ok := get[bool](r, o, "required", cty.Bool, scope{}); ok {
			row.Required = v
		}
		services := rows
		if slices.Contains(acrossEnvironments, m.kind.Type) {
			services = []lab.Service{{Name: row.Service}}
		}
		shares := share(points[i], equal(len(services)))
		for j, s := range services {
			one := row
			one.Environment, one.Points = s.Environment, shares[j]
			r.prose(&one, m.kind, o, r.eachScope(s.Environment))
			r.lab.Checks = append(r.lab.Checks, one)
		}
	}
}

// setBlock reports what is wrong with the words of a set.
func (r *resolver) setBlock(b *block, members []member, rows []lab.Service) {
	for _, a := range sourceOrder(b.attrs) {
		if !slices.Contains(setAttributes, a.Name) {
			r.fail(a.NameRange, sumUnknownAttr, "A check %q has no attribute %q. %s What differs for one of its checks goes into a block member.", setKind, a.Name, didYouMean(a.Name, setAttributes))
		}
	}
	except, _ := get[[]string](r, b, "except", cty.List(cty.String), scope{})
	for _, kind := range except {
		if !slices.Contains(setKinds, kind) {
			r.invalid(b, "except", fmt.Sprintf("the set has no %q. %s", kind, didYouMean(kind, setKinds)))
		}
	}
	var kinds []string
	for _, m := range members {
		kinds = append(kinds, m.kind.Type)
	}
	for _, o := range b.blocks["member"] {
		if !slices.Contains(kinds, o.name) && len(rows) > 0 {
			r.fail(o.nameAt, sumUnknownRef, "This set has no member %q. %s", o.name, didYouMean(o.name, kinds))
		}
	}
	if len(members) == 0 && len(rows) > 0 {
		r.fail(b.at, sumVacuous, "This check cannot be decided: all members of the set are excepted. Remove it, or keep %s.", setRequirement)
	}
}

// memberPoints divides a set's points. A member's own points come first; the
// rest is shared among the others by weight.
func (r *resolver) memberPoints(b *block, members []member, overrides map[string]*block) []int {
	points := make([]int, len(members))
	weights := make([]int, len(members))
	own := 0
	for i, m := range members {
		points[i], weights[i] = m.kind.Points, m.kind.Points
		if o := overrides[m.kind.Type]; o != nil {
			if _, given := o.attrs["points"]; given {
				points[i], weights[i] = r.points(o), 0
				own += points[i]
			}
		}
	}
	if _, given := b.attrs["points"]; !given {
		return points
	}
	total := r.points(b)
	if own > total {
		r.invalid(b, "points", fmt.Sprintf("its members alone have %d", own))
		return points
	}
	if total > own && len(members) > 0 && !slices.ContainsFunc(weights, func(w int) bool { return w > 0 }) {
		r.invalid(b, "points", fmt.Sprintf("its members alone have %d, and none of them takes a share of the rest", own))
	}
	for i, part := range share(total-own, weights) {
		if weights[i] > 0 {
			points[i] = part
		}
	}
	return points
}
