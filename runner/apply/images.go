package apply

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"sort"

	"github.com/labctl/labctl/runner/engine"
	"github.com/labctl/labctl/runner/plan"
	"github.com/labctl/labctl/runner/problem"
	"github.com/labctl/labctl/runner/rootfs"
	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/lab"
)

// pulledBase is what a busybox base is pulled as on a host that has no static
// busybox to make it of.
const pulledBase = "busybox:1.37"

// ImageMaker makes sure that an image is there, wherever it comes from.
type ImageMaker struct {
	Engine  engine.Engine
	Commits []lab.Commit
	Labels  map[string]string // of images that have no tag of the lab's: they are made for one instance

	// Build makes an image of a build context.
	Build func(ctx context.Context, files []lab.File, tag string, labels map[string]string, progress func(string)) (string, error)
	// Pinned reports whether an instance on the engine pins an image by ID.
	Pinned func(ctx context.Context, id string) (bool, error)
	// Lock keeps other processes from making shared images meanwhile.
	Lock func(ctx context.Context) (unlock func(), err error)
}

// Make returns the ID of the image, and whether its tag did not exist before.
func (m *ImageMaker) Make(ctx context.Context, image lab.Image, tag string, progress func(string)) (id string, created bool, err error) {
	before, err := m.Engine.Image(ctx, tag)
	exists := err == nil
	if err != nil && !errors.Is(err, engine.ErrNotFound) {
		return "", false, err
	}
	switch {
	case image.Rootfs != "":
		id, err = m.rootfs(ctx, tag, progress)
	case image.Pull != "":
		id, err = m.pull(ctx, image.Pull, tag, progress)
	case image.Commit != "":
		id, err = m.build(ctx, image, FilesAt(m.Commits, image.Commit), tag, progress)
	default:
		id, err = m.build(ctx, image, image.Context, tag, progress)
	}
	// What is there now and was not before is to be undone, even after a
	// failure: the engine may have finished what this process gave up on.
	if err != nil && !exists {
		after, lookErr := m.Engine.Image(context.WithoutCancel(ctx), tag)
		return "", lookErr == nil && after.ID != before.ID, err
	}
	return id, !exists, err
}

// build makes an image of files. One that has a tag of the lab's is everybody's:
// it has no labels of an instance and is made by one at a time, so that a second
// finds in the builder's cache what the first made, and pins the same. Else the
// tag moved away from what the first pinned, and went with the second.
func (m *ImageMaker) build(ctx context.Context, image lab.Image, files []lab.File, tag string, progress func(string)) (string, error) {
	if image.Tag == "" {
		return m.Build(ctx, files, tag, m.Labels, progress)
	}
	unlock, err := m.Lock(ctx)
	if err != nil {
		return "", err
	}
	defer unlock()
	return m.Build(ctx, files, tag, nil, progress)
}

// rootfs makes a base image from the host's static busybox. One that is there
// already is taken when it is the same to the byte, or when an instance stands
// on it: learners' builds name it by tag, and their clean rooms by ID.
func (m *ImageMaker) rootfs(ctx context.Context, tag string, progress func(string)) (string, error) {
	unlock, err := m.Lock(ctx)
	if err != nil {
		return "", err
	}
	defer unlock()
	there, err := m.Engine.Image(ctx, tag)
	if err != nil && !errors.Is(err, engine.ErrNotFound) {
		return "", err
	}
	if err == nil {
		pinned, err := m.Pinned(ctx, there.ID)
		if err != nil {
			return "", err
		}
		if pinned {
			return there.ID, nil
		}
	}
	base, err := rootfs.Busybox(ctx)
	if err != nil {
		progress(fmt.Sprintf("no static busybox on this host; pulling %s", pulledBase))
		id, pullErr := m.pull(ctx, pulledBase, tag, progress)
		if pullErr != nil {
			return "", &problem.Problem{
				What: "cannot make " + tag,
				Why:  fmt.Sprintf("%v, and pulling it failed: %v", err, pullErr),
				Mend: "install a static busybox (Debian, Ubuntu: apt-get install busybox-static)",
				Err:  err,
			}
		}
		return id, nil
	}
	return m.importBase(ctx, there, base, tag, progress)
}

