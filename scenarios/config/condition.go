package config

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/labctl/labctl/scenarios/check"
)

// evidenceRoots are the roots that only conditions have.
var evidenceRoots = []string{check.RootLive, check.RootStart, check.RootHead}

// manyContainers is a number of containers that no honest condition expects.
const manyContainers = 2 * maxReplicas

// condition keeps an expression over evidence for later, after everything
// that can be known of it now has been checked.
func (r *resolver) condition(expr hcl.Expression, a check.Attribute, sc scope) (json.RawMessage, bool) {
	if !r.conditionHolds(expr, a, sc) {
		return nil, false
	}
	at := expr.Range()
	e := check.Expression{
		Source: string(at.SliceBytes(r.def.Files[at.Filename].Bytes)),
		Start:  map[string][]string{},
	}
	values, ok := r.captured(expr, sc)
	if !ok {
		return nil, false
	}
	e.Values = values
	if start := r.lab.Start(); start != nil {
		for _, c := range start.Containers {
			if c.Service != "" {
				key := c.Service
				if c.Environment != "" {
					key += "." + c.Environment
				}
				e.Start[key] = append(e.Start[key], c.Name)
			}
		}
	}
	encoded, err := json.Marshal(e)
	if err != nil {
		r.fail(at, sumType, "%q cannot be kept: %s.", a.Name, err)
		return nil, false
	}
	return encoded, true
}

// conditionHolds evaluates a condition with evidence of the right types and
// unknown content. A result that is known already says nothing about it.
func (r *resolver) conditionHolds(expr hcl.Expression, a check.Attribute, sc scope) bool {
	sc.extra = check.AssertUnknown(r.lab.Services, check.UnknownLists, check.UnknownLists)
	if !r.referencesHold(expr, sc) {
		return false
	}
	if !slices.ContainsFunc(expr.Variables(), func(t hcl.Traversal) bool { return slices.Contains(evidenceRoots, t.RootName()) }) {
		r.fail(expr.Range(), sumVacuous, "%q refers to no evidence, so it is decided before anything happens. Refer to live, start or head.", a.Name)
		return false
	}
	v, ok := r.eval(expr, sc)
	if !ok {
		return false
	}
	if v.Type() != cty.DynamicPseudoType && v.Type() != a.Type {
		if _, err := convert.Convert(cty.UnknownVal(v.Type()), a.Type); err != nil {
			r.fail(expr.Range(), sumType, "%q must be %s.", a.Name, typeName(a.Type))
			return false
		}
	}
	// The body of a for expression is skipped over an unknown list; so it is
	// evaluated with unknown elements, too. One, none and many, because a
	// condition may well be about how many there are, now or at the start.
	one, oneDiags := r.tried(expr, sc, 1, 1)
	many, manyDiags := r.tried(expr, sc, manyContainers, manyContainers)
	none, _ := r.tried(expr, sc, 0, 0)
	gone, _ := r.tried(expr, sc, 0, 1)
	for _, d := range oneDiags {
		if slices.ContainsFunc(manyDiags, func(m *hcl.Diagnostic) bool {
			return m.Summary == d.Summary && m.Subject.String() == d.Subject.String()
		}) {
			r.diags.add(r.explain(hcl.Diagnostics{d})...)
			ok = false
		}
	}
	if known(v) || known(one) && one.RawEquals(many) && one.RawEquals(none) && one.RawEquals(gone) {
		r.fail(expr.Range(), sumVacuous, "The result of %q is known before anything happens, whatever the evidence: it asks nothing. Compare something that can differ.", a.Name)
		return false
	}
	return ok
}

// tried evaluates a condition with so many live containers, and so many at the
// start.
func (r *resolver) tried(expr hcl.Expression, sc scope, live, start int) (cty.Value, hcl.Diagnostics) {
	sc.extra = check.AssertUnknown(r.lab.Services, live, start)
	v, diags := expr.Value(&hcl.EvalContext{Variables: r.roots(sc), Functions: r.functions})
	if diags.HasErrors() {
		return cty.DynamicVal, slices.DeleteFunc(diags, func(d *hcl.Diagnostic) bool { return d.Subject == nil })
	}
	return v, nil
}

func known(v cty.Value) bool { return v.IsWhollyKnown() && v != cty.NilVal }

// captured are the values that a condition refers to besides evidence: of each
// root, the attributes that it names.
func (r *resolver) captured(expr hcl.Expression, sc scope) (map[string]check.ExpressionValue, bool) {
	roots := r.roots(sc)
	for _, root := range evidenceRoots {
		delete(roots, root)
	}
	picked := map[string]map[string]cty.Value{}
	for _, t := range expr.Variables() {
		root, ok := roots[t.RootName()]
		if !ok || len(t) < 2 {
			continue
		}
		attr, ok := t[1].(hcl.TraverseAttr)
		if !ok {
			continue
		}
		if picked[t.RootName()] == nil {
			picked[t.RootName()] = map[string]cty.Value{}
		}
		picked[t.RootName()][attr.Name] = root.GetAttr(attr.Name)
	}
	values := map[string]check.ExpressionValue{}
	for _, root := range slices.Sorted(maps.Keys(picked)) {
		v := cty.ObjectVal(picked[root])
		if !v.IsWhollyKnown() {
			return nil, false
		}
		typ, err := ctyjson.MarshalType(v.Type())
		if err != nil {
			return nil, false
		}
		value, err := ctyjson.Marshal(v, v.Type())
		if err != nil {
			return nil, false
		}
		values[root] = check.ExpressionValue{Type: typ, Value: value}
	}
	return values, true
}
