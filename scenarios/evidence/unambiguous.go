package evidence

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// foreign are the names of values with keys that are not ours: those of the
// engine, of a kind of check, of environment variables.
var foreign = []string{"config", "host_config", "spec", "env"}

// unambiguous refuses an object that has a name twice. Go reads the last of
// them, whatever its case, and other readers may take the first: they would see
// other evidence than what is graded. The JSON is valid.
func unambiguous(b []byte) error {
	type object struct {
		name  string          // under which it stands
		names map[string]bool // nil for an array
		next  string          // name of the value that comes next; "" when a name comes
		named bool
	}
	var open []object
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	for {
		t, err := d.Token()
		if err != nil {
			return nil // its end; what is wrong with it is told by who decodes it
		}
		top := len(open) - 1
		if delim, is := t.(json.Delim); is && (delim == '}' || delim == ']') {
			open = open[:top]
			if len(open) > 0 {
				open[len(open)-1].named = false
			}
			continue
		}
		if top >= 0 && open[top].names != nil && !open[top].named {
			name, _ := t.(string)
			folded := name
			if !slices.ContainsFunc(open, func(o object) bool { return slices.Contains(foreign, o.name) }) {
				folded = strings.ToLower(name)
			}
			if open[top].names[folded] {
				return fmt.Errorf("it has %q twice in one object", name)
			}
			open[top].names[folded], open[top].next, open[top].named = true, name, true
			continue
		}
		if delim, is := t.(json.Delim); is {
			o := object{}
			if delim == '{' {
				o.names = map[string]bool{}
			}
			if top >= 0 {
				o.name = open[top].next
			}
			open = append(open, o)
			continue
		}
		if top >= 0 {
			open[top].named = false
		}
	}
}
