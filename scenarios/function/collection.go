package function

import (
	"errors"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// Sum is sum(numbers): of a list, set or tuple with at least one number.
var Sum = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "numbers", Type: cty.DynamicPseudoType}},
	Type:   function.StaticReturnType(cty.Number),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		if !args[0].CanIterateElements() {
			return cty.NilVal, function.NewArgErrorf(0, "sum needs a list, set or tuple of numbers")
		}
		if !args[0].IsWhollyKnown() {
			return cty.UnknownVal(cty.Number), nil
		}
		if args[0].LengthInt() == 0 {
			return cty.NilVal, function.NewArgErrorf(0, "sum of nothing: the list is empty")
		}
		total := cty.Zero
		for it := args[0].ElementIterator(); it.Next(); {
			_, v := it.Element()
			n, err := convert.Convert(v, cty.Number)
			if err != nil || n.IsNull() {
				return cty.NilVal, function.NewArgErrorf(0, "sum needs numbers only")
			}
			total = total.Add(n)
		}
		return total, nil
	},
})

// AllTrue is alltrue(bools): true when none is false; so of nothing, as well.
var AllTrue = quantifier(cty.True, cty.False)

// AnyTrue is anytrue(bools): true when one is.
var AnyTrue = quantifier(cty.False, cty.True)

// quantifier makes a function of a list of booleans whose result is decisive
// when the list has it, and otherwise when it does not.
func quantifier(otherwise, decisive cty.Value) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "list", Type: cty.List(cty.Bool)}},
		Type:   function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			result := otherwise
			for it := args[0].ElementIterator(); it.Next(); {
				_, v := it.Element()
				if !v.IsKnown() {
					result = cty.UnknownVal(cty.Bool)
					continue
				}
				if v.IsNull() {
					continue
				}
				if v.RawEquals(decisive) {
					return decisive, nil
				}
			}
			return result, nil
		},
	})
}

// One is one(list): its only element, null when it is empty, an error when
// there are more.
var One = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "list", Type: cty.DynamicPseudoType}},
	Type: func(args []cty.Value) (cty.Type, error) {
		t := args[0].Type()
		switch {
		case t.IsListType() || t.IsSetType():
			return t.ElementType(), nil
		case t.IsTupleType() && t.Length() == 0:
			return cty.DynamicPseudoType, nil
		case t.IsTupleType() && t.Length() == 1:
			return t.TupleElementType(0), nil
		case t.IsTupleType():
			return cty.NilType, errSeveral
		}
		return cty.NilType, function.NewArgErrorf(0, "one needs a list, set or tuple")
	},
	Impl: func(args []cty.Value, want cty.Type) (cty.Value, error) {
		if !args[0].IsKnown() || !args[0].Length().IsKnown() {
			return cty.UnknownVal(want), nil
		}
		switch args[0].LengthInt() {
		case 0:
			return cty.NullVal(want), nil
		case 1:
			it := args[0].ElementIterator()
			it.Next()
			_, v := it.Element()
			return v, nil
		}
		return cty.NilVal, errSeveral
	},
})

var errSeveral = errors.New("one needs a list with at most one element")

// Length is length(value): how many elements a collection has, or how many
// characters a string.
var Length = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "value", Type: cty.DynamicPseudoType, AllowDynamicType: true, AllowUnknown: true}},
	Type:   function.StaticReturnType(cty.Number),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		if args[0].Type() == cty.String {
			return stdlib.Strlen(args[0])
		}
		if args[0].Type() == cty.DynamicPseudoType {
			return cty.UnknownVal(cty.Number), nil
		}
		if args[0].Type().IsObjectType() {
			return cty.NumberIntVal(int64(len(args[0].Type().AttributeTypes()))), nil
		}
		return stdlib.Length(args[0])
	},
})
