package evidence_test

import (
	"archive/tar"
	"encoding/json"
	"slices"
	"testing"

	"github.com/labctl/labctl/scenarios/evidence"
)

func TestNamesAsTheyAreHeld(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, want string }{
		{"plain", "/plain"},
		{"größe", "/größe"},
		{"\ufffd", "/\ufffd"},
		{`back\slash`, `/back\slash`},
		{`\x`, `/\x`},
		{`\xAB`, `/\xAB`},
		{`\\xzz`, `/\\xzz`},
		{"a\xffb", `/a\xffb`},
		{`a\xffb`, `/a\\xffb`},
		{`a\\xffb`, `/a\\\\xffb`},
		{`\x\xff`, `/\\x\\xff`},
		{"a\\\xff", `/a\\\xff`},
		{"\xed\xa0\x80", `/\xed\xa0\x80`},
		{"d\\d/\xff", `/d\d/\xff`},
		{"\xff/d\\d", `/\xff/d\d`},
	}
	seen := map[string]bool{}
	for _, test := range tests {
		got := readTree(t, member{Header: tar.Header{Name: test.name, Linkname: test.name, Typeflag: tar.TypeSymlink}})
		want := evidence.Entry{Path: test.want, Type: evidence.TypeSymlink, Link: test.want[1:]}
		if len(got) != 1 || got[0] != want {
			t.Errorf("%q is held as %+v, want %s", test.name, got, test.want)
		}
		if seen[test.want] {
			t.Errorf("%q: two names became one", test.want)
		}
		seen[test.want] = true
	}
}

// All short names of the bytes that matter: none becomes another,
// and JSON gives back each as it was.
func TestNamesStayApart(t *testing.T) {
	t.Parallel()
	alphabet := []byte("\\xf0\xff\xc3\xa4a")
	var members []member
	var build func(prefix []byte)
	build = func(prefix []byte) {
		if len(prefix) > 0 {
			members = append(members, file(string(prefix), ""))
		}
		if len(prefix) < 4 {
			for _, b := range alphabet {
				build(append(slices.Clone(prefix), b))
			}
		}
	}
	build(nil)
	tree := readTree(t, members...)
	if len(tree) != len(members) {
		t.Fatalf("%d names became %d", len(members), len(tree))
	}
	saved, err := json.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	var again evidence.Tree
	if err := json.Unmarshal(saved, &again); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(again, tree) || again.Digest() != tree.Digest() {
		t.Error("JSON gave back another filesystem")
	}
}

func TestRemovalReachesNamesThatAreNoUTF8(t *testing.T) {
	t.Parallel()
	lower := readLayer(t, dir(`w\d`), file("w\\d/a\xff", "1"), file("b\xff/c", "2"), hardlink("h", "b\xff/c"), file("b\xfe/c", "3"))
	upper := readLayer(t, file(`.wh.w\d`, ""), file(".wh.b\xff", ""))
	got := evidence.Union([]evidence.Layer{lower, upper})
	if want := (evidence.Tree{fileEntry(`/b\xfe/c`, "3"), fileEntry("/h", "2")}); !slices.Equal(got, want) {
		t.Errorf("got %+v", got)
	}
}
