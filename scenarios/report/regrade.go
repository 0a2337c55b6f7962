package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/labctl/labctl/scenarios/check"
	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/lab"
)

// ComparisonSchema names the format of a comparison's JSON.
const ComparisonSchema = "labctl/comparison/v1"

// Comparison is evidence graded twice: with the checks that it carries, and with
// those of a definition of its lab.
type Comparison struct {
	Schema   string   `json:"schema"`
	Embedded string   `json:"embedded"`        // digest of the definition that the evidence says it was gathered with
	Same     bool     `json:"same_definition"` // it is the one that was given
	Unlike   []string `json:"unlike"`          // of the same definition: what the evidence carries otherwise, one line each; it was edited, or gathered by a labctl that reads the definition otherwise
	Changed  []Change `json:"changed"`         // checks that come out otherwise
	Report   Report   `json:"report"`          // with the checks of the definition
}

// Absent is how a check comes out that is not there.
const Absent = "absent"

// Change is one check that comes out otherwise with the definition than with the
// checks in the evidence.
type Change struct {
	Name        string `json:"name"`
	Service     string `json:"service"`
	Environment string `json:"environment"`
	From        string `json:"from"` // with the checks in the evidence: pass, fail, error, skip or absent
	To          string `json:"to"`   // with those of the definition
	PointsFrom  int    `json:"points_from"`
	PointsTo    int    `json:"points_to"`
}

// Regrade grades evidence with the checks of a lab, resolved for the learner and
// the seed of the evidence. What the lab asks for and nobody looked at comes out
// as an error, never as a pass. Its own error is for evidence of another lab.
func Regrade(set *evidence.Set, l *lab.Lab) (Comparison, error) {
	if set.Lab != l.Name {
		return Comparison{}, fmt.Errorf("the evidence is of lab %s, and the definition is of %s", set.Lab, l.Name)
	}
	before, err := Grade(set)
	if err != nil {
		return Comparison{}, err
	}
	same := set.Definition == l.Definition
	asked := with(set, l)
	if same && set.Start.Files != nil {
		asked.Start.Files = evidence.Committed(l.Commits)
	}
	after, err := Grade(asked)
	if err != nil {
		return Comparison{}, err
	}
	after.Evidence = before.Evidence // it is the same, whatever is asked of it
	out := Comparison{
		Schema: ComparisonSchema, Embedded: set.Definition, Same: same,
		Unlike: []string{}, Changed: changes(before, after), Report: after,
	}
	if same {
		out.Unlike = append(out.Unlike, unlike(rows(set.Checks), rows(l.Checks))...)
		out.Unlike = append(out.Unlike, unlike(declared(set.Services), declared(wanted(l)))...)
		if set.Pinned != nil { // evidence of before it was kept has none
			out.Unlike = append(out.Unlike, unlike(pinned(set.Pinned), pinned(images(l)))...)
		}
		if !slices.EqualFunc(set.Start.Files, asked.Start.Files, func(a, b evidence.RepoFile) bool { return reflect.DeepEqual(a, b) }) {
			out.Unlike = append(out.Unlike, "the files of the start commit")
		}
	}
	return out, nil
}

// with is the evidence as the lab asks of it. A service that the lab declares
// otherwise was looked at for something else: what that spoils is taken out.
func with(set *evidence.Set, l *lab.Lab) *evidence.Set {
	out := *set
	out.Checks, out.Definition, out.Services = l.Checks, l.Definition, nil
	for _, want := range wanted(l) {
		i := slices.IndexFunc(set.Services, func(s evidence.Service) bool { return s.Name == want.Name && s.Environment == want.Environment })
		if i < 0 {
			continue // checks that ask about it say so
		}
		s := set.Services[i]
		if s.Error == "" && (s.Port != want.Port || s.Publish != want.Publish) {
			s.Error = fmt.Sprintf("the evidence was gathered where it has port %d and is published as %q", s.Port, s.Publish)
		}
		if len(differing(s.Run, want.Run)) > 0 {
			s.Fresh = nil // run as it is not declared
		}
		s.Port, s.Publish, s.Replicas, s.RuntimePaths, s.Run = want.Port, want.Publish, want.Replicas, want.RuntimePaths, want.Run
		out.Services = append(out.Services, s)
	}
	return &out
}

