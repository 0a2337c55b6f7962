package proof

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/labctl/labctl/scenarios/check"
	"github.com/labctl/labctl/scenarios/lab"
)

var update = flag.Bool("update", false, "write the reference of the language anew")

//go:generate go test . -run ^TestReference$ -update

// language is where labs' authors read what is derived from their labs.
const language = "../../labs/LANGUAGE.md"

func TestNamesAreThoseOfTheLanguage(t *testing.T) {
	t.Parallel()
	var cheats, ways []string
	for _, c := range Cheats() {
		cheats = append(cheats, c.Name)
		if _, ok := check.Find(c.Killer); !ok || c.Doc == "" || c.Word == nil || c.Do == nil {
			t.Errorf("%s is not complete, or no kind of check is called %q", c.Name, c.Killer)
		}
	}
	for _, w := range Ways() {
		ways = append(ways, w.Name)
		if w.Doc == "" || w.Family == "" {
			t.Errorf("%s is not complete", w.Name)
		}
	}
	if !slices.Equal(cheats, lab.DerivedCheats) {
		t.Errorf("cheats are\n%v\nand lab.DerivedCheats\n%v", cheats, lab.DerivedCheats)
	}
	if !slices.Equal(ways, lab.HonestWays) {
		t.Errorf("ways are\n%v\nand lab.HonestWays\n%v", ways, lab.HonestWays)
	}
	all := slices.Concat(cheats, ways)
	slices.Sort(all)
	if len(slices.Compact(all)) != len(cheats)+len(ways) {
		t.Error("a name is there twice")
	}
}

func TestReference(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("| cheat | family | what is done | killed by |\n|---|---|---|---|\n")
	for _, c := range Cheats() {
		fmt.Fprintf(&b, "| `%s` | %s | %s | `%s` |\n", c.Name, c.Family, c.Doc, c.Killer)
	}
	b.WriteString("\n| honest way | what is done |\n|---|---|\n")
	for _, w := range Ways() {
		fmt.Fprintf(&b, "| `%s` | %s |\n", w.Name, w.Doc)
	}
	text, err := os.ReadFile(language)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- generated: proof -->\n", "<!-- end: proof -->\n"
	before, rest, begun := strings.Cut(string(text), begin)
	_, after, ended := strings.Cut(rest, end)
	if !begun || !ended {
		t.Fatalf("%s has no markers for what is derived", language)
	}
	want := before + begin + "\n" + b.String() + "\n" + end + after
	if want == string(text) {
		return
	}
	if !*update {
		t.Fatalf("%s is stale; run go generate ./runner/proof", language)
	}
	if err := os.WriteFile(language, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}
