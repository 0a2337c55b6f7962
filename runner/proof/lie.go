package proof

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/labctl/labctl/scenarios/report"
)

// lies are about where an image comes from: not from what HEAD says.
var lies = []Cheat{
	{
		Name: "uncommitted", Family: "lie", Doc: "build from changes that are not committed", Killer: "built_from_repo", Word: always(report.Uncommitted),
		Do: func(ctx context.Context, w *World) error {
			head, err := w.git(ctx, "rev-parse", "HEAD")
			if err != nil {
				return err
			}
			if err := w.goRight(ctx); err != nil {
				return err
			}
			if _, err := w.git(ctx, "reset", "--quiet", "--soft", head); err != nil {
				return err
			}
			return w.rebuild(ctx)
		},
	},
	{
		Name: "moved-on", Family: "lie", Doc: "let HEAD move on to other content after the build", Killer: "built_from_repo", Word: always(report.Outdated),
		Do: func(ctx context.Context, w *World) error {
			return all(
				func() error { return w.goRight(ctx) },
				func() error { return w.rebuild(ctx) },
				func() error { return w.moveOn(ctx) },
			)
		},
	},
	{
		Name: "poisoned-base", Family: "lie", Doc: "move the base's tag to the committed pet, and let HEAD add nothing to it", Killer: "built_from_repo", Word: ofThePet,
		Needs: NeedsOwnBase, Do: poisonedBase,
	},
	{
		Name: "poisoned-cache", Family: "lie", Doc: "plant an image in the classic builder's cache that looks like HEAD's last step", Killer: "built_from_repo", Word: ofTheEdits,
		Needs: NeedsOwnBase, Do: poisonedCache,
	},
	{
		Name: "fetched-by-run", Family: "lie", Doc: "fetch the files from the edited pet in a RUN step", Killer: "built_from_repo", Word: ofTheEdits,
		Needs: NeedsPets,
		Do: func(ctx context.Context, w *World) error {
			return w.fetched(ctx, func(url string, e edit) string {
				return fmt.Sprintf("RUN wget -q -O %s %s && chmod %o %s", e.path(), url, e.header.Mode&0o7777, e.path())
			})
		},
	},
	{
		Name: "fetched-by-add", Family: "lie", Doc: "fetch the files from the edited pet by ADD of a URL", Killer: "built_from_repo", Word: ofTheEdits,
		Needs: NeedsPets,
		Do: func(ctx context.Context, w *World) error {
			return w.fetched(ctx, func(url string, e edit) string {
				// What is added by URL can be read by its owner alone.
				return fmt.Sprintf("ADD %s %s\nRUN chmod %o %s", url, e.path(), e.header.Mode&0o7777, e.path())
			})
		},
	},
}

// rebuild builds the workspace and replaces everything by it.
func (w *World) rebuild(ctx context.Context, args ...string) error {
	image, err := w.build(ctx, args...)
	if err != nil {
		return err
	}
	_, err = w.replace(ctx, image, extra{})
	return err
}

// moveOn commits a change of a file that is part of the image.
func (w *World) moveOn(ctx context.Context) error {
	is := map[string]bool{}
	err := exported(w.Model.Live[w.first().Service.Address()], ofTheEngine, func(h *tar.Header, content []byte, _ string) error {
		if h.Typeflag == tar.TypeReg && len(content) > 0 {
			is[digest(content)] = true
		}
		return nil
	})
	if err != nil {
		return err
	}
	listed, err := w.git(ctx, "ls-files", "-z")
	if err != nil {
		return err
	}
	for name := range strings.SplitSeq(listed, "\x00") {
		file := filepath.Join(w.Workspace, name)
		content, err := os.ReadFile(file)
		if err != nil || !is[digest(content)] {
			continue
		}
		if err := w.write(name, string(content)+"\n"); err != nil {
			return err
		}
		return w.commit(ctx, "Move on")
	}
	return notApplicable("no file of the repository is in the image as it is")
}

