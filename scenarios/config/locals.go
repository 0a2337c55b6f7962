package config

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// locals evaluates all locals, each after those that it refers to.
func (r *resolver) locals() {
	attrs := map[string]*hclsyntax.Attribute{}
	values := map[string]cty.Value{}
	var order []string
	for _, b := range r.def.root.blocks["locals"] {
		for _, a := range sourceOrder(b.attrs) {
			if r.declare("local", a.Name, a.NameRange) {
				attrs[a.Name] = a
				values[a.Name] = cty.DynamicVal
				order = append(order, a.Name)
			}
		}
	}
	r.values["local"] = cty.ObjectVal(values) // all names, so that references to later ones hold

	sorted := sortByNeed(order, func(name string) []string { return localsIn(attrs[name].Expr) }, func(cycle []string) {
		r.fail(attrs[cycle[0]].NameRange, sumCycle, "local.%s refers to itself: %s. Break the circle.", cycle[0], strings.Join(append(cycle, cycle[0]), " → "))
	})
	for _, name := range sorted {
		if v, ok := r.eval(attrs[name].Expr, scope{}); ok {
			values[name] = v
			r.values["local"] = cty.ObjectVal(values)
		}
	}
}

// localsIn names the locals that an expression refers to.
func localsIn(expr hcl.Expression) []string {
	var names []string
	for _, t := range expr.Variables() {
		if t.RootName() != "local" || len(t) < 2 {
			continue
		}
		if attr, ok := t[1].(hcl.TraverseAttr); ok {
			names = append(names, attr.Name)
		}
	}
	return names
}

// sortByNeed orders names so that each comes after those it needs, otherwise
// as given. Names on a circle are left out, and each circle is reported once,
// from the name in it that was reached first.
func sortByNeed(names []string, needs func(string) []string, circle func([]string)) []string {
	const (
		onPath = iota + 1
		done
		circular
	)
	var sorted, path []string
	state := map[string]int{}
	var visit func(name string)
	visit = func(name string) {
		if !slices.Contains(names, name) || state[name] >= done {
			return
		}
		if state[name] == onPath {
			cycle := slices.Clone(path[slices.Index(path, name):])
			for _, n := range cycle {
				state[n] = circular
			}
			circle(cycle)
			return
		}
		state[name] = onPath
		path = append(path, name)
		for _, n := range needs(name) {
			visit(n)
		}
		path = path[:len(path)-1]
		if state[name] == onPath {
			state[name] = done
			sorted = append(sorted, name)
		}
	}
	for _, name := range names {
		visit(name)
	}
	return sorted
}