// Relay makes the image that relays run, and reports whether its tag did not
// exist before. It is no image of a lab's, so no instance pins it, and nothing
// can be built on it.
func (m *ImageMaker) Relay(ctx context.Context, progress func(string)) (id string, created bool, err error) {
	unlock, err := m.Lock(ctx)
	if err != nil {
		return "", false, err
	}
	defer unlock()
	there, err := m.Engine.Image(ctx, plan.RelayImage)
	if err != nil && !errors.Is(err, engine.ErrNotFound) {
		return "", false, err
	}
	base, err := rootfs.Relay(ctx, map[string]string{engine.LabelRole: engine.RoleRelay})
	if err != nil {
		return "", false, &problem.Problem{
			What: "cannot make " + plan.RelayImage,
			Why:  err.Error(),
			Mend: "install a static busybox (Debian, Ubuntu: apt-get install busybox-static)",
			Err:  err,
		}
	}
	id, err = m.importBase(ctx, there, base, plan.RelayImage, progress)
	return id, there.ID == "", err
}

// importBase makes an image of a root filesystem, unless the one that has the
// tag is the same.
func (m *ImageMaker) importBase(ctx context.Context, there evidence.Image, base rootfs.Rootfs, tag string, progress func(string)) (string, error) {
	if there.ID != "" && sameBase(there, base) {
		return there.ID, nil
	}
	progress("importing " + base.Source)
	ctx, done := whole(ctx)
	defer done()
	id, err := m.Engine.ImportImage(ctx, bytes.NewReader(base.Tar), tag, base.Changes)
	if err != nil {
		return "", err
	}
	// Another user's start may have imported the same at the same time, and
	// has the tag now.
	if there, err = m.Engine.Image(ctx, tag); err != nil || there.ID == id || !sameBase(there, base) {
		return id, err
	}
	return there.ID, m.Engine.RemoveImage(ctx, id)
}

// sameBase reports whether an image is what importing a root filesystem gives:
// a tag alone says nothing, since anybody can move it.
func sameBase(image evidence.Image, base rootfs.Rootfs) bool {
	if !reflect.DeepEqual(image.Layers, []string{base.DiffID}) {
		return false
	}
	var config map[string]any
	if json.Unmarshal(image.Config, &config) != nil {
		return false
	}
	var env, cmd []string
	labels := map[string]string{}
	for key, value := range config {
		switch key {
		case "Env":
			env = list(value)
		case "Cmd":
			cmd = list(value)
		case "Labels":
			named, _ := value.(map[string]any)
			for name, value := range named {
				labels[name] = fmt.Sprint(value)
			}
		case "Hostname", "Image": // what some engines fill in by themselves
		default:
			if !empty(value) {
				return false
			}
		}
	}
	return reflect.DeepEqual(env, base.Env) && reflect.DeepEqual(cmd, base.Cmd) && maps.Equal(labels, base.Labels)
}

func list(v any) []string {
	items, _ := v.([]any)
	var out []string
	for _, item := range items {
		out = append(out, fmt.Sprint(item))
	}
	return out
}

func empty(v any) bool {
	switch v := v.(type) {
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	case nil:
		return true
	}
	return reflect.ValueOf(v).IsZero()
}

func (m *ImageMaker) pull(ctx context.Context, ref, tag string, progress func(string)) (string, error) {
	image, err := m.Engine.Image(ctx, ref)
	if errors.Is(err, engine.ErrNotFound) {
		if err = m.Engine.PullImage(ctx, ref, progress); err == nil {
			image, err = m.Engine.Image(ctx, ref)
		}
	}
	if err != nil {
		return "", err
	}
	if tag != ref {
		if err := m.Engine.TagImage(ctx, image.ID, tag); err != nil {
			return "", err
		}
	}
	return image.ID, nil
}

// FilesAt is the workspace as it is at a commit: every commit's files laid
// over those before, sorted by path.
func FilesAt(commits []lab.Commit, name string) []lab.File {
	byPath := map[string]lab.File{}
	for _, c := range commits {
		for _, f := range c.Files {
			byPath[f.Path] = f
		}
		if c.Name == name {
			break
		}
	}
	files := make([]lab.File, 0, len(byPath))
	for _, f := range byPath {
		files = append(files, f)
	}
	sort.Slice(files, func(i, j int) bool { return files[i].Path < files[j].Path })
	return files
}
