// Package config reads a lab's folder of HCL into the model in package lab.
// Everything that can be wrong without an engine is found here, all at once,
// and reported with its place in the source.
//
// Reading has two steps. Load parses the folder once and validates it with
// enough draws of its parameters that each value occurs; Read is for a folder
// that was validated before. Resolve then makes the lab of one learner.
package config

import (
	"crypto/sha256"
	"encoding/binary"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/labctl/labctl/scenarios/lab"
)

// Definition is a lab's folder, parsed.
type Definition struct {
	// Digest is "sha256:…" over every regular file of the folder.
	Digest string

	// Files are the sources that diagnostics refer to, by path in the folder.
	Files map[string]*hcl.File

	folder     *folder
	root       *block
	unreadable error // what of the folder the digest could not be made of
}

// Load reads all *.hcl files at the top of a folder as one definition, and
// validates it. With errors the definition is incomplete, and good only for showing
// them: its Files hold the sources.
func Load(fsys fs.FS) (*Definition, hcl.Diagnostics) {
	def, diags := read(fsys)
	if def.root != nil {
		for _, draw := range def.covering() {
			r := newResolver(def, "learner", 0, draw)
			r.resolve()
			diags.merge(r.diags)
		}
	}
	return def, def.readable(diags).sorted()
}

// Read is Load of what Load found nothing wrong with before, going by its digest:
// it is not validated once more.
func Read(fsys fs.FS) (*Definition, hcl.Diagnostics) {
	def, diags := read(fsys)
	return def, def.readable(diags).sorted()
}

// read parses a folder. Without a root nothing else can be said about it: what a
// broken file declares is not known, so that it could be wrong.
func read(fsys fs.FS) (*Definition, *collector) {
	def := &Definition{Files: map[string]*hcl.File{}, folder: &folder{fsys: fsys}}
	diags := newCollector()
	bodies := def.parse(diags)
	if len(diags.list) > 0 {
		return def, diags
	}
	def.Digest, def.unreadable = def.folder.digest()
	def.templates()
	def.root = fit(bodies, def.anywhere(), diags)
	return def, diags
}

// readable adds what could not be read of the folder, unless that was said where
// the file is named.
func (d *Definition) readable(diags *collector) *collector {
	if d.unreadable != nil {
		whole := problem(d.anywhere(), sumUnreadable, "%s.", d.unreadable)
		if !slices.ContainsFunc(diags.list, func(said *hcl.Diagnostic) bool { return said.Detail == whole.Detail }) {
			diags.add(whole)
		}
	}
	return diags
}

// Name is the lab's name, "" when the definition has none.
func (d *Definition) Name() string {
	if d.root == nil {
		return ""
	}
	if b := d.root.one("lab"); b != nil {
		return b.name
	}
	return ""
}

// Resolve makes the lab that one learner gets, of a definition that Load found
// nothing wrong with. What it finds wrong itself shows with this draw alone.
// It may be called for several learners at once.
func (d *Definition) Resolve(learner string, seed int64) (*lab.Lab, hcl.Diagnostics) {
	r := newResolver(d, learner, seed, drawFrom(seed))
	l := r.resolve()
	diags := r.diags.sorted()
	if diags.HasErrors() {
		return nil, diags
	}
	return l, diags
}

// SeedOf is the seed of a learner who gives none: always the same, and from 0
// to 2³¹-1, so that it can be read aloud and is exact in every reader of JSON.
func SeedOf(learner string) int64 {
	sum := sha256.Sum256([]byte("learner\x00" + learner))
	return int64(binary.BigEndian.Uint32(sum[:4]) >> 1)
}

// parse reads the folder's .hcl files in the order of their names.
func (d *Definition) parse(diags *collector) []*hclsyntax.Body {
	entries, err := fs.ReadDir(d.folder.fsys, ".")
	if err != nil {
		diags.add(problem(d.anywhere(), sumUnreadable, "The lab's folder cannot be listed: %s.", err))
		return nil
	}
	var bodies []*hclsyntax.Body
	for _, e := range entries {
		name := e.Name()
		if e.IsDir() || path.Ext(name) != ".hcl" || strings.HasPrefix(name, ".") {
			continue
		}
		src, err := d.folder.read(name)
		if err != nil {
			diags.add(problem(hcl.Range{Filename: name, Start: hcl.InitialPos, End: hcl.InitialPos}, sumUnreadable, "%s.", err))
			continue
		}
		if !utf8.Valid(src) {
			diags.add(problem(hcl.Range{Filename: name, Start: hcl.InitialPos, End: hcl.InitialPos}, sumUnreadable, "%s is not text: it has bytes that are not UTF-8. Save it as UTF-8.", name))
			continue
		}
		file, found := hclsyntax.ParseConfig(src, name, hcl.InitialPos)
		diags.add(found...)
		d.Files[name] = file
		if body, ok := file.Body.(*hclsyntax.Body); ok {
			bodies = append(bodies, body)
		}
	}
	if len(bodies) == 0 && len(diags.list) == 0 {
		diags.add(problem(d.anywhere(), sumMissingBlock, "The folder has no .hcl file, so it is no lab. Write a lab.hcl with a lab block."))
	}
	return bodies
}

// anywhere is the place of what is wrong with the lab as a whole: the start of
// its first file.
func (d *Definition) anywhere() hcl.Range {
	name := "lab.hcl"
	if len(d.Files) > 0 {
		if _, ok := d.Files[name]; !ok {
			name = slices.Min(slices.Collect(maps.Keys(d.Files)))
		}
	}
	return hcl.Range{Filename: name, Start: hcl.InitialPos, End: hcl.InitialPos}
}

// templates keeps the sources of all templates for diagnostics.
func (d *Definition) templates() {
	names, err := d.folder.list(".")
	if err != nil {
		return // reported with the digest
	}
	for _, name := range names {
		if !slices.Contains(proseFiles, name) && path.Ext(name) != templateSuffix {
			continue
		}
		if src, err := d.folder.read(name); err == nil {
			d.Files[name] = &hcl.File{Bytes: src}
		}
	}
}
