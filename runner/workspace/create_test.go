package workspace_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/labctl/labctl/runner/workspace"
	"github.com/labctl/labctl/scenarios/lab"
)

// lastCommit is what the last of commits is called, for everybody.
const lastCommit = "b64afac1254a81127cae8c0c0b07855827e84d0d"

func TestCreateIsTheSameForEverybody(t *testing.T) {
	t.Parallel()
	one := created(t)
	if got := head(t, one).Commit; got != lastCommit {
		t.Errorf("commit %s, want %s", got, lastCommit)
	}
	log := git(t, one, "log", "--reverse", "--format=%an <%ae> %aI|%cn %cI|%s")
	want := "booking team <booking@hotel.example> 2023-03-06T10:12:00+01:00|booking team 2023-03-06T10:12:00+01:00|Booking: quotes\n" +
		"labctl <labctl@labctl.invalid> 2024-01-01T00:00:00+00:00|labctl 2024-01-01T00:00:00+00:00|Version 2"
	if strings.ReplaceAll(log, "Z", "+00:00") != want {
		t.Errorf("history:\n%s\nwant:\n%s", log, want)
	}
	if status := git(t, one, "status", "--porcelain=v2", "--branch"); !strings.Contains(status, "branch.head main") || strings.Count(status, "\n") != 1 {
		t.Errorf("git status of a new workspace:\n%s", status)
	}
	git(t, one, "fsck", "--strict")
}

func TestCreateWritesFilesAsCommitted(t *testing.T) {
	t.Parallel()
	dir := created(t)
	info, err := os.Stat(filepath.Join(dir, "www/cgi-bin/quote"))
	if err != nil || info.Mode()&0o111 == 0 {
		t.Errorf("the script is not executable: %v, %v", info.Mode(), err)
	}
	if target, err := os.Readlink(filepath.Join(dir, "www/current")); target != "cgi-bin" {
		t.Errorf("link to %q, %v", target, err)
	}
}

func TestLearnerCanCommitWithoutIdentity(t *testing.T) {
	t.Parallel()
	dir := created(t)
	git(t, dir, "-c", "user.useConfigOnly=true", "commit", "--quiet", "--allow-empty", "-m", "mine")
	if who := git(t, dir, "log", "-1", "--format=%an <%ae>"); who != "ada <ada@labctl.invalid>" {
		t.Errorf("committed by %s", who)
	}
}

// Not parallel: it gives the machine's user a name, and hooks.
func TestCreateWithTheUsersConfiguration(t *testing.T) {
	home := t.TempDir()
	trap := filepath.Join(home, "sprung")
	write(t, home, "templates/hooks/post-checkout", "#!/bin/sh\ntouch '"+trap+"'\n", 0o755)
	write(t, home, "templates/hooks/reference-transaction", "#!/bin/sh\ntouch '"+trap+"'\n", 0o755)
	write(t, home, "config", "[user]\n\tname = Ada\n\temail = ada@hotel.example\n[init]\n\ttemplateDir = "+home+"/templates\n\tdefaultBranch = trunk\n"+
		"[core]\n\thooksPath = "+home+"/templates/hooks\n\tautocrlf = true\n[commit]\n\tgpgSign = true\n[gpg]\n\tprogram = /bin/false\n", 0o644)
	t.Setenv("GIT_CONFIG_GLOBAL", filepath.Join(home, "config"))
	dir := created(t)
	if _, err := os.Stat(trap); !os.IsNotExist(err) {
		t.Error("one of the user's hooks ran")
	}
	if got := git(t, dir, "config", "user.name") + " " + git(t, dir, "config", "core.autocrlf") + " " + git(t, dir, "symbolic-ref", "HEAD"); got != "Ada false refs/heads/main" {
		t.Errorf("name, autocrlf and branch are %s", got)
	}
	if got := head(t, dir).Commit; got != lastCommit {
		t.Errorf("the commits depend on the user: %s", got)
	}
}

// Not parallel: a umask is the whole process's.
func TestCreateUnderUmasks(t *testing.T) {
	for _, umask := range []int{0o002, 0o022, 0o077} {
		before := syscall.Umask(umask)
		dir := created(t)
		syscall.Umask(before)
		for name, mode := range map[string]os.FileMode{"VERSION": 0o644, "www/cgi-bin/quote": 0o755} {
			info, err := os.Stat(filepath.Join(dir, name))
			if want := mode &^ os.FileMode(umask); err != nil || info.Mode() != want {
				t.Errorf("umask %03o: %s is %v, want %v (%v)", umask, name, info.Mode(), want, err)
			}
		}
		if h := head(t, dir); h.Commit != lastCommit || len(h.Dirty) != 0 {
			t.Errorf("umask %03o: commit %s, changes %q", umask, h.Commit, changes(h))
		}
	}
}

func TestCreateTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	dir := created(t)
	write(t, dir, "VERSION", "mine\n", 0o644)
	if _, err := workspace.Create(t.Context(), dir, commits, owner); err != nil {
		t.Fatal(err)
	}
	if got := changes(head(t, dir)); got != "~VERSION" {
		t.Errorf("after the second call the work tree has %q", got)
	}
}

func TestCreateFinishesWhatWasKilled(t *testing.T) {
	t.Parallel()
	dir := created(t)
	gitDir := filepath.Join(dir, ".git")
	if err := os.Rename(filepath.Join(gitDir, "labctl"), filepath.Join(gitDir, "labctl.unfinished")); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "VERSION")); err != nil {
		t.Fatal(err)
	}
	if _, err := workspace.Create(t.Context(), dir, commits, owner); err != nil {
		t.Fatal(err)
	}
	if got := changes(head(t, dir)); got != "" {
		t.Errorf("the workspace made anew has %q", got)
	}
}

func TestCreateRefuses(t *testing.T) {
	t.Parallel()
	occupied := t.TempDir()
	write(t, occupied, "thesis.txt", "years of work", 0o644)
	file := filepath.Join(t.TempDir(), "file")
	write(t, filepath.Dir(file), "file", "", 0o644)
	tests := map[string]struct{ dir, says string }{
		"a folder with something in it": {occupied, "not empty"},
		"a file":                        {file, "--dir"},
		"below a file":                  {filepath.Join(file, "sub"), "--dir"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := workspace.Create(t.Context(), test.dir, commits, owner)
			if err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("error %v does not say %q", err, test.says)
			}
		})
	}
	t.Run("another instance's workspace", func(t *testing.T) {
		t.Parallel()
		other := owner
		other.Instance = "drift-lab-bob"
		if _, err := workspace.Create(t.Context(), created(t), commits, other); err == nil || !strings.Contains(err.Error(), "for ada") {
			t.Errorf("error %v does not say whose it is", err)
		}
	})
}

func TestFailedCreateLeavesNothing(t *testing.T) {
	t.Parallel()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	bad := []lab.Commit{{Name: "bad", Files: []lab.File{{Path: "../../escape"}}}}
	tests := map[string]struct {
		ctx     context.Context
		commits []lab.Commit
	}{
		"cancelled":                  {ended, commits},
		"a path that leads out":      {t.Context(), bad},
		"a path into .git":           {t.Context(), []lab.Commit{{Files: []lab.File{{Path: ".git/hooks/post-checkout"}}}}},
		"a date that is none":        {t.Context(), []lab.Commit{{Date: "yesterday"}}},
		"an author with a line feed": {t.Context(), []lab.Commit{{Author: "a\nb <a@example.org>"}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			parent := t.TempDir()
			empty := filepath.Join(parent, "empty")
			if err := os.Mkdir(empty, 0o755); err != nil {
				t.Fatal(err)
			}
			for _, dir := range []string{filepath.Join(parent, "new", "deep"), empty} {
				if _, err := workspace.Create(test.ctx, dir, test.commits, owner); err == nil {
					t.Fatal("no error")
				}
			}
			for dir, want := range map[string]int{parent: 1, empty: 0} {
				left, err := os.ReadDir(dir)
				if err != nil || len(left) != want {
					t.Errorf("left in %s: %v, %v", dir, left, err)
				}
			}
		})
	}
}

