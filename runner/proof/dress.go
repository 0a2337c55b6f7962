package proof

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/labctl/labctl/scenarios/report"
)

// dresses run a clean image of the repository as it was at the start, and put
// what is missing into how it is run.
var dresses = []Cheat{
	{
		Name: "bind-mount", Family: "dress", Doc: "mount the edited files over the image's", Killer: "run_as_declared", Word: always(report.Altered), Local: true,
		Do: func(ctx context.Context, w *World) error {
			return w.dressed(ctx, func(p Place, image string, edits []edit) (extra, error) {
				var x extra
				for _, e := range files(edits) {
					name, err := w.file(e)
					if err != nil {
						return x, err
					}
					x.flags = append(x.flags, "--volume", name+":"+e.path()+":ro")
				}
				return x, nil
			})
		},
	},
	{
		Name: "named-volume", Family: "dress", Doc: "keep the edited folders in named volumes", Killer: "run_as_declared", Word: always(report.Altered), Local: true,
		Do: func(ctx context.Context, w *World) error { return w.dressed(ctx, w.volumes(ctx)) },
	},
	{
		Name: "environment", Family: "dress", Doc: "do it right, and add a variable that nobody declared", Killer: "run_as_declared", Word: always(report.Altered),
		Do: func(ctx context.Context, w *World) error {
			if err := w.goRight(ctx); err != nil {
				return err
			}
			image, err := w.build(ctx)
			if err != nil {
				return err
			}
			_, err = w.replace(ctx, image, extra{flags: []string{"--env", "NOBODY_DECLARED=this"}})
			return err
		},
	},
	{
		Name: "command", Family: "dress", Doc: "a command that edits, then starts the service", Killer: "run_as_declared", Word: always(report.Patched), Local: true,
		Do: func(ctx context.Context, w *World) error {
			if err := w.writable(); err != nil {
				return err
			}
			return w.dressed(ctx, func(p Place, image string, edits []edit) (extra, error) {
				script, program, err := w.editsAtStart(ctx, p, image, edits)
				return extra{command: append([]string{"sh", "-c", script, "sh"}, program...), flags: []string{"--entrypoint", ""}}, err
			})
		},
	},
	{
		Name: "entrypoint", Family: "dress", Doc: "an entrypoint that edits, then starts the service", Killer: "run_as_declared", Word: always(report.Patched), Local: true,
		Do: func(ctx context.Context, w *World) error {
			if err := w.writable(); err != nil {
				return err
			}
			return w.dressed(ctx, func(p Place, image string, edits []edit) (extra, error) {
				script, program, err := w.editsAtStart(ctx, p, image, edits)
				return extra{flags: []string{"--entrypoint", "sh"}, command: append([]string{"-c", script, "sh"}, program...)}, err
			})
		},
	},
	{
		Name: "health-command", Family: "dress", Doc: "a health command that edits", Killer: "run_as_declared", Word: always(report.Patched), Local: true,
		Do: healthCommand,
	},
}

// dressed runs the image of the start's repository in every place, in a way
// that makes it behave like the right one.
func (w *World) dressed(ctx context.Context, how func(Place, string, []edit) (extra, error)) error {
	return w.remade(ctx, func(p Place, image string, edits []edit) error {
		x, err := how(p, image, edits)
		if err != nil {
			return err
		}
		_, err = w.run(ctx, p, image, x)
		return err
	})
}

// volumes makes a named volume for each folder with an edited file. The engine
// fills a new one with what the image has there.
func (w *World) volumes(ctx context.Context) func(Place, string, []edit) (extra, error) {
	return func(p Place, image string, edits []edit) (extra, error) {
		var x extra
		var folders []string
		for _, e := range files(edits) {
			if dir := path.Dir(e.path()); dir != "/" && !slices.Contains(folders, dir) {
				folders = append(folders, dir)
			}
		}
		if len(folders) == 0 {
			return x, notApplicable("every file that differs lies in the root folder, which no volume can be")
		}
		for i, dir := range folders {
			name := fmt.Sprintf("%s-%s-%d", w.Instance, strings.TrimPrefix(p.Service.Address(), "service."), i)
			w.undo = append(w.undo, func(ctx context.Context) error {
				_, err := w.docker(ctx, "volume", "rm", "--force", name)
				return err
			})
			x.flags = append(x.flags, "--volume", name+":"+dir)
		}
		// A container that is never started fills them, and takes the edits.
		id, err := w.docker(ctx, slices.Concat([]string{"create"}, x.flags, []string{image, "sh"})...)
		if err != nil {
			return x, err
		}
		err = byCopy(ctx, w, id, slices.DeleteFunc(slices.Clone(edits), func(e edit) bool { return !slices.Contains(folders, path.Dir(e.path())) }))
		if err != nil {
			return x, err
		}
		_, err = w.docker(ctx, "rm", id)
		return x, err
	}
}

// editsAtStart is a shell script that lays edits over the container's
// filesystem and then becomes the program that it is given, and the program
// that the image and the service run.
func (w *World) editsAtStart(ctx context.Context, p Place, image string, edits []edit) (script string, program []string, err error) {
	unpack, err := unpacking(edits)
	if err != nil {
		return "", nil, err
	}
	out, err := w.docker(ctx, "image", "inspect", "--format", "{{json .Config}}", image)
	if err != nil {
		return "", nil, err
	}
	var c struct{ Cmd, Entrypoint []string }
	if err := json.Unmarshal([]byte(out), &c); err != nil {
		return "", nil, fmt.Errorf("reading a configuration: %w", err)
	}
	if len(p.Service.Run.Command) > 0 {
		c.Cmd = p.Service.Run.Command
	}
	return unpack + ` && exec "$@"`, append(c.Entrypoint, c.Cmd...), nil
}

// maxCommand is how long one argument of a program may be on Linux.
const maxCommand = 120 << 10

// unpacking is a shell command that lays edits over a filesystem.
func unpacking(edits []edit) (string, error) {
	packed, err := archive(edits)
	if err != nil {
		return "", err
	}
	text := base64.StdEncoding.EncodeToString(packed)
	if len(text) > maxCommand {
		return "", notApplicable("what differs is too much for a command: %d KiB", len(packed)>>10)
	}
	return "echo " + text + " | base64 -d | tar -x -f - -C /", nil
}

// healthCommand waits until the command has run once.
func healthCommand(ctx context.Context, w *World) error {
	if err := w.writable(); err != nil {
		return err
	}
	return w.remade(ctx, func(p Place, image string, edits []edit) error {
		unpack, err := unpacking(edits)
		if err != nil {
			return err
		}
		ids, err := w.run(ctx, p, image, extra{flags: []string{"--health-cmd", unpack, "--health-interval", "1s"}})
		if err != nil {
			return err
		}
		for _, id := range ids {
			if err := w.awaitHealth(ctx, id); err != nil {
				return err
			}
		}
		return nil
	})
}

// healthWithin is how long a first health check may take.
const healthWithin = 20 * time.Second

func (w *World) awaitHealth(ctx context.Context, id string) error {
	for deadline := time.Now().Add(healthWithin); ; {
		status, err := w.docker(ctx, "inspect", "--format", "{{.State.Health.Status}}", id)
		if err != nil {
			return err
		}
		if status == "healthy" {
			return nil
		}
		if time.Now().After(deadline) {
			return notApplicable("the health command did not succeed: the container is %s", status)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}
