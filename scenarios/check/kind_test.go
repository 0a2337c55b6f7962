package check_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/labctl/labctl/scenarios/check"
	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/internal/sample"
	"github.com/labctl/labctl/scenarios/lab"
)

// rightFor is the evidence of a right answer to a check of a kind.
func rightFor(kind check.Kind) *evidence.Set {
	switch kind.Type {
	case "same_image", "promoted":
		return environments()
	case "based_on":
		return based()
	}
	return sample.Right()
}

// verdict is one row of a kind's table: what is otherwise than in the evidence
// of a right answer, and what the kind says of it.
type verdict struct {
	name     string
	edit     func(*evidence.Set)
	status   check.Status
	observed string   // as a whole
	details  []string // all of them
	notes    []string // all of them
}

// evaluate holds a kind to its table.
func evaluate(t *testing.T, kind check.Kind, rows []verdict) {
	t.Helper()
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			set := sample.Right()
			if kind.Type == check.BasedOn.Type {
				set = based()
			}
			if row.edit != nil {
				row.edit(set)
			}
			v := kind.Eval(asking(set, kind.Type), set)
			if v.Status != row.status || v.Observed != row.observed {
				t.Errorf("%s: %q\nwant %s: %q", v.Status, v.Observed, row.status, row.observed)
			}
			if !slices.Equal(v.Details, row.details) {
				t.Errorf("details %q\nwant %q", v.Details, row.details)
			}
			if !slices.Equal(v.Notes, row.notes) {
				t.Errorf("notes %q\nwant %q", v.Notes, row.notes)
			}
			if v.Status == check.Error && v.Next == "" {
				t.Error("an error without what to do about it")
			}
			if v.Status == check.Fail && v.Expected == "" {
				t.Error("a fail without what was expected")
			}
		})
	}
}

// asking is the set's check of a kind, or one that asks about its service.
func asking(set *evidence.Set, kind string) lab.Check {
	for _, c := range set.Checks {
		if c.Kind == kind {
			return c
		}
	}
	c := lab.Check{Name: kind, Kind: kind, Service: "booking", Points: 10, Required: true}
	if kind == check.Demonstrated.Type {
		c.Spec = json.RawMessage(`{"before": "", "behaviour": ["todays_change"]}`)
	}
	if kind == "based_on" {
		c.Spec = askedForBase2
	}
	return c
}

// live edits the live container.
func live(edit func(*evidence.Container)) func(*evidence.Set) {
	return func(set *evidence.Set) { edit(&set.Services[0].Live[0]) }
}

// service edits the service.
func service(edit func(*evidence.Service)) func(*evidence.Set) {
	return func(set *evidence.Set) { edit(&set.Services[0]) }
}

// all edits in order.
func all(edits ...func(*evidence.Set)) func(*evidence.Set) {
	return func(set *evidence.Set) {
		for _, edit := range edits {
			edit(set)
		}
	}
}

func nothingLive(set *evidence.Set)   { set.Services[0].Live = nil }
func serviceError(set *evidence.Set)  { set.Services[0].Error = "the engine went away" }
func serviceAbsent(set *evidence.Set) { set.Services = nil }

// everyKind are rows that hold for every kind that asks about one service.
var everyKind = []verdict{
	{"nothing live", nothingLive, check.Fail, "nothing is live at 127.0.0.1:8080", nil, nil},
	{"nothing live in a service without a port", all(nothingLive, service(func(s *evidence.Service) { s.Address = "" })), check.Fail, "nothing is live on network drift-lab-ann", nil, nil},
	{"something else answers", all(nothingLive, service(func(s *evidence.Service) { s.Answered = "HTTP 200" })), check.Fail,
		"no container publishes 127.0.0.1:8080, and yet something answers there: HTTP 200", nil, nil},
	{"service not looked at", serviceError, check.Error, "service booking could not be looked at: the engine went away", nil, nil},
	{"no such service", serviceAbsent, check.Error, "the evidence has no service booking", nil, nil},
}

func TestEveryKindOfOneService(t *testing.T) {
	t.Parallel()
	for _, kind := range check.Kinds {
		if kind.Service {
			t.Run(kind.Type, func(t *testing.T) {
				t.Parallel()
				evaluate(t, kind, everyKind)
			})
		}
	}
}

// A check that says nothing of its environment is no answer for several.
func TestOneServiceInSeveralEnvironments(t *testing.T) {
	t.Parallel()
	for _, kind := range check.Kinds {
		if !kind.Service || slices.Contains([]string{check.SameImage.Type, check.Promoted.Type, check.Demonstrated.Type}, kind.Type) {
			continue
		}
		set := sample.Right()
		other := set.Services[0]
		set.Services[0].Environment, other.Environment = "dev", "prod"
		set.Services = append(set.Services, other)
		if v := kind.Eval(asking(set, kind.Type), set); v.Status != check.Error {
			t.Errorf("%s: %s (%s)", kind.Type, v.Status, v.Observed)
		}
		c := asking(set, kind.Type)
		c.Environment = "prod"
		set.Services[1].Live = nil
		if v := kind.Eval(c, set); v.Status != check.Fail {
			t.Errorf("%s in prod: %s (%s)", kind.Type, v.Status, v.Observed)
		}
	}
}

