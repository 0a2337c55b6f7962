package cleanroom

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/labctl/labctl/runner/engine"
	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/lab"
)

// What one build may take, where a Room does not say otherwise.
const (
	DefaultTimeout = 5 * time.Minute
	DefaultMemory  = 1 << 30 // bytes, for each step
	DefaultPids    = 512     // processes at once
)

// Builder builds. engine.Engine is one, as it is all that a Room needs.
type Builder interface {
	Build(ctx context.Context, req engine.BuildRequest) (imageID string, err error)
}

// Actuator names images and removes them.
type Actuator interface {
	TagImage(ctx context.Context, id, tag string) error
	RemoveImage(ctx context.Context, ref string) error
}

// Observer reads what was built, and finds what was left.
type Observer interface {
	Info(ctx context.Context) (engine.Info, error)
	ImagesLabelled(ctx context.Context, label, value string) ([]string, error)
	Unnamed(ctx context.Context) ([]string, error)
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
	Network  bool              // the lab declares that builds reach the network
	Labels   map[string]string // of the instance's containers, for the cage
	Cache    string            // folder that results are kept in; "" keeps none
	Notice   func(string)      // told which limit the engine cannot keep; may be nil

	Timeout time.Duration // of one build; 0 is DefaultTimeout
	Memory  int64         // bytes for each step; 0 is DefaultMemory
	Pids    int64         // processes of all steps at once; 0 is DefaultPids
	// Free is how many bytes of disk the engine has left. nil measures it.
	Free func() (int64, error)
}

// Build makes an image of the files, reads it and removes it again. Of and
// commit only say what the files are. That the Dockerfile was refused, that
// the build failed or that it could not be tried is told by the Build; the
// error is for ctx having ended.
func (r *Room) Build(ctx context.Context, files []lab.File, of, commit string) (evidence.Build, evidence.Image, map[string]evidence.Layer, error) {
	build := evidence.Build{Of: of, Commit: commit}
	info, c, err := r.read(ctx, files)
	var result *result
	if err == nil {
		result, err = r.result(ctx, info, c)
	}
	var refused *Refused
	var failed *engine.BuildFailed
	switch {
	case err == nil:
		lineage := c.Lineage()
		build.Image, build.Lineage = result.Image.ID, &lineage
		return build, result.Image, result.Layers, nil
	case ctx.Err() != nil:
		return build, evidence.Image{}, nil, fmt.Errorf("building %s in the clean room: %w", of, context.Cause(ctx))
	case errors.As(err, &refused):
		build.Refused = refused.Error()
	case errors.As(err, &failed):
		build.Failed = strings.TrimSpace(failed.Message + "\n" + failed.Log)
	default:
		build.Error = err.Error()
	}
	return build, evidence.Image{}, nil, nil
}

// Make builds one of the lab's own images under its tag, on the pinned ones, in
// the same cage; one that was made of the same before and is still there gets the
// tag. Its errors are a *Refused, an *engine.BuildFailed, or say why it could not
// be tried. The context's Dockerfile holds the aliases in the image, if the
// Dockerfile copies itself there.
func (r *Room) Make(ctx context.Context, files []lab.File, tag string, labels map[string]string, progress func(line string)) (imageID string, err error) {
	if imageID, err = r.image(ctx, files, tag, labels, progress); err != nil {
		return "", fmt.Errorf("making the image %s: %w", tag, err)
	}
	return imageID, nil
}

