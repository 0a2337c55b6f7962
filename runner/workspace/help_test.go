package workspace_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/labctl/labctl/runner/workspace"
	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/lab"
)

var owner = workspace.Marker{Instance: "drift-lab-ada", Lab: "drift-lab", Learner: "ada", Seed: 7, Definition: "sha256:d"}

// commits are a lab's: two, the second laid over the first.
var commits = []lab.Commit{
	{
		Name: "as_built", Message: "Booking: quotes", Author: "booking team <booking@hotel.example>", Date: "2023-03-06T10:12:00+01:00",
		Files: []lab.File{
			{Path: "Dockerfile", Content: []byte("FROM labctl/base:1\n")},
			{Path: "www/cgi-bin/quote", Content: []byte("#!/bin/sh\n"), Executable: true},
			{Path: "www/current", Link: "cgi-bin"},
			{Path: "a file with spaces", Content: []byte("x\n")},
		},
	},
	{Name: "later", Message: "Version 2", Files: []lab.File{{Path: "VERSION", Content: []byte("2\n")}}},
}

// created makes a workspace in a folder whose path has spaces.
func created(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "my labs", "drift lab")
	if _, err := workspace.Create(t.Context(), dir, commits, owner); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestMain hides the configuration of the machine, whose user may have a name.
func TestMain(m *testing.M) {
	for name, value := range map[string]string{"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"} {
		if err := os.Setenv(name, value); err != nil {
			panic(err)
		}
	}
	m.Run()
}

// git is the learner's own git.
func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

func write(t *testing.T, dir, name, content string, mode os.FileMode) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func head(t *testing.T, dir string) evidence.Head {
	t.Helper()
	h, err := workspace.Open(dir).Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// changes prints the differences of a head, one word each.
func changes(h evidence.Head) string {
	var all []string
	for _, c := range h.Dirty {
		all = append(all, c.Sign+c.Path)
	}
	return strings.Join(all, " ")
}

func sum(content string) string {
	s := sha256.Sum256([]byte(content))
	return hex.EncodeToString(s[:])
}
