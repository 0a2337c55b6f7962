package config_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/labctl/labctl/labs"
	"github.com/labctl/labctl/scenarios/config"
)

func TestDigestIsTheSameEmbeddedAndOnDisk(t *testing.T) {
	t.Parallel()
	embedded, err := fs.Sub(labs.FS, "drift-lab")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, embedded); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, ".git"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, ".git", "HEAD"), "ref: refs/heads/main\n")
	want := load(t, embedded).Digest
	if got := load(t, os.DirFS(dir)).Digest; got != want || !strings.HasPrefix(got, "sha256:") {
		t.Errorf("the digest on disk is %s, embedded %s", got, want)
	}
	for _, change := range []struct{ file, content string }{
		{"lesson.md", "more\n"},                              // a file more
		{"workspace/VERSION", "1.1\n"},                       // other content
		{"scenarios/rebuilt-cattle.sh", "#!/bin/sh\ntrue\n"}, // a program now
	} {
		before := load(t, os.DirFS(dir)).Digest
		write(t, filepath.Join(dir, filepath.FromSlash(change.file)), change.content)
		if after := load(t, os.DirFS(dir)).Digest; after == before {
			t.Errorf("the digest does not see a change of %s", change.file)
		}
	}
}

func TestLinksStayInTheFolder(t *testing.T) {
	t.Parallel()
	outside := t.TempDir()
	write(t, filepath.Join(outside, "secret"), "secret")
	for name, link := range map[string]struct{ from, to, want string }{
		"inside":   {"scenarios/cattle.sh", "../right.sh", ""},
		"absolute": {"scenarios/cattle.sh", filepath.Join(outside, "secret"), "leads out of the lab's folder"},
		"upwards":  {"scenarios/cattle.sh", "../../secret", "leads out of the lab's folder"},
		"folder":   {"scenarios", outside, "leads out of the lab's folder"},
		"circle":   {"scenarios/cattle.sh", "cattle.sh", "too many symbolic links"},
		"dangling": {"scenarios/cattle.sh", "../rigth.sh", "there is no scenarios/cattle.sh"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := os.CopyFS(dir, base(t)); err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(dir, "right.sh"), "true\n")
			from := filepath.Join(dir, filepath.FromSlash(link.from))
			if err := os.RemoveAll(from); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(link.to, from); err != nil {
				t.Fatal(err)
			}
			_, diags := config.Load(os.DirFS(dir))
			if got := lines(diags); (link.want == "") != (got == "") || !strings.Contains(got, link.want) {
				t.Errorf("diagnostics:\n%s\nwant: %q", got, link.want)
			}
		})
	}
}

func write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}
