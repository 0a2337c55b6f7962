package report_test

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/internal/sample"
	"github.com/labctl/labctl/scenarios/report"
)

// every changes all services.
func every(change func(*evidence.Service)) edit {
	return func(set *evidence.Set) {
		for i := range set.Services {
			change(&set.Services[i])
		}
	}
}

// taken are the parts of the evidence without which nobody passes this lab.
var taken = map[string]edit{
	"live":      every(noneLive),
	"trees":     func(set *evidence.Set) { set.Trees = nil },
	"layers":    func(set *evidence.Set) { set.Layers = nil },
	"images":    func(set *evidence.Set) { set.Images = nil },
	"builds":    func(set *evidence.Set) { set.Builds = nil },
	"fresh":     every(func(s *evidence.Service) { s.Fresh = nil }),
	"exchanges": every(func(s *evidence.Service) { s.Exchanges = nil }),
	"traffic":   every(func(s *evidence.Service) { s.Traffic = nil }),
	"head":      func(set *evidence.Set) { set.Head = evidence.Head{} },
	"start":     func(set *evidence.Set) { set.Start = evidence.Start{} },
	"services":  func(set *evidence.Set) { set.Services = nil },
	"checks":    func(set *evidence.Set) { set.Checks = nil },
}

func TestWithoutEvidenceNobodyPasses(t *testing.T) {
	t.Parallel()
	for what, take := range taken {
		set := sample.Right()
		take(set)
		if r := grade(t, set); r.Passed {
			t.Errorf("passed without %s", what)
		}
	}
}

// FuzzGrade grades evidence that somebody damaged or forged: of right evidence
// two values are others, or gone. It never panics and comes out the same when
// saved and graded again. Whoever passes the checks of the lab, whatever the
// file says of them, has the evidence for it, and the word is right.
func FuzzGrade(f *testing.F) {
	saved, err := evidence.Marshal(sample.Right())
	if err != nil {
		f.Fatal(err)
	}
	// A sample of all values, as each input is graded many times.
	values := []string{"", "null", "-1", `"x"`, "{}", "[{}]", "true"}
	for n := 0; n < nodes(f, saved); n += 11 {
		f.Add(uint16(n), values[n%len(values)], uint16(n+1), values[n/7%len(values)])
	}
	f.Fuzz(func(t *testing.T, where uint16, value string, other uint16, otherValue string) {
		set, err := evidence.Unmarshal(replace(t, replace(t, saved, where, value), other, otherValue))
		if err != nil {
			return
		}
		_, first := graded(t, set)
		if _, again := graded(t, set); again != first {
			t.Errorf("graded twice\n%s\n%s", first, again)
		}
		damaged, err := evidence.Marshal(set)
		if err != nil {
			t.Fatal(err)
		}
		if _, again := graded(t, unmarshal(t, damaged)); again != first {
			t.Errorf("graded from what was saved\n%s\n%s", first, again)
		}
		compared, err := report.Regrade(set, definition())
		if err != nil || !compared.Report.Passed {
			return
		}
		if p := compared.Report.Provenance; p.Word != report.Rebuilt || compared.Report.CouldNotLook() {
			t.Errorf("passed, and is %s: %s", p.Word, p.Because)
		}
		for what, take := range taken {
			set := unmarshal(t, damaged)
			take(set)
			if what == "checks" {
				continue // the lab's own are asked
			}
			if compared, err := report.Regrade(set, definition()); err != nil || compared.Report.Passed {
				t.Errorf("passed without %s: %v", what, err)
			}
		}
	})
}

func graded(t *testing.T, set *evidence.Set) (report.Report, string) {
	t.Helper()
	r := grade(t, set)
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return r, string(b)
}

func unmarshal(t *testing.T, saved []byte) *evidence.Set {
	t.Helper()
	set, err := evidence.Unmarshal(saved)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func decode(t testing.TB, document []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(document, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// nodes is how many values a document has.
func nodes(t testing.TB, document []byte) int {
	t.Helper()
	n := 0
	edited(decode(t, document), func(v any) (any, bool) { n++; return v, true })
	return n
}

// replace puts a value in the place of one of a document's, counted from the
// front; an empty one takes it away. What is no JSON is a string.
func replace(t testing.TB, document []byte, where uint16, value string) []byte {
	t.Helper()
	var instead any
	if json.Unmarshal([]byte(value), &instead) != nil {
		instead = value
	}
	n := -1
	v, _ := edited(decode(t, document), func(v any) (any, bool) {
		n++
		if n != int(where) {
			return v, true
		}
		return instead, value != ""
	})
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// edited is a document with every value passed through change, parents first
// and in the order of their keys; false takes a value away.
func edited(v any, change func(any) (any, bool)) (any, bool) {
	v, keep := change(v)
	switch v := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if to, keep := edited(v[key], change); keep {
				v[key] = to
			} else {
				delete(v, key)
			}
		}
	case []any:
		kept := make([]any, 0, len(v))
		for _, item := range v {
			if to, keep := edited(item, change); keep {
				kept = append(kept, to)
			}
		}
		return kept, keep
	}
	return v, keep
}
