package enginetest

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/labctl/labctl/runner/engine"
)

// dockerfile builds on the tag in two layers.
func dockerfile(base string) string {
	return "FROM " + base + "\nENV TZ=UTC\nCOPY a /srv/a\nCOPY b/ /srv/b/\nSTOPSIGNAL SIGKILL\nCMD [\"httpd\"]\n"
}

func builds(w *world) {
	base := w.base()
	var progress []string
	id, err := w.Build(w.ctx, engine.BuildRequest{
		Context:    Tar(w, File("Dockerfile", 0o644, dockerfile(base)), File("a", 0o644, "1"), File("b/c", 0o755, "2")),
		Dockerfile: "Dockerfile", Labels: w.labels, Tag: w.name + ":1", NoCache: true, NoNetwork: true,
		Progress: func(line string) { progress = append(progress, line) },
	})
	w.must(err)
	w.Cleanup(func() { w.cleared(w.RemoveImage(w.ctx, id)) })
	img, err := w.Image(w.ctx, w.name+":1")
	w.must(err)
	if img.ID != id || len(img.Layers) != 3 {
		w.Fatalf("built %s, image is %+v", id, img)
	}
	layers, err := w.Layers(w.ctx, id)
	w.must(err)
	for path, layer := range map[string]string{"/answers/hello": img.Layers[0], "/srv/a": img.Layers[1], "/srv/b/c": img.Layers[2]} {
		if entry(layers[layer], path) == nil {
			w.Errorf("%s is not in layer %s: %+v", path, layer, layers[layer])
		}
	}
	if text := strings.Join(progress, "\n"); !strings.Contains(text, "COPY a /srv/a") {
		w.Errorf("progress does not tell the steps: %s", text)
	}
	ids, err := w.ImagesLabelled(w.ctx, engine.LabelInstance, w.name)
	w.must(err)
	if !slices.Equal(ids, []string{id}) {
		w.Errorf("labelled images are %v, want %s", ids, id)
	}
	config := struct {
		Env, Cmd   []string
		StopSignal string
	}{}
	w.must(json.Unmarshal(img.Config, &config))
	if !slices.Contains(config.Env, "TZ=UTC") || !slices.Equal(config.Cmd, []string{"httpd"}) || config.StopSignal != "SIGKILL" {
		w.Errorf("Config is %s", img.Config)
	}
}

func buildFails(w *world) {
	base := w.base()
	_, err := w.Build(w.ctx, engine.BuildRequest{
		Context:    Tar(w, File("Dockerfile", 0o644, "FROM "+base+"\nENV A="+w.name+"\nRUN echo before; exit 7\n")),
		Dockerfile: "Dockerfile", NoNetwork: true, NoCache: true,
	})
	var failed *engine.BuildFailed
	if !errors.As(err, &failed) || failed.Message == "" || !strings.Contains(failed.Log, "RUN echo before") {
		w.Errorf("got %#v", err)
	}
	if _, err := w.Build(w.ctx, engine.BuildRequest{
		Context: Tar(w, File("Dockerfile", 0o644, "FROM "+base+"\nNONSENSE\n")), Dockerfile: "Dockerfile",
	}); !errors.As(err, &failed) {
		w.Errorf("a wrong Dockerfile gives %#v", err)
	}
}

func tags(w *world) {
	first := w.base()
	img, err := w.Image(w.ctx, first)
	w.must(err)
	second := w.name + "-other:2"
	w.must(w.TagImage(w.ctx, img.ID, second))
	w.Cleanup(func() { w.cleared(w.RemoveImage(w.ctx, second)) })
	got, err := w.Tags(w.ctx, w.name+"-")
	w.must(err)
	if !maps.Equal(got, map[string]string{first: img.ID, second: img.ID}) {
		w.Errorf("tags are %v", got)
	}
	w.must(w.RemoveImage(w.ctx, first))
	if _, err := w.Image(w.ctx, second); err != nil {
		w.Errorf("removing one tag removed the other: %v", err)
	}
	_, err = w.Image(w.ctx, first)
	w.is(err, engine.ErrNotFound)
}

// imports holds the engine to one image an import, however alike what they
// import is: an image holds the time of its import. So a tag of one is no tag
// of another.
func imports(w *world) {
	first, err := w.Image(w.ctx, w.base())
	w.must(err)
	w.name += "-again"
	second, err := w.Image(w.ctx, w.base())
	w.must(err)
	if first.ID == second.ID {
		w.Errorf("two imports made one image, %s", first.ID)
	}
}
