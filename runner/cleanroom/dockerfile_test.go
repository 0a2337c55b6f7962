package cleanroom_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/labctl/labctl/runner/cleanroom"
	"github.com/labctl/labctl/scenarios/evidence"
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

// What the last stage stands on: the images below it, or those below all that
// is put onto scratch, by whatever stages that comes.
func TestLineage(t *testing.T) {
	t.Parallel()
	const one, two = "sha256:one", "sha256:two"
	on := func(id string) evidence.Lineage { return evidence.Lineage{From: id} }
	taken := func(ids ...string) evidence.Lineage { return evidence.Lineage{Taken: ids} }
	for name, test := range map[string]struct {
		dockerfile string
		want       evidence.Lineage
	}{
		"an image":                          {"FROM labctl/base:1\n", on(one)},
		"the last of two":                   {"FROM tools\nFROM labctl/base:1\n", on(one)},
		"an argument":                       {"ARG TAG=1\nFROM labctl/base:$TAG\n", on(one)},
		"a stage on an image":               {"FROM labctl/base:1 AS a\nFROM a AS b\nFROM b\n", on(one)},
		"copied onto an image":              {"FROM labctl/base:1\nCOPY --from=tools /etc/os-release /etc/\n", on(one)},
		"scratch":                           {"FROM scratch\nCOPY . /\n", taken()},
		"copied from an image":              {"FROM scratch\nCOPY --from=tools / /\n", taken(two)},
		"copied from a stage":               {"FROM labctl/base:1 AS build\nFROM scratch\nCOPY --from=BUILD / /\n", taken(one)},
		"copied from a stage by its number": {"FROM labctl/base:1\nFROM tools\nFROM scratch\nCOPY --from=0 / /\n", taken(one)},
		"copied from two":                   {"FROM tools AS a\nFROM scratch\nCOPY --from=a / /\nCOPY --from=labctl/base:1 / /\n", taken(one, two)},
		"copied from one twice":             {"FROM tools AS a\nFROM scratch\nCOPY --from=a / /\nCOPY --from=tools / /\n", taken(two)},
		"copied through scratch":            {"FROM tools AS a\nFROM scratch AS b\nCOPY --from=a / /\nFROM scratch\nCOPY --from=b / /\n", taken(two)},
		"copied from local files":           {"FROM scratch AS a\nCOPY . /\nFROM scratch\nCOPY --from=a / /\n", taken()},
		"continued on scratch":              {"FROM scratch AS a\nCOPY --from=tools / /\nFROM a\nCOPY --from=labctl/base:1 / /\n", taken(one, two)},
		"continued elsewhere":               {"FROM scratch AS a\nCOPY --from=tools / /\nFROM a AS b\nCOPY --from=labctl/base:1 / /\nFROM a\n", taken(two)},
		"mounted":                           {"FROM scratch\nRUN --mount=from=tools,target=/t [\"/t/bin/cp\", \"-a\", \"/t\", \"/\"]\n", taken(two)},
		"mounted on an image":               {"FROM labctl/base:1\nRUN --mount=type=bind,from=tools,target=/t true\n", on(one)},
		"not in the last stage":             {"FROM tools AS a\nFROM scratch\nCOPY . /\n", taken()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := cleanroom.NewContext(dockerfileOnly(test.dockerfile), rules)
			if err != nil {
				t.Fatal(err)
			}
			if got := c.Lineage(); got.From != test.want.From || !slices.Equal(got.Taken, test.want.Taken) {
				t.Errorf("%+v, want %+v", got, test.want)
			}
		})
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
