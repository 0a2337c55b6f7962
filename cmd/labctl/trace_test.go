package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// A trace is what a program asked of the engine, in order. It is taken by a
// proxy on a socket of its own, and can be asked again by anybody: that is the
// raw engine that labctl's speed is held against.
type trace struct {
	mu       sync.Mutex
	requests []*traced
	open     int           // requests that are being answered
	since    time.Time     // when the first of those came
	busy     time.Duration // how long at least one was being answered, before
}

// traced is one request and what came back.
type traced struct {
	method, path string // path with query
	header       http.Header
	body         []byte
	status       int
	answer       *bytes.Buffer // the first answerKept bytes
}

// answerKept is more than any answer that names new objects has.
const answerKept = 1 << 20

// engineSocket is where the engine is that tests use.
func engineSocket() string {
	if host, ok := strings.CutPrefix(os.Getenv("DOCKER_HOST"), "unix://"); ok {
		return host
	}
	return "/var/run/docker.sock"
}

func dialEngine(ctx context.Context) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "unix", engineSocket())
}

// newTrace starts a proxy before the engine and returns the DOCKER_HOST that
// leads there.
func newTrace(tb testing.TB) (*trace, string) {
	tb.Helper()
	dir, err := os.MkdirTemp("", "labctl-trace") // t.TempDir can be too long for a socket
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket := filepath.Join(dir, "engine.sock")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		tb.Fatal(err)
	}
	tr := &trace{}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "http", Host: "engine"}) },
		Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialEngine(ctx)
		}},
		FlushInterval: -1,
		ModifyResponse: func(r *http.Response) error {
			q := r.Request.Context().Value(tracedKey{}).(*traced)
			q.status = r.StatusCode
			if r.StatusCode != http.StatusSwitchingProtocols {
				r.Body = &copied{r.Body, q.answer}
			}
			return nil
		},
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := &traced{method: r.Method, path: r.URL.RequestURI(), header: r.Header.Clone(), answer: &bytes.Buffer{}}
		var err error
		if q.body, err = io.ReadAll(r.Body); err != nil {
			return // the client gave up
		}
		r.Body = io.NopCloser(bytes.NewReader(q.body))
		tr.begin(q)
		defer tr.end()
		proxy.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), tracedKey{}, q)))
	})}
	go func() { _ = server.Serve(listener) }()
	tb.Cleanup(func() { _ = server.Close() })
	return tr, "unix://" + socket
}

type tracedKey struct{}

// copied keeps the beginning of what is read through it.
type copied struct {
	io.ReadCloser
	to *bytes.Buffer
}

func (c *copied) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	if room := answerKept - c.to.Len(); room > 0 {
		c.to.Write(p[:min(n, room)])
	}
	return n, err
}

func (t *trace) begin(q *traced) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.requests = append(t.requests, q)
	if t.open++; t.open == 1 {
		t.since = time.Now()
	}
}

func (t *trace) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.open--; t.open == 0 {
		t.busy += time.Since(t.since)
	}
}

// atWork is how long the engine was answering since the last call.
func (t *trace) atWork() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	busy := t.busy
	t.busy = 0
	return busy
}

// take returns what was asked since the last call.
func (t *trace) take() []*traced {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := t.requests
	t.requests = nil
	return out
}

// replayer asks traced requests again. Objects that were new then are new
// again, under other IDs, which it follows through the answers.
type replayer struct {
	ids map[string]string // then → now
}

var idPattern = regexp.MustCompile(`[0-9a-f]{64}`)

// replay asks all of it, one by one. A request that comes out otherwise than
// it did is an error: the replay would not be the same work.
func (r *replayer) replay(ctx context.Context, requests []*traced) error {
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return dialEngine(ctx)
	}}}
	defer client.CloseIdleConnections()
	for _, q := range requests {
		path, body := r.now(q.path), []byte(r.now(string(q.body)))
		var status int
		var answer []byte
		var err error
		if q.header.Get("Upgrade") != "" {
			status, err = upgrade(ctx, q, path, body)
		} else {
			status, answer, err = ask(ctx, client, q, path, body)
		}
		if err != nil {
			return fmt.Errorf("replaying %s %s: %w", q.method, path, err)
		}
		if status != q.status {
			return fmt.Errorf("replaying %s %s: status %d, was %d: %.200s", q.method, path, status, q.status, answer)
		}
		if q.method == http.MethodGet {
			continue // it makes nothing, and lists can be in another order
		}
		then, now := idPattern.FindAllString(q.answer.String(), -1), idPattern.FindAllString(string(answer), -1)
		if len(then) == len(now) {
			for i := range then {
				if then[i] != now[i] {
					r.ids[then[i]] = now[i]
				}
			}
		}
	}
	return nil
}

func (r *replayer) now(s string) string {
	return idPattern.ReplaceAllStringFunc(s, func(id string) string {
		if now, ok := r.ids[id]; ok {
			return now
		}
		return id
	})
}

func ask(ctx context.Context, client *http.Client, q *traced, path string, body []byte) (int, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, q.method, "http://engine"+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	req.Header = maps.Clone(q.header)
	res, err := client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(res.Body, answerKept))
	if err == nil {
		_, err = io.Copy(io.Discard, res.Body)
	}
	return res.StatusCode, answer, err
}

// upgrade asks for a raw connection, as attaching to an exec does, and reads
// it to its end.
func upgrade(ctx context.Context, q *traced, path string, body []byte) (int, error) {
	conn, err := dialEngine(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { _ = conn.Close() }()
	req, err := http.NewRequestWithContext(ctx, q.method, "http://engine"+path, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header = maps.Clone(q.header)
	req.Header.Set("Connection", "Upgrade")
	if err := req.Write(conn); err != nil {
		return 0, err
	}
	reader := bufio.NewReader(conn)
	res, err := http.ReadResponse(reader, req)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, reader)
	return res.StatusCode, err
}
