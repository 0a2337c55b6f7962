package function

import (
	"regexp"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// StartsWith is startswith(string, prefix).
var StartsWith = predicate("prefix", strings.HasPrefix)

// EndsWith is endswith(string, suffix).
var EndsWith = predicate("suffix", strings.HasSuffix)

// StrContains is strcontains(string, substring).
var StrContains = predicate("substring", strings.Contains)

// predicate makes a function of two strings that answers yes or no.
func predicate(second string, holds func(s, t string) bool) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{
			{Name: "string", Type: cty.String},
			{Name: second, Type: cty.String},
		},
		Type: function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			return cty.BoolVal(holds(args[0].AsString(), args[1].AsString())), nil
		},
	})
}

// Replace is replace(string, substring, replacement). As in Terraform, a
// substring between slashes is a regular expression, and the replacement may
// then refer to its groups as $1.
var Replace = function.New(&function.Spec{
	Params: []function.Parameter{
		{Name: "string", Type: cty.String},
		{Name: "substring", Type: cty.String},
		{Name: "replacement", Type: cty.String},
	},
	Type: function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		s, old, repl := args[0].AsString(), args[1].AsString(), args[2].AsString()
		if len(old) < 2 || old[0] != '/' || old[len(old)-1] != '/' {
			return cty.StringVal(strings.ReplaceAll(s, old, repl)), nil
		}
		re, err := regexp.Compile(old[1 : len(old)-1])
		if err != nil {
			return cty.NilVal, function.NewArgErrorf(1, "not a regular expression: %s", err)
		}
		return cty.StringVal(re.ReplaceAllString(s, repl)), nil
	},
})
