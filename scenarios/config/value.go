package config

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/gocty"
)

// value reads an attribute as a value of a type. It is false when the
// attribute is absent or null, and, silently, when its value depends on a
// mistake that was reported already.
func (r *resolver) value(b *block, attr string, want cty.Type, sc scope) (cty.Value, bool) {
	a, ok := b.attrs[attr]
	if !ok {
		return cty.NilVal, false
	}
	v, ok := r.eval(a.Expr, sc)
	if !ok {
		return cty.NilVal, false
	}
	return r.as(v, want, attr, a.Expr.Range())
}

// as converts a value to the type that an attribute takes.
func (r *resolver) as(v cty.Value, want cty.Type, attr string, at hcl.Range) (cty.Value, bool) {
	if v.IsNull() {
		return cty.NilVal, false
	}
	// Conversion drops what an object type does not know; misspelt keys would
	// vanish with it.
	if detail := strayKey(v, want); detail != "" {
		r.fail(at, sumUnknownAttr, "In %q, %s", attr, detail)
		return cty.NilVal, false
	}
	converted, err := convert.Convert(v, want)
	if err != nil {
		why := ""
		if !want.IsPrimitiveType() {
			why = ": " + err.Error() // says where in the value
		}
		r.fail(at, sumType, "%q must be %s%s.", attr, typeName(want), why)
		return cty.NilVal, false
	}
	if !converted.IsWhollyKnown() {
		return cty.NilVal, false
	}
	return converted, true
}

// get reads an attribute as a Go value.
func get[T any](r *resolver, b *block, attr string, want cty.Type, sc scope) (T, bool) {
	var out T
	v, ok := r.value(b, attr, want, sc)
	if !ok {
		return out, false
	}
	if err := gocty.FromCtyValue(v, &out); err != nil {
		what := typeName(want)
		if want == cty.Number {
			what = "a whole number"
		}
		r.fail(b.attrAt(attr), sumType, "%q must be %s.", attr, what)
		return out, false
	}
	return out, true
}

// text reads an attribute that must say something.
func (r *resolver) text(b *block, attr string, sc scope) string {
	s, ok := get[string](r, b, attr, cty.String, sc)
	if ok && strings.TrimSpace(s) == "" {
		r.invalid(b, attr, "it is empty; say something or leave the attribute out")
	}
	return s
}

// invalid reports a value of the right type that cannot be meant.
func (r *resolver) invalid(b *block, attr, why string) {
	r.fail(b.attrAt(attr), sumValue, "%q cannot be this: %s.", attr, why)
}

// typeName is a type for people.
func typeName(t cty.Type) string {
	switch {
	case t == cty.String:
		return "text"
	case t == cty.Number:
		return "a number"
	case t == cty.Bool:
		return "true or false"
	case t.IsListType():
		return "a list of " + plural(t.ElementType())
	case t.IsSetType():
		return "a set of " + plural(t.ElementType())
	case t.IsMapType():
		return "a map of " + plural(t.ElementType())
	}
	return "an object"
}

func plural(t cty.Type) string {
	switch t {
	case cty.String:
		return "texts"
	case cty.Number:
		return "numbers"
	case cty.Bool:
		return "booleans"
	}
	return "objects"
}

// strayKey finds an attribute of a value that the wanted object type does not
// have, however deep; "" when there is none.
func strayKey(v cty.Value, want cty.Type) string {
	if v.IsNull() || !v.IsKnown() {
		return ""
	}
	t := v.Type()
	switch {
	case want.IsObjectType() && (t.IsObjectType() || t.IsMapType()):
		for it := v.ElementIterator(); it.Next(); {
			k, inner := it.Element()
			name := k.AsString()
			if !want.HasAttribute(name) {
				return "nothing is called \"" + name + "\". " + didYouMean(name, attributeNames(want))
			}
			if detail := strayKey(inner, want.AttributeType(name)); detail != "" {
				return detail
			}
		}
	case want.IsCollectionType() && v.CanIterateElements():
		for it := v.ElementIterator(); it.Next(); {
			_, inner := it.Element()
			if detail := strayKey(inner, want.ElementType()); detail != "" {
				return detail
			}
		}
	}
	return ""
}

func attributeNames(t cty.Type) []string {
	var names []string
	for name := range t.AttributeTypes() {
		names = append(names, name)
	}
	return names
}

// isBlank says whether a value is text without any words.
func isBlank(v cty.Value) bool {
	return v.Type() == cty.String && v.IsKnown() && !v.IsNull() && strings.TrimSpace(v.AsString()) == ""
}
