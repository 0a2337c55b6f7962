package function_test

import (
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/labctl/labctl/scenarios/function"
)

// eval evaluates an expression in which unknown is a list of unknown length
// and maybe a list with one unknown boolean.
func eval(t *testing.T, src string) (cty.Value, hcl.Diagnostics) {
	t.Helper()
	expr, diags := hclsyntax.ParseExpression([]byte(src), "test", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return expr.Value(&hcl.EvalContext{
		Functions: function.Table(),
		Variables: map[string]cty.Value{
			"unknown": cty.UnknownVal(cty.List(cty.Bool)),
			"maybe":   cty.ListVal([]cty.Value{cty.UnknownVal(cty.Bool)}),
		},
	})
}

func TestFunctions(t *testing.T) {
	t.Parallel()
	// Each holds, by Terraform's documentation of the same name.
	for _, src := range []string{
		`decimal(10283, 2) == "102.83"`,
		`decimal(5, 2) == "0.05"`,
		`decimal(0, 2) == "0.00"`,
		`decimal(-5, 2) == "-0.05"`,
		`decimal(-10283, 2) == "-102.83"`,
		`decimal(7, 0) == "7"`,
		`decimal(12345, 3) == "12.345"`,
		`sum([1, 2.5, 3]) == 6.5`,
		`sum(toset([1, 1, 2])) == 3`,
		`alltrue([true, true])`,
		`alltrue([])`,
		`!alltrue([true, false])`,
		`anytrue([false, true])`,
		`!anytrue([])`,
		`startswith("labctl/base:1", "labctl/")`,
		`!startswith("a", "ab")`,
		`endswith("booking.conf", ".conf")`,
		`strcontains("a=b", "=")`,
		`replace("1 + 2 + 3", "+", "-") == "1 - 2 - 3"`,
		`replace("hello world", "/w.*d/", "you") == "hello you"`,
		`replace("a/b", "/", "-") == "a-b"`,
		`one([5]) == 5`,
		`one([]) == null`,
		`one(toset(["x"])) == "x"`,
		`length("tür") == 3`,
		`length([1, 2]) == 2`,
		`length({ a = 1, b = 2 }) == 2`,
		`try(jsondecode("{"), "no") == "no"`,
		`!can(tonumber("x"))`,
		`floor((17900 * 13 + 50) / 100) == 2327`,
		`join(",", sort(distinct(["b", "a", "b"]))) == "a,b"`,
		`parseint("ff", 16) == 255`,
		`regex("v([0-9]+)", "v12")[0] == "12"`,
		`timeadd("2023-03-06T10:12:00Z", "1h") == "2023-03-06T11:12:00Z"`,
	} {
		v, diags := eval(t, src)
		if diags.HasErrors() {
			t.Errorf("%s: %s", src, diags)
		} else if v.RawEquals(cty.False) || !v.IsKnown() {
			t.Errorf("%s is %#v", src, v)
		}
	}
}

func TestFunctionsRefuse(t *testing.T) {
	t.Parallel()
	for src, want := range map[string]string{
		`decimal(1.5, 2)`:         "1.5 is not a whole number",
		`decimal(1, -1)`:          "digits must be a whole number from 0 to 18",
		`decimal(1, 1.5)`:         "digits must be a whole number",
		`sum([])`:                 "sum of nothing",
		`sum(["a"])`:              "numbers only",
		`sum("a")`:                "list, set or tuple",
		`one([1, 2])`:             "at most one element",
		`one("a")`:                "list, set or tuple",
		`replace("a", "/(/", "")`: "not a regular expression",
	} {
		if v, diags := eval(t, src); !strings.Contains(diags.Error(), want) {
			t.Errorf("%s is %#v, %v; want an error with %q", src, v, diags, want)
		}
	}
}

func TestUnknownStaysUnknown(t *testing.T) {
	t.Parallel()
	// Conditions are evaluated before there is evidence: what cannot be known
	// yet must not come out as an answer.
	for src, known := range map[string]bool{
		`alltrue(unknown)`:                  false,
		`alltrue(maybe)`:                    false,
		`alltrue(concat(maybe, [false]))`:   true,
		`anytrue(maybe)`:                    false,
		`anytrue(concat(maybe, [true]))`:    true,
		`length(unknown)`:                   false,
		`one(unknown)`:                      false,
		`sum([for b in maybe : b ? 1 : 0])`: false,
	} {
		v, diags := eval(t, src)
		if diags.HasErrors() || v.IsKnown() != known {
			t.Errorf("%s is %#v, %v; known should be %t", src, v, diags, known)
		}
	}
}

func TestTableIsTheCallers(t *testing.T) {
	t.Parallel()
	delete(function.Table(), "floor")
	if _, ok := function.Table()["floor"]; !ok {
		t.Error("changing one table changed another")
	}
}
