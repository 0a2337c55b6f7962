package evidence_test

import (
	"bytes"
	"maps"
	"strings"
	"testing"

	"github.com/labctl/labctl/scenarios/evidence"
)

// texts are some texts by SHA-256.
func texts(all ...string) map[string]string {
	out := map[string]string{}
	for _, text := range all {
		out[fileEntry("/", text).SHA256] = text
	}
	return out
}

func TestUnified(t *testing.T) {
	t.Parallel()
	link := evidence.Entry{Path: "/a", Type: evidence.TypeSymlink, Link: "b"}
	const long = "1\n2\n3\n4\n5\n6\n7\n8\n9\n"
	tests := []struct {
		name          string
		before, after []evidence.Entry
		texts         map[string]string
		want          string
		reads         int // contents that are needed for it
	}{
		{"changed", one("/a", "x\n"), one("/a", "y\n"), texts("x\n", "y\n"), "--- a/a\n+++ b/a\n@@ -1,1 +1,1 @@\n-x\n+y\n", 2},
		{"context", one("/a", long), one("/a", strings.Replace(long, "5", "five", 1)), texts(long, strings.Replace(long, "5", "five", 1)),
			"--- a/a\n+++ b/a\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n", 2},
		{"no line break at the end", one("/a", "x\n"), one("/a", "x"), texts("x\n", "x"), "--- a/a\n+++ b/a\n@@ -1,1 +1,1 @@\n-x\n+x\n\\ No newline at end of file\n", 2},
		{"added", nil, one("/a", "x\n"), texts("x\n"), "--- /dev/null\n+++ b/a\n@@ -0,0 +1,1 @@\n+x\n", 1},
		{"removed", one("/a", "x\n"), nil, texts("x\n"), "--- a/a\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-x\n", 1},
		{"emptied", one("/a", "x\n"), one("/a", ""), texts("x\n"), "--- a/a\n+++ b/a\n@@ -1,1 +0,0 @@\n-x\n", 1},
		{"added, empty", nil, one("/a", ""), nil, "", 0},
		{"a text is missing", one("/a", "x\n"), one("/a", "y\n"), texts("x\n"), "", 2},
		{"a mode", one("/a", "x\n"), []evidence.Entry{withMode(fileEntry("/a", "x\n"), 0o600)}, texts("x\n"), "", 0},
		{"a link instead", one("/a", "x\n"), []evidence.Entry{link}, texts("x\n"), "", 0},
		{"a directory", nil, []evidence.Entry{dirEntry("/a")}, nil, "", 0},
		{"a name of two lines", nil, one("/a\n+++ b/etc\x1b", "x\n"), texts("x\n"), "--- /dev/null\n+++ \"b/a\\n+++ b/etc\\x1b\"\n@@ -0,0 +1,1 @@\n+x\n", 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			ds := evidence.Diff(test.before, test.after, evidence.Exactly)
			if len(ds) != 1 {
				t.Fatalf("%d differences", len(ds))
			}
			if got := ds[0].Unified(test.texts); got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
			if got := ds[0].Contents(); len(got) != test.reads {
				t.Errorf("reads %+v, want %d", got, test.reads)
			}
		})
	}
}

func one(path, content string) []evidence.Entry { return []evidence.Entry{fileEntry(path, content)} }

func TestTexts(t *testing.T) {
	t.Parallel()
	want := texts("plain", "with\x1bescapes and é\r\n")
	all := texts("a\x00b", "\xff\xfe")
	maps.Copy(all, want)
	if got := evidence.Texts(all); !maps.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWanted(t *testing.T) {
	t.Parallel()
	files := []evidence.Entry{fileEntry("/a", "12345"), fileEntry("/b", "12345"), fileEntry("/c", "123456"), fileEntry("/d", "1234"), fileEntry("/e", "1")}
	want := map[string]int64{files[0].SHA256: 5, files[4].SHA256: 1}
	if got := evidence.Wanted(files, 5, 8); !maps.Equal(got, want) {
		t.Errorf("got %v, want %v: neither /c, which is too large, nor /d, for which no room is left", got, want)
	}
}

func TestReadContents(t *testing.T) {
	t.Parallel()
	data := archive(t, dir("d/"), file("d/a", "one\n"), hardlink("d/b", "d/a"), file("c", "two\n"), file("same size", "six\n"), symlink("l", "c"))
	wanted := map[string]int64{}
	for sum, text := range texts("one\n", "two\n", "not there\n") {
		wanted[sum] = int64(len(text))
	}
	got, err := evidence.ReadContents(bytes.NewReader(data), wanted)
	if want := texts("one\n", "two\n"); err != nil || !maps.Equal(got, want) {
		t.Errorf("got %q (%v), want %q", got, err, want)
	}
	if _, err := evidence.ReadContents(bytes.NewReader(data[:700]), wanted); err == nil {
		t.Error("a tar that is cut off is no error")
	}
}

// Whoever reads evidence need not look at its texts again.
func TestUnmarshalRefusesTexts(t *testing.T) {
	t.Parallel()
	held := fullSet()
	held.Layers["sha256:l1"] = append(held.Layers["sha256:l1"], fileEntry("/text", "text\n"))
	held.Texts = texts("text\n")
	if read, err := evidence.Unmarshal(marshal(t, held)); err != nil || !maps.Equal(read.Texts, held.Texts) {
		t.Errorf("got %v", err)
	}
	sum := fileEntry("/", "text\n").SHA256
	large, many := strings.Repeat("x", evidence.MaxText+1), map[string]string{}
	for i := range 17 {
		maps.Copy(many, texts(strings.Repeat(string(rune('a'+i)), evidence.MaxText)))
	}
	for name, test := range map[string]struct {
		texts map[string]string
		want  string
	}{
		"another text":  {map[string]string{sum: "forged\n"}, "the text " + sum[:12] + " is not what its digest says"},
		"of no file":    {texts("nowhere"), "is of no file"},
		"too large":     {texts(large), "larger than 16384 bytes"},
		"binary":        {texts("a\x00"), "is none"},
		"all too large": {many, "bytes together, more than 262144"},
	} {
		held.Texts = test.texts
		if _, err := evidence.Unmarshal(marshal(t, held)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got the error %v, want %q in it", name, err, test.want)
		}
	}
}
