package docker_test

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/labctl/labctl/runner/docker"
	"github.com/labctl/labctl/runner/engine"
)

func TestEndpoint(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		env    map[string]string
		config string // config.json
		want   string
		why    string // of the refusal
	}{
		"default":                  {want: "unix:///var/run/docker.sock"},
		"host":                     {env: map[string]string{"DOCKER_HOST": "unix:///a.sock"}, want: "unix:///a.sock"},
		"host before context":      {env: map[string]string{"DOCKER_HOST": "unix:///a.sock", "DOCKER_CONTEXT": "near"}, want: "unix:///a.sock"},
		"context":                  {env: map[string]string{"DOCKER_CONTEXT": "near"}, want: "unix:///near.sock"},
		"current context":          {config: `{"currentContext":"near"}`, want: "unix:///near.sock"},
		"context before current":   {env: map[string]string{"DOCKER_CONTEXT": "default"}, config: `{"currentContext":"near"}`, want: "unix:///var/run/docker.sock"},
		"default context":          {config: `{"currentContext":"default","auths":{}}`, want: "unix:///var/run/docker.sock"},
		"tcp":                      {env: map[string]string{"DOCKER_HOST": "tcp://10.0.0.1:2375"}, why: "DOCKER_HOST leads to an engine on another machine"},
		"ssh":                      {env: map[string]string{"DOCKER_HOST": "ssh://me@there"}, why: "another machine"},
		"pipe":                     {env: map[string]string{"DOCKER_HOST": "npipe:////./pipe/docker_engine"}, why: "named pipes"},
		"remote context":           {env: map[string]string{"DOCKER_CONTEXT": "far"}, why: `the Docker context "far" leads to an engine on another machine`},
		"context that is not":      {env: map[string]string{"DOCKER_CONTEXT": "gone"}, why: `"gone" cannot be read`},
		"context without endpoint": {env: map[string]string{"DOCKER_CONTEXT": "empty"}, why: `"empty" names no engine`},
		"broken configuration":     {config: `{`, why: "the Docker configuration cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			home := t.TempDir()
			write(t, filepath.Join(home, ".docker/config.json"), tt.config)
			addContext(t, home, "near", `"docker":{"Host":"unix:///near.sock"}`)
			addContext(t, home, "far", `"docker":{"Host":"ssh://me@there"}`)
			addContext(t, home, "empty", ``)
			got, err := docker.Endpoint(func(key string) string { return tt.env[key] }, home)
			if tt.why == "" {
				if err != nil || got != tt.want {
					t.Errorf("got %q, %v, want %q", got, err, tt.want)
				}
				return
			}
			var u *engine.Unavailable
			if !errors.As(err, &u) || !strings.Contains(u.Why, tt.why) || u.Mend == "" || u.Host == "" {
				t.Errorf("got %q, %#v, want a refusal because %q", got, err, tt.why)
			}
		})
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if content == "" {
		return
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// addContext writes a Docker context as `docker context create` does.
func addContext(t *testing.T, home, name, endpoints string) {
	t.Helper()
	dir := digest.FromString(name).Encoded()
	write(t, filepath.Join(home, ".docker/contexts/meta", dir, "meta.json"),
		`{"Name":"`+name+`","Metadata":{},"Endpoints":{`+endpoints+`}}`)
}

func TestConnectSaysWhyNot(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	dead := filepath.Join(dir, "dead.sock")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: dead, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	silent := filepath.Join(dir, "silent.sock")
	listening, err := net.Listen("unix", silent) // takes connections, and that is all
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listening.Close() })
	for name, tt := range map[string]struct{ socket, why string }{
		"no socket":   {filepath.Join(dir, "nothing.sock"), "its socket does not exist"},
		"refused":     {dead, "no Docker Engine answers at its socket"},
		"too old":     {serve(t, "1.40", nil), "too old: it speaks API 1.40"},
		"other thing": {serve(t, "", nil), "does not answer as one"},
		"silent":      {silent, "has not answered for 1s"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := docker.ConnectTo(t.Context(), "unix://"+tt.socket, time.Second)
			var u *engine.Unavailable
			if !errors.As(err, &u) || !strings.Contains(u.Why, tt.why) || u.Mend == "" {
				t.Errorf("got %v, want a refusal because %q", err, tt.why)
			}
		})
	}
}

