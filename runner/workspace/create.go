package workspace

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/labctl/labctl/scenarios/lab"
)

// Branch is the branch that a workspace starts on.
const Branch = "main"

// Create makes the workspace of an instance in dir: a git repository with the
// lab's commits, whose IDs depend on nothing but the commits, and their files
// checked out. The owner's own workspace is left as it is. A dir with anything
// else in it is refused. When Create fails or ctx ends, nothing of what it
// made remains; what a killed one left is made anew by the next. undo removes
// what Create made, and whatever was put into it since.
func Create(ctx context.Context, dir string, commits []lab.Commit, owner Marker) (undo func() error, err error) {
	dir, err = filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("making the workspace %q: %w", dir, err)
	}
	done, err := ready(dir, owner)
	if err != nil {
		return nil, err
	}
	if done {
		return func() error { return nil }, nil
	}
	made, err := makeDirs(dir)
	if err != nil {
		return nil, fmt.Errorf("making the workspace %q: %w: choose another place with --dir", dir, errors.Join(err, removeMade(dir, made)))
	}
	undo = func() error { return errors.Join(clear(dir), removeMade(dir, made)) }
	if err := fill(ctx, dir, commits, owner); err != nil {
		return nil, fmt.Errorf("making the workspace %q: %w", dir, errors.Join(err, undo()))
	}
	return undo, nil
}

// Unfinished reports whether dir holds nothing but what a Create that was
// killed left of an instance's workspace.
func Unfinished(dir, instance string) bool {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return false
	}
	if len(entries) == 1 && entries[0].Name() == ".git" {
		if inside, err := os.ReadDir(filepath.Join(dir, ".git")); err == nil && len(inside) == 0 {
			return true
		}
	}
	m, ok, err := readMarker(dir, unfinishedName)
	return err == nil && ok && m.Instance == instance
}

// ready tells whether dir is the owner's workspace already, and makes sure
// that it is empty otherwise.
func ready(dir string, owner Marker) (bool, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) || (err == nil && len(entries) == 0) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("%q cannot be the workspace: %w: choose another place with --dir", dir, err)
	}
	// What was killed before it could write a marker left an empty .git.
	if len(entries) == 1 && entries[0].Name() == ".git" && os.Remove(filepath.Join(dir, ".git")) == nil {
		return false, nil
	}
	marker, ok, err := readMarker(dir, markerName)
	switch {
	case err != nil:
		return false, err
	case ok && marker.Instance == owner.Instance:
		return true, nil
	case ok:
		return false, fmt.Errorf("%q is the workspace of lab %s for %s: choose another place with --dir", dir, marker.Lab, marker.Learner)
	}
	marker, ok, err = readMarker(dir, unfinishedName)
	switch {
	case err != nil:
		return false, err
	case ok && marker.Instance == owner.Instance:
		return false, clear(dir)
	}
	return false, fmt.Errorf("%q is not empty: choose another place for the workspace with --dir, or move away what is in it", dir)
}

// makeDirs makes dir and the folders above it that are missing, and returns
// those it made, outermost first.
func makeDirs(dir string) (made []string, err error) {
	if _, err := os.Stat(dir); err == nil {
		return nil, nil
	}
	if parent := filepath.Dir(dir); parent != dir {
		if made, err = makeDirs(parent); err != nil {
			return made, err
		}
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return made, err
	}
	return append(made, dir), nil
}

// removeMade removes the folders that makeDirs made, unless somebody put
// something into them meanwhile.
func removeMade(dir string, made []string) error {
	for i := len(made) - 1; i >= 0; i-- {
		if err := os.Remove(made[i]); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("cleaning up %q: %w", dir, err)
		}
	}
	return nil
}

// clear empties a folder of what Create put there; it was empty before.
func clear(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("cleaning up: %w", err)
	}
	for _, entry := range entries {
		err = errors.Join(err, os.RemoveAll(filepath.Join(dir, entry.Name())))
	}
	return err
}

