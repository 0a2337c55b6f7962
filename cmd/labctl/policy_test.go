package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// module is what every import of ours starts with.
const module = "github.com/labctl/labctl/"

// rule says what the packages below a folder must not import.
type rule struct {
	packages  string   // folder, relative to the module
	except    []string // folders below it to which the rule does not apply
	forbidden func(path string) bool
	why       string
}

// policy is the direction of imports, cmd → runner → scenarios, as a table.
var policy = []rule{
	{packages: "labs", forbidden: not(under("embed")), why: "labs are data: they import nothing but embed"},
	{packages: "scenarios", forbidden: under(module+"runner", module+"cmd", module+"labs"), why: "scenarios are the language and grading; they know no world"},
	{packages: "scenarios", forbidden: under("os", "net", "syscall", "io/ioutil", "golang.org/x/sys", "github.com/docker/docker", "github.com/docker/cli", "github.com/testcontainers"), why: "grading is a pure function: no I/O"},
	{packages: "runner", forbidden: under(module + "cmd"), why: "the runner does not know who calls it"},
	{packages: "", except: []string{"runner/docker"}, forbidden: under("github.com/docker/docker", "github.com/testcontainers"), why: "runner/docker alone imports the Docker client"},
	{packages: "", except: []string{"cmd"}, forbidden: under("github.com/spf13", "github.com/fatih/color", "github.com/vbauerster"), why: "what people see is decided in cmd"},
}

// under matches paths that are one of some prefixes or lie below it.
func under(prefixes ...string) func(string) bool {
	return func(path string) bool {
		return slices.ContainsFunc(prefixes, func(prefix string) bool {
			return path == prefix || strings.HasPrefix(path, strings.TrimSuffix(prefix, "/")+"/")
		})
	}
}

func not(match func(string) bool) func(string) bool {
	return func(path string) bool { return !match(path) }
}

// breaches names every import that the policy forbids, by package.
func breaches(imports map[string][]string) []string {
	var found []string
	for pkg, paths := range imports {
		for _, r := range policy {
			if !below(pkg, r.packages) || slices.ContainsFunc(r.except, func(e string) bool { return below(pkg, e) }) {
				continue
			}
			for _, path := range paths {
				if r.forbidden(path) {
					found = append(found, fmt.Sprintf("%s imports %s: %s", pkg, path, r.why))
				}
			}
		}
	}
	slices.Sort(found)
	return found
}

func below(pkg, folder string) bool {
	return folder == "" || pkg == folder || strings.HasPrefix(pkg, folder+"/")
}

func TestImportsRunOneWay(t *testing.T) {
	t.Parallel()
	imports := importsOf(t)
	for _, folder := range []string{"cmd", "labs", "runner", "scenarios"} {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(imports)), func(pkg string) bool { return below(pkg, folder) }) {
			t.Errorf("no package in %s: the policy would hold for nothing", folder)
		}
	}
	for _, breach := range breaches(imports) {
		t.Error(breach)
	}
}

// A policy that cannot be broken proves nothing.
func TestPolicyFailsOnABreach(t *testing.T) {
	t.Parallel()
	tests := []struct {
		pkg, path string
		breach    bool
	}{
		{"labs", "embed", false},
		{"labs", "strings", true},
		{"labs", module + "scenarios/lab", true},
		{"scenarios/check", "strings", false},
		{"scenarios/check", module + "scenarios/lab", false},
		{"scenarios/check", module + "runner/engine", true},
		{"scenarios/report", "os", true},
		{"scenarios/report", "os/exec", true},
		{"scenarios/report", "net/http", true},
		{"scenarios/config", "github.com/moby/patternmatcher", false},
		{"runner/gather", module + "scenarios/check", false},
		{"runner/gather", module + "cmd/labctl", true},
		{"runner/gather", "github.com/docker/docker/client", true},
		{"runner/gather", "github.com/testcontainers/testcontainers-go/wait", true},
		{"runner/docker", "github.com/docker/docker/client", false},
		{"runner/docker", "github.com/testcontainers/testcontainers-go/wait", false},
		{"runner/dockerfile", "github.com/docker/docker/client", true},
		{"runner/apply", "github.com/spf13/cobra", true},
		{"cmd/labctl", "github.com/spf13/cobra", false},
		{"cmd/labctl", "github.com/docker/docker/client", true},
	}
	for _, tt := range tests {
		if got := breaches(map[string][]string{tt.pkg: {tt.path}}); (len(got) > 0) != tt.breach {
			t.Errorf("%s importing %s: breaches %q, want one: %t", tt.pkg, tt.path, got, tt.breach)
		}
	}
}

// importsOf reads what every package of the module imports; tests are free.
func importsOf(t *testing.T) map[string][]string {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", module+"...")
	out, err := cmd.Output()
	if err != nil {
		if failed := (*exec.ExitError)(nil); errors.As(err, &failed) {
			t.Fatalf("go list: %s", failed.Stderr)
		}
		t.Fatal(err)
	}
	imports := map[string][]string{}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return imports
		} else if err != nil {
			t.Fatal(err)
		}
		imports[strings.TrimPrefix(p.ImportPath, module)] = p.Imports
	}
}
