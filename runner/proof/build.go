package proof

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"

	"github.com/labctl/labctl/runner/cleanroom"
	"github.com/labctl/labctl/runner/engine"
	"github.com/labctl/labctl/runner/workspace"
)

// builds are honest ways of making an image.
var builds = []Way{
	{"plain", "docker build, as everybody does", func(ctx context.Context, w *World) error {
		return w.right(ctx)
	}},
	{"other-tag", "another image name and tag", func(ctx context.Context, w *World) error {
		return w.right(ctx, "--tag", w.Instance+"-shop/front:2030.1-rc.1")
	}},
	{"no-cache", "docker build --no-cache", func(ctx context.Context, w *World) error {
		return w.right(ctx, "--no-cache")
	}},
	{"buildkit", "BuildKit, through the engine's API", buildKit},
	{"multi-stage", "a stage that collects, and one that takes from it", func(ctx context.Context, w *World) error {
		return w.staged(ctx, func(base string) string { return "FROM " + base })
	}},
	{"multi-stage-scratch", "stages onto an empty base, with COPY --from", func(ctx context.Context, w *World) error {
		return w.staged(ctx, func(string) string { return "FROM scratch" })
	}},
	{"umask-002", "a clone under umask 002", func(ctx context.Context, w *World) error { return w.cloned(ctx, "002") }},
	{"umask-022", "a clone under umask 022", func(ctx context.Context, w *World) error { return w.cloned(ctx, "022") }},
	{"umask-027", "a clone under umask 027", func(ctx context.Context, w *World) error { return w.cloned(ctx, "027") }},
	{"umask-077", "a clone under umask 077", func(ctx context.Context, w *World) error { return w.cloned(ctx, "077") }},
	{"rebuilt-twice", "rebuilt, and rebuilt again", func(ctx context.Context, w *World) error {
		if err := w.goRight(ctx); err != nil {
			return err
		}
		for range 2 {
			image, err := w.build(ctx, "--no-cache")
			if err != nil {
				return err
			}
			ids, err := w.replace(ctx, image, extra{})
			if err != nil {
				return err
			}
			// The next round finds these in the places of the start's.
			for i := range w.Places {
				n := w.Places[i].Service.Replicas
				w.Places[i].Pets, ids = ids[:n], ids[n:]
			}
		}
		return nil
	}},
}

// right does what the right scenario has in the repository, and rebuilds.
func (w *World) right(ctx context.Context, args ...string) error {
	return all(
		func() error { return w.goRight(ctx) },
		func() error { return w.rebuild(ctx, args...) },
	)
}

// buildKit asks the engine for BuildKit, which a docker command without its
// plugin cannot.
func buildKit(ctx context.Context, w *World) error {
	if err := w.goRight(ctx); err != nil {
		return err
	}
	head, err := w.git(ctx, "rev-parse", "HEAD")
	if err != nil {
		return err
	}
	files, err := workspace.Open(w.Workspace).Files(ctx, head)
	if err != nil {
		return err
	}
	dockerfile, err := w.dockerfile()
	if err != nil {
		return err
	}
	bases, err := cleanroom.Bases([]byte(dockerfile))
	if err != nil {
		return err
	}
	// The context as a docker command sends it: what is ignored left out, and
	// the lab's images under their own tags.
	pins := map[string]string{}
	for _, base := range bases {
		pins[base] = base
	}
	c, err := cleanroom.NewContext(files, cleanroom.Rules{Pins: pins, BuildKit: true})
	if err != nil {
		return err
	}
	var packed bytes.Buffer
	if err := c.WriteTar(&packed, "Dockerfile", func(tag string) string { return tag }); err != nil {
		return err
	}
	image, err := w.made(w.Builder.Build(ctx, engine.BuildRequest{Context: &packed, Dockerfile: "Dockerfile", Builder: engine.BuilderBuildKit}))
	if err != nil {
		return err
	}
	_, err = w.replace(ctx, image, extra{})
	return err
}

// staged has HEAD collect the image's content in one stage and take it into
// another, and rebuilds.
func (w *World) staged(ctx context.Context, from func(base string) string) error {
	if err := w.goRight(ctx); err != nil {
		return err
	}
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
	last := append([]string{from(base), "COPY --from=collected / /"}, changes...)
	return all(
		func() error {
			return w.write("Dockerfile", strings.TrimRight(first, "\n")+"\n\n"+strings.Join(last, "\n")+"\n")
		},
		func() error { return w.commit(ctx, "Collect in one stage, run another") },
		func() error { return w.rebuild(ctx) },
	)
}

// cloned builds in a fresh clone, whose files have the modes of an umask.
func (w *World) cloned(ctx context.Context, umask string) error {
	if err := w.goRight(ctx); err != nil {
		return err
	}
	clone := filepath.Join(w.Tmp, "clone-"+umask)
	const script = `umask "$1" && git clone --quiet . "$2" && cd "$2" && docker build --quiet .`
	var out bytes.Buffer
	if err := w.command(ctx, nil, &out, "sh", "-c", script, "sh", umask, clone); err != nil {
		return err
	}
	image, err := w.made(strings.TrimSpace(out.String()), nil)
	if err != nil {
		return err
	}
	_, err = w.replace(ctx, image, extra{})
	return err
}
