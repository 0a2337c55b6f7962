package check_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/labctl/labctl/scenarios/check"
	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/internal/sample"
	"github.com/labctl/labctl/scenarios/lab"
)

func answer(i int, edit func(*evidence.Exchange)) func(*evidence.Set) {
	return service(func(s *evidence.Service) { edit(&s.Exchanges[i]) })
}

func freshAnswer(i int, edit func(*evidence.Exchange)) func(*evidence.Set) {
	return service(func(s *evidence.Service) { edit(&s.Fresh[0].Exchanges[i]) })
}

func says(body string) func(*evidence.Exchange) {
	return func(e *evidence.Exchange) { e.Body = body }
}

func spec(c int, spec string) func(*evidence.Set) {
	return func(set *evidence.Set) { set.Checks[c].Spec = json.RawMessage(spec) }
}

func TestHTTP(t *testing.T) {
	t.Parallel()
	both := spec(0, `{"requests":[{"get":"/quote?nights=2","body":["nights=2","total=207.07"]},{"get":"/quote?nights=1","body":["total=105.94"]}]}`)
	sameTotals := all(spec(0, `{"requests":[{"get":"/quote?nights=2","body":["total="]},{"get":"/quote?nights=1","body":["total="]}]}`), answer(1, says("")))
	evaluate(t, check.HTTP, []verdict{
		{"right", nil, check.Pass, "1 of 1 answers right", nil, nil},
		{"several right", both, check.Pass, "2 of 2 answers right", nil, nil},
		{"another value", answer(0, says("nights=2\ntotal=206.07\n")), check.Fail, "total=206.07", []string{"GET /quote?nights=2"}, nil},
		{"nothing alike", answer(0, says("\nout of order\n")), check.Fail, "out of order", []string{"GET /quote?nights=2"}, nil},
		{"empty body", answer(0, says("")), check.Fail, "an empty body", []string{"GET /quote?nights=2"}, nil},
		{"status", answer(0, func(e *evidence.Exchange) { e.Status = 500 }), check.Fail, "status 500", []string{"GET /quote?nights=2"}, nil},
		{"the second's status", all(both, answer(1, func(e *evidence.Exchange) { e.Status = 500 })), check.Fail, "status 500", []string{"GET /quote?nights=1"}, nil},
		{"the second of two that expect the same", sameTotals, check.Fail, "an empty body", []string{"GET /quote?nights=1"}, nil},
		{"another status is wanted", all(spec(0, `{"get":"/quote?nights=2","status":404}`), answer(0, func(e *evidence.Exchange) { e.Status = 404 })), check.Pass, "1 of 1 answers right", nil, nil},
		{"status and body alone", spec(0, `{"get":"/quote?nights=2"}`), check.Pass, "1 of 1 answers right", nil, nil},
		{"no answer", answer(0, func(e *evidence.Exchange) {
			*e = evidence.Exchange{Request: e.Request, Container: e.Container, Failed: "refused"}
		}), check.Fail, "no answer: refused", []string{"GET /quote?nights=2"}, nil},
		{"two wrong", all(both, answer(0, says("total=1")), answer(1, says("total=2"))), check.Fail, "total=1",
			[]string{"GET /quote?nights=2: total=1, expected nights=2", "GET /quote?nights=1: total=2, expected total=105.94"}, nil},
		{"could not be asked", answer(0, func(e *evidence.Exchange) { e.Error = "no route" }), check.Error, "web-001 could not be asked for /quote?nights=2: no route", nil, nil},
		{"asked of another container", answer(0, func(e *evidence.Exchange) { e.Container = sample.PetID }), check.Error, "web-001 was not asked for /quote?nights=2", nil, nil},
		{"not asked", service(func(s *evidence.Service) { s.Exchanges = nil }), check.Error, "web-001 was not asked for /quote?nights=2", nil, nil},
		{"too long to be kept, right", answer(0, func(e *evidence.Exchange) { e.Truncated = true }), check.Pass, "1 of 1 answers right", nil, nil},
		{"too long to be kept", answer(0, func(e *evidence.Exchange) { e.Truncated, e.Body = true, "abc" }), check.Error,
			"web-001 answers /quote?nights=2 with more than can be kept, and what is expected is not in its first 3 bytes", nil, nil},
		{"one of two replicas wrong", service(func(s *evidence.Service) {
			second := s.Live[0]
			second.ID, second.Name = "4", "web-002"
			s.Live = append(s.Live, second)
			s.Exchanges = append(s.Exchanges, evidence.Exchange{Request: s.Exchanges[0].Request, Container: "4", Status: 200, Body: "total=1"})
		}), check.Fail, "total=1", []string{"web-002: GET /quote?nights=2"}, nil},
		{"asks nothing", spec(0, `{}`), check.Error, "check todays_change asks nothing", nil, nil},
		{"cannot be read", spec(0, `{`), check.Error, "reading what is asked over HTTP: unexpected end of JSON input", nil, nil},
	})
}

