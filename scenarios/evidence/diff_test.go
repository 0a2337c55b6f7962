package evidence_test

import (
	"slices"
	"testing"

	"github.com/labctl/labctl/scenarios/evidence"
)

func TestDiff(t *testing.T) {
	t.Parallel()
	owned := fileEntry("/a", "1")
	owned.UID, owned.GID = 1000, 1000
	link := evidence.Entry{Path: "/a", Type: evidence.TypeSymlink, Link: "b"}
	otherLink := link
	otherLink.Link = "c"
	null := evidence.Entry{Path: "/a", Type: evidence.TypeDevice, Device: "c 1:3"}
	zero := evidence.Entry{Path: "/a", Type: evidence.TypeDevice, Device: "c 1:5"}

	tests := []struct {
		name             string
		a, b             evidence.Entry
		exactly, asBuilt string
	}{
		{"the same", fileEntry("/a", "1"), fileEntry("/a", "1"), "", ""},
		{"content", fileEntry("/a", "1"), fileEntry("/a", "2"), "~ /a", "~ /a"},
		{"content before mode", fileEntry("/a", "1"), withMode(fileEntry("/a", "2"), 0o755), "~ /a", "~ /a"},
		{"owner", fileEntry("/a", "1"), owned, "~ /a (owner 0:0 → 1000:1000)", "~ /a (owner 0:0 → 1000:1000)"},
		{"link", link, otherLink, "~ /a (link b → c)", "~ /a (link b → c)"},
		{"device", null, zero, "~ /a (device c 1:3 → c 1:5)", "~ /a (device c 1:3 → c 1:5)"},
		{"type", fileEntry("/a", "1"), link, "~ /a (type file → symlink)", "~ /a (type file → symlink)"},
		{"capability", fileEntry("/a", "1"), withCapability(fileEntry("/a", "1"), "01"), "~ /a (capability)", "~ /a (capability)"},
		{"bits of group and others", fileEntry("/a", "1"), withMode(fileEntry("/a", "1"), 0o666), "~ /a (mode 644 → 666)", ""},
		{"the owner may write", fileEntry("/a", "1"), withMode(fileEntry("/a", "1"), 0o444), "~ /a (mode 644 → 444)", ""},
		{"group and others may execute", fileEntry("/a", "1"), withMode(fileEntry("/a", "1"), 0o655), "~ /a (mode 644 → 655)", ""},
		{"the owner may execute", fileEntry("/a", "1"), withMode(fileEntry("/a", "1"), 0o755), "~ /a (mode 644 → 755)", "~ /a (mode 644 → 755)"},
		{"setuid", withMode(fileEntry("/a", "1"), 0o755), withMode(fileEntry("/a", "1"), 0o4755), "~ /a (mode 755 → 4755)", "~ /a (mode 755 → 4755)"},
		{"group's bits beside another owner", fileEntry("/a", "1"), withMode(owned, 0o664), "~ /a (mode 644 → 664)", "~ /a (owner 0:0 → 1000:1000)"},
		{"a directory's mode", dirEntry("/a"), withMode(dirEntry("/a"), 0o700), "~ /a (mode 755 → 700)", ""},
		{"a directory's setgid", dirEntry("/a"), withMode(dirEntry("/a"), 0o2755), "~ /a (mode 755 → 2755)", "~ /a (mode 755 → 2755)"},
		{"apt's log", fileEntry("/var/log/apt/history.log", "1"), fileEntry("/var/log/apt/history.log", "2"), "~ /var/log/apt/history.log", ""},
		{"beside apt's log", fileEntry("/var/log/apt/history.log.d", "1"), fileEntry("/var/log/apt/history.log.d", "2"), "~ /var/log/apt/history.log.d", "~ /var/log/apt/history.log.d"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for how, want := range map[evidence.Exactness]string{evidence.Exactly: test.exactly, evidence.AsBuilt: test.asBuilt} {
				a, b := []evidence.Entry{test.a}, []evidence.Entry{test.b}
				for name, ds := range map[string][]evidence.Difference{"Diff": evidence.Diff(a, b, how), "DiffEntries": evidence.DiffEntries(a, b, how)} {
					var got string
					for _, d := range ds {
						got += d.String()
					}
					if got != want {
						t.Errorf("%s, exactness %d: got %q, want %q", name, how, got, want)
					}
				}
			}
		})
	}
}

func TestDiffOfPaths(t *testing.T) {
	t.Parallel()
	a := evidence.Tree{fileEntry("/b", "1"), fileEntry("/c", "1"), fileEntry("/same", "1"), fileEntry("/run/x", "1"), fileEntry("/runner", "1"), fileEntry("/tmp", "1")}
	b := evidence.Tree{fileEntry("/a", "1"), fileEntry("/c", "2"), fileEntry("/same", "1"), fileEntry("/run/y/z", "1"), fileEntry("/tmp", "2"), fileEntry("/var/log/dpkg.log", "1")}

	tests := []struct {
		name string
		got  []evidence.Difference
		want []string
	}{
		{"exactly", evidence.Diff(a, b, evidence.Exactly),
			[]string{"+ /a", "- /b", "~ /c", "- /run/x", "+ /run/y/z", "- /runner", "~ /tmp", "+ /var/log/dpkg.log"}},
		{"as built, some ignored", evidence.Diff(a, b, evidence.AsBuilt, "/run", "/tmp"),
			[]string{"+ /a", "- /b", "~ /c", "- /runner"}},
		{"of nothing", evidence.Diff(nil, nil, evidence.Exactly), nil},
		{"noise alone", evidence.DiffEntries(nil, []evidence.Entry{fileEntry("/var/log/dpkg.log", "1")}, evidence.AsBuilt), nil},
		{"a removal in a delta", evidence.DiffEntries([]evidence.Entry{whiteout("/a")}, []evidence.Entry{fileEntry("/a", "1")}, evidence.AsBuilt),
			[]string{"~ /a (type whiteout → file)"}},
	}
	for _, test := range tests {
		var got []string
		for _, d := range test.got {
			got = append(got, d.String())
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}
