// Package schematest holds documents to their schemas, in tests.
package schematest

import (
	"bytes"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/labctl/labctl/scenarios/schema"
)

// Validate fails the test when a document is not as the schema of its format
// says.
func Validate(t testing.TB, name string, document []byte) {
	t.Helper()
	if err := Check(t, name, document); err != nil {
		t.Errorf("not as labctl schema %s says: %v", name, err)
	}
}

// Check says in what a document is not as the schema of its format says.
func Check(t testing.TB, name string, document []byte) error {
	t.Helper()
	text, there := schema.Of(name)
	if !there {
		t.Fatalf("there is no schema %q", name)
	}
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource(name, parsed); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile(name)
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
	if err != nil {
		return err
	}
	return compiled.Validate(value)
}
