package cleanroom

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/labctl/labctl/runner/engine"
	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/lab"
)

// DefaultTimeout is how long one build may take.
const DefaultTimeout = 5 * time.Minute

// Builder builds. engine.Engine is one, as it is all that a Room needs.
type Builder interface {
	Build(ctx context.Context, req engine.BuildRequest) (imageID string, err error)
}

// Actuator names images and removes them.
type Actuator interface {
	TagImage(ctx context.Context, id, tag string) error
	RemoveImage(ctx context.Context, ref string) error
}

// Observer reads what was built.
type Observer interface {
	Info(ctx context.Context) (engine.Info, error)
	Image(ctx context.Context, ref string) (evidence.Image, error)
	Layers(ctx context.Context, image string) (map[string]evidence.Layer, error)
	Tags(ctx context.Context, prefix string) (map[string]string, error)
}

// Room is the clean room of one instance. It may be used by several
// goroutines at once.
type Room struct {
	Builder  Builder
	Actuator Actuator
	Observer Observer

	Instance string            // identity, as in labels: lower case, fit for an image name
	Pins     map[string]string // the lab's images: tag → image ID
	Timeout  time.Duration     // of one build; 0 is DefaultTimeout
	Memory   int64             // bytes for each step; 0 is no limit
	Cache    string            // folder that results are kept in; "" keeps none

	// Free is how many bytes of disk the engine has left. nil measures it.
	Free func() (int64, error)
}

// Build makes an image of the files, reads it and removes it again. Of and
// commit only say what the files are. That the Dockerfile was refused, that
// the build failed or that it could not be tried is told by the Build; the
// error is for ctx having ended.
func (r *Room) Build(ctx context.Context, files []lab.File, of, commit string) (evidence.Build, evidence.Image, map[string]evidence.Layer, error) {
	build := evidence.Build{Of: of, Commit: commit}
	result, err := r.result(ctx, files)
	var refused *Refused
	var failed *engine.BuildFailed
	var late *tooLong
	switch {
	case err == nil:
		build.Image = result.Image.ID
		return build, result.Image, result.Layers, nil
	case ctx.Err() != nil:
		return build, evidence.Image{}, nil, fmt.Errorf("building %s in the clean room: %w", of, context.Cause(ctx))
	case errors.As(err, &refused):
		build.Refused = refused.Error()
	case errors.As(err, &late):
		build.Failed = late.Error()
	case errors.As(err, &failed):
		build.Failed = strings.TrimSpace(failed.Message + "\n" + failed.Log)
	default:
		build.Error = err.Error()
	}
	return build, evidence.Image{}, nil, nil
}

// Make builds one of the lab's own images under its tag, on the pinned ones,
// without network. Its errors are a *Refused, an *engine.BuildFailed, or say
// why it could not be tried. The context's Dockerfile holds the aliases in
// the image, if the Dockerfile copies itself there.
func (r *Room) Make(ctx context.Context, files []lab.File, tag string, labels map[string]string, progress func(line string)) (imageID string, err error) {
	rules, err := r.rules(ctx)
	if err != nil {
		return "", fmt.Errorf("making the image %s: %w", tag, err)
	}
	c, err := NewContext(files, rules)
	if err != nil {
		return "", fmt.Errorf("making the image %s: %w", tag, err)
	}
	// The aliases are always the same, so that making it twice gives one image.
	sum := sha256.Sum256([]byte(tag))
	job := job{
		id: "make-" + hex.EncodeToString(sum[:6]), name: c.name,
		request: engine.BuildRequest{Tag: tag, Labels: labels, Progress: progress},
	}
	imageID, err = r.build(ctx, c, job)
	if err != nil {
		return "", fmt.Errorf("making the image %s: %w", tag, err)
	}
	return imageID, nil
}

// rules are those of the instance's images and the engine's builder.
func (r *Room) rules(ctx context.Context) (Rules, error) {
	info, err := r.Observer.Info(ctx)
	return Rules{Pins: r.Pins, Platform: hostPlatform(), BuildKit: info.Builder == "2"}, err
}

// result builds, or finds what an earlier build of the same gave.
func (r *Room) result(ctx context.Context, files []lab.File) (*result, error) {
	rules, err := r.rules(ctx)
	if err != nil {
		return nil, err
	}
	c, err := NewContext(files, rules)
	if err != nil {
		return nil, err
	}
	key, err := cacheKey(c, rules.BuildKit)
	if err != nil {
		return nil, err
	}
	if found, ok := r.cached(key); ok {
		return found, nil
	}
	unlock, err := r.once(ctx, key)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if found, ok := r.cached(key); ok {
		return found, nil // somebody else built it meanwhile
	}
	made, err := r.make(ctx, c)
	if errors.Is(err, engine.ErrNotFound) {
		// Somebody without this cache built the same, and was done first.
		made, err = r.make(ctx, c)
	}
	if err != nil {
		return nil, err
	}
	// One that cannot be kept is a result all the same; the next build says
	// whether the disk is full.
	_ = r.keep(key, made)
	return made, nil
}

