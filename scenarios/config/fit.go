package config

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// block is a block that was fitted to its shape.
type block struct {
	kind   string // its type: service
	labels []string
	name   string // its last label; "" when it has none
	at     hcl.Range
	nameAt hcl.Range
	attrs  hclsyntax.Attributes
	blocks map[string][]*block
}

// one is the only block of a type; nil when there is none.
func (b *block) one(kind string) *block {
	if len(b.blocks[kind]) == 0 {
		return nil
	}
	return b.blocks[kind][0]
}

// named is the block of a type with a name; nil when there is none.
func (b *block) named(kind, name string) *block {
	for _, inner := range b.blocks[kind] {
		if inner.name == name {
			return inner
		}
	}
	return nil
}

// attrAt is the place of an attribute's value, the block's when it is absent.
func (b *block) attrAt(name string) hcl.Range {
	if a, ok := b.attrs[name]; ok {
		return a.Expr.Range()
	}
	return b.at
}

// fit makes one block of all files' bodies and reports what has no place in it.
func fit(bodies []*hclsyntax.Body, at hcl.Range, diags *collector) *block {
	root := &block{at: at, blocks: map[string][]*block{}}
	for _, body := range bodies {
		for _, a := range sourceOrder(body.Attributes) {
			diags.add(problem(a.NameRange, sumUnknownAttr, "Attributes belong into blocks; %q stands at the top of the file. %s", a.Name, outermost()))
		}
		fitBlocks(root, body.Blocks, rootShape, "A lab", diags)
	}
	requireBlocks(root, rootShape, "The lab", diags)
	return root
}

func outermost() string {
	return "The blocks there are: " + strings.Join(slices.Sorted(maps.Keys(rootShape.blocks)), ", ") + "."
}

// sourceOrder lists attributes as they were written.
func sourceOrder(attrs hclsyntax.Attributes) []*hclsyntax.Attribute {
	return slices.SortedFunc(maps.Values(attrs), func(a, b *hclsyntax.Attribute) int {
		return a.SrcRange.Start.Byte - b.SrcRange.Start.Byte
	})
}

func fitBlocks(parent *block, blocks hclsyntax.Blocks, s *shape, owner string, diags *collector) {
	for _, src := range blocks {
		n, ok := s.blocks[src.Type]
		if !ok {
			diags.add(problem(src.TypeRange, sumUnknownBlock, "%s has no block %q. %s", owner, src.Type, instead(src.Type, slices.Collect(maps.Keys(s.blocks)))))
			continue
		}
		if before := parent.one(src.Type); n.once && before != nil {
			diags.add(problem(src.DefRange(), sumDuplicateOnce, "%s has one block %q at most; the first is at %s. Remove one of them.", owner, src.Type, place(before.at)))
			continue
		}
		b := fitBlock(src, n.shape, diags)
		if b == nil {
			continue
		}
		if before := parent.named(src.Type, b.name); b.name != "" && before != nil {
			diags.add(problem(b.nameAt, sumDuplicate, "There is another %s %q at %s. Give one of them another name.", src.Type, b.name, place(before.nameAt)))
			continue
		}
		parent.blocks[src.Type] = append(parent.blocks[src.Type], b)
	}
}

// instead says what to write for a word that is not in the language.
func instead(word string, candidates []string) string {
	if what, ok := boundaries[word]; ok {
		return what + " have no syntax, on purpose: a lab gets no privilege on the host it runs on."
	}
	return didYouMean(word, candidates)
}

func fitBlock(src *hclsyntax.Block, s *shape, diags *collector) *block {
	b := &block{kind: src.Type, labels: src.Labels, at: src.DefRange(), attrs: src.Body.Attributes, blocks: map[string][]*block{}}
	if len(src.Labels) != len(s.labels) {
		diags.add(problem(b.at, sumLabels, "A block %q is written %s.", src.Type, written(src.Type, s.labels)))
		return nil
	}
	if n := len(src.Labels); n > 0 {
		b.name, b.nameAt = src.Labels[n-1], src.LabelRanges[n-1]
		if s.labels[n-1] == "name" && !validName.MatchString(b.name) {
			diags.add(problem(b.nameAt, sumName, "%q cannot be a name: names are lower-case letters, digits, - and _, begin with a letter, and have at most %d characters.", b.name, maxName))
		}
		if s.labels[n-1] == "letter" && !validLetter.MatchString(b.name) {
			diags.add(problem(b.nameAt, sumName, "%q cannot be a choice's letter: it is what learners type, one of a to z.", b.name))
		}
	}
	owner := fmt.Sprintf("A block %q", src.Type)
	if !s.free {
		for _, a := range sourceOrder(src.Body.Attributes) {
			if _, ok := s.attrs[a.Name]; !ok {
				diags.add(problem(a.NameRange, sumUnknownAttr, "%s has no attribute %q. %s", owner, a.Name, instead(a.Name, slices.Collect(maps.Keys(s.attrs)))))
			}
		}
		for _, name := range slices.Sorted(maps.Keys(s.attrs)) {
			if _, ok := b.attrs[name]; !ok && s.attrs[name].need == required {
				diags.add(problem(b.at, sumMissingAttr, "%s needs the attribute %q.", owner, name))
			}
		}
	}
	fitBlocks(b, src.Body.Blocks, s, owner, diags)
	requireBlocks(b, s, owner, diags)
	return b
}

// maxName keeps the engine's names, which lab, learner and name are part of,
// within its limits.
const maxName = 40

var validName = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,39}$`)

var validLetter = regexp.MustCompile(`^[a-z]$`)

func requireBlocks(b *block, s *shape, owner string, diags *collector) {
	for _, kind := range slices.Sorted(maps.Keys(s.blocks)) {
		if n := s.blocks[kind]; n.need == required && len(b.blocks[kind]) == 0 {
			diags.add(problem(b.at, sumMissingBlock, "%s needs a block: %s { … }.", owner, written(kind, n.shape.labels)))
		}
	}
}

// written shows how a block begins: check "kind" "name".
func written(kind string, labels []string) string {
	for _, l := range labels {
		kind += fmt.Sprintf(" %q", l)
	}
	return kind
}

// place names a line for people.
func place(at hcl.Range) string { return fmt.Sprintf("%s:%d", at.Filename, at.Start.Line) }
