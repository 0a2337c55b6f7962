// Package schema holds the formats of what labctl writes for programs, as JSON
// Schema 2020-12. They are generated from the types that are written, with the
// comments of their fields as descriptions; cmd/labctl does so, since some of
// the types are its own.
package schema

import (
	"embed"
	"strings"
)

//go:embed *.json
var files embed.FS

// Names are the formats that have a schema: "evidence" is labctl/evidence/v1.
func Names() []string {
	entries, _ := files.ReadDir(".") // of what is embedded nothing can be missing
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".json"))
	}
	return names
}

// Of is the schema of a format; false when there is none.
func Of(name string) ([]byte, bool) {
	b, err := files.ReadFile(name + ".json")
	return b, err == nil
}
