package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/testcontainers/testcontainers-go/wait"

	"github.com/labctl/labctl/scenarios/evidence"
)

const (
	pollInterval  = 20 * time.Millisecond // between two tries, and before the first of Ready
	answerTime    = 10 * time.Second      // for one request, tries included
	connectWithin = 2 * time.Second       // for the first connection that is answered
)

// Ready implements engine.Prober. wait.ForHTTP goes through the proxies of the
// environment, except to the loopback addresses that services are published at.
func (e *Engine) Ready(ctx context.Context, id, address, path string, within time.Duration) error {
	target, err := newTarget(e, id, address)
	if err != nil {
		return err
	}
	said := "nothing answered"
	strategy := wait.ForHTTP(path).
		WithPort(target.port).
		WithPollInterval(pollInterval).
		WithStartupTimeout(within).
		WithStatusCodeMatcher(func(status int) bool {
			said = fmt.Sprintf("the last answer was HTTP %d", status)
			return status == http.StatusOK
		})
	err = strategy.WaitUntilReady(ctx, target)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("GET http://%s%s was not answered with 200 within %v: %s", address, path, within, said)
	case target.stopped:
		return fmt.Errorf("%w; the end of its log: %s", err, e.lastLog(ctx, id))
	default:
		return e.failed(err, "waiting for container %s", id)
	}
}

// Get implements engine.Prober.
func (e *Engine) Get(ctx context.Context, address string, req evidence.Request, header map[string]string) evidence.Exchange {
	x := evidence.Exchange{Request: req}
	target, err := newTarget(e, "", address)
	if err != nil {
		x.Error = err.Error()
		return x
	}
	question := &asking{request: req, header: header, exchange: &x}
	err = wait.ForAll(question).WithDeadline(answerTime).WaitUntilReady(ctx, target)
	switch {
	case err == nil:
	case ctx.Err() != nil:
		x = evidence.Exchange{Request: req, Error: fmt.Sprintf("asking %s was broken off: %v", address, ctx.Err())}
	case question.wrong:
		x = evidence.Exchange{Request: req, Error: err.Error()}
	default:
		x = evidence.Exchange{Request: req, Failed: err.Error()}
	}
	return x
}

// asking is a wait strategy that is over with the first answer, which it keeps
// whatever it is. wait.ForHTTP cannot ask so: it follows redirects, to where
// another service may give the right answer; it goes through the proxies of
// the environment; and it takes a service that needs more than a second for
// one that does not answer.
type asking struct {
	request  evidence.Request
	header   map[string]string
	exchange *evidence.Exchange
	wrong    bool // the request itself cannot be made
}

var _ wait.Strategy = (*asking)(nil)

// WaitUntilReady asks until something answers. Connections that are refused or
// dropped are tried again for connectWithin: the engine's proxy takes them
// before a service that has just been started listens.
func (a *asking) WaitUntilReady(ctx context.Context, target wait.StrategyTarget) error {
	request, err := a.make(ctx, target)
	if err != nil {
		a.wrong = true
		return err
	}
	transport := &http.Transport{DisableKeepAlives: true, DisableCompression: true}
	defer transport.CloseIdleConnections()
	patience := time.Now().Add(connectWithin)
	for {
		// The transport alone follows no redirects and keeps no cookies.
		response, err := transport.RoundTrip(request)
		if err == nil {
			return a.keep(response)
		}
		if ctx.Err() != nil {
			return fmt.Errorf("no answer within %v", answerTime)
		}
		if time.Now().After(patience) {
			return err
		}
		select {
		case <-ctx.Done():
		case <-time.After(pollInterval):
		}
	}
}

func (a *asking) make(ctx context.Context, target wait.StrategyTarget) (*http.Request, error) {
	host, err := target.Host(ctx)
	if err != nil {
		return nil, err
	}
	port, err := target.MappedPort(ctx, "")
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(a.request.Get, "/") {
		return nil, fmt.Errorf("the path %q does not start with a slash", a.request.Get)
	}
	address, err := url.Parse("http://" + net.JoinHostPort(host, port.Port()) + a.request.Get)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), nil)
	if err != nil {
		return nil, err
	}
	for name, value := range a.header {
		request.Header.Set(name, value)
	}
	return request, nil
}

// keep reads an answer into the exchange.
func (a *asking) keep(response *http.Response) error {
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, evidence.MaxBody+1))
	if err != nil {
		return fmt.Errorf("the answer broke off after %d bytes: %w", len(body), err)
	}
	if len(body) > evidence.MaxBody {
		body, a.exchange.Truncated = body[:evidence.MaxBody], true
	}
	a.exchange.Status = response.StatusCode
	a.exchange.Body = validText(body)
	return nil
}

// validText is a body as valid UTF-8 of at most evidence.MaxBody bytes.
func validText(body []byte) string {
	text := strings.ToValidUTF8(string(body), "\uFFFD")
	if len(text) > evidence.MaxBody {
		text = strings.ToValidUTF8(text[:evidence.MaxBody], "") // a character cut in two
	}
	return text
}
