package evidence_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/labctl/labctl/scenarios/evidence"
)

func zipped(t testing.TB, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// oldTar is a tar from before ustar: only the sum in its header says so.
func oldTar(t testing.TB) []byte {
	t.Helper()
	b := archive(t, file("etc/booking.conf", "city_tax=190\n"))
	copy(b[257:512], make([]byte, 255))
	copy(b[148:156], "        ")
	sum := 0
	for _, c := range b[:512] {
		sum += int(c)
	}
	copy(b[148:156], fmt.Sprintf("%06o\x00 ", sum))
	return b
}

// lines wraps a text as base64 and xxd do.
func lines(text string, width int) string {
	var b strings.Builder
	for len(text) > width {
		b.WriteString(text[:width] + "\n")
		text = text[width:]
	}
	return b.String() + text + "\n"
}

// slashed is "\x1f\x8b…".
func slashed(content []byte) string {
	var b strings.Builder
	for _, c := range content {
		fmt.Fprintf(&b, `\x%02x`, c)
	}
	return b.String()
}

func TestKindOf(t *testing.T) {
	t.Parallel()
	pet := archive(t, file("etc/booking.conf", "city_tax=190\n"))
	pax := archive(t, member{tar.Header{Name: "a", Typeflag: tar.TypeReg, Mode: 0o644, Size: 1, PAXRecords: map[string]string{"SCHILY.xattr.user.a": "b"}, Format: tar.FormatPAX}, "x"})
	gz := zipped(t, pet)
	var zipFile bytes.Buffer
	if err := zip.NewWriter(&zipFile).Close(); err != nil {
		t.Fatal(err)
	}
	b64 := base64.StdEncoding.EncodeToString
	prose := strings.Repeat("Guests pay the city tax, in whole cents. Größe: 3 €.\n", 2000) // over what is read at once
	for _, row := range []struct{ name, content, want string }{
		{"empty", "", "text"},
		{"prose", prose, "text"},
		{"a script", "#!/bin/sh\nsed -i 's|a|b|' /etc/booking.conf\n", "text"},
		{"a lock file with sums", strings.Repeat("github.com/a/b v1.2.3 h1:xrT3dSgZZ0qQnXrgxHn3Di2ktGiMwUtXm2KoT83Vvzg=\n", 90), "text"},
		{"names of commits", strings.Repeat("1f8c0000deadbeef1f8b07aa00000000000000aa\n", 40), "text"},
		{"words that a format begins with", "BZh9, LZIP, PK and 070701 are no archives.\n", "text"},
		{"numbers", strings.Repeat("070701 070702\n", 50), "text"},

		{"tar", string(pet), "tar"},
		{"tar of the standard of 2001", string(pax), "tar"},
		{"tar from before 1988", string(oldTar(t)), "tar"},
		{"tar.gz", string(gz), "gzip"},
		{"zip", zipFile.String(), "zip"},
		{"bzip2", "BZh91AY&SY\x00\x01", "bzip2"},
		{"xz", "\xfd7zXZ\x00\x00", "xz"},
		{"zstd", "\x28\xb5\x2f\xfd\x04", "zstd"},
		{"cpio", "07070100000a1c000081a4\x00", "cpio"},
		{"old cpio", "\xc7\x71\x00", "cpio"},
		{"ar", "!<arch>\na.txt/ 0 0 0 644 2 `\nx\n", "ar"},
		{"a program", "\x7fELF\x02\x01", "ELF"},
		{"a picture", "\x89PNG\r\n\x1a\n\x00", "binary"},
		{"a NUL", "a\x00b", "binary"},
		{"no UTF-8", "caf\xe9\n", "binary"},
		{"a NUL far behind", prose + "\x00", "binary"},
		{"a character cut off at the end", "caf\xc3", "binary"},

		{"tar.gz as base64", lines(b64(gz), 76), "gzip as base64"},
		{"tar.gz as base64 on one line of a Dockerfile", "FROM scratch\nRUN echo " + b64(gz) + " | base64 -d | tar xz\n", "gzip as base64"},
		{"tar.gz as base64 in a script, far behind", "#!/bin/sh\n: '" + prose + "'\nbase64 -d <<END\n" + lines(b64(gz), 64) + "END\n", "gzip as base64"},
		{"tar.gz as base64 in lines with quotes", `a="` + strings.ReplaceAll(lines(b64(gz), 4), "\n", "\" \\\n\"") + `"`, "gzip as base64"},
		{"tar as base64", lines(b64(pet), 76), "tar as base64"},
		{"old tar as base64", lines(b64(oldTar(t)), 64), "tar as base64"},
		{"a program as base64", b64([]byte("\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00")), "ELF as base64"},
		{"tar.gz as digits", lines(hex.EncodeToString(gz), 60), "gzip as hex"},
		{"tar as digits", lines(strings.ToUpper(hex.EncodeToString(pet)), 60), "tar as hex"},
		{"tar.gz for printf", "RUN printf '" + slashed(gz) + "' | tar xz\n", "gzip as hex"},
		{"tar.gz as a list", "char pet[] = { 0x1f, 0x8b, 0x08, 0x00 };\n", "gzip as hex"},
		{"a dump", "00000000: 1f8b 0800 0000 0000 00ff ........\n", "gzip as hex"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			// However the bytes come, a part at a time too.
			for how, r := range map[string]io.Reader{
				"whole":   strings.NewReader(row.content),
				"halves":  iotest.HalfReader(strings.NewReader(row.content)),
				"one err": iotest.DataErrReader(strings.NewReader(row.content)),
			} {
				got, err := evidence.KindOf(r)
				if err != nil || got != row.want {
					t.Errorf("%s: %q, %v; want %q", how, got, err, row.want)
				}
			}
		})
	}
}

