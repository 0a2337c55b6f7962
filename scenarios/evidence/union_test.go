package evidence_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/labctl/labctl/scenarios/evidence"
)

type layers = []evidence.Layer

func TestUnion(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		layers layers
		want   evidence.Tree
	}{
		{"of nothing", nil, evidence.Tree{}},
		{
			"a file is replaced",
			layers{{fileEntry("/a", "1"), fileEntry("/b", "1")}, {fileEntry("/a", "2")}},
			evidence.Tree{fileEntry("/a", "2"), fileEntry("/b", "1")},
		},
		{
			"a directory's own entry leaves what it holds",
			layers{{dirEntry("/d"), fileEntry("/d/a", "1")}, {withMode(dirEntry("/d"), 0o700)}},
			evidence.Tree{withMode(dirEntry("/d"), 0o700), fileEntry("/d/a", "1")},
		},
		{
			"a directory becomes a file",
			layers{{dirEntry("/d"), fileEntry("/d/a", "1"), fileEntry("/d/e/b", "1"), fileEntry("/da", "1")}, {fileEntry("/d", "2")}},
			evidence.Tree{fileEntry("/d", "2"), fileEntry("/da", "1")},
		},
		{
			"a file becomes a directory",
			layers{{fileEntry("/d", "1")}, {dirEntry("/d"), fileEntry("/d/a", "2")}},
			evidence.Tree{dirEntry("/d"), fileEntry("/d/a", "2")},
		},
		{
			"a directory becomes a hard link",
			layers{{dirEntry("/d"), fileEntry("/d/a", "1"), fileEntry("/f", "2")}, {linkEntry("/d", "/f")}},
			evidence.Tree{fileEntry("/d", "2"), fileEntry("/f", "2")},
		},
		{
			"a whiteout removes a directory with all below, and nothing beside it",
			layers{{dirEntry("/d"), fileEntry("/d/e/f", "1"), fileEntry("/d.conf", "1"), fileEntry("/dd", "1")}, {whiteout("/d")}},
			evidence.Tree{fileEntry("/d.conf", "1"), fileEntry("/dd", "1")},
		},
		{
			"a whiteout of nothing",
			layers{{fileEntry("/a", "1")}, {whiteout("/b"), whiteout("/a/b")}},
			evidence.Tree{fileEntry("/a", "1")},
		},
		{
			"an opaque directory stays, empty of what was below",
			layers{{dirEntry("/d"), fileEntry("/d/old", "1"), fileEntry("/e", "1")}, {fileEntry("/d/new", "2"), opaque("/d")}},
			evidence.Tree{dirEntry("/d"), fileEntry("/d/new", "2"), fileEntry("/e", "1")},
		},
		{
			"an opaque root",
			layers{{dirEntry("/d"), fileEntry("/d/a", "1")}, {opaque("/"), fileEntry("/b", "2")}},
			evidence.Tree{fileEntry("/b", "2")},
		},
		{
			"removals mean the layers below, wherever they stand",
			layers{{dirEntry("/d"), fileEntry("/d/a", "1"), fileEntry("/d/b", "1")}, {dirEntry("/d"), fileEntry("/d/a", "2"), whiteout("/d")}},
			evidence.Tree{dirEntry("/d"), fileEntry("/d/a", "2")},
		},
		{
			"what was removed comes back in a later layer",
			layers{{fileEntry("/a", "1")}, {whiteout("/a")}, {fileEntry("/a", "1")}},
			evidence.Tree{fileEntry("/a", "1")},
		},
		{
			"hard links lead to the layer below, through links of the same layer",
			layers{{fileEntry("/f", "1")}, {linkEntry("/a", "/b"), linkEntry("/b", "/f")}},
			evidence.Tree{fileEntry("/a", "1"), fileEntry("/b", "1"), fileEntry("/f", "1")},
		},
		{
			"a hard link is a file of its own in later layers",
			layers{{fileEntry("/f", "1"), linkEntry("/a", "/f")}, {fileEntry("/f", "2")}, {whiteout("/f")}},
			evidence.Tree{fileEntry("/a", "1")},
		},
		{
			"hard links prefer the same layer to the one below",
			layers{{fileEntry("/f", "1")}, {linkEntry("/a", "/f"), fileEntry("/f", "2")}},
			evidence.Tree{fileEntry("/a", "2"), fileEntry("/f", "2")},
		},
		{
			"a hard link to what the layer removes leads nowhere",
			layers{{fileEntry("/f", "1")}, {linkEntry("/a", "/f"), whiteout("/f")}},
			evidence.Tree{linkEntry("/a", "/f")},
		},
		{
			"hard links in a circle do not reach what they replace",
			layers{{fileEntry("/a", "1"), fileEntry("/b", "1")}, {linkEntry("/a", "/b"), linkEntry("/b", "/a")}},
			evidence.Tree{linkEntry("/a", "/b"), linkEntry("/b", "/a")},
		},
		{
			"the engine's own is left out",
			layers{{fileEntry("/etc/hosts", "1"), fileEntry("/etc/motd", "1"), dirEntry("/")}},
			evidence.Tree{fileEntry("/etc/motd", "1")},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := evidence.Union(test.layers); !slices.Equal(got, test.want) {
				t.Errorf("got\n%+v\nwant\n%+v", got, test.want)
			}
		})
	}
}

