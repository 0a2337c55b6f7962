package proof

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/labctl/labctl/runner/engine"
	"github.com/labctl/labctl/scenarios/lab"
	"github.com/labctl/labctl/scenarios/report"
)

// World is one instance in which a cheat or a way is tried. What is done there
// is done as learners do it: with docker, git and a shell.
type World struct {
	Instance  string
	Workspace string   // the learner's repository
	Tmp       string   // a folder for files
	Env       []string // besides the process's own
	Places    []Place
	Model     *Model
	Numbers   *int           // of a herd, that were given in this instance
	Builder   engine.Builder // builds through the engine's API

	// Demonstrate has labctl look at a place that was just done, before the next
	// one is; nil where the lab does not ask for demonstrations.
	Demonstrate func(context.Context, Place) error

	// KeepPets has the start's containers stopped, not removed, where others
	// take their places: what comes next takes from them.
	KeepPets bool

	whole  []Place // where Places are some of them; nil where they are all
	undo   []func(context.Context) error
	images []string
	kept   int // files that were edited and kept their size
}

// Place is one service in one environment, whose provenance is asked about.
type Place struct {
	Service lab.Service
	Address string // 127.0.0.1:8080; "" when nothing is published
	Network string
	Run     []string // flags of docker run
	Pets    []string // IDs of the start's containers for it, as far as they are there
}

// Model is how the lab is done right, by its own right scenario with the same
// parameters.
type Model struct {
	Repository string            // a git repository, as that scenario left it
	Live       map[string]string // by the address of a place's service, a tar of what a live container held

	// What is the same in every instance is found out once.
	words struct {
		sync.Mutex
		found map[string]foundWord
	}
	hands map[string]map[string][]string // what was done by hand in a place; found out with a word
	edits struct {
		sync.Mutex
		found map[string][]edit // by place and image
	}
}

// foundWord is a word, or why there is none.
type foundWord struct {
	word report.Word
	err  error
}

// In is the same instance, of which only some places are there. Files are kept
// in a folder of its own.
func (w *World) In(places []Place, tmp string) *World {
	part := *w
	part.whole = w.everywhere()
	part.Places, part.Tmp, part.undo, part.images, part.kept = places, tmp, nil, nil, 0
	return &part
}

func (w *World) everywhere() []Place {
	if w.whole != nil {
		return w.whole
	}
	return w.Places
}

// Close undoes what reaches beyond the instance.
func (w *World) Close(ctx context.Context) error {
	var err error
	for _, undo := range slices.Backward(w.undo) {
		err = errors.Join(err, undo(ctx))
	}
	w.undo = nil
	return err
}

// Images are the IDs of the images that were made, the youngest first.
func (w *World) Images() []string {
	out := slices.Clone(w.images)
	slices.Reverse(out)
	return out
}

// made notes an image that was made.
func (w *World) made(id string, err error) (string, error) {
	if err == nil && id != "" {
		w.images = append(w.images, id)
	}
	return id, err
}

// command runs a program to its end and returns what it printed.
func (w *World) command(ctx context.Context, stdin io.Reader, stdout io.Writer, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdin, cmd.Stdout = stdin, stdout
	if name != "docker" { // which may be asked when the workspace is gone
		cmd.Dir = w.Workspace
	}
	cmd.Env = append(os.Environ(), w.Env...)
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("%s %s: %w: %s", name, args[0], err, lastLine(said.String()))
	}
	return nil
}

// lastLine is the last thing that a program said, but for where docker sends
// everybody whose command failed.
func lastLine(s string) string {
	last := ""
	for line := range strings.Lines(s) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "See 'docker") && !strings.HasPrefix(line, "Run 'docker") {
			last = line
		}
	}
	return last
}

func (w *World) docker(ctx context.Context, args ...string) (string, error) {
	return w.dockerIn(ctx, nil, args...)
}

func (w *World) dockerIn(ctx context.Context, stdin io.Reader, args ...string) (string, error) {
	var out bytes.Buffer
	err := w.command(ctx, stdin, &out, "docker", args...)
	return strings.TrimSpace(out.String()), err
}

func (w *World) git(ctx context.Context, args ...string) (string, error) {
	var out bytes.Buffer
	err := w.command(ctx, nil, &out, "git", args...)
	return strings.TrimSpace(out.String()), err
}

