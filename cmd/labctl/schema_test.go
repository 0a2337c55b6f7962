package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/invopop/jsonschema"

	"github.com/labctl/labctl/runner"
	"github.com/labctl/labctl/scenarios/check"
	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/report"
	"github.com/labctl/labctl/scenarios/schema"
)

const draft = "https://json-schema.org/draft/2020-12/schema"

// documented are the types that schemas are of.
var documented = map[string]struct {
	value any
	id    string // what its schema says
	nulls bool   // an empty list may be null
}{
	"evidence":   {evidence.Set{}, evidence.Schema, true},
	"report":     {report.Report{}, report.Schema, false},
	"comparison": {report.Comparison{}, report.ComparisonSchema, false},
	"repeat":     {report.Repeat{}, report.RepeatSchema, false},
	"status":     {statusDocument{}, statusSchema, false},
	"quiz":       {quizDocument{}, quizSchema, false},
	"shoot":      {runner.Shot{}, runner.ShootSchema, false},
}

// words are the values of types that have only some.
var words = map[reflect.Type][]any{
	reflect.TypeFor[report.Word]():  anyOf(report.Words),
	reflect.TypeFor[check.Status](): {check.Pass, check.Fail, check.Error, check.Skip},
}

func anyOf[T any](all []T) []any {
	var out []any
	for _, v := range all {
		out = append(out, v)
	}
	return out
}

// reflected is the schema of a type, with the descriptions that its source has.
func reflected(t *testing.T, name string) []byte {
	t.Helper()
	d := documented[name]
	r := &jsonschema.Reflector{
		Anonymous: true, ExpandedStruct: true,
		Mapper: func(t reflect.Type) *jsonschema.Schema {
			if values, is := words[t]; is {
				return &jsonschema.Schema{Type: "string", Enum: values}
			}
			return nil
		},
	}
	for _, folder := range []string{"scenarios/lab", "scenarios/evidence", "scenarios/report", "runner", "cmd/labctl"} {
		if err := r.AddGoComments(strings.TrimSuffix(module, "/"), folder); err != nil {
			t.Fatal(err)
		}
	}
	root := r.Reflect(d.value)
	root.Version = draft
	root.ID, root.Title = "", d.id
	if p, there := root.Properties.Get("schema"); there {
		p.Const, p.Type = d.id, ""
	}
	if d.nulls {
		nullable(root)
	}
	b, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(b, '\n')
}

// nullable lets required lists and objects without own fields be null: what Go
// writes for those that were never made.
func nullable(root *jsonschema.Schema) {
	objects := []*jsonschema.Schema{root}
	for _, d := range root.Definitions {
		objects = append(objects, d)
	}
	for _, o := range objects {
		if o.Properties == nil {
			continue
		}
		for p := o.Properties.Oldest(); p != nil; p = p.Next() {
			v := p.Value
			if (v.Type == "array" || v.Type == "object") && slices.Contains(o.Required, p.Key) {
				inner := *v
				inner.Description = ""
				p.Value = &jsonschema.Schema{Description: v.Description, AnyOf: []*jsonschema.Schema{{Type: "null"}, &inner}}
			}
		}
	}
	for name, d := range root.Definitions {
		if d.Type == "array" { // of a type of its own: Layer, Tree
			inner := *d
			inner.Description = ""
			root.Definitions[name] = &jsonschema.Schema{Description: d.Description, AnyOf: []*jsonschema.Schema{{Type: "null"}, &inner}}
		}
	}
}

func TestSchemasAreThoseOfTheTypes(t *testing.T) {
	t.Chdir(filepath.Join("..", "..")) // folders of comments are told from there
	for _, name := range slices.Sorted(maps.Keys(documented)) {
		file := filepath.Join("scenarios", "schema", name+".json")
		want := reflected(t, name)
		if *update {
			if err := os.WriteFile(file, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is stale; run go generate ./cmd/labctl", file)
		}
	}
	if *update {
		return // what is embedded is that of before
	}
	if named := slices.Sorted(maps.Keys(documented)); !slices.Equal(schema.Names(), named) {
		t.Errorf("there are schemas of %q, and types of %q", schema.Names(), named)
	}
}
