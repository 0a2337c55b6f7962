package config

import (
	"path"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/labctl/labctl/scenarios/lab"
)

// templateSuffix is the end of the names of files that are templates; what is
// rendered goes without it.
const templateSuffix = ".tmpl"

// validAuthor is git's notation, without what would break a header.
var validAuthor = regexp.MustCompile(`^[^<>\n]*[^<>\s][^<>\n]* <[^<>\s]+@[^<>\s]+>$`)

// workspace reads the commits that the learner's repository starts with.
func (r *resolver) workspace() {
	w := r.def.root.one("workspace")
	if w == nil {
		return
	}
	r.lab.BuildNetwork, _ = get[bool](r, w, "build_network", cty.Bool, scope{})
	for _, b := range w.blocks["commit"] {
		r.declare("commit", b.name, b.nameAt)
		c := lab.Commit{Name: b.name, Message: r.text(b, "message", scope{})}
		if author, ok := get[string](r, b, "author", cty.String, scope{}); ok {
			if c.Author = author; !validAuthor.MatchString(author) {
				r.invalid(b, "author", "an author is written \"name <address@example>\"")
			}
		}
		if date, ok := get[string](r, b, "date", cty.String, scope{}); ok {
			c.Date = date
			if _, err := time.Parse(time.RFC3339, date); err != nil {
				r.invalid(b, "date", "a date is written like \"2023-03-06T10:12:00Z\"")
			}
		}
		c.Files = r.files(b, "files")
		r.lab.Commits = append(r.lab.Commits, c)
	}
}

// files reads a folder that an attribute names, with its templates rendered.
func (r *resolver) files(b *block, attr string) []lab.File {
	dir, ok := get[string](r, b, attr, cty.String, scope{})
	if !ok {
		return nil
	}
	files, err := r.def.folder.files(dir)
	if err != nil {
		r.fail(b.attrAt(attr), sumUnreadable, "%s.", err)
		return nil
	}
	taken := map[string]bool{}
	for i := range files {
		f := &files[i]
		if path.Ext(f.Path) == templateSuffix {
			at := path.Join(dir, f.Path)
			f.Path = strings.TrimSuffix(f.Path, templateSuffix)
			text, ok := r.render(at, f.Content, scope{})
			if !ok {
				continue
			}
			f.Content = []byte(text)
			f.Executable = executable(f.Content)
		}
		if taken[f.Path] {
			r.fail(b.attrAt(attr), sumDuplicate, "%s has both %s and %s.tmpl, which would be one file. Remove one of them.", dir, f.Path, f.Path)
		}
		taken[f.Path] = true
	}
	return files
}

// template parses a file of the lab's folder as a template.
func (r *resolver) template(name string, content []byte) (hclsyntax.Expression, bool) {
	start := hcl.Range{Filename: name, Start: hcl.InitialPos, End: hcl.InitialPos}
	if !utf8.Valid(content) {
		r.fail(start, sumUnreadable, "%s is a template, and not text: it has bytes that are not UTF-8.", name)
		return nil, false
	}
	expr, diags := hclsyntax.ParseTemplate(content, name, hcl.InitialPos)
	if diags.HasErrors() {
		r.diags.add(diags...)
		return nil, false
	}
	return expr, true
}

// render evaluates a template to text.
func (r *resolver) render(name string, content []byte, sc scope) (string, bool) {
	expr, ok := r.template(name, content)
	if !ok {
		return "", false
	}
	v, ok := r.eval(expr, sc)
	if !ok || !v.IsKnown() || v.IsNull() {
		return "", false
	}
	s, err := convert.Convert(v, cty.String)
	if err != nil {
		r.fail(expr.Range(), sumType, "The template %s makes no text: %s.", name, err)
		return "", false
	}
	return s.AsString(), true
}
