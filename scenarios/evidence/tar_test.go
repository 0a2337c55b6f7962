package evidence_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/labctl/labctl/scenarios/evidence"
)

func TestReadTree(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		members []member
		want    evidence.Tree
	}{
		{
			name: "empty",
			want: evidence.Tree{},
		},
		{
			name:    "paths are absolute, clean and sorted",
			members: []member{dir("./"), file("./srv//b", "2"), file("/srv/./a", "1"), dir("srv/")},
			want:    evidence.Tree{dirEntry("/srv"), fileEntry("/srv/a", "1"), fileEntry("/srv/b", "2")},
		},
		{
			name:    "no path leads out",
			members: []member{file("../../etc/passwd", "x"), file("srv/../../up", "y")},
			want:    evidence.Tree{fileEntry("/etc/passwd", "x"), fileEntry("/up", "y")},
		},
		{
			name:    "control characters stay in names",
			members: []member{file("a\nb", ""), file("a\x1b[2Jb", ""), file("\u202egnp", "")},
			want:    evidence.Tree{fileEntry("/a\nb", ""), fileEntry("/a\x1b[2Jb", ""), fileEntry("/\u202egnp", "")},
		},
		{
			name:    "of a path that occurs twice the last counts",
			members: []member{file("a", "first"), file("./a", "second"), dir("b"), symlink("/b", "a")},
			want:    evidence.Tree{fileEntry("/a", "second"), {Path: "/b", Type: evidence.TypeSymlink, Link: "a"}},
		},
		{
			name:    "hard links are files, before their target and in chains",
			members: []member{hardlink("a", "b"), hardlink("b", "./c"), file("c", "x"), hardlink("d", "/a")},
			want:    evidence.Tree{fileEntry("/a", "x"), fileEntry("/b", "x"), fileEntry("/c", "x"), fileEntry("/d", "x")},
		},
		{
			name:    "hard links that lead nowhere stay links",
			members: []member{hardlink("a", "b"), hardlink("b", "a"), hardlink("c", "c"), hardlink("d", "gone"), hardlink("e", "a")},
			want:    evidence.Tree{linkEntry("/a", "/b"), linkEntry("/b", "/a"), linkEntry("/c", "/c"), linkEntry("/d", "/gone"), linkEntry("/e", "/a")},
		},
		{
			name: "special modes and owners",
			members: []member{
				{Header: tar.Header{Name: "su", Typeflag: tar.TypeReg, Mode: 0o104755}},
				{Header: tar.Header{Name: "tmp", Typeflag: tar.TypeDir, Mode: 0o1777, Uid: 7, Gid: 9}},
			},
			want: evidence.Tree{
				withMode(fileEntry("/su", ""), 0o4755),
				{Path: "/tmp", Type: evidence.TypeDir, Mode: 0o1777, UID: 7, GID: 9},
			},
		},
		{
			name: "devices and pipes",
			members: []member{
				{Header: tar.Header{Name: "null", Typeflag: tar.TypeChar, Mode: 0o666, Devmajor: 1, Devminor: 3}},
				{Header: tar.Header{Name: "pipe", Typeflag: tar.TypeFifo, Mode: 0o600}},
				{Header: tar.Header{Name: "sda", Typeflag: tar.TypeBlock, Mode: 0o660, Devmajor: 8}},
			},
			want: evidence.Tree{
				{Path: "/null", Type: evidence.TypeDevice, Mode: 0o666, Device: "c 1:3"},
				{Path: "/pipe", Type: evidence.TypeFIFO, Mode: 0o600},
				{Path: "/sda", Type: evidence.TypeDevice, Mode: 0o660, Device: "b 8:0"},
			},
		},
		{
			name: "capabilities",
			members: []member{{Header: tar.Header{Name: "ping", Typeflag: tar.TypeReg, Mode: 0o644,
				PAXRecords: map[string]string{"SCHILY.xattr.security.capability": "\x01\x00\xff"}, Format: tar.FormatPAX}}},
			want: evidence.Tree{withCapability(fileEntry("/ping", ""), "0100ff")},
		},
		{
			name: "the engine's own is left out, and what is only called like it is not",
			members: []member{
				dir("dev"), file("dev/null", ""), dir("proc"), dir("sys"), file("sys/kernel/x", ""), file(".dockerenv", ""), file("run/.containerenv", ""),
				symlink("etc/mtab", "/proc/mounts"), file("etc/hosts", ""), file("etc/hostname", ""), file("etc/resolv.conf", ""),
				file("etc/hosts.allow", ""), file("srv/dev/null", ""), file("devel", ""),
			},
			want: evidence.Tree{fileEntry("/devel", ""), fileEntry("/etc/hosts.allow", ""), fileEntry("/srv/dev/null", "")},
		},
		{
			name:    "a hard link to what is left out keeps its content",
			members: []member{file("etc/hosts", "x"), hardlink("srv/copy", "etc/hosts")},
			want:    evidence.Tree{fileEntry("/srv/copy", "x")},
		},
		{
			name:    "whiteouts mean nothing in a tree",
			members: []member{file("a", ""), file(".wh.a", ""), file(".wh..wh..opq", "")},
			want:    evidence.Tree{fileEntry("/.wh..wh..opq", ""), fileEntry("/.wh.a", ""), fileEntry("/a", "")},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := readTree(t, test.members...); !slices.Equal(got, test.want) {
				t.Errorf("got\n%+v\nwant\n%+v", got, test.want)
			}
		})
	}
}

