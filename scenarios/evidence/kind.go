package evidence

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Kinds of contents besides those that KindOf names by their format.
const (
	KindText   = "text"   // UTF-8 without NUL bytes, and nothing packed into it
	KindBinary = "binary" // anything else
)

// formats are the archives, compressions and programs that are known by how
// they begin. What is none of them and no text is KindBinary.
var formats = []struct{ name, begins string }{
	{"gzip", "\x1f\x8b\x08"},
	{"compress", "\x1f\x9d"},
	{"xz", "\xfd7zXZ\x00"},
	{"zstd", "\x28\xb5\x2f\xfd"},
	{"lz4", "\x04\x22\x4d\x18"},
	{"lzip", "LZIP\x01"},
	{"7z", "7z\xbc\xaf\x27\x1c"},
	{"zip", "PK\x03\x04"},
	{"zip", "PK\x05\x06"},
	{"cpio", "\xc7\x71"}, {"cpio", "\x71\xc7"},
	{"ar", "!<arch>\n"},
	{"ELF", "\x7fELF"},
}

// lettered are those formats that begin with letters, which a text might begin
// with too: so more of them is asked.
var lettered = []struct {
	name   string
	begins *regexp.Regexp
}{
	{"bzip2", regexp.MustCompile("^BZh[1-9]1AY&SY")},
	{"cpio", regexp.MustCompile("^0707(01|02|07)[0-9A-Fa-f]{4}")},
}

const (
	// longest is how much of the beginning decides about a format: a tar's
	// first header.
	longest = 512
	// lookahead is how far a packed text is read, with all that may stand
	// between its letters, to learn how what is packed begins.
	lookahead = 8 << 10
)

// KindOf reads a content to its end and says what it is: an archive, a
// compressed file or a program by name, else KindText or KindBinary. Text into
// which one of the named was packed as base64 or hexadecimal digits, anywhere,
// is "gzip as base64".
//
// Only what the bytes are counts, never what a file is called.
func KindOf(r io.Reader) (string, error) {
	var (
		kind  string
		buf   = make([]byte, 64<<10)
		have  int  // bytes in buf
		start bool // buf holds what follows the beginning
		from  int  // where in buf to look for packed text; what lies before was looked at
		valid int  // where in buf UTF-8 is still to be looked at
	)
	for {
		n, err := io.ReadFull(r, buf[have:])
		have += n
		last := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if err != nil && !last {
			return "", err
		}
		data := buf[:have]
		if !start {
			start = true
			kind = format(data)
		}
		if kind == "" {
			var text bool
			if valid, text = checkText(data, valid, last); !text {
				kind = KindBinary
			}
		}
		if kind == "" {
			to := have
			if !last {
				to -= lookahead
			}
			kind = packed(data, from, to)
			from = to
		}
		if last {
			break
		}
		if kind != "" {
			if _, err := io.Copy(io.Discard, r); err != nil {
				return "", err
			}
			break
		}
		// The byte before is kept: it tells whether a word begins.
		keep := min(from, valid) - 1
		have = copy(buf, data[keep:])
		from, valid = from-keep, valid-keep
	}
	if kind == "" {
		return KindText, nil
	}
	return kind, nil
}

// format names what begins so; "" when it is none of the formats.
func format(begin []byte) string {
	if isTar(begin) {
		return "tar"
	}
	for _, f := range formats {
		if bytes.HasPrefix(begin, []byte(f.begins)) {
			return f.name
		}
	}
	for _, f := range lettered {
		if f.begins.Match(begin) {
			return f.name
		}
	}
	return ""
}

// isTar reports whether a tar's header begins here: a newer one says so, and an
// older one has a sum that is right.
func isTar(b []byte) bool {
	if len(b) >= 262 && string(b[257:262]) == "ustar" {
		return true
	}
	if len(b) < longest || b[0] == 0 {
		return false
	}
	want, err := strconv.ParseInt(strings.Trim(string(b[148:156]), " \x00"), 8, 64)
	if err != nil {
		return false
	}
	var sum int64
	for i, c := range b[:longest] {
		if i >= 148 && i < 156 {
			c = ' '
		}
		sum += int64(c)
	}
	return sum == want
}

