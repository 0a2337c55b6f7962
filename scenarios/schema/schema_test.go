package schema_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/internal/sample"
	"github.com/labctl/labctl/scenarios/lab"
	"github.com/labctl/labctl/scenarios/report"
	"github.com/labctl/labctl/scenarios/schema"
	"github.com/labctl/labctl/scenarios/schema/schematest"
)

// samples are documents as labctl writes them, by format.
func samples(t *testing.T) map[string][][]byte {
	t.Helper()
	all := map[string][][]byte{}
	for _, set := range []*evidence.Set{sample.Right(), sample.Untouched()} {
		saved, err := evidence.Marshal(set)
		if err != nil {
			t.Fatal(err)
		}
		graded, err := report.Grade(set)
		if err != nil {
			t.Fatal(err)
		}
		compared, err := report.Regrade(set, &lab.Lab{Name: set.Lab, Checks: set.Checks[1:]})
		if err != nil || len(compared.Changed) == 0 {
			t.Fatalf("%+v, %v", compared, err)
		}
		other := graded
		other.Checks = other.Checks[1:]
		repeated := report.Repeated([]report.Report{graded, other})
		if len(repeated.Wavering) == 0 {
			t.Fatalf("%+v", repeated)
		}
		all["evidence"] = append(all["evidence"], saved)
		all["report"] = append(all["report"], marshal(t, graded))
		all["comparison"] = append(all["comparison"], marshal(t, compared))
		all["repeat"] = append(all["repeat"], marshal(t, repeated))
	}
	goldens, err := filepath.Glob(filepath.Join("..", "report", "testdata", "*.json"))
	if err != nil || len(goldens) == 0 {
		t.Fatalf("no reports: %v", err)
	}
	for _, golden := range goldens {
		b, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		all["report"] = append(all["report"], b)
	}
	return all
}

func marshal(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSamplesAreAsTheirSchemasSay(t *testing.T) {
	t.Parallel()
	for name, documents := range samples(t) {
		for _, document := range documents {
			schematest.Validate(t, name, document)
		}
	}
}

// A schema that takes anything would say nothing: no value can be left out of a
// sample that must be there, none added, and none of another type.
func TestSchemasRefuseOtherDocuments(t *testing.T) {
	t.Parallel()
	for name, documents := range samples(t) {
		var top map[string]json.RawMessage
		if err := json.Unmarshal(documents[0], &top); err != nil {
			t.Fatal(err)
		}
		refuse := func(what string, edit func(map[string]json.RawMessage)) {
			edited := maps.Clone(top)
			edit(edited)
			if schematest.Check(t, name, marshal(t, edited)) == nil {
				t.Errorf("%s: takes %s", name, what)
			}
		}
		refuse("an unknown value", func(m map[string]json.RawMessage) { m["grade"] = json.RawMessage("1") })
		refuse("another version", func(m map[string]json.RawMessage) {
			m["schema"] = bytes.Replace(m["schema"], []byte("v1"), []byte("v2"), 1)
		})
		for key := range top {
			refuse("none without "+key, func(m map[string]json.RawMessage) { delete(m, key) })
			refuse("a "+key+" of another type", func(m map[string]json.RawMessage) { m[key] = json.RawMessage("[1.5]") })
		}
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for _, name := range schema.Names() {
		if text, there := schema.Of(name); !there || !json.Valid(text) {
			t.Errorf("%s: %s", name, text)
		}
	}
	if _, there := schema.Of("nothing"); there || !slices.Contains(schema.Names(), "evidence") {
		t.Errorf("there are %q", schema.Names())
	}
}