// Nothing vacuous passes: whatever is taken away of what a kind needs, it does
// not say pass.
func TestWithoutEvidenceNothingPasses(t *testing.T) {
	t.Parallel()
	without := map[string]func(*evidence.Set){
		"everything": func(s *evidence.Set) { *s = evidence.Set{Checks: s.Checks} },
		"all that is gathered": func(s *evidence.Set) {
			service := s.Services[0]
			*s = evidence.Set{Checks: s.Checks, Services: []evidence.Service{{
				Name: service.Name, Address: service.Address, Publish: service.Publish, Live: []evidence.Container{{ID: "x"}},
			}}}
		},
		"what is live": nothingLive,
	}
	for _, kind := range check.Kinds {
		set := rightFor(kind)
		c := lab.Check{Name: "c", Kind: kind.Type, Service: "booking"}
		switch kind.Type {
		case "http":
			c = set.Checks[0]
		case "assert":
			c = assertion(t, `length(live.booking) > 0`)
		case "same_image", "promoted":
			set = environments()
		case "demonstrated":
			set, c = demonstrated(), asked()
			slices.Reverse(set.Services) // prod is what it looks at
		case "based_on":
			c.Spec = askedForBase2
		}
		if v := kind.Eval(c, set); v.Status != check.Pass {
			t.Errorf("%s does not pass what is right: %s (%s)", kind.Type, v.Status, v.Observed)
		}
		for what, take := range without {
			short := *set
			short.Services = slices.Clone(set.Services)
			take(&short)
			if v := kind.Eval(c, &short); v.Status != check.Fail && v.Status != check.Error {
				t.Errorf("%s without %s: %q (%s)", kind.Type, what, v.Status, v.Observed)
			}
		}
	}
}

// What a kind says it needs is what it is decided by: with that taken away it
// could not look.
func TestKindsNeedWhatTheyAreDecidedBy(t *testing.T) {
	t.Parallel()
	for _, kind := range check.Kinds {
		if !kind.Service {
			continue
		}
		set := sample.Right()
		c := asking(set, kind.Type)
		n, err := kind.Needs(c)
		if err != nil {
			t.Errorf("%s: %v", kind.Type, err)
			continue
		}
		for what, row := range map[string]struct {
			needed bool
			take   func(*evidence.Set)
		}{
			"requests": {len(n.Requests) > 0, service(func(s *evidence.Service) { s.Exchanges = nil })},
			"trees":    {n.Trees && kind.Type != "replaced", func(s *evidence.Set) { s.Trees = nil }}, // replaced tells more with it
			"layers":   {n.Layers && kind.Type != "same_image", func(s *evidence.Set) { s.Layers = nil }},
			"images":   {n.Layers || n.Images, func(s *evidence.Set) { s.Images = nil }},
			"build":    {n.Build, func(s *evidence.Set) { s.Builds = nil }},
			"fresh":    {n.Fresh, service(func(s *evidence.Service) { s.Fresh = nil })},
			"traffic":  {n.Traffic, service(func(s *evidence.Service) { s.Traffic = nil })},
			"head":     {n.Head, func(s *evidence.Set) { s.Head = evidence.Head{Error: "no repository"} }},
		} {
			short := rightFor(kind)
			row.take(short)
			if v := kind.Eval(c, short); row.needed && (v.Status != check.Error || v.Next == "") {
				t.Errorf("%s without %s: %s (%s)", kind.Type, what, v.Status, v.Observed)
			}
		}
	}
}

func TestKindsAreComplete(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, kind := range check.Kinds {
		if kind.Type == "" || kind.Doc == "" || kind.Title == "" || kind.Why == "" || kind.Next == "" || kind.Needs == nil || kind.Eval == nil {
			t.Errorf("%q lacks something", kind.Type)
		}
		if kind.Service != strings.Contains(kind.Title, "%s") {
			t.Errorf("%s: the title %q and its service", kind.Type, kind.Title)
		}
		if seen[kind.Type] {
			t.Errorf("%s is there twice", kind.Type)
		}
		seen[kind.Type] = true
		if found, ok := check.Find(kind.Type); !ok || found.Type != kind.Type {
			t.Errorf("%s is not found", kind.Type)
		}
	}
	if _, ok := check.Find("provenance"); ok {
		t.Error("a standard set is found as a kind")
	}
}

func field(part func(*evidence.Container) *json.RawMessage, name string, value any) func(*evidence.Set) {
	return live(func(c *evidence.Container) { p := part(c); *p = sample.Edit(*p, name, value) })
}

func configOf(c *evidence.Container) *json.RawMessage { return &c.Config }

func hostOf(c *evidence.Container) *json.RawMessage { return &c.HostConfig }

// config sets a field of the live container's Config.
func config(name string, value any) func(*evidence.Set) { return field(configOf, name, value) }

// host sets a field of the live container's HostConfig.
func host(name string, value any) func(*evidence.Set) { return field(hostOf, name, value) }

// declared sets a field of the HostConfig that a fresh container has.
func declared(name string, value any) func(*evidence.Set) {
	return service(func(s *evidence.Service) {
		c := &s.Fresh[0].Container
		c.HostConfig = sample.Edit(c.HostConfig, name, value)
	})
}
