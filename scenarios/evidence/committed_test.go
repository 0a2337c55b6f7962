package evidence_test

import (
	"crypto/sha256"
	"encoding/hex"
	"reflect"
	"testing"

	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/lab"
)

func TestCommitted(t *testing.T) {
	t.Parallel()
	got := evidence.Committed([]lab.Commit{
		{Files: []lab.File{{Path: "b", Content: []byte("1")}, {Path: "a/run", Content: []byte("#!/bin/sh\n"), Executable: true}}},
		{Files: []lab.File{{Path: "b", Content: []byte("\x1f\x8b\x08")}, {Path: "link", Link: "b"}, {Path: "none"}}},
	})
	file := func(path, mode, content, kind string) evidence.RepoFile {
		sum := sha256.Sum256([]byte(content))
		return evidence.RepoFile{Path: path, Mode: mode, SHA256: hex.EncodeToString(sum[:]), Size: int64(len(content)), Kind: kind}
	}
	want := []evidence.RepoFile{
		file("a/run", "100755", "#!/bin/sh\n", "text"), file("b", "100644", "\x1f\x8b\x08", "gzip"),
		file("link", "120000", "b", "text"), file("none", "100644", "", "text"),
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	// A workspace without commits has no files, which is known.
	if got := evidence.Committed(nil); got == nil || len(got) > 0 {
		t.Errorf("of no commits: %#v", got)
	}
}
