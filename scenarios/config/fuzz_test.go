package config_test

import (
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/labctl/labctl/scenarios/config"
)

// FuzzLoad reads whatever is laid over a lab: it is reported or it is right,
// and never a panic.
func FuzzLoad(f *testing.F) {
	archives, err := filepath.Glob("testdata/load/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range archives {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range archive.Files {
			if file.Name != "want" {
				f.Add(file.Name, file.Data)
			}
		}
	}
	f.Fuzz(func(t *testing.T, name string, content []byte) {
		files := base(t)
		files[name] = &fstest.MapFile{Data: content}
		def, diags := config.Load(files)
		if !diags.HasErrors() {
			def.Resolve("ann", 1)
		}
	})
}
