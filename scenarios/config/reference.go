package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// reference reads an expression that names one declared thing: kind.NAME, and
// for services of labs with environments kind.NAME.ENVIRONMENT too.
func (r *resolver) reference(expr hcl.Expression, kind string) (name, environment string, ok bool) {
	t, diags := hcl.AbsTraversalForExpr(expr)
	if diags.HasErrors() || t.RootName() != kind {
		r.fail(expr.Range(), sumNotReference, "Name %s by reference, without quotes: %s.NAME. %s", article(kind), kind, declared(r.names[kind]))
		return "", "", false
	}
	var steps []string
	for _, step := range t[1:] {
		attr, isAttr := step.(hcl.TraverseAttr)
		if !isAttr {
			r.fail(expr.Range(), sumNotReference, "Name %s plainly: %s.NAME.", article(kind), kind)
			return "", "", false
		}
		steps = append(steps, attr.Name)
	}
	most := 1
	if kind == "service" {
		most = 2
	}
	if len(steps) == 0 || len(steps) > most {
		r.fail(expr.Range(), sumNotReference, "%s names no %s: write %s.NAME. %s", source(t), kind, kind, declared(r.names[kind]))
		return "", "", false
	}
	if _, known := r.names[kind][steps[0]]; !known {
		r.fail(expr.Range(), sumUnknownRef, "There is no %s %q. %s", kind, steps[0], didYouMean(steps[0], slices.Collect(maps.Keys(r.names[kind]))))
		return "", "", false
	}
	if len(steps) == 1 {
		return steps[0], "", true
	}
	environments := r.environmentsOf(steps[0])
	if len(environments) == 0 {
		r.fail(expr.Range(), sumUnknownRef, "The lab has no environments. Write service.%s alone.", steps[0])
		return "", "", false
	}
	if !slices.Contains(environments, steps[1]) {
		r.fail(expr.Range(), sumUnknownRef, "service.%s is in no environment %q. %s", steps[0], steps[1], didYouMean(steps[1], environments))
		return "", "", false
	}
	return steps[0], steps[1], true
}

// references reads a list of references.
func (r *resolver) references(b *block, attr, kind string) (names []string, ok bool) {
	a, given := b.attrs[attr]
	if !given {
		return nil, true
	}
	exprs, diags := hcl.ExprList(a.Expr)
	if diags.HasErrors() {
		r.fail(a.Expr.Range(), sumNotReference, "Give a list of references in brackets: [%s.NAME].", kind)
		return nil, false
	}
	ok = true
	for _, e := range exprs {
		name, _, found := r.reference(e, kind)
		if !found {
			ok = false
			continue
		}
		if slices.Contains(names, name) {
			r.fail(e.Range(), sumDuplicate, "%s.%s stands in the list twice. Remove one of them.", kind, name)
			continue
		}
		names = append(names, name)
	}
	return names, ok
}

func article(kind string) string {
	if strings.ContainsRune("aeiou", rune(kind[0])) {
		return "an " + kind
	}
	return "a " + kind
}

func declared(names map[string]hcl.Range) string {
	if len(names) == 0 {
		return "There are none."
	}
	return fmt.Sprintf("There are: %s.", strings.Join(slices.Sorted(maps.Keys(names)), ", "))
}