func TestKindOfReadsToTheEnd(t *testing.T) {
	t.Parallel()
	for _, begin := range []string{"", "\x00", "\x1f\x8b\x08"} {
		r := strings.NewReader(begin + strings.Repeat("a line of text\n", 20000))
		if _, err := evidence.KindOf(r); err != nil || r.Len() != 0 {
			t.Errorf("%q: %d bytes are left, error %v", begin, r.Len(), err)
		}
		away := errors.New("repository away")
		if kind, err := evidence.KindOf(io.MultiReader(strings.NewReader(begin+"text"), failing{away})); !errors.Is(err, away) {
			t.Errorf("%q: is %q, error %v", begin, kind, err)
		}
	}
}

// FuzzKindOf: what is text stays text wherever it is cut off between two
// characters' bytes, and nothing that is no text passes for it.
func FuzzKindOf(f *testing.F) {
	f.Add([]byte("text\n"), uint16(2))
	f.Add(archive(f, file("a", "x")), uint16(512))
	f.Add([]byte(base64.StdEncoding.EncodeToString(archive(f, file("a", "x")))), uint16(9000))
	f.Add([]byte(slashed(zipped(f, []byte("x")))), uint16(0))
	f.Fuzz(func(t *testing.T, data []byte, pad uint16) {
		// The same behind other text, across the end of what is read at once.
		padded := append(bytes.Repeat([]byte(" \n"), int(pad)), data...)
		kind, err := evidence.KindOf(bytes.NewReader(padded))
		if err != nil {
			t.Fatal(err)
		}
		if kind != evidence.KindText {
			return
		}
		if bytes.ContainsRune(data, 0) || !bytes.Equal(bytes.ToValidUTF8(data, nil), data) {
			t.Errorf("%q is text", data)
		}
		for _, begins := range []string{"H4sI", "f0VMR", "/Td6WFoA"} {
			if bytes.HasPrefix(data, []byte(begins)) && len(data) >= 16 && !bytes.ContainsFunc(data[:16], func(r rune) bool { return r < '/' || r > 'z' || r > '9' && r < 'A' || r > 'Z' && r < 'a' }) {
				t.Errorf("%q is text", data)
			}
		}
	})
}
