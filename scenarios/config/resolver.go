package config

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	labfunction "github.com/labctl/labctl/scenarios/function"
	"github.com/labctl/labctl/scenarios/lab"
)

// resolver makes a lab of a definition and one draw of its parameters. It
// goes on after mistakes: what depends on one is left out silently, so that
// each is reported once, where it was made.
type resolver struct {
	def     *Definition
	learner string
	seed    int64
	draw    draw
	diags   *collector

	functions map[string]function.Function
	values    map[string]cty.Value            // what load references refer to, by root
	names     map[string]map[string]hcl.Range // where each is declared, by kind and name
	each      map[string]cty.Value            // values of the environments, by name
	lab       *lab.Lab
}

func newResolver(def *Definition, learner string, seed int64, d draw) *resolver {
	r := &resolver{
		def: def, learner: learner, seed: seed, draw: d,
		diags:     newCollector(),
		functions: labfunction.Table(),
		values:    map[string]cty.Value{},
		names:     map[string]map[string]hcl.Range{},
		each:      map[string]cty.Value{},
	}
	r.functions["file"] = def.folder.function()
	return r
}

// resolve reads the blocks in the order in which they depend on each other.
func (r *resolver) resolve() *lab.Lab {
	r.lab = &lab.Lab{Definition: r.def.Digest, Learner: r.learner, Seed: r.seed, Params: map[string]string{}}
	for _, kind := range []string{"parameter", "environment", "image", "service", "scenario", "cheat", "not_applicable"} {
		for _, b := range r.def.root.blocks[kind] {
			r.declare(kind, b.name, b.nameAt)
		}
	}
	r.identity()
	r.parameters()
	r.locals()
	r.header()
	r.environments()
	r.workspace()
	r.images()
	r.services()
	r.declareChecks()
	r.scenarios()
	r.checks()
	r.cheats()
	r.texts()
	r.quiz()
	r.proof()
	return r.lab
}

// declare enters a name, which must be new among those of its kind.
func (r *resolver) declare(kind, name string, at hcl.Range) bool {
	if r.names[kind] == nil {
		r.names[kind] = map[string]hcl.Range{}
	}
	if before, ok := r.names[kind][name]; ok {
		r.fail(at, sumDuplicate, "There is another %s %q at %s. Give one of them another name.", kind, name, place(before))
		return false
	}
	r.names[kind][name] = at
	return true
}

func (r *resolver) fail(at hcl.Range, summary, format string, args ...any) {
	r.diags.add(problem(at, summary, format, args...))
}

// identity sets what is known before anything is drawn.
func (r *resolver) identity() {
	r.values["lab"] = cty.ObjectVal(map[string]cty.Value{"name": cty.StringVal(r.def.Name())})
	r.values["learner"] = cty.ObjectVal(map[string]cty.Value{"name": cty.StringVal(r.learner)})
	r.values["param"] = cty.EmptyObjectVal
	r.values["local"] = cty.EmptyObjectVal
}

// Levels are how hard a lab is, the easiest first.
var Levels = []string{"beginner", "intermediate", "advanced"}

func (r *resolver) header() {
	b := r.def.root.one("lab")
	if b == nil {
		return
	}
	r.lab.Name = b.name
	r.lab.Title = r.text(b, "title", scope{})
	if level, ok := get[string](r, b, "level", cty.String, scope{}); ok {
		r.lab.Level = level
		r.oneOf(b, "level", level, Levels)
	}
	if minutes, ok := get[int](r, b, "minutes", cty.Number, scope{}); ok {
		if r.lab.Minutes = minutes; minutes < 1 {
			r.invalid(b, "minutes", "a lab takes at least one minute")
		}
	}
	r.lab.Teaches, _ = get[[]string](r, b, "teaches", cty.List(cty.String), scope{})
	r.lab.After, _ = get[[]string](r, b, "after", cty.List(cty.String), scope{})
}

// oneOf reports a word that is none of those an attribute takes.
func (r *resolver) oneOf(b *block, attr, word string, words []string) bool {
	if slices.Contains(words, word) {
		return true
	}
	r.invalid(b, attr, fmt.Sprintf("%q is none of its words. %s", word, didYouMean(word, words)))
	return false
}
