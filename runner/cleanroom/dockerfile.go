package cleanroom

import (
	"bytes"
	"errors"
	"regexp"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerfile/shell"

	"github.com/labctl/labctl/scenarios/evidence"
)

// dockerfile is a Dockerfile that was read by the rules.
type dockerfile struct {
	source []byte
	runs   bool // it has RUN instructions
	adds   bool // it has ADD instructions
	modern bool // it has what only BuildKit knows
	escape rune
	edits  []edit   // one for each instruction
	images []string // references to images from elsewhere, as written, in order

	lineage evidence.Lineage
}

// reading is the state of reading one.
type reading struct {
	rules  Rules
	lookup func(ref string) (id string, ok bool)
	known  string // what lookup knows, for messages
	lex    *shell.Lex
	args   []string // global build arguments: "NAME=value"
	stages []*stage // so far
	out    *dockerfile
}

// Bases lists the images that a Dockerfile takes something from, without
// those that it makes itself: FROM, COPY --from and RUN --mount=from, as
// written with build arguments filled in. A Dockerfile that a clean room
// would refuse for another reason is a *Refused here too.
func Bases(source []byte) ([]string, error) {
	anything := func(ref string) (string, bool) {
		_, err := canonical(ref)
		return ref, err == nil
	}
	d, err := read(source, Rules{Platform: hostPlatform(), BuildKit: true}, anything, "any")
	if err != nil {
		return nil, err
	}
	return d.images, nil
}

// readDockerfile reads a Dockerfile by the rules.
func readDockerfile(source []byte, rules Rules) (*dockerfile, error) {
	pins, err := pin(rules.Pins)
	if err != nil {
		return nil, err
	}
	return read(source, rules, pins.image, pins.String())
}

func read(source []byte, rules Rules, lookup func(string) (string, bool), known string) (*dockerfile, error) {
	if err := checkText(source); err != nil {
		return nil, err
	}
	parsed, err := parser.Parse(bytes.NewReader(source))
	if err != nil {
		return nil, unreadable(err)
	}
	r := &reading{
		rules: rules, lookup: lookup, known: known,
		lex:  shell.NewLex(parsed.EscapeToken),
		args: platformArgs(rules.Platform),
		out:  &dockerfile{source: source, escape: parsed.EscapeToken},
	}
	for _, node := range parsed.AST.Children {
		if err := r.checkEnd(node); err != nil {
			return nil, err
		}
		before := len(r.out.edits)
		if err := r.instruction(node); err != nil {
			return nil, err
		}
		if len(r.out.edits) == before {
			r.out.edits = append(r.out.edits, newEdit(node, []piece{{text: node.Original}}))
		}
	}
	if len(r.stages) == 0 {
		return nil, refuse(0, "the Dockerfile has no FROM")
	}
	r.out.lineage = r.lineage()
	return r.out, nil
}

// instruction reads one instruction.
func (r *reading) instruction(node *parser.Node) error {
	parsed, err := instructions.ParseInstruction(node)
	if err != nil {
		return refuse(node.StartLine, "cannot be read: %v", err)
	}
	if len(node.Heredocs) > 0 && !r.rules.BuildKit {
		return refuse(node.StartLine, "this engine's builder does not know <<%s: put the text into a file of the repository and COPY it", node.Heredocs[0].Name)
	}
	r.out.modern = r.out.modern || modern(node)
	switch cmd := parsed.(type) {
	case *instructions.ArgCommand:
		if len(r.stages) == 0 {
			return r.globalArg(node, cmd)
		}
	case *instructions.Stage:
		return r.from(node, cmd)
	case *instructions.CopyCommand:
		if cmd.From != "" {
			return r.copyFrom(node, cmd.From)
		}
	case *instructions.AddCommand:
		r.out.adds = true
		return r.add(node, cmd)
	case *instructions.RunCommand:
		r.out.runs = true
		return r.run(node)
	case *instructions.LabelCommand:
		return r.label(node, cmd)
	case *instructions.OnbuildCommand:
		r.out.runs = true // a later stage may run it
		return r.onbuild(node, cmd)
	}
	return nil
}

// classicFlags are the flags that every classic builder knows.
var classicFlags = map[string]bool{
	"--platform": true, "--from": true, "--chown": true,
	"--interval": true, "--timeout": true, "--start-period": true, "--retries": true,
}

// modern tells whether an instruction has what the classic builder does not
// know, or reads otherwise.
func modern(node *parser.Node) bool {
	if len(node.Heredocs) > 0 {
		return true
	}
	for _, flag := range node.Flags {
		if name, _, _ := strings.Cut(flag, "="); !classicFlags[name] {
			return true
		}
	}
	if !strings.EqualFold(node.Value, "arg") {
		return false
	}
	for next := node.Next; next != nil; next = next.Next {
		for _, platform := range platformArgs("/") {
			if known, _, _ := strings.Cut(platform, "="); next.Value == known {
				return true // only BuildKit gives it its value
			}
		}
	}
	return false
}

