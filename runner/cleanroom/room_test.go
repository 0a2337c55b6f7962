package cleanroom_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/labctl/labctl/runner/cleanroom"
	"github.com/labctl/labctl/runner/engine"
	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/lab"
)

// images is an engine that knows images alone. Every build gives an image
// with one layer that holds the context's files.
type images struct {
	mu       sync.Mutex
	tags     map[string]string // tag → ID
	requests []engine.BuildRequest
	contexts [][]byte
	info     engine.Info
	config   string                          // of every image
	labelled map[string][]string             // "label=value" → images
	unnamed  []string                        // images without a tag
	build    func(ctx context.Context) error // what else happens; nil for nothing
}

func newImages() *images {
	return &images{
		tags: map[string]string{"labctl/base:1": "sha256:pinned"}, config: "{}",
		info: engine.Info{Builder: engine.BuilderClassic, CPUs: 3},
	}
}

func (m *images) Build(ctx context.Context, req engine.BuildRequest) (string, error) {
	data, err := io.ReadAll(req.Context)
	if err != nil {
		return "", err
	}
	m.mu.Lock()
	m.requests, m.contexts = append(m.requests, req), append(m.contexts, data)
	m.mu.Unlock()
	if m.build != nil {
		if err := m.build(ctx); err != nil {
			return "", err
		}
	}
	return "sha256:built", m.TagImage(ctx, "sha256:built", req.Tag)
}

func (m *images) TagImage(_ context.Context, id, tag string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tags[tag] = id
	return nil
}

func (m *images) RemoveImage(ctx context.Context, ref string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if i := slices.Index(m.unnamed, ref); i >= 0 {
		m.unnamed = slices.Delete(m.unnamed, i, i+1)
		return ctx.Err()
	}
	if _, ok := m.tags[ref]; !ok {
		return engine.ErrNotFound
	}
	delete(m.tags, ref)
	return ctx.Err()
}

func (m *images) Info(context.Context) (engine.Info, error) { return m.info, nil }

func (m *images) ImagesLabelled(_ context.Context, label, value string) ([]string, error) {
	return m.labelled[label+"="+value], nil
}

func (m *images) Unnamed(context.Context) ([]string, error) { return m.unnamed, nil }

func (m *images) Image(_ context.Context, ref string) (evidence.Image, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if id, ok := m.tags[ref]; ok {
		ref = id
	}
	return evidence.Image{ID: ref, Layers: []string{"sha256:layer"}, Config: []byte(m.config)}, nil
}

func (m *images) Layers(context.Context, string) (map[string]evidence.Layer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	last := len(m.requests) - 1
	return map[string]evidence.Layer{"sha256:layer": {
		{Path: "/srv/Dockerfile", Type: evidence.TypeFile},
		{Path: "/srv/" + m.requests[last].Dockerfile, Type: evidence.TypeFile},
	}}, nil
}

func (m *images) Tags(_ context.Context, prefix string) (map[string]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	tags := map[string]string{}
	for tag, id := range m.tags {
		if strings.HasPrefix(tag, prefix) {
			tags[tag] = id
		}
	}
	return tags, nil
}

func room(m *images) *cleanroom.Room {
	return &cleanroom.Room{
		Builder: m, Actuator: m, Observer: m,
		Instance: "drift-lab-ada",
		Pins:     map[string]string{"labctl/base:1": "sha256:pinned"},
		Free:     func() (int64, error) { return 1 << 40, nil },
	}
}

var source = []lab.File{file("Dockerfile", "FROM labctl/base:1\nCOPY . /srv\n"), file("VERSION", "1")}

func TestBuild(t *testing.T) {
	t.Parallel()
	m := newImages()
	var during map[string]string
	m.build = func(context.Context) error { during = maps.Clone(m.tags); return nil }
	r := room(m)
	build, image, layers, err := r.Build(t.Context(), source, evidence.OfHead, "c0ffee")
	want := evidence.Build{Of: evidence.OfHead, Commit: "c0ffee", Image: "sha256:built", Lineage: &evidence.Lineage{From: "sha256:pinned"}}
	if err != nil || !reflect.DeepEqual(build, want) || image.ID != "sha256:built" {
		t.Fatalf("%+v, %+v, %v", build, image, err)
	}
	req := m.requests[0]
	if !req.NoCache || !req.NoNetwork || req.Builder != engine.BuilderBuildKit {
		t.Errorf("asked for %+v", req)
	}
	var from string
	for _, line := range listed(t, bytes.NewReader(m.contexts[0])) {
		if strings.Contains(line, req.Dockerfile+" ") {
			from = strings.Fields(line)[4]
		}
	}
	if during[from] != "sha256:pinned" {
		t.Errorf("built FROM %q; tags were %v", from, during)
	}
	if len(m.tags) != 1 {
		t.Errorf("left behind: %v", m.tags)
	}
	// The Dockerfile with the aliases is none of the learner's files.
	if layer := layers["sha256:layer"]; len(layer) != 1 || layer[0].Path != "/srv/Dockerfile" {
		t.Errorf("layer %+v", layer)
	}
}

