package enginetest

import (
	"context"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/labctl/labctl/runner/engine"
	"github.com/labctl/labctl/scenarios/evidence"
)

func scripts(w *world) {
	id := w.create(engine.ContainerSpec{Name: w.name, Image: w.base()})
	if _, err := w.Exec(w.ctx, id, "", "true", nil); err == nil {
		w.Error("a script ran in a container that does not")
	}
	w.must(w.StartContainer(w.ctx, id))
	ended, err := w.Exec(w.ctx, id, "0", "exit 3", []string{"A=1"})
	w.must(err)
	if ended.ExitCode != 3 {
		w.Errorf("exit code is %d, want 3", ended.ExitCode)
	}
	exit, err := w.Shell(w.ctx, id, strings.NewReader("exit 4\n"), io.Discard, io.Discard)
	w.must(err)
	if exit != 4 {
		w.Errorf("the shell's exit code is %d, want 4", exit)
	}
}

func listed(w *world) {
	id := w.create(engine.ContainerSpec{Name: w.name, Image: w.base()})
	if _, err := w.Files(w.ctx, id, []string{"/dev/shm"}); err == nil {
		w.Error("the memory of a container that does not run was listed")
	}
	w.must(w.StartContainer(w.ctx, id))
	none, err := w.Files(w.ctx, id, []string{"/dev/shm"})
	w.must(err)
	if len(none.Files) > 0 || none.More > 0 || none.Partial {
		w.Errorf("before anything was done there is %+v", none)
	}
	_, err = w.Exec(w.ctx, id, "", "echo hot >/dev/shm/price", nil)
	w.must(err)
	one, err := w.Files(w.ctx, id, []string{"/dev/shm"})
	w.must(err)
	want := engine.ListedFile{Path: "/dev/shm/price", Size: 4, Text: "hot\n"}
	if len(one.Files) != 1 || one.Files[0] != want || one.More > 0 || one.Partial {
		w.Errorf("listed is %+v, want %+v", one, want)
	}
	tree, err := w.Tree(w.ctx, id)
	w.must(err)
	if entry(tree, "/dev/shm/price") != nil {
		w.Error("what lives in memory is in the tree")
	}
}

// entry finds a path; nil when it is not there.
func entry(entries []evidence.Entry, path string) *evidence.Entry {
	for i := range entries {
		if entries[i].Path == path {
			return &entries[i]
		}
	}
	return nil
}

func trees(w *world) {
	image := w.base()
	id := w.start(engine.ContainerSpec{Name: w.name, Image: image})
	before, err := w.Tree(w.ctx, id)
	w.must(err)
	if f := entry(before, "/answers/hello"); f == nil || f.Type != evidence.TypeFile || f.Size != 6 {
		w.Errorf("/answers/hello is %+v", f)
	}
	if entry(before, "/drift") != nil {
		w.Error("/drift is there before anything was done")
	}
	_, err = w.Exec(w.ctx, id, "", "echo today >/drift", nil)
	w.must(err)
	after, err := w.Tree(w.ctx, id)
	w.must(err)
	if entry(after, "/drift") == nil {
		w.Error("what a script wrote is not in the tree")
	}
	img, err := w.Image(w.ctx, image)
	w.must(err)
	layers, err := w.Layers(w.ctx, image)
	w.must(err)
	if len(img.Layers) != 1 || entry(layers[img.Layers[0]], "/answers/hello") == nil {
		w.Errorf("the image's layers are %v", img.Layers)
	}
}

func contents(w *world) {
	image := w.base()
	id := w.start(engine.ContainerSpec{Name: w.name, Image: image})
	_, err := w.Exec(w.ctx, id, "", "echo today >/drift", nil)
	w.must(err)
	tree, err := w.Tree(w.ctx, id)
	w.must(err)
	drift, hello, busybox := entry(tree, "/drift"), entry(tree, "/answers/hello"), entry(tree, "/bin/busybox")
	if drift == nil || hello == nil || busybox == nil {
		w.Fatalf("the tree lacks what was put there: %+v", tree)
	}
	wanted := map[string]int64{drift.SHA256: drift.Size, hello.SHA256: hello.Size, strings.Repeat("0", 64): busybox.Size}
	found, err := w.Contents(w.ctx, engine.Source{Container: id}, wanted)
	w.must(err)
	if len(found) != 2 || found[hello.SHA256] != "hello\n" || int64(len(found[drift.SHA256])) != drift.Size {
		w.Errorf("the container's contents are %q", found)
	}
	found, err = w.Contents(w.ctx, engine.Source{Image: image}, wanted)
	w.must(err)
	if len(found) != 1 || found[hello.SHA256] != "hello\n" {
		w.Errorf("the image's contents are %q", found)
	}
}

func answers(w *world) {
	request := evidence.Request{Get: "/hello"}
	if x := w.Get(w.ctx, w.silence(), request, nil); x.Failed == "" || x.Error != "" || x.Status != 0 {
		w.Errorf("nobody answered with %+v", x)
	}
	id := w.start(engine.ContainerSpec{Name: w.name, Image: w.base(), Publish: 8080, HostIP: "127.0.0.1"})
	address := "127.0.0.1:" + strconv.Itoa(w.port(id))
	w.must(w.Ready(w.ctx, id, address, "/hello", 30*time.Second))
	before, err := w.Received(w.ctx, id)
	w.must(err)
	header := map[string]string{"X-Labctl": strings.Repeat("a", 2000)}
	if x := w.Get(w.ctx, address, request, header); x.Status != 200 || x.Body != "hello\n" || x.Failed+x.Error != "" {
		w.Errorf("the answer is %+v", x)
	}
	after, err := w.Received(w.ctx, id)
	w.must(err)
	if after < before+2000 {
		w.Errorf("received %d bytes before and %d after 2000 were sent", before, after)
	}
	stopped, cancel := context.WithCancel(w.ctx)
	cancel()
	if x := w.Get(stopped, address, request, nil); x.Error == "" || x.Failed != "" {
		w.Errorf("a request that was broken off is %+v", x)
	}
}