func (r *Room) image(ctx context.Context, files []lab.File, tag string, labels map[string]string, progress func(line string)) (imageID string, err error) {
	info, c, err := r.read(ctx, files)
	if err != nil {
		return "", err
	}
	key, err := imageKey(c, info.Builder == engine.BuilderBuildKit, labels)
	if err != nil {
		return "", err
	}
	unlock, err := r.once(ctx, key)
	if err != nil {
		return "", err
	}
	defer unlock()
	if id, ok := r.keptImage(key); ok && !r.Network {
		// What an ID names never changes; it may be gone.
		if err := r.Actuator.TagImage(ctx, id, tag); !errors.Is(err, engine.ErrNotFound) {
			return id, err
		}
	}
	// The aliases are always the same, so that making it twice gives one image.
	sum := sha256.Sum256([]byte(tag))
	job := job{
		id: "make-" + hex.EncodeToString(sum[:6]), name: c.name,
		request: engine.BuildRequest{Tag: tag, Labels: labels, Progress: progress},
	}
	if imageID, err = r.build(ctx, info, c, job); err != nil {
		return "", err
	}
	_ = r.keepImage(key, imageID) // the next one is built anew, then
	return imageID, nil
}

// rules are those of the instance's images and the engine's builder.
func (r *Room) rules(info engine.Info) Rules {
	return Rules{Pins: r.Pins, Platform: hostPlatform(), BuildKit: info.Builder == engine.BuilderBuildKit, Network: r.Network}
}

// read reads a build context by the rules.
func (r *Room) read(ctx context.Context, files []lab.File) (engine.Info, *Context, error) {
	info, err := r.Observer.Info(ctx)
	if err != nil {
		return info, nil, err
	}
	c, err := NewContext(files, r.rules(info))
	return info, c, err
}

// result builds, or finds what an earlier build of the same gave.
func (r *Room) result(ctx context.Context, info engine.Info, c *Context) (*result, error) {
	if r.Network { // what it gives changes without the repository
		return r.make(ctx, info, c)
	}
	key, err := cacheKey(c, info.Builder == engine.BuilderBuildKit)
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
	made, err := r.make(ctx, info, c)
	if errors.Is(err, engine.ErrNotFound) {
		// Somebody without this cache built the same, and was done first.
		made, err = r.make(ctx, info, c)
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
func (r *Room) make(ctx context.Context, info engine.Info, c *Context) (_ *result, err error) {
	id := strings.ToLower(rand.Text()[:12])
	job := job{id: id, name: ".labctl-" + id, passing: true, request: engine.BuildRequest{
		Tag: r.prefix() + id, NoCache: true,
	}}
	defer func() { r.remove(ctx, job.request.Tag) }()
	imageID, err := r.build(ctx, info, c, job)
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
	passing bool   // nothing of it is to stay
	request engine.BuildRequest
}

// build gives the lab's images their aliases, builds, and takes the aliases
// away again.
func (r *Room) build(ctx context.Context, info engine.Info, c *Context, job job) (string, error) {
	aliases := map[string]string{}
	for i, id := range c.Pinned() {
		alias := fmt.Sprintf("%s%s-%d", r.prefix(), job.id, i)
		aliases[id] = alias
		defer r.release(ctx, id, alias)
		if err := r.Actuator.TagImage(ctx, id, alias); err != nil {
			return "", fmt.Errorf("giving the lab's image %s a name for the build: %w", id, err)
		}
	}
	runs, err := r.runs(ctx, c)
	if err != nil {
		return "", err
	}
	req := job.request
	req.Dockerfile, req.NoNetwork, req.Notice = job.name, !r.Network, r.Notice
	labelled := ""
	if req.Builder = builder(info, runs, c.dockerfile.modern); req.Builder == engine.BuilderClassic {
		req.Limits = r.limits(info, c)
		if job.passing {
			labelled = fmt.Sprintf("LABEL %s=%q", engine.LabelCleanRoom, r.Instance)
		}
	}
	if runs && req.Limits.Cage == nil {
		r.uncaged(info, req.Builder)
	}
	var packed bytes.Buffer
	dockerfile := c.dockerfile.rewrite(func(id string) string { return aliases[id] }, labelled)
	if err := c.writeTar(&packed, job.name, dockerfile); err != nil {
		return "", err
	}
	req.Context = &packed
	return r.watched(ctx, info, req)
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