// fill makes the repository. The marker gets its name last.
func fill(ctx context.Context, dir string, commits []lab.Commit, owner Marker) error {
	g := git{dir: filepath.Join(dir, ".git"), root: dir}
	if err := os.Mkdir(g.dir, 0o755); err != nil {
		return err
	}
	if err := writeMarker(g.dir, unfinishedName, owner); err != nil {
		return err
	}
	if _, err := g.run(ctx, nil, "init", "--quiet", "--template=", "--object-format=sha1", "--initial-branch="+Branch); err != nil {
		return err
	}
	if err := g.configure(ctx, owner); err != nil {
		return err
	}
	if len(commits) > 0 {
		if err := g.commit(ctx, commits); err != nil {
			return err
		}
	}
	return os.Rename(filepath.Join(g.dir, unfinishedName), filepath.Join(g.dir, markerName))
}

// configure lets the learner's own git commit work on a machine where nobody
// told git who they are, and turns line-ending conversion off: the files that
// a build sees are then those of the commit.
func (g git) configure(ctx context.Context, owner Marker) error {
	settings := [][2]string{{"core.autocrlf", "false"}}
	name, err := g.userHas(ctx, "user.name")
	if err != nil {
		return err
	}
	email, err := g.userHas(ctx, "user.email")
	if err != nil {
		return err
	}
	if !name || !email {
		learner := strings.Map(plain, owner.Learner)
		if learner == "" {
			learner = "learner"
		}
		settings = append(settings,
			[2]string{"user.name", learner},
			[2]string{"user.email", strings.Map(address, strings.ToLower(learner)) + "@labctl.invalid"})
	}
	for _, s := range settings {
		if _, err := g.run(ctx, nil, "config", s[0], s[1]); err != nil {
			return err
		}
	}
	return nil
}

// userHas tells whether the user's or the system's configuration has a value.
func (g git) userHas(ctx context.Context, key string) (bool, error) {
	cmd := git{dir: g.dir}.command(ctx, "config", "--get", key)
	cmd.Env = append(withoutGit(os.Environ()), "LC_ALL=C")
	stderr := &limited{left: maxSmall}
	cmd.Stderr = stderr
	err := cmd.Run()
	if exitCode(err) == 1 {
		return false, nil
	}
	if err != nil {
		return false, gitError(ctx, "config", err, stderr.Bytes())
	}
	return true, nil
}

// withoutGit leaves out what would lead git to another repository, but not
// what says where the user's configuration is.
func withoutGit(env []string) []string {
	var kept []string
	for _, e := range env {
		if !strings.HasPrefix(e, "GIT_") || strings.HasPrefix(e, "GIT_CONFIG") {
			kept = append(kept, e)
		}
	}
	return kept
}

// plain drops what git does not take in a name.
func plain(r rune) rune {
	if r < ' ' || r == 0x7f || strings.ContainsRune("<>\"", r) {
		return -1
	}
	return r
}

// address makes a name fit for the local part of an address.
func address(r rune) rune {
	if (r >= 'a' && r <= 'z') || (r >= '0' && r <= '9') || r == '.' || r == '-' || r == '_' {
		return r
	}
	return '-'
}

// commit makes the commits and checks the last one out. The files are written
// by us: git's own checkout runs the filters that attributes ask for.
func (g git) commit(ctx context.Context, commits []lab.Commit) error {
	var stream strings.Builder
	for _, c := range commits {
		if err := writeCommit(&stream, c); err != nil {
			return fmt.Errorf("commit %q: %w", c.Name, err)
		}
	}
	if _, err := g.run(ctx, strings.NewReader(stream.String()+"done\n"), "fast-import", "--quiet", "--done"); err != nil {
		return err
	}
	files, err := g.files(ctx, "refs/heads/"+Branch)
	if err != nil {
		return err
	}
	for _, file := range files {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := checkout(g.root, file); err != nil {
			return err
		}
	}
	if _, err := g.run(ctx, nil, "read-tree", "HEAD"); err != nil {
		return err
	}
	_, err = g.run(ctx, nil, "update-index", "-q", "--refresh")
	return err
}

// checkout writes one file of a commit to disk, under the user's umask.
func checkout(root string, file lab.File) error {
	name := filepath.Join(root, filepath.FromSlash(file.Path))
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		return err
	}
	if file.Link != "" {
		return os.Symlink(file.Link, name)
	}
	mode := os.FileMode(0o644)
	if file.Executable {
		mode = 0o755
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(file.Content)
	return errors.Join(err, f.Close())
}
