package cleanroom

import (
	"regexp"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// from reads FROM. Build arguments are written out, so that the builder has
// nothing left to decide.
func (r *reading) from(node *parser.Node, stage *instructions.Stage) error {
	base, err := r.expand(stage.BaseName)
	if err != nil {
		return refuse(node.StartLine, "FROM %s: %v", stage.BaseName, err)
	}
	if stage.Platform != "" {
		platform, err := r.expand(stage.Platform)
		if err != nil {
			return refuse(node.StartLine, "FROM --platform=%s: %v", stage.Platform, err)
		}
		if !samePlatform(platform, r.rules.Platform) {
			return refuse(node.StartLine, "--platform=%s is not the platform of this engine (%s): leave it out", platform, r.rules.Platform)
		}
	}
	var on source
	if base != "scratch" {
		if on, err = r.source(node.StartLine, "FROM", base, false); err != nil {
			return err
		}
	}
	if stage.Name != "" && r.stage(stage.Name, false) != nil {
		return refuse(node.StartLine, "another stage is called %s, and builders differ in which one is meant: choose another name", stage.Name)
	}
	r.stages = append(r.stages, begin(stage.Name, on))
	id := on.image
	if id == "" && base == stage.BaseName {
		return nil
	}
	flags, rest, err := splitFlags(node)
	if err != nil {
		return err
	}
	line := []piece{{text: strings.Join(append([]string{"FROM"}, flags...), " ") + " "}}
	if id == "" {
		line = append(line, piece{text: base})
	} else {
		line = append(line, piece{image: id})
	}
	if words := strings.Fields(rest); len(words) > 1 {
		line = append(line, piece{text: " " + strings.Join(words[1:], " ")})
	}
	r.out.edits = append(r.out.edits, newEdit(node, line))
	return nil
}

// copyFrom reads COPY --from.
func (r *reading) copyFrom(node *parser.Node, from string) error {
	if strings.Contains(from, "$") {
		return refuse(node.StartLine, "COPY --from=%s: --from does not take variables", from)
	}
	id, err := r.put(node.StartLine, "COPY --from", from)
	if err != nil || id == "" {
		return err
	}
	flags, rest, err := splitFlags(node)
	if err != nil {
		return err
	}
	line := []piece{{text: "COPY"}}
	for _, flag := range flags {
		if strings.HasPrefix(flag, "--from=") {
			line = append(line, piece{text: " --from="}, piece{image: id})
			continue
		}
		line = append(line, piece{text: " " + flag})
	}
	r.out.edits = append(r.out.edits, newEdit(node, append(line, piece{text: " " + rest})))
	return nil
}

// run reads RUN: its mounts, and flags that would let it out.
func (r *reading) run(node *parser.Node) error {
	flags, rest, err := splitFlags(node)
	if err != nil {
		return err
	}
	line, changed := []piece{{text: "RUN"}}, false
	for _, flag := range flags {
		name, value, _ := strings.Cut(flag, "=")
		switch {
		case name == "--mount":
			pieces, rewritten, err := r.mount(node.StartLine, value)
			if err != nil {
				return err
			}
			line, changed = append(append(line, piece{text: " --mount="}), pieces...), changed || rewritten
			continue
		case name == "--network" && (value == "none" || value == "default"):
		case name == "--security" && value == "sandbox":
		default:
			return refuse(node.StartLine, "RUN %s is not allowed: a build must not depend on more than the repository and the lab's images", flag)
		}
		line = append(line, piece{text: " " + flag})
	}
	if changed {
		r.out.edits = append(r.out.edits, newEdit(node, append(line, piece{text: " " + rest})))
	}
	return nil
}

// mount reads the value of one RUN --mount. Mounts of caches are refused:
// what is in them was put there by other builds, a learner's for one.
func (r *reading) mount(line int, value string) (pieces []piece, changed bool, err error) {
	if strings.ContainsAny(value, `"$`) {
		return nil, false, refuse(line, "RUN --mount=%s: write it without quotes and variables", value)
	}
	for i, field := range strings.Split(value, ",") {
		if i > 0 {
			pieces = append(pieces, piece{text: ","})
		}
		key, of, _ := strings.Cut(field, "=")
		switch strings.ToLower(key) {
		case "type":
			switch strings.ToLower(of) {
			case "bind", "tmpfs":
			default:
				return nil, false, refuse(line, "RUN --mount=type=%s brings in what is not in the repository: use bind or tmpfs", of)
			}
		case "from":
			if of == "scratch" {
				break
			}
			id, err := r.put(line, "RUN --mount from", of)
			if err != nil {
				return nil, false, err
			}
			if id != "" {
				pieces, changed = append(pieces, piece{text: key + "="}, piece{image: id}), true
				continue
			}
		}
		pieces = append(pieces, piece{text: field})
	}
	return pieces, changed, nil
}

// remoteSource is matched by everything that some builder fetches.
var remoteSource = regexp.MustCompile(`(?i)(^[a-z][a-z0-9+.-]*://)|(^[^/]+@[^/]+:)|(^(www\.)?(github|gitlab|bitbucket)\.(com|org)/)|(\.git(#.*|\?.*)?$)`)

// add reads ADD: a local file, or something to fetch, which gets through a
// build's network of none on every builder.
func (r *reading) add(node *parser.Node, cmd *instructions.AddCommand) error {
	if r.rules.Network {
		return nil
	}
	for _, source := range cmd.SourcePaths {
		if strings.Contains(source, "$") {
			return refuse(node.StartLine, "ADD %s: whether a variable names a file or an address cannot be told: use COPY", source)
		}
		plain, err := r.expand(source)
		if err != nil {
			return refuse(node.StartLine, "ADD %s: %v", source, err)
		}
		if remoteSource.MatchString(plain) || remoteSource.MatchString(source) {
			return refuse(node.StartLine, "ADD %s would fetch what is not in the repository, and the lab does not declare build_network: commit the file and COPY it", plain)
		}
	}
	return nil
}

// label reads LABEL: labctl's own must stay as they are, since what a killed
// clean room left is found by them.
func (r *reading) label(node *parser.Node, cmd *instructions.LabelCommand) error {
	for _, l := range cmd.Labels {
		if strings.Contains(l.Key, "$") {
			return refuse(node.StartLine, "LABEL %s: write the name of the label without variables", l.Key)
		}
		key, err := r.expand(l.Key) // without its quotes and escapes
		if err != nil {
			return refuse(node.StartLine, "LABEL %s: %v", l.Key, err)
		}
		if strings.HasPrefix(key, "labctl.") {
			return refuse(node.StartLine, "LABEL %s: labels that begin with labctl. are labctl's own: choose another name", key)
		}
	}
	return nil
}

// onbuild reads ONBUILD. A stage that continues this one would run what it
// keeps, out of reach of the rewriting: so nothing that can refer to an image
// or an address is let through.
func (r *reading) onbuild(node *parser.Node, cmd *instructions.OnbuildCommand) error {
	kept, err := parser.Parse(strings.NewReader(cmd.Expression))
	if err != nil {
		return refuse(node.StartLine, "ONBUILD %s: %v", cmd.Expression, err)
	}
	for _, inner := range kept.AST.Children {
		if strings.EqualFold(inner.Value, "add") || strings.EqualFold(inner.Value, "label") || len(inner.Flags) > 0 {
			return refuse(node.StartLine, "ONBUILD %s: neither ADD, LABEL nor flags are allowed in ONBUILD: write the instruction itself where it is needed", cmd.Expression)
		}
	}
	return nil
}

// splitFlags finds the flags in an instruction's text, and what follows them.
// Flags in quotes or with escapes are refused, so that text and meaning are one.
func splitFlags(node *parser.Node) (flags []string, rest string, err error) {
	rest = strings.TrimSpace(node.Original)
	_, rest, _ = cutSpace(rest)
	for strings.HasPrefix(rest, "--") {
		var flag string
		flag, rest, _ = cutSpace(rest)
		flags = append(flags, flag)
	}
	same := len(flags) == len(node.Flags)
	for i := 0; same && i < len(flags); i++ {
		same = flags[i] == node.Flags[i]
	}
	if !same {
		return nil, "", refuse(node.StartLine, "write the flags without quotes and escapes")
	}
	return flags, rest, nil
}

// cutSpace cuts text around its first run of spaces.
func cutSpace(text string) (word, rest string, found bool) {
	at := strings.IndexAny(text, " \t\v\f\r\u0085\u00a0")
	if at < 0 {
		return text, "", false
	}
	return text[:at], strings.TrimSpace(text[at:]), true
}