// make builds without cache, reads the image and removes it.
func (r *Room) make(ctx context.Context, c *Context) (_ *result, err error) {
	id := strings.ToLower(rand.Text()[:12])
	job := job{id: id, name: ".labctl-" + id, request: engine.BuildRequest{
		Tag: r.prefix() + id, NoCache: true,
	}}
	defer func() { r.remove(ctx, job.request.Tag) }()
	imageID, err := r.build(ctx, c, job)
	if err != nil {
		return nil, err
	}
	made := &result{}
	if made.Image, err = r.Observer.Image(ctx, imageID); err != nil {
		return nil, fmt.Errorf("reading the image that the clean room built: %w", err)
	}
	if made.Layers, err = r.Observer.Layers(ctx, imageID); err != nil {
		return nil, fmt.Errorf("reading the layers that the clean room built: %w", err)
	}
	for diffID, layer := range made.Layers {
		made.Layers[diffID] = without(layer, job.name)
	}
	return made, nil
}

// without leaves out the rewritten Dockerfile, where a COPY took it along.
func without(layer evidence.Layer, name string) evidence.Layer {
	kept := make(evidence.Layer, 0, len(layer))
	for _, entry := range layer {
		if !strings.HasSuffix(entry.Path, "/"+name) {
			kept = append(kept, entry)
		}
	}
	return kept
}

// job is one build.
type job struct {
	id      string // unique among those that run now
	name    string // of the rewritten Dockerfile in the context
	request engine.BuildRequest
}

// build gives the lab's images their aliases, builds, and takes the aliases
// away again.
func (r *Room) build(ctx context.Context, c *Context, job job) (string, error) {
	aliases := map[string]string{}
	for i, id := range c.Pinned() {
		alias := fmt.Sprintf("%s%s-%d", r.prefix(), job.id, i)
		aliases[id] = alias
		defer r.release(ctx, id, alias)
		if err := r.Actuator.TagImage(ctx, id, alias); err != nil {
			return "", fmt.Errorf("giving the lab's image %s a name for the build: %w", id, err)
		}
	}
	var packed bytes.Buffer
	if err := c.WriteTar(&packed, job.name, func(id string) string { return aliases[id] }); err != nil {
		return "", err
	}
	req := job.request
	req.Context, req.Dockerfile, req.NoNetwork, req.Memory = &packed, job.name, true, r.Memory
	req.RunsNothing = !c.dockerfile.runs
	return r.watched(ctx, req)
}

// prefix begins every tag that the rooms of an instance make.
func (r *Room) prefix() string { return aliases + r.Instance + ":" }

// remove removes a tag, and with its last one the image, even when ctx has
// ended. A tag that stays because the engine is away is for Sweep.
func (r *Room) remove(ctx context.Context, tag string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	_ = r.Actuator.RemoveImage(ctx, tag)
}

// release removes the alias of a lab's image, unless it is the last name that
// keeps the image: a learner may have moved the lab's tag to another one.
func (r *Room) release(ctx context.Context, id, alias string) {
	if r.named(context.WithoutCancel(ctx), id) {
		r.remove(ctx, alias)
	}
}

// named tells whether a pinned image still has its own tag.
func (r *Room) named(ctx context.Context, id string) bool {
	for tag, pinned := range r.Pins {
		if pinned != id {
			continue
		}
		if image, err := r.Observer.Image(ctx, tag); err == nil && image.ID == id {
			return true
		}
	}
	return false
}

// Sweep removes what killed rooms of the instance left: their tags, and the
// images that have no other. Pinned images that have no other are kept. No
// room of the instance may be in use.
func (r *Room) Sweep(ctx context.Context) error {
	return r.sweep(ctx, func(id string) bool {
		return slices.Contains(slices.Collect(maps.Values(r.Pins)), id) && !r.named(ctx, id)
	})
}

// Clear removes everything that rooms of the instance made, for an instance
// that is no more.
func (r *Room) Clear(ctx context.Context) error {
	return r.sweep(ctx, func(string) bool { return false })
}

func (r *Room) sweep(ctx context.Context, keep func(id string) bool) error {
	tags, err := r.Observer.Tags(ctx, r.prefix())
	if err != nil {
		return fmt.Errorf("looking for leftovers of the clean room: %w", err)
	}
	for _, tag := range slices.Sorted(maps.Keys(tags)) {
		if keep(tags[tag]) {
			continue
		}
		if ierr := r.Actuator.RemoveImage(ctx, tag); ierr != nil && !errors.Is(ierr, engine.ErrNotFound) {
			err = errors.Join(err, fmt.Errorf("removing the clean room's leftover %s: %w", tag, ierr))
		}
	}
	return err
}
