package workspace_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/labctl/labctl/runner/workspace"
)

// TestHostileRepository reads a repository that tries to run a command by
// every way that its own configuration and attributes offer, and to show
// other content than its commits hold.
func TestHostileRepository(t *testing.T) {
	t.Parallel()
	dir := created(t)
	honest := head(t, dir)
	trap := filepath.Join(t.TempDir(), "sprung")
	script := filepath.Join(dir, ".git", "trap")
	write(t, dir, ".git/trap", "#!/bin/sh\necho \"$0 $*\" >> '"+trap+"'\ncat\n", 0o755)
	command := "'" + script + "'"

	write(t, dir, ".git/info/attributes", "* filter=evil diff=evil text eol=crlf export-ignore export-subst ident\n", 0o644)
	for _, hook := range []string{"post-index-change", "post-checkout", "pre-commit", "fsmonitor-watchman", "reference-transaction"} {
		write(t, dir, ".git/hooks/"+hook, "#!/bin/sh\necho hook >> '"+trap+"'\n", 0o755)
	}
	included := filepath.Join(t.TempDir(), "included")
	write(t, filepath.Dir(included), "included", "[core]\n\tfsmonitor = "+script+"\n[alias]\n\trev-parse = !"+script+"\n\tls-tree = !"+script+"\n", 0o644)
	for _, setting := range [][2]string{
		{"include.path", included},
		{"core.fsmonitor", script},
		{"core.hooksPath", filepath.Join(dir, ".git", "hooks")},
		{"core.pager", command},
		{"core.editor", command},
		{"core.sshCommand", command},
		{"core.alternateRefsCommand", command},
		{"core.worktree", t.TempDir()},
		{"core.autocrlf", "true"},
		{"core.excludesFile", filepath.Join(dir, ".git", "everything")},
		{"core.untrackedCache", "true"},
		{"filter.evil.clean", command}, {"filter.evil.smudge", command}, {"filter.evil.process", command},
		{"filter.evil.required", "true"},
		{"diff.evil.textconv", command}, {"diff.evil.command", command}, {"diff.external", command},
		{"pager.rev-list", command}, {"pager.ls-files", command},
		{"credential.helper", "!" + command}, {"gpg.program", script},
		{"protocol.ext.allow", "always"}, {"protocol.allow", "always"},
	} {
		git(t, dir, "config", setting[0], setting[1])
	}
	write(t, dir, ".git/everything", "*\n", 0o644)
	write(t, dir, "untracked", "", 0o644)
	touch(t, filepath.Join(dir, "VERSION")) // makes git look at the content again

	repo := workspace.Open(dir)
	h := head(t, dir)
	if got := changes(h); got != "+untracked" {
		t.Errorf("changes %q", got)
	}
	if h.Commit != honest.Commit || len(h.Files) != len(honest.Files) {
		t.Errorf("head %+v, want %+v", h, honest)
	}
	files, err := repo.Files(t.Context(), h.Commit)
	if err != nil || len(files) != len(honest.Files) {
		t.Errorf("files %v, %v", files, err)
	}
	if _, err := repo.WorktreeFiles(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := repo.Older(t.Context(), 5); err != nil {
		t.Error(err)
	}
	if _, err := repo.Holds(t.Context(), map[string]int64{sum("2\n"): 2}); err != nil {
		t.Error(err)
	}
	if said, err := os.ReadFile(trap); !os.IsNotExist(err) {
		t.Errorf("the repository ran something: %s, %v", said, err)
	}
}

func TestReplacedObjectsAreNotBelieved(t *testing.T) {
	t.Parallel()
	dir := created(t)
	honest := head(t, dir)
	write(t, dir, "VERSION", "replaced\n", 0o644)
	other := git(t, dir, "hash-object", "-w", "VERSION")
	git(t, dir, "replace", git(t, dir, "rev-parse", "HEAD:VERSION"), other)
	git(t, dir, "replace", "--graft", "HEAD")
	h := head(t, dir)
	if changes(h) != "~VERSION" || h.Tree != honest.Tree {
		t.Errorf("replaced: %q, tree %s", changes(h), h.Tree)
	}
	if older, err := workspace.Open(dir).Older(t.Context(), 5); err != nil || len(older) != 1 {
		t.Errorf("a graft hides history: %v, %v", older, err)
	}
}

func TestMissingObjectsAreNotFetched(t *testing.T) {
	t.Parallel()
	dir := created(t)
	trap := filepath.Join(t.TempDir(), "sprung")
	write(t, dir, ".git/trap", "#!/bin/sh\ntouch '"+trap+"'\n", 0o755)
	write(t, dir, "VERSION", "gone\n", 0o644)
	git(t, dir, "commit", "--quiet", "-am", "gone")
	id := git(t, dir, "rev-parse", "HEAD:VERSION")
	if err := os.Remove(filepath.Join(dir, ".git", "objects", id[:2], id[2:])); err != nil {
		t.Fatal(err)
	}
	for _, setting := range [][2]string{
		{"core.repositoryFormatVersion", "1"}, {"extensions.partialClone", "origin"},
		{"remote.origin.promisor", "true"}, {"remote.origin.url", "ext::" + filepath.Join(dir, ".git", "trap")},
		{"protocol.ext.allow", "always"},
	} {
		git(t, dir, "config", setting[0], setting[1])
	}
	if _, err := workspace.Open(dir).Head(t.Context()); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("error %v", err)
	}
	if _, err := os.Stat(trap); !os.IsNotExist(err) {
		t.Error("the missing object was fetched")
	}
}

func touch(t *testing.T, name string) {
	t.Helper()
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	later := info.ModTime().AddDate(1, 0, 0)
	if err := os.Chtimes(name, later, later); err != nil {
		t.Fatal(err)
	}
}
