package check

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/function"
	"github.com/labctl/labctl/scenarios/lab"
)

// Assert is a condition over evidence, for what no other kind covers.
var Assert = Kind{
	Type:  "assert",
	Doc:   "A condition over the evidence, for what no other kind covers: an expression over live.SERVICE and start.SERVICE (lists of containers) and head (the repository's last commit). It passes when the condition is true; what it refers to is what gets gathered.",
	Title: "A condition holds",
	Why:   "The lab's author made this a condition of being done.",
	Next:  "Read what was observed, and make the condition true.",
	Attributes: []Attribute{
		{Name: "condition", Type: cty.Bool, Required: true, Expression: true, Doc: "an expression that is true when all is well"},
		{Name: "error_message", Type: cty.String, Required: true, Doc: "what to tell when it is not"},
	},
	Validate: validateAssert,
	Needs:    assertNeeds,
	Eval:     evalAssert,
}

// assertSpec is the specification of an assert check.
type assertSpec struct {
	Condition    Expression `json:"condition"`
	ErrorMessage string     `json:"error_message"`
}

func validateAssert(spec []byte) []string {
	var s assertSpec
	if err := json.Unmarshal(spec, &s); err != nil {
		return []string{"it cannot be read: " + err.Error()}
	}
	if strings.TrimSpace(s.ErrorMessage) == "" {
		return []string{"error_message is empty; say what is wrong when the condition is false"}
	}
	return nil
}

func assertNeeds(c lab.Check) (Needs, error) {
	_, refs, err := parseAssert(c)
	if err != nil {
		return Needs{}, err
	}
	return Needs{
		Trees:  refs.files && (len(refs.live) > 0 || len(refs.start) > 0),
		Layers: refs.layers && len(refs.live) > 0,
		Head:   refs.head,
	}, nil
}

func evalAssert(c lab.Check, set *evidence.Set) Verdict {
	a, refs, err := parseAssert(c)
	if err != nil {
		return Verdict{Status: Error, Observed: err.Error()}
	}
	values, err := assertValues(set, a.spec.Condition, refs)
	if err != nil {
		return Verdict{Status: Error, Expected: a.expected(), Observed: "could not look: " + err.Error()}
	}
	v, diags := a.expr.Value(&hcl.EvalContext{Variables: values, Functions: function.Table()})
	if diags.HasErrors() {
		return Verdict{Status: Error, Expected: a.expected(), Observed: "the condition could not be evaluated: " + said(diags)}
	}
	holds, err := convert.Convert(v, cty.Bool)
	if err != nil || holds.IsNull() || !holds.IsKnown() {
		return Verdict{Status: Error, Expected: a.expected(), Observed: "the condition is neither true nor false"}
	}
	if holds.False() {
		return Verdict{Status: Fail, Expected: a.expected(), Observed: a.spec.ErrorMessage}
	}
	return Verdict{Status: Pass, Expected: a.expected(), Observed: "the condition holds"}
}

// assertion is an assert check, parsed.
type assertion struct {
	spec assertSpec
	expr hclsyntax.Expression
}

// expected is the condition on one line.
func (a assertion) expected() string {
	return strings.Join(strings.Fields(a.spec.Condition.Source), " ")
}

func parseAssert(c lab.Check) (assertion, assertRefs, error) {
	var a assertion
	if err := json.Unmarshal(c.Spec, &a.spec); err != nil {
		return a, assertRefs{}, fmt.Errorf("reading the specification of check %s: %w", c.Name, err)
	}
	expr, diags := hclsyntax.ParseExpression([]byte(a.spec.Condition.Source), "condition", hcl.InitialPos)
	if diags.HasErrors() {
		return a, assertRefs{}, fmt.Errorf("reading the condition of check %s: %s", c.Name, said(diags))
	}
	a.expr = expr
	return a, refsOf(expr), nil
}

// said are diagnostics in one line.
func said(diags hcl.Diagnostics) string {
	var lines []string
	for _, d := range diags {
		lines = append(lines, fmt.Sprintf("%s: %s", d.Summary, d.Detail))
	}
	return strings.Join(lines, "; ")
}

// assertRefs is what of the evidence a condition refers to.
type assertRefs struct {
	live, start   []hcl.Traversal
	head          bool
	files, layers bool // of any container
}

func refsOf(expr hclsyntax.Expression) assertRefs {
	var refs assertRefs
	for _, t := range expr.Variables() {
		switch t.RootName() {
		case RootLive:
			refs.live = append(refs.live, t)
		case RootStart:
			refs.start = append(refs.start, t)
		case RootHead:
			refs.head = true
		}
	}
	// Variables leaves out what the body of a for expression says of its own
	// variable; so names are looked for everywhere.
	names := &namesIn{}
	_ = hclsyntax.Walk(expr, names)
	refs.files, refs.layers = names.found["files"], names.found["layers"]
	return refs
}

// namesIn collects the names of attributes and the literal keys of an expression.
type namesIn struct{ found map[string]bool }

// Enter notes the names that one node has.
func (n *namesIn) Enter(node hclsyntax.Node) hcl.Diagnostics {
	switch e := node.(type) {
	case *hclsyntax.ScopeTraversalExpr:
		n.traversal(e.Traversal)
	case *hclsyntax.RelativeTraversalExpr:
		n.traversal(e.Traversal)
	case *hclsyntax.LiteralValueExpr:
		n.key(e.Val)
	}
	return nil
}

// Exit does nothing: nodes are noted as they are entered.
func (n *namesIn) Exit(hclsyntax.Node) hcl.Diagnostics { return nil }

func (n *namesIn) traversal(t hcl.Traversal) {
	for _, step := range t {
		switch s := step.(type) {
		case hcl.TraverseAttr:
			n.add(s.Name)
		case hcl.TraverseIndex:
			n.key(s.Key)
		}
	}
}

func (n *namesIn) key(v cty.Value) {
	if v.IsKnown() && !v.IsNull() && v.Type() == cty.String {
		n.add(v.AsString())
	}
}

func (n *namesIn) add(name string) {
	if n.found == nil {
		n.found = map[string]bool{}
	}
	n.found[name] = true
}

// captured decodes the values that a condition refers to besides evidence.
func captured(e Expression) (map[string]cty.Value, error) {
	values := map[string]cty.Value{}
	for root, v := range e.Values {
		t, err := ctyjson.UnmarshalType(v.Type)
		if err != nil {
			return nil, fmt.Errorf("reading the type of %s: %w", root, err)
		}
		if values[root], err = ctyjson.Unmarshal(v.Value, t); err != nil {
			return nil, fmt.Errorf("reading the value of %s: %w", root, err)
		}
	}
	return values, nil
}
