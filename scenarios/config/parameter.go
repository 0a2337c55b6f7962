package config

import (
	"crypto/sha256"
	"encoding/binary"
	"math/big"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/labctl/labctl/scenarios/lab"
)

// draw chooses one of n values for a parameter: a number from 0 to n-1.
type draw func(parameter string, n uint64) uint64

// drawFrom draws by seed and by the parameter's own name, so that a parameter
// that is added to a lab changes no other's value.
func drawFrom(seed int64) draw {
	return func(parameter string, n uint64) uint64 {
		sum := sha256.Sum256([]byte(strconv.FormatInt(seed, 10) + "\x00" + parameter))
		return binary.BigEndian.Uint64(sum[:8]) % n
	}
}

// moreDraws is how many random draws are tried besides those that make every
// picked value occur.
const moreDraws = 8

// covering are the draws that a definition is validated with: each picked
// value at least once, the ends of each range, and a few at random.
func (d *Definition) covering() []draw {
	probe := newResolver(d, "learner", 0, nil)
	most := uint64(2)
	probe.draw = func(_ string, n uint64) uint64 {
		if n <= maxPick {
			most = max(most, n)
		}
		return 0
	}
	probe.lab = &lab.Lab{Params: map[string]string{}}
	probe.parameters()

	var draws []draw
	for i := range most {
		draws = append(draws, func(_ string, n uint64) uint64 {
			if n > maxPick && i == 1 {
				return n - 1
			}
			return i % n
		})
	}
	for seed := range int64(moreDraws) {
		draws = append(draws, drawFrom(seed))
	}
	return draws
}

// maxPick bounds a pick list; a longer choice is a range.
const maxPick = 64

// parameters draws every parameter.
func (r *resolver) parameters() {
	drawn := map[string]cty.Value{}
	for _, b := range r.def.root.blocks["parameter"] {
		drawn[b.name] = cty.DynamicVal
		if v, ok := r.parameter(b); ok {
			drawn[b.name] = v
			r.shell("PARAM_"+shellName(b.name), v, b.nameAt)
		}
	}
	r.values["param"] = cty.ObjectVal(drawn)
}

func (r *resolver) parameter(b *block) (cty.Value, bool) {
	pick, picks := b.attrs["pick"]
	between, ranges := b.attrs["between"]
	if picks == ranges {
		r.fail(b.at, sumMissingAttr, "A parameter needs exactly one of the attributes \"pick\", a list of values, and \"between\", [lowest, highest].")
		return cty.NilVal, false
	}
	// Parameters come first: their values refer to nothing.
	alone := &resolver{def: r.def, diags: r.diags, functions: r.functions}
	if picks {
		v, ok := alone.eval(pick.Expr, scope{})
		if !ok {
			return cty.NilVal, false
		}
		return r.pick(b, v, pick.Expr.Range())
	}
	v, ok := alone.eval(between.Expr, scope{})
	if !ok {
		return cty.NilVal, false
	}
	return r.between(b, v, between.Expr.Range())
}

func (r *resolver) pick(b *block, v cty.Value, at hcl.Range) (cty.Value, bool) {
	if v.IsNull() || !v.CanIterateElements() || v.Type().IsObjectType() || v.Type().IsMapType() {
		r.fail(at, sumType, "\"pick\" must be a list of values.")
		return cty.NilVal, false
	}
	values := v.AsValueSlice()
	if len(values) < 2 || len(values) > maxPick {
		r.fail(at, sumValue, "\"pick\" cannot be this: it needs from 2 to %d values to draw from and has %d. A value that never differs is a local.", maxPick, len(values))
		return cty.NilVal, false
	}
	for i, other := range values[1:] {
		if other.IsNull() || !other.Type().Equals(values[0].Type()) {
			r.fail(at, sumType, "All values of \"pick\" must have one type: value %d is %s and the first is %s. Objects need the same attributes.", i+2, describe(other), describe(values[0]))
			return cty.NilVal, false
		}
	}
	return values[r.draw(b.name, uint64(len(values)))], true
}

// describe shows a value's type for people, with an object's attributes.
func describe(v cty.Value) string {
	if v.IsNull() {
		return "null"
	}
	if t := v.Type(); t.IsObjectType() {
		var attrs []string
		for it := v.ElementIterator(); it.Next(); {
			k, _ := it.Element()
			attrs = append(attrs, k.AsString())
		}
		return "{ " + strings.Join(attrs, ", ") + " }"
	} else if t.IsTupleType() {
		return "a list"
	}
	return typeName(v.Type())
}

func (r *resolver) between(b *block, v cty.Value, at hcl.Range) (cty.Value, bool) {
	list, err := convert.Convert(v, cty.List(cty.Number))
	if err != nil || list.IsNull() || !list.IsWhollyKnown() || list.LengthInt() != 2 {
		r.fail(at, sumType, "\"between\" must be [lowest, highest], two whole numbers.")
		return cty.NilVal, false
	}
	ends := make([]int64, 2)
	for i, end := range list.AsValueSlice() {
		if end.IsNull() {
			r.fail(at, sumType, "\"between\" must be [lowest, highest], two whole numbers.")
			return cty.NilVal, false
		}
		n, accuracy := end.AsBigFloat().Int64()
		if accuracy != big.Exact || n < -maxEnd || n > maxEnd {
			r.fail(at, sumType, "\"between\" must be two whole numbers of at most %d.", int64(maxEnd))
			return cty.NilVal, false
		}
		ends[i] = n
	}
	if ends[0] >= ends[1] {
		r.fail(at, sumValue, "\"between\" cannot be this: the lowest number must be less than the highest, and %d is not less than %d.", ends[0], ends[1])
		return cty.NilVal, false
	}
	n := r.draw(b.name, uint64(ends[1]-ends[0])+1)
	return cty.NumberIntVal(ends[0] + int64(n)), true
}

// maxEnd keeps ranges within what shells and JSON readers compute with exactly.
const maxEnd = 1 << 53

// shell enters a drawn value as variables for scripts: an object's attributes
// each as one of their own.
func (r *resolver) shell(name string, v cty.Value, at hcl.Range) {
	if v.IsNull() {
		return
	}
	t := v.Type()
	if t.IsPrimitiveType() {
		if _, taken := r.lab.Params[name]; taken {
			r.fail(at, sumDuplicate, "Scripts would get two variables $%s: names that differ only in case, - and _ are one to a shell. Rename one of them.", name)
			return
		}
		s, _ := convert.Convert(v, cty.String)
		r.lab.Params[name] = s.AsString()
		return
	}
	i := 0
	for it := v.ElementIterator(); it.Next(); i++ {
		k, inner := it.Element()
		part := strconv.Itoa(i)
		if k.Type() == cty.String {
			part = shellName(k.AsString())
		}
		r.shell(name+"_"+part, inner, at)
	}
}

// shellName is a name as part of a shell variable's: pet-01 is PET_01.
func shellName(name string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case c >= 'a' && c <= 'z':
			return c - 'a' + 'A'
		case c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
			return c
		}
		return '_'
	}, name)
}
