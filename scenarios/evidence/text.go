package evidence

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	unified "github.com/rogpeppe/go-internal/diff"
)

// Bounds of Set.Texts, in bytes.
const (
	MaxText  = 16 << 10  // of one text
	MaxTexts = 256 << 10 // of all
)

// IsText reports whether a file's content can be shown as text: valid UTF-8
// without NUL.
func IsText(content string) bool {
	return utf8.ValidString(content) && !strings.ContainsRune(content, 0)
}

// ValidateTexts reports the first of some texts, by SHA-256, that is not what
// it is called, or that no set carries.
func ValidateTexts(texts map[string]string) error {
	total := 0
	for sum, text := range texts {
		actual := sha256.Sum256([]byte(text))
		if hex.EncodeToString(actual[:]) != sum {
			return fmt.Errorf("the text %.12s is not what its digest says", sum)
		}
		if !IsText(text) || len(text) > MaxText {
			return fmt.Errorf("the text %.12s is none, or larger than %d bytes", sum, MaxText)
		}
		total += len(text)
	}
	if total > MaxTexts {
		return fmt.Errorf("its texts have %d bytes together, more than %d", total, MaxTexts)
	}
	return nil
}

// validTexts reports a text that is wrong, or of no file that the set has.
func (s *Set) validTexts() error {
	if err := ValidateTexts(s.Texts); err != nil {
		return err
	}
	if len(s.Texts) == 0 {
		return nil
	}
	known := map[string]bool{}
	for _, tree := range s.Trees {
		for _, e := range tree {
			known[e.SHA256] = true
		}
	}
	for _, layer := range s.Layers {
		for _, e := range layer {
			known[e.SHA256] = true
		}
	}
	for sum := range s.Texts {
		if !known[sum] {
			return fmt.Errorf("the text %.12s is of no file", sum)
		}
	}
	return nil
}

// Wanted are the contents of the first of some files, by SHA-256 with their
// sizes: none larger than each bytes, all together no more than total.
func Wanted(files []Entry, each, total int64) map[string]int64 {
	wanted := map[string]int64{}
	for _, f := range files {
		if _, again := wanted[f.SHA256]; again || f.Size > each || f.Size > total {
			continue
		}
		wanted[f.SHA256] = f.Size
		total -= f.Size
	}
	return wanted
}

// Texts are those of some contents that are text.
func Texts(contents map[string]string) map[string]string {
	texts := map[string]string{}
	for sum, content := range contents {
		if IsText(content) {
			texts[sum] = content
		}
	}
	return texts
}

// Contents are the files whose content differs: those to read for a Unified
// diff. Empty ones need no reading.
func (d Difference) Contents() []Entry {
	if !d.ofFiles() {
		return nil
	}
	var out []Entry
	for _, e := range []Entry{d.Before, d.After} {
		if e.Size > 0 {
			out = append(out, e)
		}
	}
	return out
}

// ofFiles reports whether the difference is one of contents of files, also
// where one of the two is not there.
func (d Difference) ofFiles() bool {
	file := func(e Entry) bool { return e.Type == TypeFile || e.Type == "" }
	return file(d.Before) && file(d.After) && d.Before.SHA256 != d.After.SHA256
}

// Unified is the difference as a unified diff, with the texts by SHA-256; ""
// when it is not one of contents, or a text is not there. Its names are a/PATH
// and b/PATH, quoted where they hold what could be taken for something else.
func (d Difference) Unified(texts map[string]string) string {
	if !d.ofFiles() {
		return ""
	}
	for _, e := range d.Contents() {
		if _, there := texts[e.SHA256]; !there {
			return ""
		}
	}
	name := func(prefix string, e Entry) string {
		if e.Type == "" {
			return "/dev/null"
		}
		name := prefix + d.Path
		if strings.ContainsFunc(name, func(r rune) bool { return r == '"' || !unicode.IsPrint(r) }) {
			return strconv.Quote(name)
		}
		return name
	}
	out := unified.Diff(name("a", d.Before), []byte(texts[d.Before.SHA256]), name("b", d.After), []byte(texts[d.After.SHA256]))
	_, out, _ = bytes.Cut(out, []byte("\n")) // the command that would make it
	return string(out)
}
