package apply_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"maps"
	"path/filepath"
	"testing"

	"github.com/labctl/labctl/runner/apply"
	"github.com/labctl/labctl/runner/engine"
	"github.com/labctl/labctl/runner/engine/fake"
	"github.com/labctl/labctl/runner/plan"
	"github.com/labctl/labctl/runner/state"
	"github.com/labctl/labctl/scenarios/lab"
)

// provisioner is one for the instance "lab-ada" on a fake engine that has an
// image.
func provisioner(t *testing.T) (*apply.Provisioner, *fake.Engine) {
	t.Helper()
	e := fake.Open(filepath.Join(t.TempDir(), "engine.json"))
	var empty bytes.Buffer
	if err := tar.NewWriter(&empty).Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := e.ImportImage(t.Context(), &empty, "base:1", nil); err != nil {
		t.Fatal(err)
	}
	image := lab.Image{Name: "base", Tag: "base:1"}
	return &apply.Provisioner{
		Engine: e, Lab: &lab.Lab{Images: []lab.Image{image}}, Names: plan.Names{Instance: "lab-ada"},
		Record: &state.Record{Instance: "lab-ada", Images: map[string]string{"base:1": "base:1"}, Addresses: map[string]string{}},
		Labels: map[string]string{engine.LabelInstance: "lab-ada", engine.LabelUser: "ada"},
		Facts:  func() (map[string]string, error) { return map[string]string{engine.LabelSeed: "1"}, nil },
	}, e
}

var (
	network = plan.Op{Kind: plan.Network, Name: "lab-ada", Environment: &lab.Environment{}}
	pet     = &lab.Container{Name: "pet", Image: "base"}
	create  = plan.Op{Kind: plan.Create, Name: "lab-ada-pet-starting", Container: pet}
)

func TestWhatAKilledStartMadeLateIsMadeAgain(t *testing.T) {
	t.Parallel()
	p, e := provisioner(t)
	if err := e.CreateNetwork(t.Context(), "lab-ada", false, maps.Clone(p.Labels)); err != nil {
		t.Fatal(err)
	}
	late, err := e.CreateContainer(t.Context(), engine.ContainerSpec{Name: create.Name, Image: "base:1", Labels: maps.Clone(p.Labels)})
	if err != nil {
		t.Fatal(err)
	}
	for _, op := range []plan.Op{network, create} {
		if err := p.Do(t.Context(), op); err != nil {
			t.Fatal(err)
		}
	}
	networks, err := e.Networks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(networks) != 1 || networks[0].Labels[engine.LabelSeed] != "1" {
		t.Errorf("the network is not this start's: %v", networks)
	}
	if _, err := e.Inspect(t.Context(), late); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("the late container is there: %v", err)
	}
}

func TestWhatIsNotTheInstancesStaysWhateverItIsCalled(t *testing.T) {
	t.Parallel()
	for name, labels := range map[string]map[string]string{
		"no labels":        nil,
		"another instance": {engine.LabelInstance: "lab-grace", engine.LabelUser: "ada"},
		"another user":     {engine.LabelInstance: "lab-ada", engine.LabelUser: "grace"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, e := provisioner(t)
			if err := e.CreateNetwork(t.Context(), "lab-ada", false, maps.Clone(labels)); err != nil {
				t.Fatal(err)
			}
			id, err := e.CreateContainer(t.Context(), engine.ContainerSpec{Name: create.Name, Image: "base:1", Labels: maps.Clone(labels)})
			if err != nil {
				t.Fatal(err)
			}
			for _, op := range []plan.Op{network, create} {
				if err := p.Do(t.Context(), op); !errors.Is(err, engine.ErrNameTaken) {
					t.Errorf("%s: %v, want the name to be taken", op.Kind, err)
				}
			}
			if err := p.Undo(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := e.Inspect(t.Context(), id); err != nil {
				t.Errorf("the container is gone: %v", err)
			}
			if err := e.CreateNetwork(t.Context(), "lab-ada", false, nil); !errors.Is(err, engine.ErrNameTaken) {
				t.Errorf("the network is gone: %v", err)
			}
		})
	}
}

func TestUndoRemovesWhatWasFinished(t *testing.T) {
	t.Parallel()
	p, e := provisioner(t)
	for _, op := range []plan.Op{network, create, {Kind: plan.Finish, Name: "lab-ada-pet", Container: pet}} {
		if err := p.Do(t.Context(), op); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Undo(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left, err := e.Containers(t.Context()); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}
