package proof

import (
	"bytes"
	"context"
	"path/filepath"
	"slices"
	"strings"

	"github.com/labctl/labctl/runner/cleanroom"
	"github.com/labctl/labctl/runner/engine"
	"github.com/labctl/labctl/runner/workspace"
)

// builds are honest ways of making an image.
var builds = family("build", []Way{
	{Name: "plain", Doc: "docker build, as everybody does"},
	{Name: "other-tag", Doc: "another image name and tag", build: func(ctx context.Context, w *World) (string, error) {
		// Not from the cache: with its only name goes the image, which another
		// proof may have built, too.
		return w.build(ctx, "--no-cache", "--tag", w.Instance+"-shop/front:2030.1-rc.1")
	}},
	{Name: "no-cache", Doc: "docker build --no-cache", build: func(ctx context.Context, w *World) (string, error) {
		return w.build(ctx, "--no-cache")
	}},
	{Name: "buildkit", Doc: "BuildKit, through the engine's API", build: buildKit},
	{Name: "multi-stage", Doc: "a stage that collects, and one that takes from it", before: func(ctx context.Context, w *World) error {
		return w.staged(ctx, func(base string) string { return "FROM " + base })
	}},
	{Name: "multi-stage-scratch", Doc: "stages onto an empty base, with COPY --from", before: func(ctx context.Context, w *World) error {
		return w.staged(ctx, func(string) string { return "FROM scratch" })
	}},
	{Name: "umask-002", Doc: "a clone under umask 002", build: cloned("002")},
	{Name: "umask-022", Doc: "a clone under umask 022", build: cloned("022")},
	{Name: "umask-027", Doc: "a clone under umask 027", build: cloned("027")},
	{Name: "umask-077", Doc: "a clone under umask 077", build: cloned("077")},
	{Name: "rebuilt-twice", Doc: "rebuilt, and rebuilt again", build: func(ctx context.Context, w *World) (string, error) {
		image, err := w.build(ctx, "--no-cache")
		if err != nil {
			return "", err
		}
		ids, err := w.replace(ctx, image, extra{})
		if err != nil {
			return "", err
		}
		// The next round finds these in the places of the start's.
		for i := range w.Places {
			n := w.Places[i].Service.Replicas
			w.Places[i].Pets, ids = ids[:n], ids[n:]
		}
		return w.build(ctx, "--no-cache")
	}},
})

// buildKit asks the engine for BuildKit, which a docker command without its
// plugin cannot.
func buildKit(ctx context.Context, w *World) (string, error) {
	head, err := w.git(ctx, "rev-parse", "HEAD")
	if err != nil {
		return "", err
	}
	files, err := workspace.Open(w.Workspace).Files(ctx, head)
	if err != nil {
		return "", err
	}
	dockerfile, err := w.dockerfile()
	if err != nil {
		return "", err
	}
	bases, err := cleanroom.Bases([]byte(dockerfile))
	if err != nil {
		return "", err
	}
	// The context as a docker command sends it: what is ignored left out, and
	// the lab's images under their own tags.
	pins := map[string]string{}
	for _, base := range bases {
		pins[base] = base
	}
	c, err := cleanroom.NewContext(files, cleanroom.Rules{Pins: pins, BuildKit: true})
	if err != nil {
		return "", err
	}
	var packed bytes.Buffer
	if err := c.WriteTar(&packed, "Dockerfile", func(tag string) string { return tag }); err != nil {
		return "", err
	}
	return w.made(w.Builder.Build(ctx, engine.BuildRequest{Context: &packed, Dockerfile: "Dockerfile", Builder: engine.BuilderBuildKit}))
}

// staged has HEAD collect the image's content in one stage and take it into
// another.
func (w *World) staged(ctx context.Context, from func(base string) string) error {
	base, err := w.base()
	if err != nil {
		return err
	}
	dockerfile, err := w.dockerfile()
	if err != nil {
		return err
	}
	// The image's whole configuration, as the base's does not come along.
	image, err := w.build(ctx)
	if err != nil {
		return err
	}
	config, err := w.docker(ctx, "image", "inspect", "--format", "{{json .Config}}", image)
	if err != nil {
		return err
	}
	changes, err := changesOf(config)
	if err != nil {
		return err
	}
	if strings.Count(strings.ToUpper(dockerfile), "FROM ") != 1 {
		return notApplicable("the Dockerfile has stages already")
	}
	first := strings.Replace(dockerfile, "FROM "+base, "FROM "+base+" AS collected", 1)
	// On no base, equal builds of two proofs would be one image, and go with the
	// first of them.
	last := slices.Concat([]string{from(base), "COPY --from=collected / /", "LABEL instance=" + w.Instance}, changes)
	return all(
		func() error {
			return w.write("Dockerfile", strings.TrimRight(first, "\n")+"\n\n"+strings.Join(last, "\n")+"\n")
		},
		func() error { return w.commit(ctx, "Collect in one stage, run another") },
	)
}

// cloned builds in a fresh clone, whose files have the modes of an umask.
func cloned(umask string) func(context.Context, *World) (string, error) {
	return func(ctx context.Context, w *World) (string, error) {
		clone := filepath.Join(w.Tmp, "clone-"+umask)
		if err := w.command(ctx, nil, nil, "sh", "-c", `umask "$1" && git clone --quiet . "$2"`, "sh", umask, clone); err != nil {
			return "", err
		}
		return w.buildIn(ctx, clone)
	}
}
