package config

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/labctl/labctl/scenarios/check"
	"github.com/labctl/labctl/scenarios/lab"
)

// setKind is the first label of a standard set, which stands for several
// checks and is no kind itself.
const setKind = "provenance"

// acrossEnvironments are the kinds that ask about all environments of a
// service at once.
var acrossEnvironments = []string{"same_image", "promoted"}

// commonAttributes are those of every check block besides its kind's.
var commonAttributes = []string{"title", "points", "why", "next", "requires", "required", "service"}

// declareChecks enters the names of all checks, those of set members included,
// so that checks and scenarios can refer to each other in any order.
func (r *resolver) declareChecks() {
	for _, b := range r.def.root.blocks["check"] {
		if b.labels[0] == setKind {
			r.declareSet(b)
			continue
		}
		r.declare("check", b.name, b.nameAt)
	}
}

func (r *resolver) checks() {
	for _, b := range r.def.root.blocks["check"] {
		if b.labels[0] == setKind {
			r.set(b)
			continue
		}
		for _, m := range b.blocks["member"] {
			r.fail(m.at, sumUnknownBlock, "Only a check %q has members.", setKind)
		}
		kind, ok := check.Find(b.labels[0])
		if !ok {
			r.fail(b.at, sumUnknownKind, "There is no kind of check called %q. %s", b.labels[0], didYouMean(b.labels[0], kindNames()))
			continue
		}
		r.check(b, kind)
	}
	r.demonstrations()
	r.requirements()
}

func kindNames() []string {
	names := []string{setKind}
	for _, k := range check.Kinds {
		names = append(names, k.Type)
	}
	return names
}

// check reads one block into a row for each environment that it asks about.
func (r *resolver) check(b *block, kind check.Kind) {
	r.checkAttributes(b, kind)
	row := lab.Check{Name: b.name, Kind: kind.Type, Required: true}
	row.Requires, _ = r.references(b, "requires", "check")
	if v, ok := get[bool](r, b, "required", cty.Bool, scope{}); ok {
		row.Required = v
	}
	points := r.points(b)

	services := []lab.Service{{}}
	asked := true
	if a, ok := b.attrs["service"]; ok {
		service, environment, found := r.reference(a.Expr, "service")
		row.Service = service
		services, asked = r.askedOf(kind, service, environment), found
	} else if kind.Service {
		r.fail(b.at, sumMissingAttr, "A check %q needs the attribute \"service\": the service that it asks about.", kind.Type)
		asked = false
	}
	if asked && kind.Type == check.Demonstrated.Type {
		asked = r.demonstrable(b, services)
	}
	if !asked {
		r.spec(b, kind, scope{each: map[string]cty.Value{"environment": cty.UnknownVal(cty.String), "values": cty.DynamicVal}})
		return
	}
	shares := share(points, equal(len(services)))
	for i, s := range services {
		sc := scope{}
		if row.Service != "" {
			sc = r.eachScope(s.Environment)
		}
		one := row
		one.Environment, one.Points = s.Environment, shares[i]
		r.prose(&one, kind, b, sc)
		one.Spec = r.spec(b, kind, sc)
		r.lab.Checks = append(r.lab.Checks, one)
	}
}

// askedOf are the services that a check has one row for each of.
func (r *resolver) askedOf(kind check.Kind, service, environment string) []lab.Service {
	if slices.Contains(acrossEnvironments, kind.Type) {
		return []lab.Service{{Name: service}}
	}
	return r.servicesOf(service, environment)
}

// checkAttributes reports attributes that neither every check nor the kind has.
func (r *resolver) checkAttributes(b *block, kind check.Kind) {
	names := slices.Clone(commonAttributes)
	for _, a := range kind.Attributes {
		names = append(names, a.Name)
	}
	for _, a := range sourceOrder(b.attrs) {
		if !slices.Contains(names, a.Name) {
			r.fail(a.NameRange, sumUnknownAttr, "A check %q has no attribute %q. %s", kind.Type, a.Name, didYouMean(a.Name, names))
		}
	}
	for _, a := range kind.Attributes {
		if _, ok := b.attrs[a.Name]; !ok && a.Required {
			r.fail(b.at, sumMissingAttr, "A check %q needs the attribute %q: %s", kind.Type, a.Name, a.Doc)
		}
	}
}