// globalArg takes in the defaults of an ARG before the first FROM.
func (r *reading) globalArg(node *parser.Node, cmd *instructions.ArgCommand) error {
	for _, arg := range cmd.Args {
		if arg.Value == nil {
			continue // only --build-arg would give it one
		}
		value, err := r.expand(*arg.Value)
		if err != nil {
			return refuse(node.StartLine, "ARG %s: %v", arg.Key, err)
		}
		r.args = append(r.args, arg.Key+"="+value)
	}
	return nil
}

// expand fills in global build arguments. The last of a name counts.
func (r *reading) expand(word string) (string, error) {
	env := map[string]string{}
	for _, arg := range r.args {
		name, value, _ := strings.Cut(arg, "=")
		env[name] = value
	}
	list := make([]string, 0, len(env))
	for name, value := range env {
		list = append(list, name+"="+value)
	}
	expanded, _, err := r.lex.ProcessWord(word, shell.EnvsFromSlice(list))
	return expanded, err
}

// stage finds an earlier stage by name, or by index where that is allowed; nil
// when there is none.
func (r *reading) stage(name string, byIndex bool) *stage {
	for _, s := range r.stages {
		if s.name != "" && strings.EqualFold(s.name, name) {
			return s
		}
	}
	index, err := strconv.Atoi(name)
	if byIndex && err == nil && index >= 0 && index < len(r.stages) {
		return r.stages[index]
	}
	return nil
}

// source decides what a reference in FROM, COPY --from or a mount stands for.
func (r *reading) source(line int, what, ref string, byIndex bool) (source, error) {
	if s := r.stage(ref, byIndex); s != nil {
		return source{stage: s}, nil
	}
	id, ok := r.lookup(ref)
	if !ok {
		return source{}, refuse(line, "%s %s is neither an image of the lab (%s) nor an earlier stage: what it holds does not come from the repository", what, ref, r.known)
	}
	r.out.images = append(r.out.images, ref)
	return source{image: id}, nil
}

// put decides what a reference to what is put into the stage that is read
// stands for.
func (r *reading) put(line int, what, ref string) (image string, err error) {
	of, err := r.source(line, what, ref, true)
	if err != nil {
		return "", err
	}
	if len(r.stages) == 0 {
		return "", refuse(line, "%s stands before the first FROM", what)
	}
	r.stages[len(r.stages)-1].take(of)
	return of.image, nil
}

// Directives are matched more widely than builders do, since they differ.
var (
	syntaxDirective = regexp.MustCompile(`(?i)^\s*(#|//)\s*syntax\s*=`)
	escapeDirective = regexp.MustCompile(`(?i)^\s*#\s*escape\s*=`)
)

// checkText refuses what must not reach a builder at all.
func checkText(source []byte) error {
	if bytes.ContainsRune(source, 0) {
		return refuse(0, "the Dockerfile is not text")
	}
	if _, _, at, ok := parser.DetectSyntax(source); ok {
		line := 1
		if len(at) > 0 {
			line = max(line, at[0].Start.Line)
		}
		return refuseSyntax(line)
	}
	for i, line := range bytes.Split(bytes.TrimPrefix(source, []byte("\xef\xbb\xbf")), []byte("\n")) {
		trimmed := bytes.TrimSpace(line)
		if syntaxDirective.Match(trimmed) {
			return refuseSyntax(i + 1)
		}
		if i > 0 && escapeDirective.Match(trimmed) {
			return refuse(i+1, "# escape counts for some builders only on the first line: put it there")
		}
		if len(trimmed) > 0 && trimmed[0] != '#' {
			return nil // directives stand before the first instruction
		}
	}
	return nil
}

func refuseSyntax(line int) error {
	return refuse(line, "# syntax would fetch another builder from a registry: remove the line")
}

// checkEnd refuses an instruction that ends in an escape character: older
// builders would continue it with what follows, newer ones do not, and a
// Dockerfile must not be read in two ways.
func (r *reading) checkEnd(node *parser.Node) error {
	if strings.HasSuffix(strings.TrimSpace(node.Original), string(r.out.escape)) {
		return refuse(node.StartLine, "ends in %c, which builders read in different ways: write it otherwise", r.out.escape)
	}
	return nil
}

// headerEnd is the last line of an instruction without its heredocs.
func headerEnd(node *parser.Node) int {
	end := node.EndLine
	for _, h := range node.Heredocs {
		end -= strings.Count(h.Content, "\n") + 1
	}
	return end
}

// unreadable makes a refusal of a parser's error.
func unreadable(err error) error {
	var located *parser.LocationError
	line := 0
	if errors.As(err, &located) && len(located.Locations) > 0 && len(located.Locations[0]) > 0 {
		line = located.Locations[0][0].Start.Line
	}
	if line == 0 {
		return refuse(0, "the Dockerfile cannot be read: %v", err)
	}
	return refuse(line, "cannot be read: %v", err)
}
