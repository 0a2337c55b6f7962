package cleanroom_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/labctl/labctl/runner/cleanroom"
	"github.com/labctl/labctl/runner/docker"
	"github.com/labctl/labctl/runner/engine"
	"github.com/labctl/labctl/runner/rootfs"
	"github.com/labctl/labctl/runner/workspace"
	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/lab"
)

// TestOnAnEngine builds a workspace's HEAD on a real engine whose base tag was
// moved to another image.
func TestOnAnEngine(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	e, r, base := engineRoom(t)
	name := r.Instance
	if _, err := r.Make(ctx, dockerfileOnly("FROM scratch\nCOPY Dockerfile /poison\n"), name+":1", nil, nil); err != nil {
		t.Fatal(err)
	}
	cleanUp(t, e, name+":1")

	dockerfile := "FROM " + name + ":1\nCOPY . /srv\nRUN echo made > /srv/made && ! wget -q http://127.0.0.1/\n"
	dir := filepath.Join(t.TempDir(), "workspace")
	commits := []lab.Commit{{Message: "one", Files: []lab.File{
		{Path: "Dockerfile", Content: []byte(dockerfile)}, {Path: "www/cgi", Content: []byte("x"), Executable: true},
	}}}
	if _, err := workspace.Create(ctx, dir, commits, workspace.Marker{Instance: name}); err != nil {
		t.Fatal(err)
	}
	repo := workspace.Open(dir)
	head, err := repo.Head(ctx)
	if err != nil {
		t.Fatal(err)
	}
	files, err := repo.Files(ctx, head.Commit)
	if err != nil {
		t.Fatal(err)
	}
	build, image, layers, err := r.Build(ctx, files, evidence.OfHead, head.Commit)
	if err != nil || build.Image == "" || build.Image != image.ID {
		t.Fatalf("%+v, %v", build, err)
	}
	if image.Layers[0] != base.DiffID {
		t.Errorf("built on %s, not on the pinned base", image.Layers[0])
	}
	want := []string{"/srv/Dockerfile " + digest(dockerfile), "/srv/made " + digest("made\n"), "/srv/www/cgi " + digest("x")}
	if got := contents(image.Layers[1:], layers); !slices.Equal(got, want) {
		t.Errorf("the layers hold %v, want %v", got, want)
	}

	if build, _, _, err := r.Build(ctx, dockerfileOnly("FROM "+name+":1\nRUN exit 7\n"), evidence.OfHead, ""); err != nil || !strings.Contains(build.Failed, "7") {
		t.Errorf("%+v, %v", build, err)
	}
	leftNothing(t, e, name)
	if _, err := e.Image(ctx, build.Image); err == nil {
		t.Error("the image of the clean room is still there")
	}
}