func TestDeltas(t *testing.T) {
	t.Parallel()
	base := evidence.Layer{dirEntry("/d"), fileEntry("/d/a", "1"), fileEntry("/d/b", "1")}
	baseDelta := []evidence.Entry{fileEntry("/d/a", "1"), fileEntry("/d/b", "1")}
	tests := []struct {
		name   string
		layers layers
		want   [][]evidence.Entry // of the layers after base
	}{
		{"a file written as it was", layers{{dirEntry("/d"), fileEntry("/d/a", "1")}}, nil},
		{"a directory's mode", layers{{withMode(dirEntry("/d"), 0o700)}}, nil},
		{"a new directory", layers{{dirEntry("/e")}}, nil},
		{"an empty layer between two", layers{{}, {fileEntry("/c", "2")}}, [][]evidence.Entry{{fileEntry("/c", "2")}}},
		{"a change", layers{{fileEntry("/d/a", "2")}}, [][]evidence.Entry{{fileEntry("/d/a", "2")}}},
		{"a change of who else may read", layers{{withMode(fileEntry("/d/a", "1"), 0o600)}}, nil},
		{"a change of who may execute", layers{{withMode(fileEntry("/d/a", "1"), 0o755)}}, [][]evidence.Entry{{withMode(fileEntry("/d/a", "1"), 0o755)}}},
		{"a change of whose identity it runs with", layers{{withMode(fileEntry("/d/a", "1"), 0o4644)}}, [][]evidence.Entry{{withMode(fileEntry("/d/a", "1"), 0o4644)}}},
		{"a removal", layers{{whiteout("/d/a")}}, [][]evidence.Entry{{whiteout("/d/a")}}},
		{"a removal of nothing", layers{{whiteout("/x"), opaque("/x")}}, nil},
		{"a directory removed", layers{{whiteout("/d")}}, [][]evidence.Entry{{whiteout("/d/a"), whiteout("/d/b")}}},
		{
			"a directory removed and made again as it was",
			layers{{whiteout("/d"), dirEntry("/d"), fileEntry("/d/a", "1"), fileEntry("/d/b", "1")}},
			nil,
		},
		{
			"a directory made opaque and filled again, but for one file",
			layers{{opaque("/d"), dirEntry("/d"), fileEntry("/d/a", "1")}},
			[][]evidence.Entry{{whiteout("/d/b")}},
		},
		{"a directory becomes a file", layers{{fileEntry("/d", "2")}}, [][]evidence.Entry{{fileEntry("/d", "2"), whiteout("/d/a"), whiteout("/d/b")}}},
		{"a file becomes a directory", layers{{dirEntry("/d/a")}}, [][]evidence.Entry{{whiteout("/d/a")}}},
		{"a hard link to the layer below", layers{{linkEntry("/c", "/d/a")}}, [][]evidence.Entry{{fileEntry("/c", "1")}}},
		{"a hard link where the same file was", layers{{linkEntry("/d/b", "/d/a")}}, nil},
		{"each layer counts from the one below", layers{{whiteout("/d/a")}, {fileEntry("/d/a", "1")}, {fileEntry("/d/a", "1")}},
			[][]evidence.Entry{{whiteout("/d/a")}, {fileEntry("/d/a", "1")}}},
		{"the engine's own", layers{{fileEntry("/etc/hosts", "1")}, {whiteout("/etc/hosts")}}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := evidence.Deltas(append(layers{base}, test.layers...))
			want := append([][]evidence.Entry{baseDelta}, test.want...)
			if !slices.EqualFunc(got, want, slices.Equal) {
				t.Errorf("got\n%+v\nwant\n%+v", got, want)
			}
		})
	}
}

// A layer of nothing but links that lead through each other is read in one
// pass: followed anew for each, this would not end.
func TestUnionOfALongChainOfLinks(t *testing.T) {
	t.Parallel()
	const n = 30_000
	var layer evidence.Layer
	for i := range n {
		layer = append(layer, linkEntry(fmt.Sprintf("/l%d", i), fmt.Sprintf("/l%d", i+1)))
	}
	layer = append(layer, fileEntry(fmt.Sprintf("/l%d", n), "x"))
	for _, e := range evidence.Union(layers{layer}) {
		if e.Type != evidence.TypeFile {
			t.Fatalf("%s is a %s", e.Path, e.Type)
		}
	}
}

// bigImage is a base of 30,000 files and a layer that replaces and removes
// some: as large as images for labs get.
func bigImage() layers {
	var base, upper evidence.Layer
	for d := range 1000 {
		dir := fmt.Sprintf("/usr/share/doc/package-%d", d)
		base = append(base, dirEntry(dir))
		for f := range 29 {
			base = append(base, fileEntry(fmt.Sprintf("%s/file-%d", dir, f), dir))
		}
		switch {
		case d < 500:
			upper = append(upper, whiteout(dir))
		case d < 600:
			upper = append(upper, fileEntry(dir, "now a file"))
		}
	}
	return layers{base, upper}
}

func BenchmarkUnion(b *testing.B) {
	image := bigImage()
	for b.Loop() {
		evidence.Union(image)
	}
}

func BenchmarkDeltas(b *testing.B) {
	image := bigImage()
	for i := range 30 { // as many as Dockerfiles have steps
		image = append(image, evidence.Layer{fileEntry(fmt.Sprintf("/srv/%d", i), "x"), whiteout(fmt.Sprintf("/usr/share/doc/package-%d", 900+i))})
	}
	for b.Loop() {
		evidence.Deltas(image)
	}
}
