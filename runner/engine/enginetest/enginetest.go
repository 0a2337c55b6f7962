// Package enginetest is one table of what every engine must do, real or fake.
// It keeps the fake honest: what tests of commands rely on is what an engine
// does.
package enginetest

import (
	"context"
	"errors"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/labctl/labctl/runner/engine"
)

// world is an engine with a base image and a network, for one behaviour.
type world struct {
	*testing.T
	engine.Engine
	ctx    context.Context
	name   string // begins the name of everything that is made
	labels map[string]string
}

// behaviours are what every engine must do.
var behaviours = []struct {
	name string
	test func(*world)
}{
	{"what is not there is not found", notFound},
	{"names are taken once", nameTaken},
	{"ports are taken once", portTaken},
	{"a free port is chosen", portChosen},
	{"what is used is not removed", inUse},
	{"what is never started holds its image, and nothing else", neverStarted},
	{"containers are listed and inspected as they were made", observed},
	{"a container is on two networks", twoNetworks},
	{"nothing of an internal network is published", internalNetwork},
	{"scripts run inside a container", scripts},
	{"what lives in memory is listed while it lives", listed},
	{"a tree has what the image has and what was done", trees},
	{"contents are read by their digests", contents},
	{"services answer", answers},
	{"builds make images in layers", builds},
	{"builds fail with their log", buildFails},
	{"a tag moves", tags},
	{"every import is an image of its own", imports},
	{"what was created later is later", order},
}

// LabelTest is a label of everything that tests make, so that what an
// interrupted one left can be found.
const LabelTest = "labctl.test"

// Run holds an engine to the table. Everything is made under names that begin
// with prefix and with the label LabelTest=prefix, and removed.
func Run(t *testing.T, e engine.Engine, prefix string) {
	for i, b := range behaviours {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
			t.Cleanup(cancel)
			name := prefix + "-" + strconv.Itoa(i)
			labels := map[string]string{LabelTest: prefix, engine.LabelInstance: name}
			b.test(&world{T: t, Engine: e, ctx: ctx, name: name, labels: labels})
		})
	}
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) is(err, want error) {
	w.Helper()
	if !errors.Is(err, want) {
		w.Errorf("got error %v, want %v", err, want)
	}
}

// base imports an image of its own and returns its tag.
func (w *world) base() string {
	w.Helper()
	tag := w.name + "-base:1"
	rootfs, err := Rootfs()
	w.must(err)
	_, err = w.ImportImage(w.ctx, rootfs, tag, append(RootfsChanges(), "LABEL "+LabelTest+"="+w.labels[LabelTest]))
	w.must(err)
	w.Cleanup(func() { w.cleared(w.RemoveImage(w.ctx, tag)) })
	return tag
}

func (w *world) network() string {
	w.Helper()
	w.must(w.CreateNetwork(w.ctx, w.name, false, w.labels))
	w.Cleanup(func() { w.cleared(w.RemoveNetwork(w.ctx, w.name)) })
	return w.name
}

func (w *world) create(spec engine.ContainerSpec) string {
	w.Helper()
	if spec.Labels == nil {
		spec.Labels = w.labels
	}
	id, err := w.CreateContainer(w.ctx, spec)
	w.must(err)
	w.Cleanup(func() { w.cleared(w.RemoveContainer(w.ctx, id)) })
	return id
}

func (w *world) start(spec engine.ContainerSpec) string {
	w.Helper()
	id := w.create(spec)
	w.must(w.StartContainer(w.ctx, id))
	return id
}

// cleared takes what a behaviour has removed itself.
func (w *world) cleared(err error) {
	if err != nil && !errors.Is(err, engine.ErrNotFound) {
		w.Errorf("clearing up: %v", err)
	}
}

// silence is an address at which nobody answers.
func (w *world) silence() string {
	w.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	w.must(err)
	w.must(l.Close())
	return l.Addr().String()
}