// TestReplacedFileOnAnEngine builds what replaces a file by one of the same size,
// of the repository and of an image of the lab. Engines that go by size and time
// must not lose it.
func TestReplacedFileOnAnEngine(t *testing.T) {
	t.Parallel()
	e, r, _ := engineRoom(t)
	name := r.Instance
	files := func(dockerfile string) []lab.File {
		return []lab.File{file("Dockerfile", dockerfile), file("a", "version=1\n"), file("b", "version=2\n"), file("c", "version=3\n")}
	}
	made, err := r.Make(t.Context(), files("FROM "+name+":pinned\nCOPY a /version\n"), name+":made", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	cleanUp(t, e, name+":made")
	r.Pins[name+":made"] = made
	build, image, layers, err := r.Build(t.Context(), files("FROM "+name+":made\nCOPY b /version\nCOPY c /version\n"), evidence.OfHead, "")
	if err != nil || build.Image == "" {
		t.Fatalf("%+v, %v", build, err)
	}
	for i, want := range []string{"version=1\n", "version=2\n", "version=3\n"} {
		if got := contents(image.Layers[i+1:i+2], layers); !slices.Equal(got, []string{"/version " + digest(want)}) {
			t.Errorf("layer %d holds %v, want %q", i+1, got, want)
		}
	}
}

// counting counts the builds that are asked for.
type counting struct {
	cleanroom.Builder
	n int
}

func (c *counting) Build(ctx context.Context, req engine.BuildRequest) (string, error) {
	c.n++
	return c.Builder.Build(ctx, req)
}

// TestMakingTwiceOnAnEngine makes images of the same: the second gets the first
// one's name, as long as that is there.
func TestMakingTwiceOnAnEngine(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	e, r, _ := engineRoom(t)
	builds := &counting{Builder: e}
	r.Builder, r.Cache = builds, t.TempDir()
	name := r.Instance
	var made string
	for _, row := range []struct {
		does   string
		files  []lab.File
		before func()
		builds int
	}{
		{"the first", dockerfileOnly("FROM " + name + ":1\nLABEL a=b\n"), nil, 1},
		{"the same", dockerfileOnly("FROM " + name + ":1\nLABEL a=b\n"), nil, 1},
		{"another", dockerfileOnly("FROM " + name + ":1\nLABEL a=c\n"), nil, 2},
		{"the first, which is gone", dockerfileOnly("FROM " + name + ":1\nLABEL a=b\n"), func() {
			if err := e.RemoveImage(ctx, made); err != nil {
				t.Fatal(err)
			}
		}, 3},
		{"what a damaged cache names", dockerfileOnly("FROM " + name + ":1\nLABEL a=b\n"), func() {
			kept, err := filepath.Glob(filepath.Join(r.Cache, "*.image"))
			if err != nil || len(kept) != 2 {
				t.Fatalf("%v, %v", kept, err)
			}
			for _, file := range kept {
				if err := os.WriteFile(file, []byte(name+":pinned"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}, 4},
	} {
		if row.before != nil {
			row.before()
		}
		id, err := r.Make(ctx, row.files, name+":made", nil, nil)
		if err != nil {
			t.Fatalf("%s: %v", row.does, err)
		}
		image, err := e.Image(ctx, name+":made")
		if err != nil || image.ID != id || builds.n != row.builds {
			t.Errorf("%s: the name is of %s, not of %s (%v), after %d builds, want %d", row.does, image.ID, id, err, builds.n, row.builds)
		}
		if made == "" {
			made = id
		}
		t.Cleanup(func() {
			if err := e.RemoveImage(context.Background(), id); err != nil && !errors.Is(err, engine.ErrNotFound) {
				t.Error(err)
			}
		})
	}
}

// TestNetworkOnAnEngine builds what fetches from a server on the engine's own
// network, with the network undeclared and declared.
func TestNetworkOnAnEngine(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	e, r, _ := engineRoom(t)
	server, err := e.CreateContainer(ctx, engine.ContainerSpec{
		Name: r.Instance + "-server", Image: r.Instance + ":pinned",
		Run: lab.Run{Command: []string{"sh", "-c", "mkdir /w; echo fetched >/w/package; exec httpd -f -p 8080 -h /w"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.RemoveContainer(context.Background(), server); err != nil {
			t.Error(err)
		}
	})
	if err := e.StartContainer(ctx, server); err != nil {
		t.Fatal(err)
	}
	url := "http://" + addressOf(t, e, server) + ":8080/package"
	runs := "FROM " + r.Instance + ":pinned\nRUN wget -q -O /by-run " + url + "\n"
	build, _, _, err := r.Build(ctx, dockerfileOnly(runs), evidence.OfHead, "")
	if err != nil || !strings.Contains(build.Failed, "unreachable") {
		t.Errorf("undeclared: %+v, %v", build, err)
	}
	r.Network = true
	build, image, layers, err := r.Build(ctx, dockerfileOnly(runs+"ADD "+url+" /by-add\n"), evidence.OfHead, "")
	if err != nil || build.Image == "" {
		t.Fatalf("declared: %+v, %v", build, err)
	}
	want := []string{"/by-add " + digest("fetched\n"), "/by-run " + digest("fetched\n")}
	if got := contents(image.Layers[1:], layers); !slices.Equal(got, want) {
		t.Errorf("the layers hold %v, want %v", got, want)
	}
	leftNothing(t, e, r.Instance)
}

// addressOf is a running container's IP address on the engine's default network.
func addressOf(t *testing.T, e *docker.Engine, id string) string {
	t.Helper()
	all, err := e.Containers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		if c.ID == id && c.Networks["bridge"] != "" {
			return c.Networks["bridge"]
		}
	}
	t.Fatal("the server has no address")
	return ""
}

// engineRoom is a room on the machine's engine, with a base of its own.
func engineRoom(t *testing.T) (*docker.Engine, *cleanroom.Room, rootfs.Rootfs) {
	t.Helper()
	ctx := t.Context()
	e, err := docker.Connect(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	base, err := rootfs.Busybox(ctx)
	if err != nil {
		t.Fatal(err)
	}
	name := "labctl-test-cleanroom-" + strings.ToLower(rand.Text()[:8])
	pinned, err := e.ImportImage(ctx, bytes.NewReader(base.Tar), name+":pinned", append(base.Changes, "LABEL of="+name))
	if err != nil {
		t.Fatal(err)
	}
	cleanUp(t, e, name+":pinned")
	if image, err := e.Image(ctx, pinned); err != nil || !slices.Equal(image.Layers, []string{base.DiffID}) {
		t.Fatalf("imported %+v, %v; want the layer %s", image, err, base.DiffID)
	}
	return e, &cleanroom.Room{
		Builder: e, Actuator: e, Observer: e, Instance: name, Timeout: time.Minute,
		Pins: map[string]string{name + ":1": pinned, name + ":pinned": pinned},
	}, base
}

// leftNothing fails when anything of an instance's rooms is on the engine.
func leftNothing(t *testing.T, e *docker.Engine, instance string) {
	t.Helper()
	ctx := t.Context()
	if tags, err := e.Tags(ctx, "labctl-cleanroom/"+instance); err != nil || len(tags) > 0 {
		t.Errorf("left behind: %v, %v", tags, err)
	}
	if images, err := e.ImagesLabelled(ctx, engine.LabelCleanRoom, instance); err != nil || len(images) > 0 {
		t.Errorf("left behind: images %v, %v", images, err)
	}
	containers, err := e.Containers(ctx)
	if err != nil {
		t.Error(err)
	}
	for _, c := range containers {
		if cleanroom.Left(c, instance) {
			t.Errorf("left behind: container %+v", c)
		}
	}
}

func cleanUp(t *testing.T, e *docker.Engine, tag string) {
	t.Cleanup(func() {
		if err := e.RemoveImage(context.Background(), tag); err != nil {
			t.Error(err)
		}
	})
}

func digest(content string) string {
	sum := sha256.Sum256([]byte(content))
	return hex.EncodeToString(sum[:])
}

// contents lists the files of layers with their digests, sorted.
func contents(diffIDs []string, layers map[string]evidence.Layer) []string {
	var all []string
	for _, diffID := range diffIDs {
		for _, entry := range layers[diffID] {
			if entry.Type == evidence.TypeFile {
				all = append(all, entry.Path+" "+entry.SHA256)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
