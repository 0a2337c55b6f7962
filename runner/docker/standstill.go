package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/labctl/labctl/runner/engine"
)

// watch passes requests on to an engine, and ends those that it will never answer.
// Docker 20.10 can lock up for good (moby/moby#46661): it goes on to answer pings,
// and whatever touches a network waits for ever. A request may take its time, for a
// large image say; so when one has waited for a while, the engine is asked for its
// networks, and only when it does not tell those either does it stand still.
type watch struct {
	next        http.RoundTripper
	host        string        // for messages
	after       time.Duration // without an answer, networks are asked for, and as long for them
	standsStill atomic.Pointer[engine.Unavailable]
}

// RoundTrip returns *engine.Unavailable from an engine that stands still, and from
// then on at once.
func (w *watch) RoundTrip(r *http.Request) (*http.Response, error) {
	if u := w.standsStill.Load(); u != nil {
		return nil, u
	}
	ctx, cancel := context.WithCancelCause(r.Context())
	answered := make(chan struct{})
	go func() {
		for {
			select {
			case <-answered:
				return
			case <-ctx.Done():
				return
			case <-time.After(w.after):
			}
			if u := w.ask(ctx, r); u != nil {
				cancel(u)
				return
			}
		}
	}()
	answer, err := w.next.RoundTrip(r.WithContext(ctx))
	close(answered)
	if err != nil {
		if u := (*engine.Unavailable)(nil); errors.As(context.Cause(ctx), &u) {
			err = u
		}
		cancel(nil)
		return nil, err
	}
	answer.Body = &watched{answer.Body, func() { cancel(nil) }}
	return answer, nil
}

// ask asks the engine that a request went to for its networks, and says if it does
// not tell.
func (w *watch) ask(ctx context.Context, like *http.Request) *engine.Unavailable {
	asking, done := context.WithTimeout(ctx, w.after)
	defer done()
	networks := url.URL{Scheme: like.URL.Scheme, Host: like.URL.Host, Path: "/networks"}
	r := &http.Request{Method: http.MethodGet, URL: &networks, Host: like.Host, Header: http.Header{}}
	answer, err := w.next.RoundTrip(r.WithContext(asking))
	if err == nil {
		err = answer.Body.Close()
	}
	if !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
		return nil // it answers, or whoever waits learns what is wrong
	}
	u := &engine.Unavailable{Host: w.host, Why: fmt.Sprintf("the Docker Engine stands still: it has not told its networks for %v", w.after),
		Mend: "restart it: sudo systemctl restart docker", Err: err}
	w.standsStill.Store(u)
	return u
}

// watched is a body, after which nothing is left of its request's watch.
type watched struct {
	io.ReadCloser
	end func()
}

func (w *watched) Close() error {
	defer w.end()
	return w.ReadCloser.Close()
}