func TestEngineThatGoesAway(t *testing.T) {
	t.Parallel()
	hangUp := func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			err = conn.Close()
		}
		if err != nil {
			t.Error(err)
		}
	}
	e, err := docker.ConnectTo(t.Context(), "unix://"+serve(t, "1.41", hangUp), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	_, err = e.Containers(t.Context())
	var u *engine.Unavailable
	if !errors.As(err, &u) || u.Why != "the Docker Engine went away" {
		t.Errorf("got %v", err)
	}
}

// Docker 20.10 that has locked up answers pings, and no more.
func TestEngineThatStandsStill(t *testing.T) {
	t.Parallel()
	silent := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	e, err := docker.ConnectTo(t.Context(), "unix://"+serve(t, "1.41", silent), 100*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	for range 2 {
		err := e.RemoveContainer(t.Context(), "web-001")
		var u *engine.Unavailable
		if !errors.As(err, &u) || !strings.Contains(u.Why, "stands still") || !strings.Contains(u.Mend, "restart") {
			t.Errorf("got %v, want that the engine stands still", err)
		}
	}
}

// What takes its time is waited for while the engine tells its networks.
func TestEngineThatTakesItsTime(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{}, 100)
	slow := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/networks" {
			asked <- struct{}{}
			return
		}
		<-asked
		<-asked
		w.WriteHeader(http.StatusNoContent)
	}
	e, err := docker.ConnectTo(t.Context(), "unix://"+serve(t, "1.41", slow), 100*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if err := e.RemoveContainer(t.Context(), "web-001"); err != nil {
		t.Error(err)
	}
}

func TestImageThatSomebodyElseRemovesRightNow(t *testing.T) {
	t.Parallel()
	gone := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusInternalServerError)
		if _, err := w.Write([]byte(`{"message":"unrecognized image ID sha256:d43b"}`)); err != nil {
			t.Error(err)
		}
	}
	e, err := docker.ConnectTo(t.Context(), "unix://"+serve(t, "1.41", gone), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if err := e.RemoveImage(t.Context(), "sha256:d43b"); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("got %v, want that it is not there", err)
	}
}

func TestStepThatSomebodyElseRemovesRightNow(t *testing.T) {
	t.Parallel()
	id := strings.Repeat("d43b", 16)
	for says, gone := range map[string]bool{
		"No such image: sha256:" + id: true,
		"failed to get digest sha256:" + id + ": open /var/lib/docker/image/overlay2/imagedb/content/sha256/" + id + ": no such file or directory": true,

		"No such image: shop/base:1": false, // the Dockerfile's
		"The command '/bin/sh -c echo No such image: sha256:" + id + "' returned a non-zero code: 1": false,
	} {
		answer := func(w http.ResponseWriter, _ *http.Request) {
			if _, err := fmt.Fprintf(w, `{"stream":"Step 2/2 : COPY a /"}{"errorDetail":{"message":%q},"error":%[1]q}`, says); err != nil {
				t.Error(err)
			}
		}
		e, err := docker.ConnectTo(t.Context(), "unix://"+serve(t, "1.41", answer), time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		_, err = e.Build(t.Context(), engine.BuildRequest{Context: strings.NewReader(""), Dockerfile: "Dockerfile"})
		if failed := (*engine.BuildFailed)(nil); errors.Is(err, engine.ErrNotFound) != gone || errors.As(err, &failed) == gone {
			t.Errorf("of %q: got %v", says, err)
		}
	}
}

// serve is a socket that answers pings as an engine of an API version does, or
// with an error when that is "", and everything else by handle.
func serve(t *testing.T, api string, handle http.HandlerFunc) (socket string) {
	t.Helper()
	socket = filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/_ping", func(w http.ResponseWriter, _ *http.Request) {
		if api == "" {
			http.Error(w, "what?", http.StatusTeapot)
			return
		}
		w.Header().Set("Api-Version", api)
	})
	if handle != nil {
		mux.HandleFunc("/", handle)
	}
	server := &http.Server{Handler: mux}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(l)
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-served
	})
	return socket
}