// all runs commands one after the other.
func all(steps ...func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// build builds the workspace as learners do, and returns the image's ID.
func (w *World) build(ctx context.Context, args ...string) (string, error) {
	return w.buildIn(ctx, w.Workspace, args...)
}

// buildIn builds what is in a folder. Learners build again, too, when somebody
// purged what the builder's cache led to.
func (w *World) buildIn(ctx context.Context, dir string, args ...string) (string, error) {
	args = slices.Concat([]string{"build", "--quiet"}, args, []string{dir})
	id, err := w.docker(ctx, args...)
	if err != nil && engine.ImageGone(err.Error()) {
		id, err = w.docker(ctx, args...)
	}
	return w.made(id, err)
}

// shoot removes the start's containers of a place, or stops them when they are
// to be kept.
func (w *World) shoot(ctx context.Context, p Place) error {
	end := []string{"rm", "--force", "--volumes"}
	if w.KeepPets {
		end = []string{"stop", "--time", "1"}
	}
	for _, pet := range p.Pets { // not at once: Docker 20.10 can lock up then (plan.StopInstance)
		if _, err := w.docker(ctx, append(slices.Clip(end), pet)...); err != nil {
			return err
		}
	}
	return nil
}

// extra is how a container is run besides what the service declares.
type extra struct {
	flags   []string
	command []string
	flagsOf func(Place) ([]string, error) // flags that depend on the place; nil for none
	named   bool                          // give each a name
}

// and is a container that is run in two ways at once.
func (x extra) and(y extra) extra {
	x.flags = slices.Concat(x.flags, y.flags)
	x.named = x.named || y.named
	if y.flagsOf != nil {
		x.flagsOf = y.flagsOf
	}
	if y.command != nil {
		x.command = y.command
	}
	return x
}

// run starts the containers of a place, as many as the service has.
func (w *World) run(ctx context.Context, p Place, image string, x extra) (ids []string, err error) {
	args := slices.Concat(p.Run, x.flags)
	if x.flagsOf != nil {
		flags, err := x.flagsOf(p)
		if err != nil {
			return nil, err
		}
		args = append(args, flags...)
	}
	args = append(args, image)
	command := x.command
	if len(command) == 0 {
		command = p.Service.Run.Command
	}
	args = append(args, command...)
	for range p.Service.Replicas {
		begin := []string{"run", "--detach"}
		if x.named {
			begin = append(begin, "--name", w.number())
		}
		id, err := w.docker(ctx, append(begin, args...)...)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// eachPlace does something in one place after the other, in the order of the
// environments, as learners do who see each work before they go on.
func (w *World) eachPlace(ctx context.Context, do func(i int, p Place) error) error {
	for i, p := range w.Places {
		if err := do(i, p); err != nil {
			return err
		}
		if w.Demonstrate == nil {
			continue
		}
		if err := w.Demonstrate(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

// remade removes the start's containers everywhere, and has something done in their
// place with an image of the start's repository, and what that lacks of the right
// one.
func (w *World) remade(ctx context.Context, do func(p Place, image string, edits []edit) error) error {
	image, err := w.build(ctx)
	if err != nil {
		return err
	}
	return w.eachPlace(ctx, func(_ int, p Place) error {
		edits, err := w.editsToImage(ctx, p, image)
		if err != nil {
			return err
		}
		if err := w.shoot(ctx, p); err != nil {
			return err
		}
		return do(p, image, edits)
	})
}

// replace removes the start's containers everywhere and runs an image in
// their place, environment by environment.
func (w *World) replace(ctx context.Context, image string, x extra) ([]string, error) {
	var ids []string
	err := w.eachPlace(ctx, func(_ int, p Place) error {
		if err := w.shoot(ctx, p); err != nil {
			return err
		}
		started, err := w.run(ctx, p, image, x)
		ids = append(ids, started...)
		return err
	})
	return ids, err
}

// goRight brings the workspace to where the right scenario left it.
func (w *World) goRight(ctx context.Context) error {
	return all(
		func() error { _, err := w.git(ctx, "fetch", "--quiet", w.Model.Repository, "HEAD"); return err },
		func() error { _, err := w.git(ctx, "reset", "--quiet", "--hard", "FETCH_HEAD"); return err },
	)
}

// commit commits everything in the workspace. Where environments are done one
// after the other, there may be nothing new.
func (w *World) commit(ctx context.Context, message string) error {
	return all(
		func() error { _, err := w.git(ctx, "add", "--all"); return err },
		func() error {
			_, err := w.git(ctx, "commit", "--quiet", "--allow-empty", "--message", message)
			return err
		},
	)
}

// write writes a file of the workspace.
func (w *World) write(name, content string) error {
	return os.WriteFile(filepath.Join(w.Workspace, name), []byte(content), 0o644)
}

// dockerfile reads the Dockerfile of the workspace.
func (w *World) dockerfile() (string, error) {
	content, err := os.ReadFile(filepath.Join(w.Workspace, "Dockerfile"))
	return string(content), err
}

// number is the next name of a herd.
func (w *World) number() string {
	*w.Numbers++
	return fmt.Sprintf("%s-web-%03d", w.Instance, *w.Numbers)
}

// hostPort is the port of an address.
func hostPort(address string) string { return address[strings.LastIndexByte(address, ':')+1:] }

// first is the first place, for cheats that need just one image; a lab without
// a service has no cheats.
func (w *World) first() Place { return w.Places[0] }
