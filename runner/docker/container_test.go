package docker_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/container"

	"github.com/labctl/labctl/runner/engine"
	"github.com/labctl/labctl/runner/engine/enginetest"
	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/lab"
)

// labels are what everything made by tests carries.
func labels() map[string]string { return map[string]string{enginetest.LabelTest: unique} }

// name is a name for what a test makes.
func name(t *testing.T) string {
	return unique + "-" + strings.ToLower(strings.ReplaceAll(t.Name(), "/", "-"))
}

// start runs a container of the base, of the test's name unless it has one.
func start(t *testing.T, spec engine.ContainerSpec) (id string) {
	t.Helper()
	if spec.Name == "" {
		spec.Name = name(t)
	}
	if spec.Image == "" {
		spec.Image = base
	}
	if spec.Labels == nil {
		spec.Labels = map[string]string{}
	}
	spec.Labels[enginetest.LabelTest] = unique
	id, err := shared.CreateContainer(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := shared.RemoveContainer(context.Background(), id); err != nil {
			t.Error(err)
		}
	})
	if err := shared.StartContainer(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	return id
}

// A learner runs docker with the flags of the brief; what that makes must look
// like what labctl makes of the same specification.
func TestCreatesWhatTheCommandLineCreates(t *testing.T) {
	t.Parallel()
	network := name(t)
	if err := shared.CreateNetwork(t.Context(), network, false, labels()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := shared.RemoveNetwork(context.Background(), network); err != nil {
			t.Error(err)
		}
	})
	for name, spec := range map[string]engine.ContainerSpec{
		"plain": {},
		"all": {
			Network: network, Alias: "booking", Publish: 8080, HostIP: "127.0.0.1",
			Run: lab.Run{Memory: "64m", CPUs: "0.5", Pids: 50, User: "1000", ReadOnly: true, Init: true,
				Env: map[string]string{"TZ": "UTC", "A": "1"}, Tmpfs: []string{"/run", "/tmp:size=1m"},
				CapDrop: []string{"NET_RAW", "MKNOD"}, Command: []string{"busybox", "sleep", "1000"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inspected := inspect(t, start(t, spec))
			flags, err := engine.RunFlags(spec)
			if err != nil {
				t.Fatal(err)
			}
			args := append([]string{"run", "--detach", "--label", enginetest.LabelTest + "=" + unique}, flags...)
			var stderr bytes.Buffer
			run := exec.CommandContext(t.Context(), "docker", append(append(args, base), spec.Run.Command...)...)
			run.Stderr = &stderr
			out, err := run.Output()
			if err != nil {
				t.Fatalf("%v: %s", err, &stderr)
			}
			theirs := strings.TrimSpace(string(out))
			t.Cleanup(func() {
				if err := shared.RemoveContainer(context.Background(), theirs); err != nil {
					t.Error(err)
				}
			})
			other := inspect(t, theirs)
			same(t, "Config", inspected.Config, other.Config, "Hostname")
			same(t, "HostConfig", inspected.HostConfig, other.HostConfig, "ConsoleSize")
			if inspected.Path != other.Path || strings.Join(inspected.Args, " ") != strings.Join(other.Args, " ") {
				t.Errorf("runs %s %q, the command line %s %q", inspected.Path, inspected.Args, other.Path, other.Args)
			}
		})
	}
}

func inspect(t *testing.T, id string) evidence.Container {
	t.Helper()
	c, err := shared.Inspect(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// same compares two objects field by field, but for those that differ between
// any two containers or terminals. 20.10's command line writes some otherwise, which
// the grader takes for the same.
func same(t *testing.T, what string, ours, theirs json.RawMessage, except string) {
	t.Helper()
	var a, b map[string]json.RawMessage
	if err := json.Unmarshal(ours, &a); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(theirs, &b); err != nil {
		t.Fatal(err)
	}
	// The command line gives variables in any order.
	a["Env"], b["Env"] = ordered(t, a["Env"]), ordered(t, b["Env"])
	if strings.HasPrefix(commandVersion(t), "20.10.") {
		laterNotation(t, b)
	}
	for field := range b {
		if _, ok := a[field]; !ok {
			a[field] = nil
		}
	}
	for field := range a {
		if field != except && !bytes.Equal(a[field], b[field]) {
			t.Errorf("%s.%s is %s, the command line's %s", what, field, a[field], b[field])
		}
	}
}

// commandVersion is that of the docker command.
func commandVersion(t *testing.T) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "docker", "version", "--format", "{{.Client.Version}}").Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// laterNotation writes what 20.10's command line asked for as later ones do: an
// empty list is not null, and capabilities are sorted and begin with CAP_.
func laterNotation(t *testing.T, fields map[string]json.RawMessage) {
	t.Helper()
	for _, list := range []string{"BlkioDeviceReadBps", "BlkioDeviceReadIOps", "BlkioDeviceWriteBps", "BlkioDeviceWriteIOps", "Ulimits"} {
		if string(fields[list]) == "null" {
			fields[list] = json.RawMessage("[]")
		}
	}
	if fields["CapDrop"] == nil {
		return
	}
	var dropped []string
	if err := json.Unmarshal(fields["CapDrop"], &dropped); err != nil {
		t.Fatal(err)
	}
	for i, name := range dropped {
		dropped[i] = "CAP_" + name
	}
	slices.Sort(dropped)
	list, err := json.Marshal(dropped)
	if err != nil {
		t.Fatal(err)
	}
	fields["CapDrop"] = list
}

// ordered sorts a list of strings, if it is one.
func ordered(t *testing.T, list json.RawMessage) json.RawMessage {
	t.Helper()
	if list == nil {
		return nil
	}
	var texts []string
	if err := json.Unmarshal(list, &texts); err != nil {
		t.Fatal(err)
	}
	slices.Sort(texts)
	out, err := json.Marshal(texts)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestStartContainerIsNotKnownByItsImagesLabels(t *testing.T) {
	t.Parallel()
	pet := start(t, engine.ContainerSpec{Labels: map[string]string{
		engine.LabelRole: engine.RoleStart, engine.LabelContainer: "pet-01"}})
	if c := inspect(t, pet); !c.Start || c.Called != "pet-01" {
		t.Errorf("the pet is %+v", c)
	}
	image := commit(t, pet)
	replacement := start(t, engine.ContainerSpec{Name: name(t) + "-2", Image: image})
	if c := inspect(t, replacement); c.Start || c.Called != "" {
		t.Errorf("a container of the committed pet is %+v", c)
	}
}

func TestRemovalWaitsForOneUnderWay(t *testing.T) {
	t.Parallel()
	id := start(t, engine.ContainerSpec{})
	errs := make(chan error, 4)
	for range cap(errs) {
		go func() { errs <- shared.RemoveContainer(context.Background(), id) }()
	}
	for range cap(errs) {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	start(t, engine.ContainerSpec{}) // takes the same name
}

// sleeping is a run of a busybox that does nothing for long.
func sleeping(busybox string) lab.Run {
	return lab.Run{Command: []string{busybox, "sleep", "1000"}}
}

// script is a run of a shell script.
func script(text string) lab.Run {
	return lab.Run{Command: []string{"sh", "-c", text}}
}

// commit makes an image of a container, as docker commit does.
func commit(t *testing.T, id string) (image string) {
	t.Helper()
	committed, err := shared.Client().ContainerCommit(t.Context(), id, container.CommitOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return committed.ID // removed by its label, which it has from the container
}