// prose sets what a report says about a check, with the kind's words where the
// block has none.
func (r *resolver) prose(c *lab.Check, kind check.Kind, b *block, sc scope) {
	c.Title, c.Why, c.Next = defaultTitle(kind, c.Service), kind.Why, kind.Next
	for attr, to := range map[string]*string{"title": &c.Title, "why": &c.Why, "next": &c.Next} {
		if s := r.text(b, attr, sc); s != "" {
			*to = s
		}
	}
}

func defaultTitle(kind check.Kind, service string) string {
	if strings.Contains(kind.Title, "%s") {
		return fmt.Sprintf(kind.Title, service)
	}
	return kind.Title
}

// points reads the points of a check or set; none are 0.
func (r *resolver) points(b *block) int {
	points, ok := get[int](r, b, "points", cty.Number, scope{})
	if ok && (points < 0 || points > maxPoints) {
		r.invalid(b, "points", fmt.Sprintf("points are from 0 to %d", maxPoints))
		return 0
	}
	return points
}

const maxPoints = 10000

// spec encodes the kind's own attributes; nil when some are wrong.
func (r *resolver) spec(b *block, kind check.Kind, sc scope) json.RawMessage {
	fields, whole := map[string]json.RawMessage{}, true
	for _, a := range kind.Attributes {
		attr, given := b.attrs[a.Name]
		if !given {
			whole = whole && !a.Required
			continue
		}
		if a.Reference != "" {
			named, ok := r.named(b, a)
			if whole = whole && ok; ok {
				fields[a.Name] = named
			}
			continue
		}
		if a.Expression {
			expr, ok := r.condition(attr.Expr, a, sc)
			if whole = whole && ok; ok {
				fields[a.Name] = expr
			}
			continue
		}
		v, ok := r.eval(attr.Expr, sc)
		if ok && v.IsNull() {
			whole = whole && !a.Required
			continue
		}
		if ok {
			v, ok = r.as(v, a.Type, a.Name, attr.Expr.Range())
		}
		if whole = whole && ok; !ok {
			continue
		}
		encoded, err := ctyjson.Marshal(v, v.Type())
		if err != nil {
			r.fail(attr.Expr.Range(), sumType, "%q cannot be kept: %s.", a.Name, err)
			whole = false
			continue
		}
		fields[a.Name] = encoded
	}
	if !whole {
		return nil
	}
	encoded, err := json.Marshal(fields)
	if err != nil {
		r.fail(b.at, sumType, "This check cannot be kept: %s.", err)
		return nil
	}
	if kind.Validate != nil {
		if wrong := kind.Validate(encoded); len(wrong) > 0 {
			r.fail(b.at, sumVacuous, "This check cannot be decided: %s.", strings.Join(wrong, "; "))
		}
	}
	return encoded
}

// named encodes what an attribute names by reference.
func (r *resolver) named(b *block, a check.Attribute) (json.RawMessage, bool) {
	var names any
	var ok bool
	if a.Type.IsListType() {
		names, ok = r.references(b, a.Name, a.Reference)
	} else {
		var name string
		expr := b.attrs[a.Name].Expr
		if name, _, ok = r.reference(expr, a.Reference); ok && a.Reference == "image" {
			ok = r.tagged(expr, name)
		}
		names = name
	}
	encoded, err := json.Marshal(names)
	return encoded, ok && err == nil
}

// tagged demands of an image of the lab that a Dockerfile can build FROM it.
func (r *resolver) tagged(expr hcl.Expression, name string) bool {
	var tagged []string
	for _, image := range r.def.root.blocks["image"] {
		if _, has := image.attrs["tag"]; has {
			tagged = append(tagged, image.name)
		}
	}
	if !slices.Contains(tagged, name) {
		r.fail(expr.Range(), sumValue, "image.%s has no tag, so no Dockerfile can build FROM it. Give it one, or name another image. %s", name, didYouMean("", tagged))
		return false
	}
	return true
}

// requirements reports checks that require themselves.
func (r *resolver) requirements() {
	requires := map[string][]string{}
	var names []string
	for _, c := range r.lab.Checks {
		if _, again := requires[c.Name]; !again {
			names = append(names, c.Name)
		}
		requires[c.Name] = c.Requires
	}
	sortByNeed(names, func(name string) []string { return requires[name] }, func(cycle []string) {
		r.fail(r.names["check"][cycle[0]], sumCycle, "check.%s requires itself: %s. Break the circle.", cycle[0], strings.Join(append(cycle, cycle[0]), " → "))
	})
}
