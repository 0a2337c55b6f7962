package config

import (
	"slices"

	"github.com/zclconf/go-cty/cty"

	"github.com/labctl/labctl/scenarios/lab"
)

// cheats reads a lab's own ways of faking a rebuild, and what it says of those
// that are derived for it.
func (r *resolver) cheats() {
	for _, b := range r.def.root.blocks["cheat"] {
		c := lab.Cheat{Name: b.name, Script: r.script(b, "run")}
		if a, ok := b.attrs["killed_by"]; ok {
			c.KilledBy, _, _ = r.reference(a.Expr, "check")
		}
		if word, ok := get[string](r, b, "provenance", cty.String, scope{}); ok {
			c.Provenance = word
			r.oneOf(b, "provenance", word, provenances)
		}
		if slices.Contains(lab.HonestWays, b.name) {
			r.fail(b.nameAt, sumName, "%q is an honest way that `labctl test` tries; a cheat needs another name.", b.name)
		}
		r.lab.Cheats = append(r.lab.Cheats, c)
	}
	derived := slices.Concat(lab.DerivedCheats, lab.HonestWays)
	for _, b := range r.def.root.blocks["not_applicable"] {
		n := lab.NotApplicable{Name: b.name, Reason: r.text(b, "reason", scope{})}
		if !slices.Contains(derived, b.name) {
			r.fail(b.nameAt, sumName, "`labctl test` derives nothing called %q. %s", b.name, didYouMean(b.name, derived))
		}
		if cheat := r.def.root.named("cheat", b.name); cheat != nil {
			r.fail(b.nameAt, sumExpect, "The lab has a cheat of its own in the place of %q, at %s. Remove one of the two.", b.name, place(cheat.at))
		}
		r.lab.NotApplicable = append(r.lab.NotApplicable, n)
	}
}