func TestHTTPNeeds(t *testing.T) {
	t.Parallel()
	for in, want := range map[string][]evidence.Request{
		`{"get":"/a"}`: {{Get: "/a"}},
		`{"requests":[{"get":"/a"},{"get":"/b"}]}`: {{Get: "/a"}, {Get: "/b"}},
	} {
		n, err := check.HTTP.Needs(lab.Check{Spec: json.RawMessage(in)})
		if err != nil || !slices.Equal(n.Requests, want) {
			t.Errorf("%s needs %v, %v", in, n.Requests, err)
		}
	}
	if _, err := check.HTTP.Needs(lab.Check{Spec: json.RawMessage(`[]`)}); err == nil {
		t.Error("what cannot be read needs nothing")
	}
}

func TestHTTPValidate(t *testing.T) {
	t.Parallel()
	for in, want := range map[string][]string{
		`{"get":"/a","status":404,"body":["x"]}`:           nil,
		`{"requests":[{"get":"/a"},{"get":"/b?c=d%20e"}]}`: nil,
		`{}`:                               {"it asks nothing; give get, or requests"},
		`{"get":"/a","requests":[]}`:       {"it has get and requests; give one of them"},
		`{"requests":[],"status":200}`:     {"status and body belong into each of requests"},
		`{"requests":[]}`:                  {"requests is empty, so there is nothing that could be wrong"},
		`{"get":"a"}`:                      {`get is "a"; a path begins with /`},
		`{"get":"/a b"}`:                   {`get is "/a b"; spaces are written %20 in a path`},
		`{"get":"/a","status":99}`:         {"status is 99; HTTP has 100 to 599"},
		`{"get":"/a","body":[""]}`:         {"body has an empty string, which every answer contains"},
		`{"requests":[{"body":["x",""]}]}`: {`get is ""; a path begins with /`, "body has an empty string, which every answer contains"},
		`{`:                                {"it cannot be read: unexpected end of JSON input"},
	} {
		if got := check.HTTP.Validate([]byte(in)); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
}

func TestServedBy(t *testing.T) {
	t.Parallel()
	traffic := func(edit func(*evidence.Traffic)) func(*evidence.Set) {
		return service(func(s *evidence.Service) { edit(s.Traffic) })
	}
	second := service(func(s *evidence.Service) { s.Live = append(s.Live, evidence.Container{ID: "4", Name: "proxy"}) })
	evaluate(t, check.ServedBy, []verdict{
		{"alone", nil, check.Pass, "web-001 received 18000 bytes of 16000 sent", nil, nil},
		{"received what was sent", traffic(func(t *evidence.Traffic) { t.Received = t.Sent }), check.Pass, "web-001 received 16000 bytes of 16000 sent", nil, nil},
		{"two publishers", second, check.Fail, "several containers publish 127.0.0.1:8080: web-001, proxy", nil, nil},
		{"two replicas on a network", all(second, service(func(s *evidence.Service) { s.Address = "" })), check.Pass, "web-001 received 18000 bytes of 16000 sent", nil, nil},
		{"a sharer", service(func(s *evidence.Service) {
			s.Sharers = []evidence.Sharer{{ID: "4", Name: "proxy", Why: "shares the network namespace of web-001"}}
		}), check.Fail, "proxy shares the network namespace of web-001", nil, nil},
		{"a sharer, and nothing measured", service(func(s *evidence.Service) {
			s.Traffic, s.Sharers = nil, []evidence.Sharer{{ID: "4", Name: "proxy", Why: "uses the host's network"}}
		}), check.Fail, "proxy uses the host's network", nil, nil},
		{"too little", traffic(func(t *evidence.Traffic) { t.Received = 15999 }), check.Fail,
			"web-001 received 15999 bytes while 16000 were sent to 127.0.0.1:8080: something else answers there", nil, nil},
		{"nothing received", traffic(func(t *evidence.Traffic) { t.Received = 0 }), check.Fail,
			"web-001 received 0 bytes while 16000 were sent to 127.0.0.1:8080: something else answers there", nil, nil},
		{"not measured", service(func(s *evidence.Service) { s.Traffic = nil }), check.Error, "what web-001 receives was not measured", nil, nil},
		{"measured of another", traffic(func(t *evidence.Traffic) { t.Container, t.Received = sample.PetID, 0 }), check.Error, "what web-001 receives was not measured", nil, nil},
		{"nothing sent", traffic(func(t *evidence.Traffic) { t.Sent, t.Received = 0, 0 }), check.Error, "what web-001 receives was not measured", nil, nil},
		{"could not be measured", traffic(func(t *evidence.Traffic) { t.Error, t.Received = "no statistics", 0 }), check.Error, "what web-001 receives could not be measured: no statistics", nil, nil},
	})
}

func TestSurvives(t *testing.T) {
	t.Parallel()
	const nothing = "nothing works live that a fresh container could be asked for"
	notReady := service(func(s *evidence.Service) { s.Fresh[0].Failed = "exited with 1" })
	evaluate(t, check.Survives, []verdict{
		{"answers the same", nil, check.Pass, "so it does", nil, nil},
		{"answers otherwise", freshAnswer(1, says("total=103.04")), check.Fail, "a fresh container answers total=103.04, expected total=105.94 (fridays_fix)", []string{"GET /quote?nights=1"}, nil},
		{"does not get ready", notReady, check.Fail, "a fresh container does not get ready: exited with 1", nil, nil},
		{"what fails live is not asked", all(answer(1, says("total=1")), freshAnswer(1, says("total=2"))), check.Pass, "so it does", nil, nil},
		{"what was not asked live is not asked", all(
			service(func(s *evidence.Service) { s.Exchanges = s.Exchanges[:1] }), freshAnswer(1, says("total=2")),
		), check.Pass, "so it does", nil, nil},
		{"nothing passes live", all(answer(0, says("total=1")), answer(1, says("total=2"))), check.Skip, nothing, nil, nil},
		{"nothing was asked", service(func(s *evidence.Service) { s.Exchanges = nil }), check.Error, "what works live could not be asked: web-001 was not asked for /quote?nights=1", nil, nil},
		{"no behaviour checks", func(set *evidence.Set) { set.Checks = set.Checks[2:] }, check.Fail, nothing, nil, nil},
		{"behaviour of another service", func(set *evidence.Set) { set.Checks[0].Service, set.Checks[1].Service = "a", "b" }, check.Fail, nothing, nil, nil},
		{"nothing could be asked", all(answer(0, func(e *evidence.Exchange) { e.Error = "no route" }), answer(1, func(e *evidence.Exchange) { e.Error = "no route" })),
			check.Error, "what works live could not be asked: web-001 could not be asked for /quote?nights=1: no route", nil, nil},
		{"not tried", service(func(s *evidence.Service) { s.Fresh = nil }), check.Error, "no fresh container of web-001's image was tried", nil, nil},
		{"tried of another image", service(func(s *evidence.Service) { s.Fresh[0].Image = sample.ImageOther }), check.Error, "no fresh container of web-001's image was tried", nil, nil},
		{"could not be tried", service(func(s *evidence.Service) { s.Fresh[0].Error = "no space left" }), check.Error, "a fresh container could not be tried: no space left", nil, nil},
		{"could not be asked", freshAnswer(0, func(e *evidence.Exchange) { e.Error = "no route" }), check.Error,
			"of a fresh container: drift-lab-ann-fresh-1 could not be asked for /quote?nights=2: no route", nil, nil},
		{"not asked", service(func(s *evidence.Service) { s.Fresh[0].Exchanges = nil }), check.Error,
			"of a fresh container: drift-lab-ann-fresh-1 was not asked for /quote?nights=2", nil, nil},
		{"no container, only answers", service(func(s *evidence.Service) {
			f := &s.Fresh[0]
			f.Container = evidence.Container{}
			for i := range f.Exchanges {
				f.Exchanges[i].Container = ""
			}
		}), check.Error, "no fresh container of web-001's image was kept in the evidence", nil, nil},
	})
}