func TestBuildThatGivesNoImage(t *testing.T) {
	t.Parallel()
	wait := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	// disk is free space that changes from look to look, and stays at the last.
	disk := func(mib ...int64) func() (int64, error) {
		looks := 0
		return func() (int64, error) {
			looks++
			return mib[min(looks, len(mib))-1] << 20, nil
		}
	}
	tests := map[string]struct {
		set   func(m *images, r *cleanroom.Room)
		files []lab.File
		said  func(evidence.Build) string
		says  string
	}{
		"refused": {func(*images, *cleanroom.Room) {}, []lab.File{file("Dockerfile", "FROM pet")},
			func(b evidence.Build) string { return b.Refused }, "line 1: FROM pet"},
		"failed": {func(m *images, _ *cleanroom.Room) {
			m.build = func(context.Context) error { return &engine.BuildFailed{Message: "RUN false: code 1", Log: "oh"} }
		}, source, func(b evidence.Build) string { return b.Failed }, "RUN false: code 1\noh"},
		"too long": {func(m *images, r *cleanroom.Room) { m.build, r.Timeout = wait, 20*time.Millisecond },
			source, func(b evidence.Build) string { return b.Failed }, "longer than 20ms"},
		"disk full before": {func(_ *images, r *cleanroom.Room) { r.Free = disk(511) },
			source, func(b evidence.Build) string { return b.Error }, "only 511 MiB of disk"},
		"disk filled by the build": {func(m *images, r *cleanroom.Room) { m.build, r.Free = wait, disk(1000, 500, 700, 800) },
			source, func(b evidence.Build) string { return b.Failed }, "the build filled the disk: it had written 300 MiB"},
		"too much written": {func(m *images, r *cleanroom.Room) { m.build, r.Free = wait, disk(90000, 85000, 90000) },
			source, func(b evidence.Build) string { return b.Failed }, "the build filled the disk: it had written 5000 MiB"},
		"disk filled by somebody else": {func(m *images, r *cleanroom.Room) { m.build, r.Free = wait, disk(1000, 500, 510) },
			source, func(b evidence.Build) string { return b.Error }, "500 MiB of disk went"},
		"too many processes": {func(m *images, _ *cleanroom.Room) {
			m.build = func(context.Context) error { return &engine.BuildFailed{Message: "a step started too many"} }
		}, source, func(b evidence.Build) string { return b.Failed }, "a step started too many"},
		"engine away": {func(m *images, _ *cleanroom.Room) {
			m.build = func(context.Context) error { return errors.New("connection refused") }
		}, source, func(b evidence.Build) string { return b.Error }, "connection refused"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newImages()
			r := room(m)
			r.Cache = t.TempDir()
			test.set(m, r)
			build, _, _, err := r.Build(t.Context(), test.files, evidence.OfHead, "")
			if err != nil || !strings.Contains(test.said(build), test.says) {
				t.Errorf("%+v, %v", build, err)
			}
			if len(m.tags) != 1 {
				t.Errorf("left behind: %v", m.tags)
			}
			if kept, err := filepath.Glob(filepath.Join(r.Cache, "*.json")); err != nil || len(kept) != 0 {
				t.Errorf("kept: %v", kept)
			}
		})
	}
}

func TestCancelledBuildLeavesNothing(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	m := newImages()
	m.build = func(ctx context.Context) error { cancel(); <-ctx.Done(); return ctx.Err() }
	if _, _, _, err := room(m).Build(ctx, source, evidence.OfHead, ""); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if len(m.tags) != 1 {
		t.Errorf("left behind: %v", m.tags)
	}
}

