package docker_test

import (
	"strings"
	"testing"

	"github.com/labctl/labctl/runner/engine"
	"github.com/labctl/labctl/scenarios/evidence"
)

func TestTreeWithHostileFiles(t *testing.T) {
	t.Parallel()
	id := start(t, engine.ContainerSpec{})
	ended, err := shared.Exec(t.Context(), id, "", `set -e
cd /tmp
echo a >"$(printf 'two\nlines')"
echo b >"$(printf 'red\033[31m')"
echo c >"$(printf 'bad\377utf')"
echo d >plain && busybox ln plain linked
busybox cp /bin/busybox su && busybox chmod 4755 su
busybox mkfifo pipe`, nil)
	if err != nil || ended.ExitCode != 0 {
		t.Fatalf("%+v, %v", ended, err)
	}
	tree, err := shared.Tree(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]evidence.Entry{}
	for _, entry := range tree {
		found[entry.Path] = entry
	}
	for _, path := range []string{"/tmp/two\nlines", "/tmp/red\x1b[31m"} {
		if found[path].Type != evidence.TypeFile || found[path].Size != 2 {
			t.Errorf("%q is %+v", path, found[path])
		}
	}
	odd := 0
	for path := range found {
		if strings.HasPrefix(path, "/tmp/bad") {
			odd++
		}
	}
	if odd != 1 {
		t.Errorf("%d files for the name that is no UTF-8", odd)
	}
	if found["/tmp/su"].Mode&0o4000 == 0 {
		t.Errorf("setuid is lost: %+v", found["/tmp/su"])
	}
	if a, b := found["/tmp/plain"], found["/tmp/linked"]; a.SHA256 == "" || a.SHA256 != b.SHA256 || b.Type != evidence.TypeFile {
		t.Errorf("hard links are %+v and %+v", a, b)
	}
	if found["/tmp/pipe"].Type != evidence.TypeFIFO {
		t.Errorf("the pipe is %+v", found["/tmp/pipe"])
	}
}