func withMode(e evidence.Entry, mode uint32) evidence.Entry {
	e.Mode = mode
	return e
}

func withCapability(e evidence.Entry, capability string) evidence.Entry {
	e.Capability = capability
	return e
}

func TestReadLayer(t *testing.T) {
	t.Parallel()
	got := readLayer(t,
		dir("srv/"),
		file("srv/.wh.old", ""),
		file("srv/old", "again"),
		file("srv/.wh..wh..opq", ""),
		file(".wh..wh.plnk", "aufs"),
		file("srv/.wh.a\xff", ""),
		hardlink("srv/b", "srv/old"),
		file("dev/own", ""),
		file("srv/old", "last"),
	)
	want := evidence.Layer{
		dirEntry("/srv"),
		whiteout("/srv/old"),
		fileEntry("/srv/old", "last"),
		opaque("/srv"),
		whiteout(`/srv/a\xff`),
		linkEntry("/srv/b", "/srv/old"),
		fileEntry("/dev/own", ""),
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
}

func TestReadLayerRefusesWhiteoutsOfNoName(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"srv/.wh.", "srv/.wh..", "srv/.wh..."} {
		if layer, err := evidence.ReadLayer(bytes.NewReader(archive(t, file(name, "")))); err == nil {
			t.Errorf("%s: read as %+v", name, layer)
		}
	}
}

func TestReadRefusesWhatNoFilesystemHolds(t *testing.T) {
	t.Parallel()
	contiguous := archive(t, member{Header: tar.Header{Name: "a\x1bb", Typeflag: tar.TypeCont}})
	if _, err := evidence.ReadTree(bytes.NewReader(contiguous)); err == nil || strings.Contains(err.Error(), "\x1b") {
		t.Errorf("an error with the name quoted was expected: %v", err)
	}
	if _, err := evidence.ReadTree(strings.NewReader(strings.Repeat("no tar ", 200))); err == nil {
		t.Error("text was read as a tar")
	}
}

func TestReadLeavesGlobalHeadersOut(t *testing.T) {
	t.Parallel()
	comment := member{Header: tar.Header{Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{"comment": "git"}}}
	if got, want := readTree(t, comment, file("a", "")), (evidence.Tree{fileEntry("/a", "")}); !slices.Equal(got, want) {
		t.Errorf("got %+v", got)
	}
}

// A stream that stops anywhere, between two files too, must not pass for a
// smaller filesystem.
func TestReadTreeCutOff(t *testing.T) {
	t.Parallel()
	whole := archive(t, file("a", strings.Repeat("x", 700)), dir("d"), file("zeros", strings.Repeat("\x00", 2048)), symlink("l", "a"))
	for size := range len(whole) {
		if _, err := evidence.ReadTree(bytes.NewReader(whole[:size])); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("the first %d of %d bytes: error %v", size, len(whole), err)
		}
	}
}

func TestReadLayerCutOff(t *testing.T) {
	t.Parallel()
	whole := archive(t, file("a", strings.Repeat("x", 700)))
	for _, size := range []int{100, 512, 512 + 600} {
		if _, err := evidence.ReadLayer(bytes.NewReader(whole[:size])); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("the first %d bytes: error %v", size, err)
		}
	}
	if layer, err := evidence.ReadLayer(bytes.NewReader(whole[:512+1024])); err != nil || len(layer) != 1 {
		t.Errorf("without the zeros at its end: %+v, %v", layer, err)
	}
}

func TestReadTreeReadsToTheEnd(t *testing.T) {
	t.Parallel()
	r := bytes.NewReader(append(archive(t, file("a", "")), make([]byte, 10_000)...))
	if _, err := evidence.ReadTree(r); err != nil || r.Len() != 0 {
		t.Errorf("%d bytes are left, error %v", r.Len(), err)
	}
}

func TestReadTreeKeepsTheReadersError(t *testing.T) {
	t.Parallel()
	away := errors.New("engine away")
	whole := archive(t, file("a", "x"))
	for _, size := range []int{0, 512, 1024, len(whole)} {
		r := io.MultiReader(bytes.NewReader(whole[:size]), failing{away})
		if _, err := evidence.ReadTree(r); !errors.Is(err, away) {
			t.Errorf("after %d bytes: error %v", size, err)
		}
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
