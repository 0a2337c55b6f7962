package config

import (
	"bufio"
	"bytes"
	"cmp"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/labctl/labctl/scenarios/lab"
)

// Where the content of an image comes from: attributes of which it needs one.
var imageSources = []string{"rootfs", "context", "commit", "pull"}

// rootfses are the root filesystems that can be made on the spot.
var rootfses = []string{"busybox"}

// validImage is an image reference with an optional registry, tag and digest.
var validImage = regexp.MustCompile(`^[a-z0-9]+([._-][a-z0-9]+)*(:[0-9]+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[0-9a-f]{64})?$`)

// images reads the images and puts them into an order in which they can be
// made.
func (r *resolver) images() {
	images := map[string]lab.Image{}
	places := map[string]hcl.Range{}
	tags := map[string]string{} // tag → image
	var order []string
	for _, b := range r.def.root.blocks["image"] {
		i := r.image(b)
		images[b.name], places[b.name] = i, b.at
		order = append(order, b.name)
		if i.Tag == "" {
			continue
		}
		if other, taken := tags[canonical(i.Tag)]; taken {
			r.fail(b.attrAt("tag"), sumDuplicate, "image.%s has the tag %q already. Each tag is one image; give one of them another.", other, i.Tag)
			continue
		}
		tags[canonical(i.Tag)] = b.name
	}
	needs := map[string][]string{}
	for _, name := range order {
		needs[name] = r.bases(images[name], tags, places[name])
	}
	sorted := sortByNeed(order, func(name string) []string { return needs[name] }, func(cycle []string) {
		r.fail(places[cycle[0]], sumCycle, "image.%s is built on itself: %s. Break the circle in their Dockerfiles.", cycle[0], strings.Join(append(cycle, cycle[0]), " → "))
	})
	for _, name := range sorted {
		r.lab.Images = append(r.lab.Images, images[name])
	}
}

func (r *resolver) image(b *block) lab.Image {
	i := lab.Image{Name: b.name}
	var given []string
	for _, s := range imageSources {
		if _, ok := b.attrs[s]; ok {
			given = append(given, s)
		}
	}
	if len(given) != 1 {
		r.fail(b.at, sumMissingAttr, "An image comes from exactly one of %s; this one says %s.", strings.Join(imageSources, ", "), cmp.Or(strings.Join(given, " and "), "none"))
	}
	if tag, ok := get[string](r, b, "tag", cty.String, scope{}); ok {
		if i.Tag = tag; !validImage.MatchString(tag) || strings.Contains(tag, "@") {
			r.invalid(b, "tag", "a tag is written \"hotel/base:1\"")
		}
	}
	if rootfs, ok := get[string](r, b, "rootfs", cty.String, scope{}); ok {
		i.Rootfs = rootfs
		r.oneOf(b, "rootfs", rootfs, rootfses)
	}
	if _, ok := b.attrs["context"]; ok {
		i.Context = r.files(b, "context")
	}
	if a, ok := b.attrs["commit"]; ok {
		i.Commit, _, _ = r.reference(a.Expr, "commit")
	}
	if pull, ok := get[string](r, b, "pull", cty.String, scope{}); ok {
		if i.Pull = pull; !validImage.MatchString(pull) {
			r.invalid(b, "pull", "an image reference is written \"debian:12\"")
		}
	}
	for attr, ref := range map[string]string{"tag": i.Tag, "pull": i.Pull} {
		if repository(ref) == lab.RelayRepository {
			r.invalid(b, attr, lab.RelayRepository+" is labctl's own, for relays; choose another name")
		}
	}
	// Tags are everybody's on the engine, and making an image moves its tag.
	if i.Tag != "" && !strings.Contains(i.Tag, "/") && canonical(i.Tag) != canonical(i.Pull) {
		r.invalid(b, "tag", "a tag without a slash may be that of an image which is no lab's; begin it with a name of its own, like \"hotel/base:1\"")
	}
	return i
}

// bases names the lab's images that an image's Dockerfile builds on. Anything
// else it names is an error: start pins what a lab declares, and the grader's
// own builds accept nothing else.
func (r *resolver) bases(i lab.Image, tags map[string]string, at hcl.Range) []string {
	files := i.Context
	for _, c := range r.lab.Commits {
		if i.Commit == "" {
			break
		}
		files = append(slices.Clone(c.Files), files...) // later commits first
		if c.Name == i.Commit {
			break
		}
	}
	if len(files) == 0 {
		return nil
	}
	n := slices.IndexFunc(files, func(f lab.File) bool { return f.Path == "Dockerfile" })
	if n < 0 {
		r.fail(at, sumImage, "image.%s is built from files without a Dockerfile. Add one at their top.", i.Name)
		return nil
	}
	named, builds := froms(files[n].Content)
	if !builds {
		r.fail(at, sumImage, "image.%s is built from a Dockerfile without FROM. Begin it with FROM and the tag of an image of this lab. %s", i.Name, didYouMean("", tagNames(tags)))
	}
	var needs []string
	for _, from := range named {
		name, ok := tags[canonical(from)]
		if !ok {
			r.fail(at, sumImage, "image.%s is built FROM %s, which is no image of this lab. %s Declare an image with that tag, so that it can be pinned.", i.Name, from, didYouMean(from, tagNames(tags)))
			continue
		}
		needs = append(needs, name)
	}
	return needs
}

// froms lists the images that a Dockerfile names in FROM, without earlier
// stages, scratch and what only a build argument tells; any says whether it has
// a FROM at all.
func froms(dockerfile []byte) (images []string, any bool) {
	stages := map[string]bool{"scratch": true}
	lines := bufio.NewScanner(bytes.NewReader(dockerfile))
	lines.Buffer(nil, len(dockerfile)+1)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) < 2 || !strings.EqualFold(words[0], "FROM") {
			continue
		}
		any, words = true, words[1:]
		for len(words) > 1 && strings.HasPrefix(words[0], "--") {
			words = words[1:]
		}
		if name := words[0]; !stages[strings.ToLower(name)] && !strings.Contains(name, "$") {
			images = append(images, name)
		}
		if len(words) > 2 && strings.EqualFold(words[1], "AS") {
			stages[strings.ToLower(words[2])] = true
		}
	}
	return images, any
}

// canonical writes the tag that a reference means when it has none.
func canonical(ref string) string {
	if !strings.Contains(path.Base(ref), ":") {
		return ref + ":latest"
	}
	return ref
}

// repository is a reference without its tag and digest, and without the registry
// that engines take when none is named.
func repository(ref string) string {
	ref, _, _ = strings.Cut(ref, "@")
	return strings.TrimPrefix(path.Join(path.Dir(ref), strings.Split(path.Base(ref), ":")[0]), "docker.io/")
}

func tagNames(tags map[string]string) []string {
	var names []string
	for tag := range tags {
		names = append(names, tag)
	}
	return names
}