// stripped is a Dockerfile without what brings content into an image.
func stripped(dockerfile string) string {
	var kept []string
	goesOn := false // the line before ends in a backslash and was dropped
	for line := range strings.Lines(dockerfile) {
		words := strings.Fields(line)
		brings := len(words) > 0 && slices.Contains([]string{"COPY", "ADD", "RUN"}, strings.ToUpper(words[0]))
		dropped := goesOn || brings
		goesOn = dropped && strings.HasSuffix(strings.TrimSpace(line), "\\")
		if !dropped {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}

func poisonedBase(ctx context.Context, w *World) error {
	base, err := w.base()
	if err != nil {
		return err
	}
	dockerfile, err := w.dockerfile()
	if err != nil {
		return err
	}
	return w.eachLaundered(ctx, func(p Place, pet string) (string, error) {
		return "", all(
			func() error { _, err := w.made(w.docker(ctx, "commit", pet, base)); return err },
			func() error { return w.write("Dockerfile", stripped(dockerfile)) },
			func() error { return w.commit(ctx, "Everything is in the base by now") },
		)
	})
}

// poisonedCache builds HEAD, reads how the classic builder knows its last step
// that brings content, and commits a container that claims to be that step.
func poisonedCache(ctx context.Context, w *World) (err error) {
	w.Env = append(w.Env, "DOCKER_BUILDKIT=0")
	image, err := w.build(ctx)
	if err != nil {
		return err
	}
	history, err := w.docker(ctx, "history", "--no-trunc", "--format", "{{.ID}}\t{{.CreatedBy}}", image)
	if err != nil {
		return err
	}
	steps := strings.Split(history, "\n") // the youngest first
	i := slices.IndexFunc(steps, func(s string) bool {
		return strings.Contains(s, "#(nop) COPY ") || strings.Contains(s, "#(nop) ADD ")
	})
	if i < 0 || i+1 == len(steps) {
		return notApplicable("no step of the Dockerfile copies anything")
	}
	step, by, _ := strings.Cut(steps[i], "\t")
	before, _, _ := strings.Cut(steps[i+1], "\t")
	if strings.HasPrefix(step, "<") || strings.HasPrefix(before, "<") {
		return notApplicable("this engine keeps no images of a build's steps, and so has no cache that could be poisoned")
	}
	command, _ := strings.CutPrefix(by, "/bin/sh -c ")
	if before, err = w.docker(ctx, "image", "inspect", "--format", "{{.Id}}", before); err != nil {
		return err
	}
	edits, err := w.editsToImage(ctx, w.first(), before)
	if err != nil {
		return err
	}
	// It is run, although it does nothing: only then is it attached to nothing,
	// as a builder's containers are. An entrypoint that an earlier step set may not
	// be able to start yet, or never end; the container is there all the same.
	planted := w.Instance + "-planted"
	_, failed := w.docker(ctx, "run", "--detach", "--name", planted, before, "/bin/sh", "-c", command)
	if _, err := w.docker(ctx, "stop", "-t", "0", planted); err != nil {
		return errors.Join(failed, err)
	}
	defer func() {
		_, left := w.docker(context.WithoutCancel(ctx), "rm", "--force", planted)
		err = errors.Join(err, left)
	}()
	if err := byCopy(ctx, w, planted, edits); err != nil {
		return err
	}
	starts, err := w.docker(ctx, "image", "inspect", "--format", "{{json .Config.Cmd}}", before)
	if err != nil {
		return err
	}
	if starts == "null" {
		starts = "[]"
	}
	if _, err := w.made(w.docker(ctx, "commit", "--change", "CMD "+starts, planted)); err != nil {
		return err
	}
	poisoned, err := w.build(ctx)
	if err != nil {
		return err
	}
	if poisoned == image {
		return notApplicable("the builder's cache did not take what was planted")
	}
	_, err = w.replace(ctx, poisoned, extra{})
	return err
}

// fetched adds steps to HEAD's Dockerfile that get the edited files from the
// edited pet, through a server that hands them out. The Dockerfile and
// the image hold everything then, and the repository nothing.
func (w *World) fetched(ctx context.Context, step func(url string, e edit) string) (err error) {
	p := w.first()
	if len(p.Pets) == 0 {
		return notApplicable("no container of the start serves %s", p.Service.Address())
	}
	image, err := w.imageOf(ctx, p.Pets[0])
	if err != nil {
		return err
	}
	edits, err := w.editsToImage(ctx, p, image)
	if err != nil {
		return err
	}
	pet, gone, err := w.editedPet(ctx, p)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, gone()) }()
	w.Env = append(w.Env, "DOCKER_BUILDKIT=0") // BuildKit asks for a permission to use the host's network
	host, done, err := w.handOut(ctx, pet)
	if err != nil {
		return err
	}
	defer done()
	dockerfile, err := w.dockerfile()
	if err != nil {
		return err
	}
	lines := []string{strings.TrimRight(dockerfile, "\n")}
	for _, e := range files(edits) {
		lines = append(lines, step("http://"+host+e.path(), e))
	}
	return all(
		func() error { return w.write("Dockerfile", strings.Join(lines, "\n")+"\n") },
		func() error { return w.commit(ctx, "Take the files from where they are right") },
		func() error { return w.rebuild(ctx, "--network", "host") },
	)
}

// handOut serves a container's files over HTTP on this host, read when asked.
func (w *World) handOut(ctx context.Context, container string) (host string, done func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := &http.Server{Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		var packed bytes.Buffer
		if err := w.command(ctx, nil, &packed, "docker", "cp", container+":"+path.Clean(r.URL.Path), "-"); err != nil {
			http.Error(rw, err.Error(), http.StatusNotFound)
			return
		}
		in := tar.NewReader(&packed)
		if _, err := in.Next(); err != nil {
			http.Error(rw, err.Error(), http.StatusNotFound)
			return
		}
		_, _ = io.Copy(rw, in)
	})}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			panic(err) // a listener of ours cannot fail otherwise
		}
	}()
	return l.Addr().String(), func() { _ = server.Close(); <-ended }, nil
}