// checkText goes on from a place and reports how far data is text, and whether
// all of it is. A character that is cut off at the end is left for later.
func checkText(data []byte, from int, last bool) (int, bool) {
	for from < len(data) {
		if data[from] == 0 {
			return from, false
		}
		if data[from] < utf8.RuneSelf {
			from++
			continue
		}
		if !last && !utf8.FullRune(data[from:]) {
			return from, true
		}
		r, size := utf8.DecodeRune(data[from:])
		if r == utf8.RuneError && size == 1 {
			return from, false
		}
		from += size
	}
	return from, true
}

// packed looks for a word between two places with which one of the formats
// begins, written in letters.
func packed(text []byte, from, to int) string {
	for i := from; i < to; i++ {
		if !isBase64(text[i]) || i > 0 && isBase64(text[i-1]) && !hexEscape(text, i) {
			continue // not where a word begins
		}
		rest := text[i:min(len(text), i+lookahead)]
		if isHex(text[i]) {
			if kind := format(fromHex(rest)); kind != "" {
				return kind + " as hex"
			}
		}
		enough := 12
		// A tar says what it is far from its beginning. Few texts have words
		// so long.
		if long(rest, 16) {
			enough = longest
		}
		if kind := format(fromBase64(rest, enough)); kind != "" {
			return kind + " as base64"
		}
	}
	return ""
}

// hexEscape reports whether a digit is the first of \x1f or 0x1f.
func hexEscape(text []byte, i int) bool {
	return text[i-1] == 'x' && i > 1 && (text[i-2] == '\\' || text[i-2] == '0' && (i == 2 || !isBase64(text[i-3])))
}

// long reports whether a word has that many letters at least.
func long(word []byte, n int) bool {
	if len(word) < n {
		return false
	}
	for _, b := range word[:n] {
		if !isBase64(b) {
			return false
		}
	}
	return true
}

// fromBase64 decodes the beginning of a text, at most n bytes. Spaces, line ends
// and what continues or quotes a line may stand between the letters.
func fromBase64(text []byte, n int) []byte {
	letters := make([]byte, 0, (n+2)/3*4)
	for _, b := range text {
		if len(letters) == cap(letters) || !isBase64(b) && !between(b) {
			break
		}
		if isBase64(b) {
			letters = append(letters, b)
		}
	}
	out := make([]byte, len(letters)/4*3)
	_, _ = base64.StdEncoding.Decode(out, letters[:len(letters)/4*4]) // letters of its alphabet alone
	return out
}

// fromHex decodes the beginning of a text: digits with what is written around
// them, as in 1f8b, "1f 8b", \x1f\x8b and 0x1f, 0x8b.
func fromHex(text []byte) []byte {
	letters := make([]byte, 0, 2*longest)
	for i := 0; i < len(text) && len(letters) < cap(letters); i++ {
		b := text[i]
		switch {
		case (b == '0' || b == '\\') && i+1 < len(text) && text[i+1] == 'x':
			i++
		case isHex(b):
			letters = append(letters, b)
		case !between(b):
			i = len(text)
		}
	}
	out := make([]byte, len(letters)/2)
	_, _ = hex.Decode(out, letters[:len(out)*2]) // digits alone
	return out
}

// between reports whether a byte may stand between what is packed: it ends,
// continues, quotes or lists.
func between(b byte) bool { return strings.IndexByte(" \t\r\n\\\"',", b) >= 0 }

func isHex(b byte) bool {
	return b >= '0' && b <= '9' || b >= 'a' && b <= 'f' || b >= 'A' && b <= 'F'
}

func isBase64(b byte) bool {
	return b >= 'A' && b <= 'Z' || b >= 'a' && b <= 'z' || b >= '0' && b <= '9' || b == '+' || b == '/'
}
