package evidence

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// printable is a path or a link's target as an Entry holds it. Names are bytes
// to a filesystem and Unicode in JSON, which would make different names one:
// so a byte that is no UTF-8 becomes \xNN, and in a name that has such a byte,
// or looks as if it had, each backslash is doubled. All other names stay as
// they are, and no two names become one.
//
// It works name by name, so that what lies below a directory still starts
// with its path.
func printable(path string) string {
	if utf8.ValidString(path) && !strings.Contains(path, `\x`) {
		return path
	}
	names := strings.Split(path, "/")
	for i, name := range names {
		if !utf8.ValidString(name) || looksEscaped(name) {
			names[i] = escaped(name)
		}
	}
	return strings.Join(names, "/")
}

func escaped(name string) string {
	var b strings.Builder
	for len(name) > 0 {
		r, size := utf8.DecodeRuneInString(name)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, name[0])
		case r == '\\':
			b.WriteString(`\\`)
		default:
			b.WriteString(name[:size])
		}
		name = name[size:]
	}
	return b.String()
}

// looksEscaped reports whether a name holds what escaped writes for a byte.
func looksEscaped(name string) bool {
	const digits = "0123456789abcdef"
	for {
		_, after, found := strings.Cut(name, `\x`)
		if !found {
			return false
		}
		if len(after) >= 2 && strings.IndexByte(digits, after[0]) >= 0 && strings.IndexByte(digits, after[1]) >= 0 {
			return true
		}
		name = after
	}
}