func TestFindMarker(t *testing.T) {
	t.Parallel()
	dir := created(t)
	moved := filepath.Join(t.TempDir(), "moved")
	if err := os.Rename(dir, moved); err != nil {
		t.Fatal(err)
	}
	nested := filepath.Join(moved, "nested")
	git(t, moved, "init", "--quiet", nested)
	linked := filepath.Join(t.TempDir(), "linked")
	git(t, moved, "worktree", "add", "--quiet", linked)

	for from, want := range map[string]string{
		moved: moved, filepath.Join(moved, "www", "cgi-bin"): moved, nested: moved, linked: linked,
	} {
		m, root, ok, err := workspace.FindMarker(from)
		if err != nil || !ok || m != owner || root != want {
			t.Errorf("from %s: %+v in %s, %t, %v", from, m, root, ok, err)
		}
	}
	if h := head(t, linked); h.Branch != "linked" || len(h.Files) != 5 || len(h.Dirty) != 0 {
		t.Errorf("HEAD of the other work tree: %+v", h)
	}
	clone := filepath.Join(t.TempDir(), "clone")
	git(t, moved, "clone", "--quiet", moved, clone)
	if _, _, ok, err := workspace.FindMarker(clone); ok || err != nil {
		t.Errorf("a clone is marked: %t, %v", ok, err)
	}
	write(t, moved, ".git/labctl", "nonsense", 0o644)
	if _, _, _, err := workspace.FindMarker(moved); err == nil {
		t.Error("a damaged marker is no error")
	}
}

func TestNothingToRead(t *testing.T) {
	t.Parallel()
	unborn := t.TempDir()
	git(t, unborn, "init", "--quiet")
	damaged := created(t)
	write(t, damaged, ".git/refs/heads/main", strings.Repeat("1", 40)+"\n", 0o644)
	for dir, want := range map[string]error{
		t.TempDir():                        workspace.ErrNotRepository,
		unborn:                             workspace.ErrNoCommit,
		damaged:                            workspace.ErrDamaged,
		filepath.Join(t.TempDir(), "gone"): os.ErrNotExist,
	} {
		if _, err := workspace.Open(dir).Head(t.Context()); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", dir, err, want)
		}
	}
}

// Not parallel: it hides git from the whole process.
func TestWithoutGit(t *testing.T) {
	dir := created(t)
	t.Setenv("PATH", t.TempDir())
	if _, err := workspace.Open(dir).Head(t.Context()); !errors.Is(err, workspace.ErrNoGit) {
		t.Errorf("reading: %v", err)
	}
	if _, err := workspace.Create(t.Context(), filepath.Join(t.TempDir(), "new"), commits, owner); !errors.Is(err, workspace.ErrNoGit) {
		t.Errorf("creating: %v", err)
	}
}

func TestUndoLeavesWhatWasThereBefore(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	there := filepath.Join(parent, "there")
	if err := os.Mkdir(there, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{there, filepath.Join(parent, "new", "and", "below")} {
		undo, err := workspace.Create(t.Context(), dir, commits, owner)
		if err != nil {
			t.Fatal(err)
		}
		again, err := workspace.Create(t.Context(), dir, commits, owner)
		if err != nil {
			t.Fatal(err)
		}
		if err := again(); err != nil { // it made nothing
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join(dir, ".git")); err != nil {
			t.Errorf("a Create that found the workspace there undid it: %v", err)
		}
		if err := undo(); err != nil {
			t.Fatal(err)
		}
	}
	var left []string
	err := filepath.WalkDir(parent, func(path string, _ fs.DirEntry, err error) error {
		left = append(left, path)
		return err
	})
	if err != nil || len(left) != 2 || left[1] != there {
		t.Errorf("left %q (%v), want the folder that was there before", left, err)
	}
}

func TestUnfinished(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		make func(dir string) error
		want bool
	}{
		"killed before the marker": {func(dir string) error { return os.Mkdir(filepath.Join(dir, ".git"), 0o755) }, true},
		"killed before the end": {func(dir string) error {
			_, err := workspace.Create(t.Context(), dir, commits, owner)
			return errors.Join(err, os.Rename(filepath.Join(dir, ".git", "labctl"), filepath.Join(dir, ".git", "labctl.unfinished")))
		}, true},
		"complete": {func(dir string) error {
			_, err := workspace.Create(t.Context(), dir, commits, owner)
			return err
		}, false},
		"empty":          {func(string) error { return nil }, false},
		"something else": {func(dir string) error { return os.WriteFile(filepath.Join(dir, "mine"), nil, 0o644) }, false},
		"something there": {func(dir string) error {
			return errors.Join(os.Mkdir(filepath.Join(dir, ".git"), 0o755), os.WriteFile(filepath.Join(dir, "mine"), nil, 0o644))
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := test.make(dir); err != nil {
				t.Fatal(err)
			}
			if got := workspace.Unfinished(dir, owner.Instance); got != test.want {
				t.Errorf("unfinished: %v, want %v", got, test.want)
			}
			if workspace.Unfinished(dir, "another") && name != "killed before the marker" {
				t.Error("it is taken for another instance's")
			}
		})
	}
}
