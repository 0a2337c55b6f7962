package config

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/labctl/labctl/scenarios/lab"
)

// The prose of a lab, by convention. The lesson is read before there is an
// instance; the brief and the debrief are told in one.
const (
	lessonFile  = "lesson.md"  // why it matters
	briefFile   = "brief.md"   // what there is to do
	debriefFile = "debrief.md" // what was learned; after passing
)

var proseFiles = []string{lessonFile, briefFile, debriefFile}

// texts reads the prose.
func (r *resolver) texts() {
	if expr := r.markdown(lessonFile); expr != nil {
		if v, ok := r.eval(expr, scope{}); ok {
			if s, err := convert.Convert(v, cty.String); err == nil && s.IsWhollyKnown() && !s.IsNull() {
				r.lab.Lesson = s.AsString()
			}
		}
	}
	if expr := r.markdown(briefFile); expr != nil {
		r.lab.Brief = r.prosaic(expr)
	}
	if expr := r.markdown(debriefFile); expr != nil {
		r.lab.Debrief = r.prosaic(expr)
	}
	for _, b := range r.def.root.blocks["hint"] {
		a, ok := b.attrs["text"]
		if !ok {
			continue
		}
		if empty(a.Expr) {
			r.invalid(b, "text", "it is empty; a hint says something")
			continue
		}
		if text := r.prosaic(a.Expr); text != nil {
			r.lab.Hints = append(r.lab.Hints, text)
		}
	}
}

// markdown reads one of the lab's texts; nil when the folder has none of that
// name, or when it is wrong.
func (r *resolver) markdown(name string) hclsyntax.Expression {
	f, ok := r.def.Files[name]
	if !ok {
		return nil
	}
	expr, ok := r.template(name, f.Bytes)
	if !ok {
		return nil
	}
	if empty(expr) {
		r.fail(expr.Range(), sumValue, "%s is empty. Write it, or remove the file.", name)
		return nil
	}
	return expr
}

// empty says whether an expression is a text without any words.
func empty(expr hcl.Expression) bool {
	v, diags := expr.Value(nil)
	return !diags.HasErrors() && isBlank(v)
}

// prosaic checks an expression with addresses that are unknown yet and makes
// a Text of it; nil when it is wrong.
func (r *resolver) prosaic(expr hclsyntax.Expression) lab.Text {
	sc := scope{extra: r.untold()}
	v, ok := r.eval(expr, sc)
	if !ok {
		return nil
	}
	if _, err := convert.Convert(v, cty.String); err != nil {
		r.fail(expr.Range(), sumType, "The brief, the debrief and hints are text: %s.", err)
		return nil
	}
	values, functions := r.roots(scope{}), r.functions
	return func(t lab.Told) (string, error) {
		vars := toldValues(t)
		for root, v := range values {
			vars[root] = v
		}
		v, diags := expr.Value(&hcl.EvalContext{Variables: vars, Functions: functions})
		if diags.HasErrors() {
			return "", fmt.Errorf("telling what %s says: %w", place(expr.Range()), diags)
		}
		s, err := convert.Convert(v, cty.String)
		if err != nil || s.IsNull() || !s.IsKnown() {
			return "", fmt.Errorf("telling what %s says: it is no text", place(expr.Range()))
		}
		return s.AsString(), nil
	}
}

// untold are the values that prose refers to before there is an instance. A
// service that is not published has no URL and no port.
func (r *resolver) untold() map[string]cty.Value {
	t := lab.Told{Containers: map[string]string{}}
	for _, s := range r.lab.Services {
		row := lab.ToldService{Name: s.Name, Environment: s.Environment}
		if s.Publish != lab.PublishNone {
			row.Port, row.URL = s.Port, "http://127.0.0.1"
		}
		t.Services = append(t.Services, row)
	}
	for name := range r.names["container"] {
		t.Containers[name] = ""
	}
	values := toldValues(t)
	for root, v := range values {
		values[root], _ = cty.Transform(v, func(_ cty.Path, v cty.Value) (cty.Value, error) {
			if v.Type().IsPrimitiveType() {
				return cty.UnknownVal(v.Type()), nil
			}
			return v, nil
		})
	}
	return values
}

// toldValues are what prose refers to, by root.
func toldValues(t lab.Told) map[string]cty.Value {
	services := map[string]cty.Value{}
	environments := map[string]map[string]cty.Value{}
	for _, s := range t.Services {
		attrs := map[string]cty.Value{
			"network": cty.StringVal(s.Network),
			"run":     cty.StringVal(s.Run),
		}
		if s.URL != "" {
			attrs["url"] = cty.StringVal(s.URL)
			attrs["port"] = cty.NumberIntVal(int64(s.Port))
		}
		if s.Environment == "" {
			services[s.Name] = cty.ObjectVal(attrs)
			continue
		}
		if environments[s.Name] == nil {
			environments[s.Name] = map[string]cty.Value{}
		}
		environments[s.Name][s.Environment] = cty.ObjectVal(attrs)
	}
	for name, rows := range environments {
		services[name] = cty.ObjectVal(rows)
	}
	containers := map[string]cty.Value{}
	for called, name := range t.Containers {
		containers[called] = cty.ObjectVal(map[string]cty.Value{"name": cty.StringVal(name)})
	}
	return map[string]cty.Value{
		"service":   cty.ObjectVal(services),
		"container": cty.ObjectVal(containers),
		"workspace": cty.StringVal(t.Workspace),
		"instance":  cty.StringVal(t.Instance),
	}
}
