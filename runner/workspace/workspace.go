// Package workspace makes and reads the learner's git repository.
//
// What it reads may be hostile: a submission can bring its own configuration,
// attributes, hooks and replaced objects. So only plumbing is run that consults
// none of them, in an environment of its own, and files are compared by us.
package workspace

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Errors that callers tell apart. Each comes wrapped with what was being read.
var (
	ErrNoGit         = errors.New("git is not installed: install it, on Debian or Ubuntu with apt-get install git")
	ErrNotRepository = errors.New("not a git repository")
	ErrNoCommit      = errors.New("the repository has no commit yet: make one with git add and git commit")
	ErrDamaged       = errors.New("the repository is damaged: see what git fsck says, or clone it anew")
)

// Refused is the error of a repository that can be read but not taken as it
// is, because its commits do not hold what a build would use.
type Refused struct {
	Path   string // in the repository
	Reason string // what it is and what to do instead
}

func (e *Refused) Error() string { return fmt.Sprintf("%q %s", e.Path, e.Reason) }

// gitDirs finds the git directory of the work tree at root, and the directory
// that it shares with its other work trees; both are the same in a repository
// without any. It returns ErrNotRepository when root holds no .git.
func gitDirs(root string) (gitDir, common string, err error) {
	dotGit := filepath.Join(root, ".git")
	info, err := os.Stat(dotGit)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return "", "", fmt.Errorf("%q is %w: it has no .git", root, ErrNotRepository)
	case err != nil:
		return "", "", fmt.Errorf("looking for the git repository of %q: %w", root, err)
	}
	gitDir = dotGit
	if !info.IsDir() {
		line, err := readSmall(dotGit)
		if err != nil {
			return "", "", fmt.Errorf("reading where the git directory of %q is: %w", root, err)
		}
		target, ok := strings.CutPrefix(strings.TrimSpace(string(line)), "gitdir: ")
		if !ok {
			return "", "", fmt.Errorf("%q is %w: its .git file names no git directory", root, ErrNotRepository)
		}
		gitDir = relativeTo(root, target)
	}
	line, err := readSmall(filepath.Join(gitDir, "commondir"))
	switch {
	case errors.Is(err, os.ErrNotExist):
		return gitDir, gitDir, nil
	case err != nil:
		return "", "", fmt.Errorf("reading which repository the work tree %q belongs to: %w", root, err)
	}
	return gitDir, relativeTo(gitDir, strings.TrimSpace(string(line))), nil
}

// relativeTo resolves a path that a file in dir names.
func relativeTo(dir, path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(dir, path)
}

// maxSmall bounds the files of a git directory that are read whole.
const maxSmall = 64 << 10

// readSmall reads a regular file of at most maxSmall bytes. A pipe or a device
// in its place is an error instead of a wait without end.
func readSmall(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxSmall {
		return nil, fmt.Errorf("%q is not a small regular file", path)
	}
	return os.ReadFile(path)
}
