package evidence_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/labctl/labctl/scenarios/evidence"
)

// FuzzReadTree: whatever a container holds, its filesystem is sorted, names
// each path once, and survives JSON.
func FuzzReadTree(f *testing.F) {
	f.Add([]byte{})
	f.Add(archive(f, dir("d/"), file("d/a", "x"), hardlink("b", "d/a"), symlink("l", "../..")))
	f.Add(archive(f, file("a\xff", ""), file(`a\xff`, ""), file("d/.wh..wh..opq", ""), file(".wh.a\xff", "")))
	f.Add(archive(f, hardlink("a", "b"), hardlink("b", "a"), file("a/b", ""), file("..", "")))
	f.Add(archive(f, file("a", "x"))[:700])
	f.Fuzz(func(t *testing.T, data []byte) {
		if layer, err := evidence.ReadLayer(bytes.NewReader(data)); err == nil {
			evidence.Union([]evidence.Layer{layer, layer})
			if deltas := evidence.Deltas([]evidence.Layer{layer}); len(deltas) > 1 {
				t.Errorf("one layer has %d deltas", len(deltas))
			}
		}
		tree, err := evidence.ReadTree(bytes.NewReader(data))
		if err != nil {
			return
		}
		if again := evidence.Union([]evidence.Layer{evidence.Layer(tree)}); !slices.Equal(again, tree) {
			t.Errorf("a layer of all there is makes another filesystem:\n%+v\n%+v", tree, again)
		}
		for i, e := range tree {
			if !strings.HasPrefix(e.Path, "/") || !utf8.ValidString(e.Path) || !utf8.ValidString(e.Link) {
				t.Errorf("unfit for an entry: %+q", e.Path)
			}
			if i > 0 && tree[i-1].Path >= e.Path {
				t.Errorf("%q comes before %q", tree[i-1].Path, e.Path)
			}
		}
		saved, err := json.Marshal(tree)
		if err != nil {
			t.Fatal(err)
		}
		var read evidence.Tree
		if err := json.Unmarshal(saved, &read); err != nil || !slices.Equal(read, tree) || read.Digest() != tree.Digest() {
			t.Errorf("JSON gave back another filesystem: %v", err)
		}
	})
}

// FuzzUnmarshal: what is accepted stays the same evidence however often it is
// saved, and its layers can be looked at.
func FuzzUnmarshal(f *testing.F) {
	saved, err := evidence.Marshal(fullSet())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(saved)
	f.Add([]byte(`{"schema":"labctl/evidence/v1"}`))
	f.Add([]byte(`{"schema":"labctl/evidence/v1","head":{"subject":"` + "\xff" + `\ufffd\ud800"},"layers":{"":[{"path":"","type":"whiteout"},{"path":"a//b","type":"hardlink","link":"a//b"}]}}`))
	f.Add([]byte(`{"schema":"labctl/evidence/v1","trees":{"x":null},"time":"2026-01-01T00:00:00+23:59"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		set, err := evidence.Unmarshal(data)
		if err != nil {
			return
		}
		first, err := evidence.Marshal(set)
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		again, err := evidence.Unmarshal(first)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		second, err := evidence.Marshal(again)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first, second) {
			t.Errorf("first\n%s\nsecond\n%s", first, second)
		}
		var all []evidence.Layer
		for _, layer := range set.Layers {
			all = append(all, layer)
		}
		evidence.Union(all)
		evidence.Deltas(all)
	})
}
