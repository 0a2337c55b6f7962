package fake_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/labctl/labctl/runner/engine"
	"github.com/labctl/labctl/runner/engine/enginetest"
	"github.com/labctl/labctl/runner/engine/fake"
	"github.com/labctl/labctl/scenarios/evidence"
)

func TestBehavesLikeAnEngine(t *testing.T) {
	t.Parallel()
	enginetest.Run(t, fake.Open(filepath.Join(t.TempDir(), "engine.json")), "fake")
}

// pet runs a container of a base image with labels.
func pet(t *testing.T, e *fake.Engine) (id string) {
	t.Helper()
	ctx := context.Background()
	rootfs, err := enginetest.Rootfs()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.ImportImage(ctx, rootfs, "base:1", enginetest.RootfsChanges()); err != nil {
		t.Fatal(err)
	}
	id, err = e.CreateContainer(ctx, engine.ContainerSpec{Name: "pet", Image: "base:1", Publish: 8080, HostIP: "127.0.0.1", HostPort: 8080,
		Labels: map[string]string{engine.LabelRole: engine.RoleStart, engine.LabelContainer: "pet-01"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.StartContainer(ctx, id); err != nil {
		t.Fatal(err)
	}
	return id
}

func TestStateIsShared(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "engine.json")
	id := pet(t, fake.Open(path))
	if err := fake.Open(path).Edit("pet", "/answers/hello", "changed"); err != nil {
		t.Fatal(err)
	}
	other := fake.Open(path)
	x := other.Get(context.Background(), "127.0.0.1:8080", evidence.Request{Get: "/hello"}, nil)
	if x.Body != "changed" {
		t.Errorf("the answer is %+v", x)
	}
	if x := other.Get(context.Background(), "127.0.0.1:8080", evidence.Request{Get: "/else"}, nil); x.Body != "ok" {
		t.Errorf("the answer is %+v", x)
	}
	if n, err := other.Requests(); err != nil || n != 5 {
		t.Errorf("%d requests (%v), want 5", n, err)
	}
	if _, err := other.Exec(context.Background(), id, "1000", "touch x", []string{"A=1"}); err != nil {
		t.Fatal(err)
	}
	scripts, err := fake.Open(path).Scripts()
	if err != nil || len(scripts) != 1 || scripts[0].Container != "pet" || scripts[0].Script != "touch x" || scripts[0].User != "1000" {
		t.Errorf("scripts are %+v (%v)", scripts, err)
	}
}

func TestCommittedLabelsDoNotMakeAStartContainer(t *testing.T) {
	t.Parallel()
	e := fake.Open(filepath.Join(t.TempDir(), "engine.json"))
	id := pet(t, e)
	ctx := context.Background()
	if c, err := e.Inspect(ctx, id); err != nil || !c.Start || c.Called != "pet-01" {
		t.Errorf("the pet is %+v (%v)", c, err)
	}
	if err := e.Edit(id, "/etc/patched", "yes"); err != nil {
		t.Fatal(err)
	}
	image, err := e.Commit(id)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.RemoveContainer(ctx, id); err != nil {
		t.Fatal(err)
	}
	id, err = e.CreateContainer(ctx, engine.ContainerSpec{Name: "web-001", Image: image})
	if err != nil {
		t.Fatal(err)
	}
	c, err := e.Inspect(ctx, id)
	if err != nil || c.Start || c.Called != "" {
		t.Errorf("a container of the committed pet is %+v (%v)", c, err)
	}
	tree, err := e.Tree(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, entry := range tree {
		found = found || entry.Path == "/etc/patched"
	}
	if !found {
		t.Error("the commit lost the edit")
	}
}

func TestFail(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "engine.json")
	ctx := context.Background()
	e := fake.Open(path)
	id := pet(t, e)
	if err := e.Fail("StartContainer", 1, engine.ErrPortTaken); err != nil {
		t.Fatal(err)
	}
	if err := e.Fail("*", 1, &engine.Unavailable{Host: "unix:///x", Why: "no engine", Mend: "start it"}); err != nil {
		t.Fatal(err)
	}
	if err := fake.Open(path).StartContainer(ctx, id); !errors.Is(err, engine.ErrPortTaken) {
		t.Errorf("got %v", err)
	}
	var away *engine.Unavailable
	if _, err := fake.Open(path).Containers(ctx); !errors.As(err, &away) || away.Mend != "start it" {
		t.Errorf("got %v", err)
	}
	if err := e.Stop(id); err != nil {
		t.Fatal(err)
	}
	if err := e.StartContainer(ctx, id); err != nil {
		t.Errorf("the failures are not over: %v", err)
	}
}
