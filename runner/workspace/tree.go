package workspace

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// Modes of a tree's entries, as git writes them.
const (
	modeFile       = "100644"
	modeExecutable = "100755"
	modeLink       = "120000"
	modeSubmodule  = "160000"
)

// treeEntry is one file of a commit.
type treeEntry struct {
	path, mode, id string
}

// tree lists the files of a commit, sorted by path as bytes. A hostile tree
// can hold names that no checkout would make; those are refused, since
// builders and archives would each understand them in a way of their own.
func (g git) tree(ctx context.Context, commit string) ([]treeEntry, error) {
	out, err := g.run(ctx, nil, "ls-tree", "-r", "-z", "--full-tree", "--end-of-options", commit)
	if exitCode(err) >= 0 {
		return nil, fmt.Errorf("%w (%w)", err, ErrDamaged)
	}
	if err != nil {
		return nil, err
	}
	var entries []treeEntry
	seen := map[string]bool{}   // files
	parent := map[string]bool{} // folders that hold a file
	for _, line := range fields0(out) {
		head, name, ok := strings.Cut(line, "\t")
		parts := strings.Fields(head)
		if !ok || len(parts) != 3 {
			return nil, fmt.Errorf("git ls-tree printed %q: %w", line, ErrDamaged)
		}
		e := treeEntry{path: name, mode: parts[0], id: parts[2]}
		switch e.mode {
		case modeFile, modeExecutable, modeLink, modeSubmodule:
		case "100664": // written by very old versions of git
			e.mode = modeFile
		default:
			return nil, &Refused{Path: name, Reason: "has the mode " + e.mode + ", which git never writes"}
		}
		if err := checkPath(name); err != nil {
			return nil, err
		}
		if seen[name] || parent[name] {
			return nil, &Refused{Path: name, Reason: "is in the commit twice"}
		}
		seen[name] = true
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			if seen[dir] {
				return nil, &Refused{Path: dir, Reason: "is in the commit twice, as a file and as a folder"}
			}
			if parent[dir] {
				break
			}
			parent[dir] = true
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// checkPath refuses a path that leads out of the work tree or into .git.
func checkPath(name string) error {
	if name == "." || strings.ContainsRune(name, 0) || !validPath(name) {
		return &Refused{Path: name, Reason: "is no path inside a repository"}
	}
	for _, part := range strings.Split(name, "/") {
		if strings.EqualFold(part, ".git") {
			return &Refused{Path: name, Reason: "lies in a .git folder: rename it"}
		}
	}
	return nil
}

// validPath is fs.ValidPath for names that need not be UTF-8.
func validPath(name string) bool {
	return fs.ValidPath(strings.ToValidUTF8(name, "�"))
}

// fields0 splits what a command printed with -z.
func fields0(out []byte) []string {
	if len(out) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
}

var errTooLarge = errors.New("too large")
