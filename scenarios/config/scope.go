package config

import (
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/labctl/labctl/scenarios/check"
)

// scope is where an expression stands: which references it may use besides
// those that are known when the lab is read (param, local, lab, learner).
type scope struct {
	each  map[string]cty.Value // each.environment and each.values; nil where each has no meaning
	extra map[string]cty.Value // further roots: of prose or of conditions
}

// eachScope is the scope of run blocks and of check blocks, which are read
// once for every environment.
func (r *resolver) eachScope(environment string) scope {
	values, ok := r.each[environment]
	if !ok {
		values = cty.EmptyObjectVal
	}
	return scope{each: map[string]cty.Value{"environment": cty.StringVal(environment), "values": values}}
}

// roots are the values that an expression in a scope can refer to.
func (r *resolver) roots(sc scope) map[string]cty.Value {
	vars := maps.Clone(r.values)
	if sc.each != nil {
		vars["each"] = cty.ObjectVal(sc.each)
	}
	maps.Copy(vars, sc.extra)
	return vars
}

// eval evaluates an expression. It fails silently when the value depends on
// something that was reported already.
func (r *resolver) eval(expr hcl.Expression, sc scope) (cty.Value, bool) {
	if !r.referencesHold(expr, sc) {
		return cty.DynamicVal, false
	}
	v, diags := expr.Value(&hcl.EvalContext{Variables: r.roots(sc), Functions: r.functions})
	if diags.HasErrors() {
		r.diags.add(r.explain(diags)...)
		return cty.DynamicVal, false
	}
	return v, true
}

// referencesHold checks every reference of an expression against what is
// declared and what the scope allows.
func (r *resolver) referencesHold(expr hcl.Expression, sc scope) bool {
	ok := true
	roots := r.roots(sc)
	for _, t := range expr.Variables() {
		if d := r.broken(t, roots); d != nil {
			r.diags.add(d)
			ok = false
		}
	}
	return ok
}

// broken says what is wrong with a reference; nil when it holds.
func (r *resolver) broken(t hcl.Traversal, roots map[string]cty.Value) *hcl.Diagnostic {
	at, root := t.SourceRange(), t.RootName()
	value, ok := roots[root]
	if !ok {
		if len(roots) == 0 {
			return problem(at, sumOutOfPlace, "%s is not known here: parameters are drawn first, from values that refer to nothing.", source(t))
		}
		if why := outOfPlace[root]; why != "" {
			return problem(at, sumOutOfPlace, "%s is not known here: %s", source(t), why)
		}
		known := slices.Collect(maps.Keys(roots))
		return problem(at, sumUnknownRef, "Nothing is called %q. %s Text stands in quotes.", root, didYouMean(root, known))
	}
	if len(t) == 1 && value.Type().IsObjectType() {
		return problem(at, sumUnknownRef, "%q alone refers to nothing: write %s.NAME.", root, root)
	}
	for i, step := range t[1:] {
		attr, isAttr := step.(hcl.TraverseAttr)
		if !isAttr || !value.Type().IsObjectType() {
			return nil // indexes and types are checked by evaluating
		}
		if !value.Type().HasAttribute(attr.Name) {
			names := slices.Collect(maps.Keys(value.Type().AttributeTypes()))
			return problem(at, sumUnknownRef, "%s has no %q. %s", source(t[:i+1]), attr.Name, didYouMean(attr.Name, names))
		}
		if value.IsNull() || !value.IsKnown() {
			value = cty.UnknownVal(value.Type().AttributeType(attr.Name))
			continue
		}
		value = value.GetAttr(attr.Name)
	}
	return nil
}

// outOfPlace says, for each root, why it is not known everywhere.
var outOfPlace = map[string]string{
	"each":          "each has values in the run block of a service and in check blocks only, once for every environment.",
	"service":       "addresses exist once an instance runs; the brief, the debrief and hints can tell them. Where an attribute takes a service, write the reference alone.",
	"container":     "containers exist once an instance runs; the brief, the debrief and hints can tell their names.",
	"workspace":     "the workspace exists once an instance runs; the brief, the debrief and hints can tell its path.",
	"instance":      "the instance's name is known once it runs; the brief, the debrief and hints can tell it. Scripts have it as $INSTANCE.",
	check.RootLive:  "what is live is evidence; only the condition of a check \"assert\" can ask for it.",
	check.RootStart: "what was there at the start is evidence; only the condition of a check \"assert\" can ask for it.",
	check.RootHead:  "the repository's HEAD is evidence; only the condition of a check \"assert\" can ask for it.",
	"image":         "an image is named where an attribute takes one, by the reference alone.",
	"commit":        "a commit is named where an attribute takes one, by the reference alone.",
	"environment":   "an environment is named where an attribute takes one, by the reference alone.",
	"scenario":      "a scenario is named where an attribute takes one, by the reference alone.",
	"check":         "a check is named where an attribute takes one, by the reference alone.",
}

// source writes a reference as it stands in the source.
func source(t hcl.Traversal) string {
	var b strings.Builder
	for _, step := range t {
		switch s := step.(type) {
		case hcl.TraverseRoot:
			b.WriteString(s.Name)
		case hcl.TraverseAttr:
			b.WriteString("." + s.Name)
		default:
			b.WriteString("[…]")
		}
	}
	return b.String()
}

// explain gives the diagnostics of an evaluation this language's words where
// those of HCL would lead astray.
func (r *resolver) explain(diags hcl.Diagnostics) hcl.Diagnostics {
	var out hcl.Diagnostics
	for _, d := range diags {
		if call, ok := hcl.DiagnosticExtra[hclsyntax.FunctionCallUnknownDiagExtra](d); ok {
			d = problem(*d.Subject, sumUnknownFunc, "There is no function %q. %s", call.CalledFunctionName(), didYouMean(call.CalledFunctionName(), slices.Collect(maps.Keys(r.functions))))
		} else if call, ok := hcl.DiagnosticExtra[hclsyntax.FunctionCallDiagExtra](d); ok && call.CalledFunctionName() == "file" && call.FunctionCallError() != nil {
			d = problem(*d.Subject, sumUnreadable, "%s.", call.FunctionCallError())
		}
		if misspelt := r.misspelt(d); misspelt != nil {
			d = misspelt
		}
		if d.Subject != nil {
			out = append(out, d)
		}
	}
	return out
}

// misspelt says what an unsupported attribute is most likely meant to be,
// where the variables of for expressions are known; nil for anything else.
func (r *resolver) misspelt(d *hcl.Diagnostic) *hcl.Diagnostic {
	e, ok := d.Expression.(*hclsyntax.ScopeTraversalExpr)
	if !ok {
		return nil
	}
	roots := map[string]cty.Value{}
	for ctx := d.EvalContext; ctx != nil; ctx = ctx.Parent() {
		for name, v := range ctx.Variables {
			if _, inner := roots[name]; !inner {
				roots[name] = v
			}
		}
	}
	return r.broken(e.Traversal, roots)
}
