package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode"
)

// hostile is what a learner could put into a file's name or a container's.
const hostile = "a\x1b[2Jb\nc\td\re\x7ff\u009bg\u202eh\u200bi\xffj\U000e0041k"

func TestClean(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, line, text string }{
		{"plain", "~ /etc/booking.conf", "~ /etc/booking.conf", "~ /etc/booking.conf"},
		{"other scripts", "größe 価格 ✓", "größe 価格 ✓", "größe 価格 ✓"},
		{"escape sequence", "\x1b[31mred", `\x1b[31mred`, `\x1b[31mred`},
		{"breaks", "a\nb\tc\rd", `a\nb\tc\rd`, "a\nb\tc" + `\rd`},
		{"invalid UTF-8", "a\xff\xfeb", `a\xff\xfeb`, `a\xff\xfeb`},
		{"C1 control", "a\u009b2J", `a\u009b2J`, `a\u009b2J`},
		{"bidirectional override", "a\u202etxt.exe", `a\u202etxt.exe`, `a\u202etxt.exe`},
		{"zero width", "a\u200bb\ufeff", `a\u200bb\ufeff`, `a\u200bb\ufeff`},
		{"beyond the first plane", "a\U000e0041", `a\U000e0041`, `a\U000e0041`},
		{"the replacement character itself", "a\ufffd", "a\ufffd", "a\ufffd"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := Clean(tt.in); got != tt.line {
				t.Errorf("Clean(%q) = %q, want %q", tt.in, got, tt.line)
			}
			if got := CleanText(tt.in); got != tt.text {
				t.Errorf("CleanText(%q) = %q, want %q", tt.in, got, tt.text)
			}
		})
	}
}

func FuzzClean(f *testing.F) {
	f.Add(hostile)
	f.Fuzz(func(t *testing.T, s string) {
		for _, r := range Clean(s) {
			if !unicode.IsPrint(r) {
				t.Errorf("Clean(%q) lets %U through", s, r)
			}
		}
	})
}

func TestJSONIsSafeAndWhole(t *testing.T) {
	t.Parallel()
	in := map[string]string{"text": strings.ToValidUTF8(hostile, "?")}
	var b bytes.Buffer
	if err := writeJSON(&b, in); err != nil {
		t.Fatal(err)
	}
	for _, r := range b.String() {
		if !unicode.IsPrint(r) && r != '\n' {
			t.Errorf("the JSON holds %U: %q", r, b.String())
		}
	}
	var out map[string]string
	if err := json.Unmarshal(b.Bytes(), &out); err != nil {
		t.Fatal(err)
	}
	if out["text"] != in["text"] {
		t.Errorf("read back %q, want %q", out["text"], in["text"])
	}
}

func TestWrap(t *testing.T) {
	t.Parallel()
	got := wrap("one two three four five six seven eight", 24, "    ")
	want := "one two three four\n    five six seven eight"
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	long := "/a/very/long/path/that/stays/whole/to/be/copied"
	if got := wrap("see "+long, 30, ""); got != "see\n"+long {
		t.Errorf("got %q", got)
	}
}

func TestTableBreaksItsLastColumn(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	table{{"LAB", "TEACHES"}, {"drift-lab", "drift, pets and cattle, build new, destroy old"}}.write(&b, 40, newColors(false))
	want := "LAB        TEACHES\ndrift-lab  drift, pets and cattle, build\n           new, destroy old\n"
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}
