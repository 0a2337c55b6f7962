package cleanroom_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/labctl/labctl/runner/cleanroom"
	"github.com/labctl/labctl/scenarios/lab"
)

var rules = cleanroom.Rules{
	Pins:     map[string]string{"labctl/base:1": "sha256:one", "tools": "sha256:two"},
	Platform: "linux/amd64",
	BuildKit: true,
}

func alias(id string) string { return "alias/" + strings.TrimPrefix(id, "sha256:") + ":x" }

// cases reads an archive of Dockerfiles, each followed by what is expected.
func cases(t *testing.T, name, suffix string) map[string][2]string {
	t.Helper()
	archive, err := txtar.ParseFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][2]string{}
	for i := 0; i+1 < len(archive.Files); i += 2 {
		in, out := archive.Files[i], archive.Files[i+1]
		if out.Name != in.Name+suffix {
			t.Fatalf("%q is followed by %q", in.Name, out.Name)
		}
		all[in.Name] = [2]string{string(in.Data), string(out.Data)}
	}
	return all
}

func dockerfileOnly(text string) []lab.File {
	return []lab.File{{Path: "Dockerfile", Content: []byte(text)}}
}

func TestDockerfileRewritten(t *testing.T) {
	t.Parallel()
	for name, test := range cases(t, "rewritten.txtar", ".out") {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, end := range []string{"\n", "\r\n"} {
				c, err := cleanroom.NewContext(dockerfileOnly(strings.ReplaceAll(test[0], "\n", end)), rules)
				if err != nil {
					t.Fatal(err)
				}
				if got := strings.ReplaceAll(string(c.Dockerfile(alias)), "\r", ""); got != test[1] {
					t.Errorf("got:\n%s\nwant:\n%s", got, test[1])
				}
			}
		})
	}
}

func TestDockerfileRefused(t *testing.T) {
	t.Parallel()
	for name, test := range cases(t, "refused.txtar", ".says") {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := cleanroom.NewContext(dockerfileOnly(test[0]), rules)
			var refused *cleanroom.Refused
			if !errors.As(err, &refused) || !strings.Contains(err.Error(), strings.TrimSpace(test[1])) {
				t.Errorf("error %v does not say %s", err, test[1])
			}
		})
	}
}

func TestHeredocsNeedBuildKit(t *testing.T) {
	t.Parallel()
	classic := rules
	classic.BuildKit = false
	_, err := cleanroom.NewContext(dockerfileOnly("FROM labctl/base:1\nRUN <<EOF\nFROM pet\nEOF\n"), classic)
	var refused *cleanroom.Refused
	if !errors.As(err, &refused) || refused.Line != 2 {
		t.Errorf("error %v", err)
	}
}

func TestBases(t *testing.T) {
	t.Parallel()
	got, err := cleanroom.Bases([]byte("ARG V=12\nFROM debian:$V AS a\nFROM a\nCOPY --from=labctl/base:1 / /\nRUN --mount=from=alpine,target=/x true\nCOPY --from=0 / /\n"))
	if err != nil || strings.Join(got, " ") != "debian:12 labctl/base:1 alpine" {
		t.Errorf("bases %v, %v", got, err)
	}
}

// FuzzDockerfile: nothing panics, and what is accepted and rewritten is
// accepted again once the aliases are the lab's images.
func FuzzDockerfile(f *testing.F) {
	archive, err := txtar.ParseFile("testdata/rewritten.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range archive.Files {
		f.Add(string(file.Data))
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := cleanroom.NewContext(dockerfileOnly(text), rules)
		if err != nil {
			return
		}
		again := rules
		again.Pins = map[string]string{"alias/one:x": "sha256:one", "alias/two:x": "sha256:two"}
		out := c.Dockerfile(alias)
		if _, err := cleanroom.NewContext(dockerfileOnly(string(out)), again); err != nil {
			t.Errorf("%q became %q: %v", text, out, err)
		}
	})
}
