package config_test

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/hashicorp/hcl/v2"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/labctl/labctl/scenarios/config"
)

var update = flag.Bool("update", false, "write what is found into the archives")

// base is a lab in which nothing is wrong, as a map that a test may change.
func base(t testing.TB) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{}
	dir := os.DirFS("testdata/base")
	err := fs.WalkDir(dir, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := fs.ReadFile(dir, name)
		files[name] = &fstest.MapFile{Data: content}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// lines are diagnostics as archives have them: file:line: summary: detail.
func lines(diags hcl.Diagnostics) string {
	var b strings.Builder
	for _, d := range diags {
		fmt.Fprintf(&b, "%s:%d: %s: %s\n", d.Subject.Filename, d.Subject.Start.Line, d.Summary, strings.ReplaceAll(d.Detail, "\n", " "))
	}
	return b.String()
}

// TestLoad reads, for each archive, the base lab with the archive's files laid
// over it. An archive's empty file removes the base's; "want" are the
// diagnostics.
func TestLoad(t *testing.T) {
	t.Parallel()
	archives, err := filepath.Glob("testdata/load/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("no archives: %v", err)
	}
	for _, name := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			files, want, wantAt := base(t), "", -1
			for i, f := range archive.Files {
				switch {
				case f.Name == "want":
					want, wantAt = string(f.Data), i
				case len(f.Data) == 0:
					delete(files, f.Name)
				default:
					files[f.Name] = &fstest.MapFile{Data: f.Data}
				}
			}
			if wantAt < 0 {
				t.Fatal("the archive has no file want")
			}
			_, diags := config.Load(files)
			got := lines(diags)
			if *update {
				archive.Files[wantAt].Data = []byte(got)
				if err := os.WriteFile(name, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != want {
				t.Errorf("diagnostics:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}
