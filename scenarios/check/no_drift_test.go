package check_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/labctl/labctl/scenarios/check"
	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/internal/sample"
)

// layered lays entries over the live filesystem; the image stays as it is.
func layered(entries ...evidence.Entry) func(*evidence.Set) {
	return func(set *evidence.Set) {
		now := set.Trees[set.Services[0].Live[0].Tree]
		sample.SetLiveTree(set, evidence.Union(sample.With([]evidence.Layer{evidence.Layer(now)}, entries...)))
	}
}

func mode(e evidence.Entry, mode uint32) evidence.Entry {
	e.Mode = mode
	return e
}

func removed(path string) evidence.Entry {
	return evidence.Entry{Path: path, Type: evidence.TypeWhiteout}
}

func TestNoDrift(t *testing.T) {
	t.Parallel()
	conf := sample.File("/etc/booking.conf", sample.ConfToday)
	owned := conf
	owned.UID = 1000
	cache := evidence.Mount{Type: "volume", Name: strings.Repeat("4", 64), Destination: "/var/cache/booking"}

	type row struct {
		name  string
		edit  func(*evidence.Set)
		drift []string
	}
	var rows []verdict
	for _, r := range []row{
		{"the same", nil, nil},
		{"content", layered(sample.File("/etc/booking.conf", sample.ConfBuilt)), []string{"~ /etc/booking.conf"}},
		{"content of the same size", layered(sample.File("/etc/booking.conf", strings.ReplaceAll(sample.ConfToday, "240", "999"))), []string{"~ /etc/booking.conf"}},
		{"mode", layered(mode(conf, 0o600)), []string{"~ /etc/booking.conf (mode 644 → 600)"}},
		{"group's bits of a mode", layered(mode(conf, 0o664)), []string{"~ /etc/booking.conf (mode 644 → 664)"}},
		{"setuid", layered(mode(sample.Executable("/bin/busybox", "busybox"), 0o4755)), []string{"~ /bin/busybox (mode 755 → 4755)"}},
		{"mode of a directory", layered(mode(sample.Dir("/etc"), 0o777)), []string{"~ /etc (mode 755 → 777)"}},
		{"owner", layered(owned), []string{"~ /etc/booking.conf (owner 0:0 → 1000:0)"}},
		{"added", layered(sample.File("/tmp/HOTFIX", "x")), []string{"+ /tmp/HOTFIX"}},
		{"removed", layered(removed("/etc/booking.conf")), []string{"- /etc/booking.conf"}},
		{"a link instead", layered(evidence.Entry{Path: "/etc/booking.conf", Type: evidence.TypeSymlink, Link: "/tmp/x"}), []string{"~ /etc/booking.conf (type file → symlink)"}},
		{"an empty directory", layered(sample.Dir("/srv/new")), []string{"+ /srv/new"}},
		{"runtime path", layered(sample.Dir("/run"), sample.Dir("/run/booking"), sample.File("/run/booking/pid", "1")), nil},
		{"beside a runtime path", layered(sample.Dir("/run"), sample.File("/run/booking.sh", "x")), []string{"+ /run", "+ /run/booking.sh"}},
		{"stub of a mount", all(mount(cache), layered(sample.Dir("/var"), sample.Dir("/var/cache"), sample.Dir("/var/cache/booking"))), nil},
		{"file beside the stub of a mount", all(mount(cache), layered(sample.Dir("/var"), sample.Dir("/var/cache"), sample.File("/var/cache/x", "x"))),
			[]string{"+ /var", "+ /var/cache", "+ /var/cache/x"}},
		{"stub of a tmpfs", all(host("Tmpfs", map[string]string{"/scratch": ""}), layered(sample.Dir("/scratch"))), nil},
		{"stub of a tmpfs by --mount", all(host("Mounts", []any{map[string]string{"Type": "tmpfs", "Target": "/scratch/a"}}), layered(sample.Dir("/scratch"), sample.Dir("/scratch/a"))), nil},
		{"what --init leaves", all(host("Init", true), layered(sample.Dir("/sbin"), sample.Executable("/sbin/docker-init", ""))), nil},
		{"what --init leaves, without it", layered(sample.Dir("/sbin"), sample.Executable("/sbin/docker-init", "")), []string{"+ /sbin", "+ /sbin/docker-init"}},
	} {
		v := verdict{name: r.name, edit: r.edit, status: check.Pass, observed: "the same, every path"}
		if r.drift != nil {
			v.status, v.observed, v.details = check.Fail, "web-001 differs from its image: "+strings.Join(r.drift, ", "), r.drift
		}
		rows = append(rows, v)
	}
	evaluate(t, check.NoDrift, append(rows,
		verdict{"filesystem not read", live(func(c *evidence.Container) { c.TreeError = "export broke off" }), check.Error, "the filesystem of web-001 could not be read: export broke off", nil, nil},
		verdict{"filesystem not looked at", live(func(c *evidence.Container) { c.Tree = "" }), check.Error, "the filesystem of web-001 was not looked at", nil, nil},
		verdict{"image not looked at", live(func(c *evidence.Container) { c.Image = "sha256:1" }), check.Error, "image sha256:1 was not looked at", nil, nil},
		verdict{"image without layers", func(s *evidence.Set) { s.Images[sample.ImageLive] = evidence.Image{ID: sample.ImageLive} }, check.Error, "image sha256:image-of-web has no layers", nil, nil},
		verdict{"mounts that are no JSON", live(func(c *evidence.Container) { c.HostConfig = json.RawMessage("{") }), check.Error, "reading the mounts of web-001: unexpected end of JSON input", nil, nil},
		verdict{"mounts not told", live(func(c *evidence.Container) { c.HostConfig = nil }), check.Error, "reading the mounts of web-001: the engine told nothing", nil, nil},
	))
}
