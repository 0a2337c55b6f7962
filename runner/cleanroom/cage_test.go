package cleanroom_test

import (
	"bytes"
	"cmp"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/labctl/labctl/runner/cleanroom"
	"github.com/labctl/labctl/runner/engine"
	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/lab"
)

// asked is what a room asks of an engine to build a Dockerfile.
func asked(t *testing.T, m *images, r *cleanroom.Room, dockerfile string) engine.BuildRequest {
	t.Helper()
	if build, _, _, err := r.Build(t.Context(), dockerfileOnly(dockerfile), evidence.OfHead, ""); err != nil || build.Image == "" {
		t.Fatalf("%+v, %v", build, err)
	}
	return m.requests[len(m.requests)-1]
}

func TestWhoBuilds(t *testing.T) {
	t.Parallel()
	const classic, buildKit = engine.BuilderClassic, engine.BuilderBuildKit
	old, modern := engine.Info{Builder: classic}, engine.Info{Builder: buildKit}
	systemd := engine.Info{Builder: buildKit, NoCage: "its cgroup driver is systemd"}
	oldSystemd := engine.Info{Builder: classic, NoCage: systemd.NoCage}
	tests := map[string]struct {
		info   engine.Info
		steps  string
		config string // of the images
		want   string
		told   string // why there is no cage
	}{
		"runs nothing":         {info: old, steps: "COPY . /", want: buildKit},
		"runs":                 {info: old, steps: "RUN true", want: classic},
		"the cage is worth it": {info: modern, steps: "RUN true", want: classic},
		"no cage":              {info: systemd, steps: "RUN true", want: buildKit, told: "systemd); time and disk are limited"},
		"no cage, old":         {info: oldSystemd, steps: "RUN true", want: classic, told: "systemd); memory, processor and time are limited"},
		"a mount":              {info: modern, steps: "RUN --mount=type=tmpfs,target=/t true", want: buildKit, told: "needs BuildKit"},
		"a heredoc":            {info: modern, steps: "RUN <<E\ntrue\nE", want: buildKit, told: "needs BuildKit"},
		"a platform argument":  {info: modern, steps: "ARG X=1 TARGETARCH\nRUN true", want: buildKit, told: "needs BuildKit"},
		"another argument":     {info: modern, steps: "ARG X\nRUN true", want: classic},
		"a flag that is new":   {info: modern, steps: "COPY --chmod=755 a /\nRUN true", want: buildKit, told: "needs BuildKit"},
		"flags that are old":   {info: modern, steps: "COPY --chown=1 a /\nHEALTHCHECK --interval=1s CMD true\nRUN true", want: classic},
		"a later stage runs":   {info: modern, steps: "ONBUILD RUN true", want: classic},
		"the lab's image runs": {info: modern, steps: "COPY . /", config: `{"OnBuild":["RUN true"]}`, want: classic},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newImages()
			m.info, m.config = test.info, cmp.Or(test.config, "{}")
			r := room(m)
			told := ""
			r.Notice = func(text string) { told += text }
			req := asked(t, m, r, "FROM labctl/base:1\n"+test.steps+"\n")
			if req.Builder != test.want {
				t.Errorf("asked builder %q", req.Builder)
			}
			if caged := req.Limits.Cage != nil; caged != (test.want == classic && test.told == "") {
				t.Errorf("caged: %t", caged)
			}
			if !strings.Contains(told, test.told) || test.told == "" && told != "" {
				t.Errorf("told %q", told)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	m := newImages()
	m.tags["tools:1"], m.tags["unused:1"] = "sha256:tools", "sha256:unused"
	r := room(m)
	r.Pins = map[string]string{"labctl/base:1": "sha256:pinned", "tools:1": "sha256:tools", "unused:1": "sha256:unused"}
	r.Labels = map[string]string{engine.LabelLearner: "Ada"}
	limits := asked(t, m, r, "FROM tools:1\nFROM labctl/base:1\nRUN true\n").Limits
	if limits.Memory != cleanroom.DefaultMemory || limits.CPUs != 1.5 || limits.FileSize != 1<<30 {
		t.Errorf("limits are %+v", limits)
	}
	cage := limits.Cage
	if cage.Pids != cleanroom.DefaultPids || !slices.Equal(cage.Images, []string{"sha256:tools", "sha256:pinned", "sha256:unused"}) {
		t.Errorf("the cage is %+v", cage)
	}
	if !cleanroom.Left(engine.Summary{Labels: cage.Labels}, r.Instance) || cage.Labels[engine.LabelLearner] != "Ada" {
		t.Errorf("the cage is labelled %v", cage.Labels)
	}
	if len(r.Labels) != 1 {
		t.Errorf("the room's labels became %v", r.Labels)
	}
	r.Memory, r.Pids = 1<<26, 40
	if limits := asked(t, m, r, "FROM labctl/base:1\nRUN true\n").Limits; limits.Memory != 1<<26 || limits.Cage.Pids != 40 {
		t.Errorf("limits are %+v", limits)
	}
}

// Whatever a classic build makes on the way can be found by its label, and
// nothing that is to stay has it.
func TestStepsAreLabelled(t *testing.T) {
	t.Parallel()
	const source = "FROM labctl/base:1 AS one\n\nRUN true\nFROM scratch\nCOPY --from=one /a /a\n"
	built := func(m *images) string {
		t.Helper()
		last := len(m.requests) - 1
		for _, line := range listed(t, bytes.NewReader(m.contexts[last])) {
			if _, dockerfile, ok := strings.Cut(line, " "+m.requests[last].Dockerfile+" "); ok {
				return dockerfile
			}
		}
		t.Fatal("no Dockerfile was sent")
		return ""
	}
	m := newImages()
	r := room(m)
	asked(t, m, r, source)
	lines := strings.Split(built(m), "\n")
	const label = `LABEL labctl.cleanroom="drift-lab-ada"`
	if len(lines) < 5 || lines[1] != label || lines[2] != "RUN true" || lines[4] != label {
		t.Errorf("built %q", lines)
	}
	if _, err := r.Make(t.Context(), dockerfileOnly(source), "made:1", nil, nil); err != nil {
		t.Fatal(err)
	}
	if dockerfile := built(m); strings.Contains(dockerfile, "LABEL") {
		t.Errorf("made %q", dockerfile)
	}
	asked(t, m, r, "FROM labctl/base:1\nCOPY . /\n")
	if dockerfile := built(m); strings.Contains(dockerfile, "LABEL") {
		t.Errorf("BuildKit, which keeps no steps, built %q", dockerfile)
	}
}

// A lab can declare that its builds reach the network. What they then give is
// not the repository's alone, so it is asked for each time.
func TestNetworkDeclared(t *testing.T) {
	t.Parallel()
	m := newImages()
	r := room(m)
	r.Cache = filepath.Join(t.TempDir(), "builds")
	const fetches = "FROM labctl/base:1\nADD http://mirror.example/packages /srv/\n"
	build, _, _, err := r.Build(t.Context(), dockerfileOnly(fetches), evidence.OfHead, "")
	if err != nil || !strings.Contains(build.Refused, "does not declare build_network") {
		t.Errorf("undeclared: %+v, %v", build, err)
	}
	r.Network = true
	for range 2 {
		if asked(t, m, r, fetches).NoNetwork {
			t.Error("declared, and built without network")
		}
	}
	if len(m.requests) != 2 {
		t.Errorf("%d builds, not 2", len(m.requests))
	}
	var files []lab.File
	files = append(files, file("Dockerfile", "FROM labctl/base:1\nRUN --network=host true\n"))
	if build, _, _, err := r.Build(t.Context(), files, evidence.OfHead, ""); err != nil || build.Refused == "" {
		t.Errorf("the host's network: %+v, %v", build, err)
	}
}
