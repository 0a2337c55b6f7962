package cleanroom_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/labctl/labctl/runner/cleanroom"
	"github.com/labctl/labctl/scenarios/lab"
)

// zeros is a gzip of so many bytes.
func zeros(t *testing.T, n int64) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.CopyN(w, zero{}, n); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

type zero struct{}

func (zero) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// An engine unpacks what ADD names to the end, whatever it is told meanwhile.
func TestArchivesThatFillTheDiskAreRefused(t *testing.T) {
	t.Parallel()
	bomb, small := zeros(t, 1<<30+1), zeros(t, 1<<20)
	for name, test := range map[string]struct {
		steps   string
		archive []byte
		ignored string
		says    string // "" when it is built
	}{
		"ADD of a bomb":              {"ADD a.tar.gz /", bomb, "", "a.tar.gz unpacks to more than 1024 MiB"},
		"ADD of the folder":          {"ADD . /", bomb, "", "a.tar.gz unpacks to more than 1024 MiB"},
		"ADD of a small archive":     {"ADD a.tar.gz /", small, "", ""},
		"COPY unpacks nothing":       {"COPY a.tar.gz /", bomb, "", ""},
		"what is ignored is no part": {"ADD . /", bomb, "a.tar.gz", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := []lab.File{
				file("Dockerfile", "FROM scratch\n"+test.steps), {Path: "a.tar.gz", Content: test.archive}, file(".dockerignore", test.ignored),
			}
			_, err := cleanroom.NewContext(files, rules)
			var refused *cleanroom.Refused
			if test.says == "" && err != nil || test.says != "" && (!errors.As(err, &refused) || !strings.Contains(err.Error(), test.says)) {
				t.Errorf("error %v", err)
			}
		})
	}
}
