package config

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/labctl/labctl/scenarios/check"
	"github.com/labctl/labctl/scenarios/function"
)

// language is the reference of the language, of which the parts between
// markers are generated from the grammar, the kinds of checks and the table of
// functions.
const language = "../../labs/LANGUAGE.md"

// order is that in which the outermost blocks are documented.
var order = []string{"lab", "parameter", "locals", "environment", "workspace", "image", "service", "scenario", "check", "cheat", "not_applicable", "hint", "quiz"}

func TestLanguageReference(t *testing.T) {
	t.Parallel()
	if documented, all := slices.Sorted(slices.Values(order)), slices.Sorted(maps.Keys(rootShape.blocks)); !slices.Equal(documented, all) {
		t.Errorf("the documented blocks are %v, and there are %v", documented, all)
	}
	text, err := os.ReadFile(language)
	if err != nil {
		t.Fatal(err)
	}
	want := text
	for part, content := range map[string]string{"blocks": blockReference(), "kinds": kindReference(), "functions": functionReference()} {
		want = between(t, want, part, content)
	}
	if bytes.Equal(text, want) {
		return
	}
	if flag.Lookup("update").Value.String() != "true" {
		t.Fatalf("%s is stale; run go generate ./scenarios/check", language)
	}
	if err := os.WriteFile(language, want, 0o644); err != nil {
		t.Fatal(err)
	}
}

// between replaces what stands between a part's markers.
func between(t *testing.T, text []byte, part, content string) []byte {
	t.Helper()
	begin, end := fmt.Sprintf("<!-- generated: %s -->\n", part), fmt.Sprintf("<!-- end: %s -->\n", part)
	before, rest, begun := strings.Cut(string(text), begin)
	_, after, ended := strings.Cut(rest, end)
	if !begun || !ended {
		t.Fatalf("%s has no markers for the part %q", language, part)
	}
	return []byte(before + begin + "\n" + content + "\n" + end + after)
}

func blockReference() string {
	var b strings.Builder
	for _, name := range order {
		writeBlock(&b, name, rootShape.blocks[name])
	}
	b.WriteString("### `run { … }`\n\n")
	fmt.Fprintf(&b, "%s\n\n", runShape.doc)
	writeAttributes(&b, runShape)
	return strings.TrimSuffix(b.String(), "\n")
}

// writeBlock documents a block and those in it; path names the blocks that it
// stands in. The run blocks are all one.
func writeBlock(b *strings.Builder, path string, n nested) {
	howMany := map[bool]string{true: "required", false: "optional"}[bool(n.need)]
	if n.once {
		howMany += ", at most one"
	}
	fmt.Fprintf(b, "### `%s { … }`\n\n", written(path, n.shape.labels))
	fmt.Fprintf(b, "%s (%s)\n\n", n.shape.doc, howMany)
	writeAttributes(b, n.shape)
	if _, runs := n.shape.blocks["run"]; runs {
		b.WriteString("Takes a block `run { … }`, too.\n\n")
	}
	for _, inner := range slices.Sorted(maps.Keys(n.shape.blocks)) {
		if inner != "run" {
			writeBlock(b, path+" › "+inner, n.shape.blocks[inner])
		}
	}
}

func writeAttributes(b *strings.Builder, s *shape) {
	if len(s.attrs) == 0 {
		return
	}
	b.WriteString("| attribute | |\n|---|---|\n")
	names := slices.SortedFunc(maps.Keys(s.attrs), func(x, y string) int {
		if s.attrs[x].need != s.attrs[y].need {
			if s.attrs[x].need == required {
				return -1
			}
			return 1
		}
		return strings.Compare(x, y)
	})
	for _, name := range names {
		writeRow(b, name, s.attrs[name].need == required, s.attrs[name].doc)
	}
	b.WriteString("\n")
}

func writeRow(b *strings.Builder, name string, required bool, doc string) {
	star := ""
	if required {
		star = "*"
	}
	fmt.Fprintf(b, "| `%s`%s | %s |\n", name, star, strings.ReplaceAll(doc, "|", `\|`))
}

func kindReference() string {
	var b strings.Builder
	for _, k := range check.Kinds {
		fmt.Fprintf(&b, "### `check %q`\n\n%s\n", k.Type, k.Doc)
		if k.Points > 0 {
			fmt.Fprintf(&b, "Weight in the standard set: %d.\n", k.Points)
		}
		b.WriteString("\n")
		if !k.Service && len(k.Attributes) == 0 {
			continue
		}
		b.WriteString("| attribute | |\n|---|---|\n")
		if k.Service {
			writeRow(&b, "service", true, "reference to a service, `service.web` or `service.web.prod`")
		}
		for _, a := range k.Attributes {
			writeRow(&b, a.Name, a.Required, attributeType(a)+": "+a.Doc)
		}
		b.WriteString("\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func attributeType(a check.Attribute) string {
	switch {
	case a.Reference == "":
		return typeName(a.Type)
	case a.Type.IsListType():
		return "list of references to " + a.Reference + "s"
	}
	return "reference to " + article(a.Reference)
}

func functionReference() string {
	names := append(slices.Collect(maps.Keys(function.Table())), "file")
	slices.Sort(names)
	return "`" + strings.Join(names, "` `") + "`\n"
}
