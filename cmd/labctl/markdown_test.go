package main

import (
	"strings"
	"testing"
	"unicode"
)

func TestMarkdown(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, plain string }{
		{"heading, strong, code", "# The *hotfix*\n\n**Done** means `web-001` runs.\n", "The hotfix\n\nDone means `web-001` runs.\n"},
		{"lines are broken anew", "one two\nthree four five six seven\n", "one two three four five six\nseven\n"},
		{"hard breaks stay", "one  \ntwo\n", "one\ntwo\n"},
		{"code is not broken", "Type this:\n\n    docker run --detach --memory 64m \\\n      IMAGE\n\nThen wait.\n", "Type this:\n\n    docker run --detach --memory 64m \\\n      IMAGE\n\nThen wait.\n"},
		{"fenced code", "```sh\ngit log  # *all*\n```\n", "    git log  # *all*\n"},
		{"code in a line is not broken", "Now type `docker diff shop-lab-ada-pet-01`, twice.\n", "Now type\n`docker diff shop-lab-ada-pet-01`,\ntwice.\n"},
		{"a tight list", "1. one two three four five six seven\n2. two\n", "1. one two three four five\n   six seven\n2. two\n"},
		{"a loose list in a list", "- one\n\n  more\n\n- two\n  - three\n", "- one\n\n  more\n\n- two\n\n  - three\n"},
		{"quote and rule", "> said\n> so\n\n***\n", "│ said so\n\n────────────────────────────\n"},
		{"links", "See [the book](https://sre.example/a) or <https://b.example>.\n", "See the book\n(https://sre.example/a) or\nhttps://b.example.\n"},
		{"references", "See [the book].\n\n[the book]: https://sre.example\n", "See the book\n(https://sre.example).\n"},
		{"escapes", "\\*not\\* strong, `a\\*b`, 2 * 3 * 4, snake_case_name\n", "*not* strong, `a\\*b`, 2 * 3\n* 4, snake_case_name\n"},
		{"HTML is text", "<b>bold</b> &#27;[31m\n\n<script>\nx\n", "<b>bold</b> &#27;[31m\n\n<script> x\n"},
		{"hostile", "# \x1b[2J\n\n    \x1b]0;x\x07\n\n`\x9b` \u202e [a](<\x1b>)\r\nb\rc\n", "\\x1b[2J\n\n    \\x1b]0;x\\x07\n\n`\\x9b` \\u202e a (\\x1b) b\\rc\n"},
		{"unclosed", "unclosed `code and **strong\n", "unclosed `code and **strong\n"},
		{"nothing", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := showMarkdown(tt.in, 28, newColors(false)); got != tt.plain {
				t.Errorf("got\n%s\nwant\n%s", got, tt.plain)
			}
		})
	}
	painted := showMarkdown("# The *hotfix*\n\n**Done at last**: `web-001` is *new*.\n\n    docker run\n", 80, newColors(true))
	for _, part := range []string{"\x1b[1mThe\x1b[", "\x1b[1mDone at last\x1b[", "\x1b[1m\x1b[3mhotfix\x1b[", "\x1b[36m`web-001`\x1b[", "\x1b[3mnew\x1b[", "    \x1b[36mdocker run\x1b["} {
		if !strings.Contains(painted, part) {
			t.Errorf("with colours: no %q in %q", part, painted)
		}
	}
	long := strings.Repeat("word ", 100)
	if first, _, _ := strings.Cut(showMarkdown(long, 400, newColors(false)), "\n"); columns(first) > proseWidth {
		t.Errorf("a line has %d columns", columns(first))
	}
}

// Whatever a text holds, what reaches a terminal is clean.
func FuzzMarkdown(f *testing.F) {
	f.Add(hostile, 80)
	f.Add("# a\n\n- b\n\n      c\n> [d](<e\x1b> \"f\") ![g](h) &#27; `i`\n***\n", 3)
	f.Fuzz(func(t *testing.T, s string, width int) {
		for _, r := range showMarkdown(s, width, newColors(false)) {
			if !unicode.IsPrint(r) && r != '\n' && r != '\t' {
				t.Errorf("showMarkdown(%q) lets %U through", s, r)
			}
		}
	})
}
