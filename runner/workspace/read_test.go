package workspace_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/labctl/labctl/runner/workspace"
	"github.com/labctl/labctl/scenarios/evidence"
)

func TestHead(t *testing.T) {
	t.Parallel()
	dir := created(t)
	h := head(t, dir)
	if h.Subject != "Version 2" || h.Branch != "main" || h.Commit != git(t, dir, "rev-parse", "HEAD") || h.Tree != git(t, dir, "rev-parse", "HEAD^{tree}") {
		t.Errorf("head %+v", h)
	}
	var got []string
	for _, f := range h.Files {
		got = append(got, fmt.Sprintf("%s %s %d %.8s", f.Mode, f.Path, f.Size, f.SHA256))
	}
	want := []string{
		"100644 Dockerfile 19 " + sum("FROM labctl/base:1\n")[:8],
		"100644 VERSION 2 " + sum("2\n")[:8],
		"100644 a file with spaces 2 " + sum("x\n")[:8],
		"100755 www/cgi-bin/quote 10 " + sum("#!/bin/sh\n")[:8],
		"120000 www/current 7 " + sum("cgi-bin")[:8],
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("files:\n%s", strings.Join(got, "\n"))
	}
	for _, f := range h.Files {
		if f.Kind != evidence.KindText {
			t.Errorf("%s is %q", f.Path, f.Kind)
		}
	}
	write(t, dir, "pet", "\x1f\x8b\x08packed", 0o644)
	git(t, dir, "add", "--all")
	git(t, dir, "commit", "--quiet", "--message", "Pack the pet")
	if f := head(t, dir).Files[3]; f.Path != "pet" || f.Kind != "gzip" || f.SHA256 != sum("\x1f\x8b\x08packed") {
		t.Errorf("a file that is packed: %+v", f)
	}
	git(t, dir, "checkout", "--quiet", "--detach")
	if h := head(t, dir); h.Branch != "" {
		t.Errorf("a detached HEAD is on branch %q", h.Branch)
	}
}

