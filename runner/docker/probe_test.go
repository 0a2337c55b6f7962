package docker_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/testcontainers/testcontainers-go"

	"github.com/labctl/labctl/runner/engine"
	"github.com/labctl/labctl/scenarios/evidence"
)

func TestReadyAndGet(t *testing.T) {
	t.Parallel()
	// No wait strategy: waiting is what is tested.
	c, err := testcontainers.Run(t.Context(), base, testcontainers.WithExposedPorts("8080/tcp"),
		testcontainers.WithLabels(labels()))
	testcontainers.CleanupContainer(t, c)
	if err != nil {
		t.Fatal(err)
	}
	port, err := c.MappedPort(t.Context(), "8080/tcp")
	if err != nil {
		t.Fatal(err)
	}
	address := net.JoinHostPort("127.0.0.1", port.Port())
	if err := shared.Ready(t.Context(), c.GetContainerID(), address, "/hello", 30*time.Second); err != nil {
		t.Fatal(err)
	}
	before, err := shared.Received(t.Context(), c.GetContainerID())
	if err != nil {
		t.Fatal(err)
	}
	x := shared.Get(t.Context(), address, evidence.Request{Get: "/hello"}, map[string]string{"X-Labctl": strings.Repeat("a", 4000)})
	if x.Status != 200 || x.Body != "hello\n" || x.Failed+x.Error != "" {
		t.Errorf("the answer is %+v", x)
	}
	after, err := shared.Received(t.Context(), c.GetContainerID())
	if err != nil || after < before+4000 {
		t.Errorf("received %d bytes before and %d after (%v)", before, after, err)
	}
	err = shared.Ready(t.Context(), c.GetContainerID(), address, "/nothing", time.Second)
	if err == nil || !strings.Contains(err.Error(), "HTTP 404") {
		t.Errorf("a service that answers 404: %v", err)
	}
}

func TestReadyOfAContainerThatStopped(t *testing.T) {
	t.Parallel()
	id := start(t, engine.ContainerSpec{Run: script("echo no such table >&2; exit 9")})
	began := time.Now()
	err := shared.Ready(t.Context(), id, "127.0.0.1:1", "/", time.Minute)
	if err == nil || !strings.Contains(err.Error(), "code 9") || !strings.Contains(err.Error(), "no such table") {
		t.Errorf("got %v", err)
	}
	if waited := time.Since(began); waited > 30*time.Second {
		t.Errorf("it took %v to see", waited)
	}
}

func TestReadyEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := shared.Ready(ctx, "", "127.0.0.1:1", "/", time.Minute); err != context.DeadlineExceeded {
		t.Errorf("got %v", err)
	}
}

func TestGetKeepsWhatAnswers(t *testing.T) {
	t.Parallel()
	var elsewhere atomic.Int32
	mux := http.NewServeMux()
	mux.HandleFunc("/elsewhere", func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) })
	mux.Handle("/redirect", http.RedirectHandler("/elsewhere", http.StatusFound))
	mux.HandleFunc("/query", func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(r.URL.RawQuery)) })
	mux.HandleFunc("/error", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "sorry", 500) })
	mux.HandleFunc("/binary", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("a\xffb")) })
	mux.HandleFunc("/long", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(strings.Repeat("é", evidence.MaxBody)))
	})
	mux.HandleFunc("/slow", func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(1500 * time.Millisecond)
		_, _ = w.Write([]byte("late"))
	})
	mux.HandleFunc("/cut", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = w.Write([]byte("short"))
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	address := server.Listener.Addr().String()
	get := func(path string) evidence.Exchange {
		return shared.Get(t.Context(), address, evidence.Request{Get: path}, nil)
	}
	for path, want := range map[string]evidence.Exchange{
		"/query?nights=1&guests=2": {Status: 200, Body: "nights=1&guests=2"},
		"/error":                   {Status: 500, Body: "sorry\n"},
		"/binary":                  {Status: 200, Body: "a\uFFFDb"},
		"/slow":                    {Status: 200, Body: "late"},
	} {
		want.Request.Get = path
		if x := get(path); x != want {
			t.Errorf("%s: got %+v, want %+v", path, x, want)
		}
	}
	if x := get("/redirect"); x.Status != http.StatusFound || elsewhere.Load() != 0 {
		t.Errorf("a redirect is %+v, followed %d times", x, elsewhere.Load())
	}
	if x := get("/long"); !x.Truncated || len(x.Body) > evidence.MaxBody || !utf8.ValidString(x.Body) {
		t.Errorf("a long body has %d bytes, truncated %v", len(x.Body), x.Truncated)
	}
	if x := get("/cut"); x.Failed == "" || x.Status != 0 || x.Error != "" {
		t.Errorf("an answer that breaks off is %+v", x)
	}
	if x := get("nothing"); x.Error == "" || x.Failed != "" {
		t.Errorf("a path that cannot be asked is %+v", x)
	}
}

func TestGetWaitsForAServiceThatStarts(t *testing.T) {
	t.Parallel()
	// The engine's proxy accepts and hangs up until the service listens.
	var refused atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if refused.Add(1) < 3 {
			panic(http.ErrAbortHandler)
		}
		_, _ = w.Write([]byte("up"))
	}))
	t.Cleanup(server.Close)
	if x := shared.Get(t.Context(), server.Listener.Addr().String(), evidence.Request{Get: "/"}, nil); x.Body != "up" {
		t.Errorf("got %+v", x)
	}
}
