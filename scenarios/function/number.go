package function

import (
	"fmt"
	"math/big"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// maxDigits bounds decimal's second argument; money needs two or three.
const maxDigits = 18

// Decimal is decimal(amount, digits): a whole number of the smallest unit as
// a decimal string, so that decimal(10283, 2) is "102.83". Labs count money in
// whole cents; a fraction here is an error in the lab's arithmetic.
var Decimal = function.New(&function.Spec{
	Params: []function.Parameter{
		{Name: "amount", Type: cty.Number},
		{Name: "digits", Type: cty.Number},
	},
	Type: function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		amount, accuracy := args[0].AsBigFloat().Int(nil)
		if amount == nil || accuracy != big.Exact {
			return cty.NilVal, function.NewArgErrorf(0, "%s is not a whole number; round it with floor or ceil first", args[0].AsBigFloat().Text('f', -1))
		}
		digits, accuracy := args[1].AsBigFloat().Int64()
		if accuracy != big.Exact || digits < 0 || digits > maxDigits {
			return cty.NilVal, function.NewArgErrorf(1, "digits must be a whole number from 0 to %d", maxDigits)
		}
		return cty.StringVal(decimal(amount, int(digits))), nil
	},
})

func decimal(amount *big.Int, digits int) string {
	sign := ""
	if amount.Sign() < 0 {
		sign = "-"
	}
	s := new(big.Int).Abs(amount).String()
	if digits == 0 {
		return sign + s
	}
	if missing := digits + 1 - len(s); missing > 0 {
		s = strings.Repeat("0", missing) + s
	}
	return fmt.Sprintf("%s%s.%s", sign, s[:len(s)-digits], s[len(s)-digits:])
}
