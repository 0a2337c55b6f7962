package proof

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestFit(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, text string
		size       int
		want       string
		ok         bool
	}{
		{"as long", "tax=240\n", 8, "tax=240\n", true},
		{"shorter", "tax=9\n", 8, "tax=9\n\n\n", true},
		{"longer, with a comment", "# why\ntax=240\n", 8, "tax=240\n", true},
		{"longer, with an indented comment", "tax=240\n  # why\n", 10, "tax=240\n\n\n", true},
		{"the interpreter stays", "#!/bin/sh\n# a\nx\n", 12, "#!/bin/sh\nx\n", true},
		{"too long", "tax=2400\n", 8, "", false},
		{"no text", "\x00", 8, "", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			got, ok := fit([]byte(row.text), row.size)
			if ok != row.ok || string(got) != row.want {
				t.Errorf("%q, %t", got, ok)
			}
			if ok && len(got) != row.size {
				t.Errorf("%d bytes, want %d", len(got), row.size)
			}
		})
	}
}

func TestInterpreter(t *testing.T) {
	t.Parallel()
	for script, want := range map[string]string{
		"#!/bin/sh\necho": "/bin/sh", "#! /usr/bin/python3\n": "/usr/bin/python3",
		"#!/usr/bin/env sh\n": "", "\x7fELF": "", "": "", "echo": "", "#!/bin/s'h\n": "",
	} {
		if got, ok := interpreter([]byte(script)); got != want || ok != (want != "") {
			t.Errorf("%q: %q, %t", script, got, ok)
		}
	}
}

func TestStripped(t *testing.T) {
	t.Parallel()
	const dockerfile = "FROM base:1\ncopy a /a\nENV A=1\nRUN one \\\n  && two \\\n  && three\nADD b /b\nCMD [\"x\"]\n"
	if got := stripped(dockerfile); got != "FROM base:1\nENV A=1\nCMD [\"x\"]\n" {
		t.Errorf("%q", got)
	}
}

// filesystem writes an exported filesystem: path → content; a path that ends
// in / is a folder, a content that begins with -> a link.
func filesystem(t *testing.T, files map[string]string) string {
	t.Helper()
	var edits []edit
	for _, name := range slices.Sorted(maps.Keys(files)) {
		e := edit{tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(files[name]))}, []byte(files[name])}
		if strings.HasSuffix(name, "/") {
			e.header.Typeflag, e.header.Mode = tar.TypeDir, 0o755
		}
		if target, ok := strings.CutPrefix(files[name], "->"); ok {
			e = edit{header: tar.Header{Name: name, Typeflag: tar.TypeSymlink, Linkname: target}}
		}
		edits = append(edits, e)
	}
	packed, err := archive(edits)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "export.tar")
	if err := os.WriteFile(name, packed, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestBetween(t *testing.T) {
	t.Parallel()
	before := filesystem(t, map[string]string{
		"etc/": "", "etc/same": "1", "etc/changed": "1", "etc/gone": "1", "etc/link": "->a", "etc/hosts": "1", "var/run/pid": "1",
	})
	after := filesystem(t, map[string]string{
		"./etc/": "", "./etc/same": "1", "./etc/changed": "2", "./etc/link": "->b", "./new/": "", "./new/file": "3", "./etc/hosts": "2", "./var/run/pid": "2", "dev/x": "1",
	})
	edits, err := between(before, after, []string{"/var/run"})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, e := range edits {
		got[e.path()] = string(e.content) + e.header.Linkname
	}
	want := map[string]string{"/etc/changed": "2", "/etc/link": "b", "/new": "", "/new/file": "3"}
	if !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if edits, err := between(before, before, nil); err != nil || len(edits) > 0 {
		t.Errorf("%v (%v) between a filesystem and itself", edits, err)
	}
	if _, err := between(before, filepath.Join(t.TempDir(), "none"), nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}

func TestChangesOf(t *testing.T) {
	t.Parallel()
	got, err := changesOf(`{"Env":["A=1","B=x \"y\""],"Cmd":["httpd","-f"],"Entrypoint":null,"User":"www","WorkingDir":"/srv","StopSignal":"SIGKILL","ExposedPorts":{"81/tcp":{},"80/tcp":{}},"Volumes":{"/v":{}}}`)
	want := []string{`ENV A="1"`, `ENV B="x \"y\""`, `CMD ["httpd","-f"]`, "EXPOSE 80/tcp", "EXPOSE 81/tcp", `VOLUME ["/v"]`, "USER www", "WORKDIR /srv", "STOPSIGNAL SIGKILL"}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%q (%v), want %q", got, err, want)
	}
	if _, err := changesOf("{"); err == nil {
		t.Error("half a configuration was read")
	}
}

func TestEditSaved(t *testing.T) {
	t.Parallel()
	layer := func(files map[string]string) []byte {
		packed, err := os.ReadFile(filesystem(t, files))
		if err != nil {
			t.Fatal(err)
		}
		return packed
	}
	lower, upper := layer(map[string]string{"bin/sh": "sh"}), layer(map[string]string{"etc/a": "old", "etc/b": "stays"})
	saved := filesystem(t, map[string]string{
		"manifest.json": `[{"Config":"c.json","RepoTags":null,"Layers":["1/layer.tar","2/layer.tar"]}]`,
		"c.json":        `{"config":{"Cmd":["sh"]},"rootfs":{"type":"layers","diff_ids":["sha256:` + digest(lower) + `","sha256:` + digest(upper) + `"]}}`,
		"1/layer.tar":   string(lower), "2/layer.tar": string(upper),
	})
	edited, err := editSaved(saved, []edit{{tar.Header{Name: "etc/a", Typeflag: tar.TypeReg, Mode: 0o644, Size: 3}, []byte("new")}}, "x:1")
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "edited.tar")
	if err := os.WriteFile(name, edited, 0o600); err != nil {
		t.Fatal(err)
	}
	files, err := savedFiles(name)
	if err != nil {
		t.Fatal(err)
	}
	var manifest []struct {
		Config           string
		RepoTags, Layers []string
	}
	var config struct {
		Config map[string]any `json:"config"`
		Rootfs struct {
			DiffIDs []string `json:"diff_ids"`
		} `json:"rootfs"`
	}
	if err := errors.Join(json.Unmarshal(files["manifest.json"], &manifest), json.Unmarshal(files[manifest[0].Config], &config)); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(manifest[0].RepoTags, []string{"x:1"}) || !reflect.DeepEqual(config.Config, map[string]any{"Cmd": []any{"sh"}}) {
		t.Errorf("%+v, %+v", manifest, config)
	}
	for i, name := range manifest[0].Layers {
		if "sha256:"+digest(files[name]) != config.Rootfs.DiffIDs[i] {
			t.Errorf("layer %d is not what its diff ID says", i)
		}
	}
	if !bytes.Equal(files[manifest[0].Layers[0]], lower) {
		t.Error("the lower layer was changed")
	}
	holds := map[string]string{}
	for in := tar.NewReader(bytes.NewReader(files[manifest[0].Layers[1]])); ; {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		holds[h.Name] = string(content)
	}
	if !maps.Equal(holds, map[string]string{"etc/a": "new", "etc/b": "stays"}) {
		t.Errorf("the edited layer holds %v", holds)
	}
}