func TestCache(t *testing.T) {
	t.Parallel()
	m := newImages()
	r := room(m)
	r.Cache = filepath.Join(t.TempDir(), "builds")
	builds := func(files []lab.File) int {
		t.Helper()
		before := len(m.requests)
		build, image, layers, err := r.Build(t.Context(), files, evidence.OfHead, "")
		if err != nil || build.Image != "sha256:built" || image.ID != build.Image || len(layers) != 1 {
			t.Fatalf("%+v, %+v, %v, %v", build, image, layers, err)
		}
		return len(m.requests) - before
	}
	if builds(source) != 1 || builds(source) != 0 {
		t.Error("the second build of the same was not found")
	}
	changed := append(slices.Clone(source[:1]), file("VERSION", "2"))
	if builds(changed) != 1 {
		t.Error("another context was taken for the same")
	}
	r.Pins = map[string]string{"labctl/base:1": "sha256:other"}
	if builds(source) != 1 {
		t.Error("another base was taken for the same")
	}
	entries, err := filepath.Glob(filepath.Join(r.Cache, "*.json"))
	if err != nil || len(entries) != 3 {
		t.Fatalf("%d entries, %v", len(entries), err)
	}
	for _, damage := range []string{"", "{}", `{"key":"x"}`, "not json"} {
		for _, entry := range entries {
			if err := os.WriteFile(entry, []byte(damage), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if builds(source) != 1 || builds(source) != 0 {
			t.Errorf("an entry damaged to %q was not written anew", damage)
		}
	}
	for i := range 40 {
		builds([]lab.File{source[0], file("VERSION", strings.Repeat("x", i))})
	}
	if entries, _ := filepath.Glob(filepath.Join(r.Cache, "*.json")); len(entries) != 32 {
		t.Errorf("%d entries are kept", len(entries))
	}
}

func TestMake(t *testing.T) {
	t.Parallel()
	m := newImages()
	r := room(m)
	for range 2 {
		id, err := r.Make(t.Context(), source, "labctl-drift-lab-ada/booking", map[string]string{"a": "b"}, nil)
		if err != nil || id != "sha256:built" {
			t.Fatalf("%s, %v", id, err)
		}
	}
	if req := m.requests[0]; req.NoCache || !req.NoNetwork || req.Dockerfile != "Dockerfile" || !maps.Equal(req.Labels, map[string]string{"a": "b"}) {
		t.Errorf("asked for %+v", req)
	}
	if !bytes.Equal(m.contexts[0], m.contexts[1]) {
		t.Error("making it twice is not the same")
	}
	if len(m.tags) != 2 || m.tags["labctl-drift-lab-ada/booking"] == "" {
		t.Errorf("tags %v", m.tags)
	}
	var refused *cleanroom.Refused
	if _, err := r.Make(t.Context(), nil, "x", nil, nil); !errors.As(err, &refused) {
		t.Errorf("error %v", err)
	}
}

func TestSweep(t *testing.T) {
	t.Parallel()
	m := newImages()
	m.tags["labctl-cleanroom/drift-lab-ada:left-0"] = "sha256:pinned"
	m.tags["labctl-cleanroom/drift-lab-ada:left"] = "sha256:built"
	m.tags["labctl-cleanroom/drift-lab-adam:other"] = "sha256:other"
	m.unnamed = []string{"sha256:step", "sha256:of the learner"}
	m.labelled = map[string][]string{engine.LabelCleanRoom + "=drift-lab-ada": {"sha256:step", "sha256:named by the learner"}}
	if err := room(m).Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(m.tags) != 2 || m.tags["labctl-cleanroom/drift-lab-adam:other"] == "" {
		t.Errorf("left: %v", m.tags)
	}
	if !slices.Equal(m.unnamed, []string{"sha256:of the learner"}) {
		t.Errorf("left without a name: %v", m.unnamed)
	}
}

func TestLeft(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		labels map[string]string
		left   bool
	}{
		"a step":              {map[string]string{engine.LabelCleanRoom: "drift-lab-ada"}, true},
		"a cage":              {map[string]string{engine.LabelInstance: "drift-lab-ada", engine.LabelRole: engine.RoleCage}, true},
		"another's step":      {map[string]string{engine.LabelCleanRoom: "drift-lab-adam"}, false},
		"another's cage":      {map[string]string{engine.LabelInstance: "drift-lab-adam", engine.LabelRole: engine.RoleCage}, false},
		"the pet":             {map[string]string{engine.LabelInstance: "drift-lab-ada", engine.LabelRole: engine.RoleStart}, false},
		"nothing of labctl's": {nil, false},
	}
	for name, test := range tests {
		if got := cleanroom.Left(engine.Summary{Labels: test.labels}, "drift-lab-ada"); got != test.left {
			t.Errorf("%s: %t", name, got)
		}
	}
}

// A learner moved the tag of the base: the alias is then the last name of the
// pinned image, without which the engine would drop it.
func TestPinnedImageIsKept(t *testing.T) {
	t.Parallel()
	m := newImages()
	m.tags["labctl/base:1"] = "sha256:moved"
	r := room(m)
	for range 2 {
		if build, _, _, err := r.Build(t.Context(), source, evidence.OfHead, ""); err != nil || build.Image == "" {
			t.Fatalf("%+v, %v", build, err)
		}
		if err := r.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(slices.Collect(maps.Values(m.tags)), "sha256:pinned") {
			t.Errorf("the pinned image has no name left: %v", m.tags)
		}
	}
	if err := r.Clear(t.Context()); err != nil || len(m.tags) != 1 {
		t.Errorf("left: %v, %v", m.tags, err)
	}
}