func TestDirty(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		do   func(t *testing.T, dir string)
		want string
	}{
		"nothing": {func(*testing.T, string) {}, ""},
		"content of the same size and time": {func(t *testing.T, dir string) {
			info, err := os.Stat(filepath.Join(dir, "VERSION"))
			if err != nil {
				t.Fatal(err)
			}
			write(t, dir, "VERSION", "3\n", 0o644)
			if err := os.Chtimes(filepath.Join(dir, "VERSION"), info.ModTime(), info.ModTime()); err != nil {
				t.Fatal(err)
			}
		}, "~VERSION"},
		"hidden from git status": {func(t *testing.T, dir string) {
			git(t, dir, "update-index", "--assume-unchanged", "VERSION")
			git(t, dir, "update-index", "--skip-worktree", "Dockerfile")
			write(t, dir, "VERSION", "3\n", 0o644)
			write(t, dir, "Dockerfile", "FROM scratch\n", 0o644)
		}, "~Dockerfile ~VERSION"},
		"executable bit":          {func(t *testing.T, dir string) { write(t, dir, "VERSION", "2\n", 0o755) }, "~VERSION"},
		"group bits do not count": {func(t *testing.T, dir string) { write(t, dir, "VERSION", "2\n", 0o664) }, ""},
		"deleted":                 {func(t *testing.T, dir string) { remove(t, dir, "www/cgi-bin") }, "-www/cgi-bin/quote"},
		"a folder became a link": {func(t *testing.T, dir string) {
			if err := os.Rename(filepath.Join(dir, "www"), filepath.Join(dir, ".git", "www")); err != nil {
				t.Fatal(err)
			}
			link(t, ".git/www", filepath.Join(dir, "www"))
		}, "+www -www/cgi-bin/quote -www/current"},
		"link": {func(t *testing.T, dir string) {
			remove(t, dir, "www/current")
			link(t, "elsewhere", filepath.Join(dir, "www/current"))
		}, "~www/current"},
		"a pipe in a file's place": {func(t *testing.T, dir string) {
			remove(t, dir, "VERSION")
			if err := syscall.Mkfifo(filepath.Join(dir, "VERSION"), 0o644); err != nil {
				t.Fatal(err)
			}
		}, "~VERSION"},
		"untracked, staged and ignored": {func(t *testing.T, dir string) {
			write(t, dir, "new", "", 0o644)
			write(t, dir, "staged", "", 0o644)
			write(t, dir, "noise.log", "", 0o644)
			write(t, dir, ".gitignore", "*.log\n", 0o644)
			git(t, dir, "add", "staged")
		}, "+.gitignore +new +staged"},
		"removed from the index alone": {func(t *testing.T, dir string) { git(t, dir, "rm", "--quiet", "--cached", "VERSION") }, ""},
		"odd names": {func(t *testing.T, dir string) {
			for _, name := range []string{"-rf", "line\nfeed", "\x1b[31mred", "ünï"} {
				write(t, dir, name, "", 0o644)
			}
		}, "+\x1b[31mred +-rf +line\nfeed +ünï"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := created(t)
			test.do(t, dir)
			if got := changes(head(t, dir)); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestOddNamesCommitted(t *testing.T) {
	t.Parallel()
	dir := created(t)
	for _, name := range []string{"-rf", "line\nfeed", "\x1b[31mred", `quo"te\`} {
		write(t, dir, name, name, 0o644)
	}
	git(t, dir, "add", "--all")
	git(t, dir, "commit", "--quiet", "-m", "odd")
	if got := changes(head(t, dir)); got != "" {
		t.Errorf("changes %q", got)
	}
	files, err := workspace.Open(dir).Files(t.Context(), "HEAD")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, f := range files {
		if f.Path == string(f.Content) {
			found++
		}
	}
	if found != 4 {
		t.Errorf("%d of 4 files with odd names", found)
	}
}

func TestFilesOfCommitAndOfWorktree(t *testing.T) {
	t.Parallel()
	dir := created(t)
	repo := workspace.Open(dir)
	committed, err := repo.Files(t.Context(), head(t, dir).Commit)
	if err != nil {
		t.Fatal(err)
	}
	onDisk, err := repo.WorktreeFiles(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if a, b := fmt.Sprint(committed), fmt.Sprint(onDisk); a != b || len(committed) != 5 {
		t.Errorf("a clean work tree differs from its commit:\n%s\n%s", a, b)
	}
	write(t, dir, "VERSION", "3\n", 0o755)
	onDisk, err = repo.WorktreeFiles(t.Context())
	if err != nil || string(onDisk[1].Content) != "3\n" || !onDisk[1].Executable {
		t.Errorf("on disk: %+v, %v", onDisk[1], err)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	commitAll := func(t *testing.T, dir string) {
		git(t, dir, "add", "--all")
		git(t, dir, "commit", "--quiet", "-m", "x")
	}
	tests := map[string]struct {
		do   func(t *testing.T, dir string)
		says string
	}{
		"submodule": {func(t *testing.T, dir string) {
			git(t, dir, "update-index", "--add", "--cacheinfo", "160000,"+strings.Repeat("1", 40)+",sub")
			git(t, dir, "commit", "--quiet", "-m", "x")
		}, `"sub" is a submodule`},
		"lfs": {func(t *testing.T, dir string) {
			write(t, dir, "big", "version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 1\n", 0o644)
			commitAll(t, dir)
		}, "Git LFS"},
		"a tree that leads out": {func(t *testing.T, dir string) {
			blob := git(t, dir, "rev-parse", "HEAD:VERSION")
			tree := filepath.Join(t.TempDir(), "tree")
			write(t, filepath.Dir(tree), "tree", "100644 ..\x00"+unhex(t, blob), 0o644)
			id := git(t, dir, "hash-object", "-t", "tree", "--literally", "-w", tree)
			git(t, dir, "update-ref", "HEAD", git(t, dir, "commit-tree", id, "-m", "x"))
		}, "no path inside"},
		"a tree with a name twice": {func(t *testing.T, dir string) {
			entry := "100644 x\x00" + unhex(t, git(t, dir, "rev-parse", "HEAD:VERSION"))
			tree := filepath.Join(t.TempDir(), "tree")
			write(t, filepath.Dir(tree), "tree", entry+entry, 0o644)
			id := git(t, dir, "hash-object", "-t", "tree", "--literally", "-w", tree)
			git(t, dir, "update-ref", "HEAD", git(t, dir, "commit-tree", id, "-m", "x"))
		}, "twice"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := created(t)
			test.do(t, dir)
			_, err := workspace.Open(dir).Files(t.Context(), "HEAD")
			var refused *workspace.Refused
			if !errors.As(err, &refused) || !strings.Contains(err.Error(), test.says) {
				t.Errorf("error %v", err)
			}
		})
	}
	t.Run("a pipe in the work tree", func(t *testing.T) {
		t.Parallel()
		dir := created(t)
		if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := workspace.Open(dir).WorktreeFiles(t.Context())
		var refused *workspace.Refused
		if !errors.As(err, &refused) {
			t.Errorf("error %v", err)
		}
	})
}

func TestOlderAndHolds(t *testing.T) {
	t.Parallel()
	dir := created(t)
	first := git(t, dir, "rev-parse", "HEAD~1")
	second := git(t, dir, "rev-parse", "HEAD")
	write(t, dir, "VERSION", "3\n", 0o644)
	git(t, dir, "commit", "--quiet", "-am", "three")
	git(t, dir, "commit", "--quiet", "--allow-empty", "-m", "nothing")
	write(t, dir, "VERSION", "lost\n", 0o644)
	git(t, dir, "commit", "--quiet", "-am", "thrown away")
	git(t, dir, "reset", "--quiet", "--hard", "HEAD~1")

	repo := workspace.Open(dir)
	older, err := repo.Older(t.Context(), 10)
	if err != nil || strings.Join(older, " ") != second+" "+first {
		t.Errorf("older %v, %v; want %s %s", older, err, second, first)
	}
	if older, err := repo.Older(t.Context(), 1); err != nil || len(older) != 1 {
		t.Errorf("older, at most 1: %v, %v", older, err)
	}
	contents := map[string]int64{sum("2\n"): 2, sum("3\n"): 2, sum("lost\n"): 5, sum("9\n"): 2, sum(""): 0}
	held, err := repo.Holds(t.Context(), contents)
	if err != nil || len(held) != 2 || !held[sum("2\n")] || !held[sum("3\n")] {
		t.Errorf("held %v, %v", held, err)
	}
}

func TestReadingEndsWithItsContext(t *testing.T) {
	t.Parallel()
	dir := created(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := workspace.Open(dir).Head(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func remove(t *testing.T, dir, name string) {
	t.Helper()
	if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, target, name string) {
	t.Helper()
	if err := os.Symlink(target, name); err != nil {
		t.Fatal(err)
	}
}

func unhex(t *testing.T, id string) string {
	t.Helper()
	var raw []byte
	if _, err := fmt.Sscanf(id, "%x", &raw); err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestWorkspaceBehindALink(t *testing.T) {
	t.Parallel()
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(created(t), link); err != nil {
		t.Fatal(err)
	}
	if h := head(t, link); len(h.Files) == 0 || len(h.Dirty) > 0 {
		t.Errorf("files %v, changes %v", h.Files, h.Dirty)
	}
}
