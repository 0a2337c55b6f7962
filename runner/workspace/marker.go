package workspace

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Marker says whose workspace a repository is. It lies in the git directory:
// it moves with the folder, is never committed and never cloned.
type Marker struct {
	Instance   string `json:"instance"`
	Lab        string `json:"lab"`
	Learner    string `json:"learner"`
	Seed       int64  `json:"seed"`       // that the commits were drawn with
	Definition string `json:"definition"` // of the lab that they were made from
}

const (
	markerName = "labctl"
	// unfinishedName is the marker's name until everything else is written,
	// so that what a killed Create left is known for what it is.
	unfinishedName = "labctl.unfinished"
)

// FindMarker looks for the workspace that dir lies in: dir itself or the
// nearest folder above it whose repository is marked. root is that folder.
// A repository without a marker, say one cloned into the workspace, is passed
// over. ok is false when there is none; an error means that looking failed.
func FindMarker(dir string) (m Marker, root string, ok bool, err error) {
	root, err = filepath.Abs(dir)
	if err != nil {
		return Marker{}, "", false, fmt.Errorf("finding the workspace of %q: %w", dir, err)
	}
	for {
		m, ok, err := readMarker(root, markerName)
		if err != nil || ok {
			return m, root, ok, err
		}
		parent := filepath.Dir(root)
		if parent == root {
			return Marker{}, "", false, nil
		}
		root = parent
	}
}

// readMarker reads the marker of that name in the repository at root.
func readMarker(root, name string) (Marker, bool, error) {
	_, common, err := gitDirs(root)
	if errors.Is(err, ErrNotRepository) {
		return Marker{}, false, nil
	}
	if err != nil {
		return Marker{}, false, err
	}
	path := filepath.Join(common, name)
	data, err := readSmall(path)
	if errors.Is(err, os.ErrNotExist) {
		return Marker{}, false, nil
	}
	if err != nil {
		return Marker{}, false, fmt.Errorf("reading whose workspace %q is: %w", root, err)
	}
	var m Marker
	if err := json.Unmarshal(data, &m); err != nil || m.Instance == "" {
		return Marker{}, false, fmt.Errorf("%q does not say whose workspace this is: remove it, and name the lab instead", path)
	}
	return m, true, nil
}

// writeMarker writes the marker under that name in a git directory.
func writeMarker(gitDir, name string, m Marker) error {
	data, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(gitDir, name), append(data, '\n'), 0o644)
}
