package check

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/lab"
)

// HTTP asks a service over HTTP.
var HTTP = Kind{
	Type: "http",
	Doc: "What a service answers over HTTP. Each request is put to every live container; the status must be the one given " +
		"(200 unless said), and the body must contain every string of body. All requests must be answered right.",
	Title:     "%s answers as it should",
	Why:       "Whatever the server looks like inside, this is what its users get.",
	Next:      "Ask the service the same, and compare.",
	Service:   true,
	Behaviour: true,
	Attributes: []Attribute{
		{Name: "get", Type: cty.String, Doc: "path and query to ask for"},
		{Name: "status", Type: cty.Number, Doc: "the status code that must come back; 200 unless given"},
		{Name: "body", Type: cty.List(cty.String), Doc: "strings that the body must contain, all of them"},
		{Name: "requests", Type: cty.List(cty.ObjectWithOptionalAttrs(map[string]cty.Type{
			"get": cty.String, "status": cty.Number, "body": cty.List(cty.String),
		}, []string{"status", "body"})), Doc: "several requests, each with get, status and body, instead of one"},
	},
	Validate: validateHTTP,
	Needs: func(c lab.Check) (Needs, error) {
		spec, err := parseHTTP(c.Spec)
		if err != nil {
			return Needs{}, err
		}
		var n Needs
		for _, w := range spec {
			n.Requests = append(n.Requests, evidence.Request{Get: w.Get})
		}
		return n, nil
	},
	Eval: evalHTTP,
}

// wantedAnswer is one request and what must come back.
type wantedAnswer struct {
	Get    string   `json:"get"`
	Status *int     `json:"status"`
	Body   []string `json:"body"`
}

func (w wantedAnswer) status() int {
	if w.Status == nil {
		return 200
	}
	return *w.Status
}

func parseHTTP(spec []byte) ([]wantedAnswer, error) {
	var s struct {
		wantedAnswer
		Requests []wantedAnswer `json:"requests"`
	}
	if err := json.Unmarshal(spec, &s); err != nil {
		return nil, fmt.Errorf("reading what is asked over HTTP: %w", err)
	}
	if s.Get != "" {
		return append([]wantedAnswer{s.wantedAnswer}, s.Requests...), nil
	}
	return s.Requests, nil
}

func validateHTTP(spec []byte) []string {
	var s struct {
		wantedAnswer
		Requests *[]wantedAnswer `json:"requests"`
	}
	if err := json.Unmarshal(spec, &s); err != nil {
		return []string{"it cannot be read: " + err.Error()}
	}
	switch {
	case s.Get == "" && s.Requests == nil:
		return []string{"it asks nothing; give get, or requests"}
	case s.Get != "" && s.Requests != nil:
		return []string{"it has get and requests; give one of them"}
	case s.Requests != nil && (s.Status != nil || s.Body != nil):
		return []string{"status and body belong into each of requests"}
	case s.Requests != nil && len(*s.Requests) == 0:
		return []string{"requests is empty, so there is nothing that could be wrong"}
	}
	all := []wantedAnswer{s.wantedAnswer}
	if s.Requests != nil {
		all = *s.Requests
	}
	var wrong []string
	for _, w := range all {
		if !strings.HasPrefix(w.Get, "/") {
			wrong = append(wrong, fmt.Sprintf("get is %q; a path begins with /", w.Get))
		}
		if strings.ContainsAny(w.Get, " \t\r\n") {
			wrong = append(wrong, fmt.Sprintf("get is %q; spaces are written %%20 in a path", w.Get))
		}
		if s := w.status(); s < 100 || s > 599 {
			wrong = append(wrong, fmt.Sprintf("status is %d; HTTP has 100 to 599", s))
		}
		for _, b := range w.Body {
			if b == "" {
				wrong = append(wrong, "body has an empty string, which every answer contains")
			}
		}
	}
	return wrong
}

func evalHTTP(c lab.Check, set *evidence.Set) Verdict {
	s, decided := live(c, set)
	if decided != nil {
		return *decided
	}
	wanted, err := parseHTTP(c.Spec)
	if err != nil {
		return couldNot(err.Error())
	}
	if len(wanted) == 0 {
		return couldNot("check " + c.Name + " asks nothing")
	}
	v := Verdict{Status: Pass}
	var failed []string // what was not answered right
	for _, container := range s.Live {
		for _, w := range wanted {
			e, there := find(s.Exchanges, container.ID, w.Get)
			if !there {
				return couldNot(fmt.Sprintf("%s was not asked for %s", called(container), w.Get))
			}
			if e.Error != "" {
				return couldNot(fmt.Sprintf("%s could not be asked for %s: %s", called(container), w.Get, e.Error))
			}
			expected, observed := judge(w, e)
			if observed == "" {
				continue
			}
			if e.Truncated && e.Status == w.status() {
				return couldNot(fmt.Sprintf("%s answers %s with more than can be kept, and what is expected is not in its first %d bytes", called(container), w.Get, len(e.Body)))
			}
			if v.Status == Pass {
				v = Verdict{Status: Fail, Container: container.Name, Expected: expected, Observed: observed}
			}
			of := ""
			if len(s.Live) > 1 {
				of = called(container) + ": "
			}
			failed = append(failed, of+"GET "+w.Get)
			v.Details = append(v.Details, fmt.Sprintf("%sGET %s: %s, expected %s", of, w.Get, observed, expected))
		}
	}
	if v.Status == Pass {
		v.Container = s.Live[0].Name
		v.Expected = expectation(wanted[0])
		v.Observed = fmt.Sprintf("%d of %d answers right", len(wanted)*len(s.Live), len(wanted)*len(s.Live))
	} else if len(failed) == 1 {
		v.Details = failed // the rest is in Expected and Observed
	}
	return v
}

func find(exchanges []evidence.Exchange, container, get string) (evidence.Exchange, bool) {
	for _, e := range exchanges {
		if e.Container == container && e.Request.Get == get {
			return e, true
		}
	}
	return evidence.Exchange{}, false
}

func expectation(w wantedAnswer) string {
	if len(w.Body) > 0 {
		return strings.Join(w.Body, ", ")
	}
	return fmt.Sprintf("status %d", w.status())
}

// judge compares one answer; observed is "" when it is right.
func judge(w wantedAnswer, e evidence.Exchange) (expected, observed string) {
	if e.Failed != "" {
		return expectation(w), "no answer: " + e.Failed
	}
	if e.Status != w.status() {
		return fmt.Sprintf("status %d", w.status()), fmt.Sprintf("status %d", e.Status)
	}
	for _, b := range w.Body {
		if !strings.Contains(e.Body, b) {
			return b, similar(e.Body, b)
		}
	}
	return "", ""
}

// similar is the line of a body that says something else about the same: with
// the same words before "=", else the first line.
func similar(body, wanted string) string {
	key, _, _ := strings.Cut(wanted, "=")
	first := ""
	for line := range strings.Lines(body) {
		line = strings.TrimSpace(line)
		if k, _, ok := strings.Cut(line, "="); ok && k == key {
			return line
		}
		if first == "" {
			first = line
		}
	}
	if first == "" {
		return "an empty body"
	}
	return first
}