func changes(before, after Report) []Change {
	type row struct{ name, service, environment string }
	was := map[row]Result{}
	for _, c := range before.Checks {
		was[row{c.Name, c.Service, c.Environment}] = c
	}
	out := []Change{}
	for _, c := range after.Checks {
		key := row{c.Name, c.Service, c.Environment}
		change := Change{c.Name, c.Service, c.Environment, Absent, outcomeOf(c), 0, c.Points}
		if old, there := was[key]; there {
			change.From, change.PointsFrom = outcomeOf(old), old.Points
		}
		delete(was, key)
		if change.From != change.To || change.PointsFrom != change.PointsTo {
			out = append(out, change)
		}
	}
	for _, c := range before.Checks {
		if old, removed := was[row{c.Name, c.Service, c.Environment}]; removed {
			out = append(out, Change{c.Name, c.Service, c.Environment, outcomeOf(old), Absent, old.Points, 0})
		}
	}
	return out
}

// outcomeOf is a result's status. One that nobody evaluated could not be looked
// at.
func outcomeOf(r Result) string {
	if r.Status == check.Unknown {
		return string(check.Error)
	}
	return string(r.Status)
}

// rows are checks by what they are called in a line.
func rows(checks []lab.Check) map[string]any {
	out := map[string]any{}
	for _, c := range checks {
		name := "check " + c.Name
		if c.Environment != "" {
			name += " (" + c.Environment + ")"
		}
		out[name] = c
	}
	return out
}

// wanted are the lab's services, with nothing found yet.
func wanted(l *lab.Lab) []evidence.Service {
	var out []evidence.Service
	for _, s := range l.Services {
		out = append(out, evidence.Service{
			Name: s.Name, Environment: s.Environment, Port: s.Port, Publish: s.Publish,
			Replicas: s.Replicas, RuntimePaths: s.RuntimePaths, Run: s.Run,
		})
	}
	return out
}

// declared is what services are declared as.
func declared(services []evidence.Service) map[string]any {
	out := map[string]any{}
	for _, s := range services {
		name := "service " + s.Name
		if s.Environment != "" {
			name += " (" + s.Environment + ")"
		}
		out[name] = map[string]any{"port": s.Port, "publish": s.Publish, "replicas": s.Replicas, "runtime_paths": orEmpty(s.RuntimePaths), "run": s.Run}
	}
	return out
}

// images are the lab's, pinned to nothing.
func images(l *lab.Lab) []evidence.Pinned {
	var out []evidence.Pinned
	for _, i := range l.Images {
		out = append(out, evidence.Pinned{Name: i.Name, Tag: i.Tag})
	}
	return out
}

// pinned is what a lab's images are declared as.
func pinned(all []evidence.Pinned) map[string]any {
	out := map[string]any{}
	for _, p := range all {
		out["image "+p.Name] = map[string]any{"tag": p.Tag}
	}
	return out
}

// unlike says in what the evidence's are not the definition's: "check replaced:
// points".
func unlike(has, want map[string]any) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if _, there := has[name]; !there {
			out = append(out, name+" is missing")
		} else if fields := differing(has[name], want[name]); len(fields) > 0 {
			out = append(out, name+": "+check.Few(fields))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(has)) {
		if _, there := want[name]; !there {
			out = append(out, name+" was added")
		}
	}
	return out
}

// differing names the fields in which two values differ.
func differing(a, b any) []string {
	x, y := fields(a), fields(b)
	all := maps.Clone(x)
	maps.Copy(all, y)
	var out []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if !bytes.Equal(x[name], y[name]) {
			out = append(out, name)
		}
	}
	return out
}

// fields are those of a value's JSON, each written in one way. Checks and runs
// can always be written: what of them is raw was read.
func fields(v any) map[string]json.RawMessage {
	b, _ := json.Marshal(v)
	var out map[string]json.RawMessage
	_ = json.Unmarshal(b, &out)
	return out
}
