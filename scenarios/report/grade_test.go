package report_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/labctl/labctl/scenarios/check"
	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/internal/sample"
	"github.com/labctl/labctl/scenarios/lab"
	"github.com/labctl/labctl/scenarios/report"
)

var update = flag.Bool("update", false, "write testdata anew")

func grade(t testing.TB, set *evidence.Set) report.Report {
	t.Helper()
	r, err := report.Grade(set)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// statuses are those of all checks, by name or "name.environment".
func statuses(r report.Report) map[string]check.Status {
	out := map[string]check.Status{}
	for _, c := range r.Checks {
		name := c.Name
		if c.Environment != "" {
			name += "." + c.Environment
		}
		out[name] = c.Status
	}
	return out
}

func TestScores(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		edit   edit
		score  int
		passed bool
	}{
		{"right", func(*evidence.Set) {}, 100, true},
		{"drifted pet", pet, 0, false},
		{"patched in place", all(petEdited, service(func(s *evidence.Service) {
			s.Exchanges[0].Body, s.Exchanges[1].Body = "total=207.07", "total=105.94"
		})), 30, false},
		{"committed pet", committedPet(), 80, false},
		{"lost the fix", service(func(s *evidence.Service) { s.Exchanges[1].Body = "total=105.93" }), 85, false},
		{"mounted configuration", live(mounted), 90, false},
		{"a check that is not required fails", all(live(mounted), func(set *evidence.Set) { set.Checks[3].Required = false }), 90, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			set := sample.Right()
			row.edit(set)
			r := grade(t, set)
			if r.Score != row.score || r.Max != 100 || r.Passed != row.passed || r.CouldNotLook() {
				t.Errorf("%d of %d, passed %t, could not look %t; want %d, %t\n%v", r.Score, r.Max, r.Passed, r.CouldNotLook(), row.score, row.passed, statuses(r))
			}
			sum := 0
			for _, c := range r.Checks {
				sum += c.Points
				if c.Status != check.Pass && c.Points != 0 {
					t.Errorf("%s: %s, and %d points", c.Name, c.Status, c.Points)
				}
			}
			if sum != r.Score {
				t.Errorf("%d points make a score of %d", sum, r.Score)
			}
		})
	}
}

// A pet in a tarball, from which HEAD makes the pet again, costs what being
// built from the repository is worth.
func TestPetInATarball(t *testing.T) {
	t.Parallel()
	set := sample.Right()
	layers := sample.With(sample.Layers(sample.ConfToday, sample.QuoteFriday), sample.File("/tmp/HOTFIX", sample.Hotfix))
	sample.AddImage(set, sample.ImageHead, sample.ImageConfig, layers...)
	sample.SetLiveImage(set, sample.ImageConfig, layers...)
	if r := grade(t, set); r.Score != 100 || !r.Passed || r.Provenance.Word != report.Rebuilt {
		t.Errorf("by a Dockerfile alone: %d points, passed %t, %s", r.Score, r.Passed, r.Provenance.Word)
	}
	pet := sample.RepoFile("pet.tar", "packed")
	pet.Kind = "tar"
	set.Head.Files = append(set.Head.Files, pet)
	r := grade(t, set)
	got := statuses(r)
	if r.Score != 80 || r.Passed || r.CouldNotLook() || r.Provenance.Word != report.Laundered || got["source"] != check.Fail || got["built_from_repo"] != check.Skip {
		t.Errorf("out of a tar: %d points, passed %t, %s, %v", r.Score, r.Passed, r.Provenance.Word, got)
	}
}

func TestPassedNeedsRequiredChecks(t *testing.T) {
	t.Parallel()
	set := sample.Right()
	for i := range set.Checks {
		set.Checks[i].Required = false
	}
	if r := grade(t, set); r.Passed || r.Score != r.Max {
		t.Errorf("passed %t with %d of %d points and nothing required", r.Passed, r.Score, r.Max)
	}
	set.Checks = nil
	if r := grade(t, set); r.Passed || r.Max != 0 {
		t.Errorf("passed %t without checks", r.Passed)
	}
	if r := grade(t, &evidence.Set{}); r.Passed || r.Provenance.Word != report.Unknown {
		t.Errorf("a set of nothing: %+v", r)
	}
}

func TestUnstableEvidenceIsNoGrade(t *testing.T) {
	t.Parallel()
	set := sample.Right()
	set.Unstable = "web-001 was started again"
	r := grade(t, set)
	if r.Passed || r.Score != 0 || !r.CouldNotLook() {
		t.Errorf("passed %t, %d points, could not look %t", r.Passed, r.Score, r.CouldNotLook())
	}
	for _, c := range r.Checks {
		if c.Status != check.Error && c.Status != check.Skip {
			t.Errorf("%s: %s", c.Name, c.Status)
		}
		if c.Status == check.Error && (!strings.Contains(c.Observed, "web-001 was started again") || c.Next == "Next "+c.Name) {
			t.Errorf("%s: %q, next %q", c.Name, c.Observed, c.Next)
		}
	}
}

// plain is a check that passes on its own; wrong one that fails.
func plain(name string, requires ...string) lab.Check {
	return lab.Check{Name: name, Kind: "replaced", Service: "booking", Points: 1, Required: true, Requires: requires}
}

func wrong(name string, requires ...string) lab.Check {
	c := plain(name, requires...)
	c.Kind, c.Spec = "http", json.RawMessage(`{"get":"/quote?nights=1","status":418}`)
	return c
}

func in(environment string, c lab.Check) lab.Check {
	c.Environment = environment
	return c
}

func TestRequirements(t *testing.T) {
	t.Parallel()
	const pass, fail, skip, broken = check.Pass, check.Fail, check.Skip, check.Error
	unknown := plain("odd")
	unknown.Kind = "telepathy"
	for _, row := range []struct {
		name    string
		checks  []lab.Check
		want    map[string]check.Status
		because map[string]string // of those that were skipped, or could not be decided
	}{
		{"met", []lab.Check{plain("b", "a"), plain("a")}, map[string]check.Status{"a": pass, "b": pass}, nil},
		{"failed", []lab.Check{wrong("a"), plain("b", "a")}, map[string]check.Status{"a": fail, "b": skip}, map[string]string{"b": "a did not pass"}},
		{"failed, declared later", []lab.Check{plain("b", "a"), wrong("a")}, map[string]check.Status{"a": fail, "b": skip}, map[string]string{"b": "a did not pass"}},
		{"skipped itself", []lab.Check{plain("c", "b"), plain("b", "a"), wrong("a")}, map[string]check.Status{"a": fail, "b": skip, "c": skip},
			map[string]string{"b": "a did not pass", "c": "b did not pass"}},
		{"one of two failed", []lab.Check{plain("a"), wrong("b"), plain("c", "a", "b")}, map[string]check.Status{"a": pass, "b": fail, "c": skip}, map[string]string{"c": "b did not pass"}},
		{"could not be decided", []lab.Check{unknown, plain("b", "odd")}, map[string]check.Status{"odd": broken, "b": skip},
			map[string]string{"odd": `this labctl knows no check of kind "telepathy"`, "b": "odd did not pass"}},
		{"not there", []lab.Check{plain("a", "gone")}, map[string]check.Status{"a": broken}, map[string]string{"a": "it requires check gone, which the evidence does not have"}},
		{"itself", []lab.Check{plain("a", "a")}, map[string]check.Status{"a": broken}, map[string]string{"a": "it requires itself, through others"}},
		{"a circle", []lab.Check{plain("a", "b"), plain("b", "c"), plain("c", "a")}, map[string]check.Status{"a": broken, "b": skip, "c": skip},
			map[string]string{"a": "it requires itself, through others", "b": "c did not pass", "c": "a did not pass"}},
		{"into a circle", []lab.Check{plain("x", "a"), plain("a", "b"), plain("b", "a")}, map[string]check.Status{"x": skip, "a": broken, "b": skip},
			map[string]string{"x": "a did not pass", "a": "it requires itself, through others", "b": "a did not pass"}},
		{"of the same environment", []lab.Check{in("dev", plain("a")), in("prod", wrong("a")), in("dev", plain("b", "a")), in("prod", plain("b", "a"))},
			map[string]check.Status{"a.dev": pass, "a.prod": fail, "b.dev": pass, "b.prod": skip}, map[string]string{"b.prod": "a (prod) did not pass"}},
		{"of all environments", []lab.Check{in("dev", plain("a")), in("prod", wrong("a")), plain("b", "a")},
			map[string]check.Status{"a.dev": pass, "a.prod": fail, "b": skip}, map[string]string{"b": "a (prod) did not pass"}},
		{"of no environment", []lab.Check{wrong("a"), in("dev", plain("b", "a"))}, map[string]check.Status{"a": fail, "b.dev": skip}, map[string]string{"b.dev": "a did not pass"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			set := sample.Right()
			for _, name := range []string{"dev", "prod"} {
				s := set.Services[0]
				s.Environment = name
				set.Services = append(set.Services, s)
			}
			set.Checks = row.checks
			r := grade(t, set)
			for name, status := range statuses(r) {
				if status != row.want[name] {
					t.Errorf("%s: %s, want %s", name, status, row.want[name])
				}
			}
			for _, c := range r.Checks {
				name := c.Name
				if c.Environment != "" {
					name += "." + c.Environment
				}
				said := c.SkippedFor
				if c.Status == check.Error {
					said = c.Observed
				}
				if said != row.because[name] {
					t.Errorf("%s: %q, want %q", name, said, row.because[name])
				}
			}
			if slices.ContainsFunc(r.Checks, func(c report.Result) bool { return c.Status == check.Error }) != r.CouldNotLook() {
				t.Error("an error is a grade")
			}
		})
	}
}

// keys are the names of an object's fields in their order.
func keys(t *testing.T, object json.RawMessage) []string {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(object))
	if _, err := d.Token(); err != nil {
		t.Fatal(err)
	}
	var out []string
	for d.More() {
		name, err := d.Token()
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, name.(string))
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// The report's JSON is scripted against: its keys and their order stay.
func TestJSON(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]edit{"rebuilt": func(*evidence.Set) {}, "laundered": committedPet(), "untouched": pet} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			set := sample.Right()
			edit(set)
			got, err := json.MarshalIndent(grade(t, set), "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			golden := "testdata/" + name + ".json"
			if *update {
				if err := os.WriteFile(golden, append(got, '\n'), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(append(got, '\n'), want) {
				t.Errorf("not as in %s; go test -update writes it anew\n%s", golden, got)
			}
			var top struct {
				Checks     []json.RawMessage
				Evidence   json.RawMessage
				Provenance json.RawMessage
			}
			if err := json.Unmarshal(got, &top); err != nil {
				t.Fatal(err)
			}
			for _, part := range []struct {
				of   json.RawMessage
				want string
			}{
				{got, "schema lab learner instance labctl definition seed evidence passed score max provenance services checks"},
				{top.Evidence, "digest time"},
				{top.Provenance, "word because"},
				{top.Checks[len(top.Checks)-1], "name kind title service environment container status required points max expected observed details notes skipped_because why next"},
			} {
				if got := strings.Join(keys(t, part.of), " "); got != part.want {
					t.Errorf("keys %s\nwant %s", got, part.want)
				}
			}
			if bytes.Contains(got, []byte("null")) {
				t.Error("a list is null")
			}
		})
	}
}

func TestEmptyListsAreNotNull(t *testing.T) {
	t.Parallel()
	b, err := json.Marshal(grade(t, &evidence.Set{Checks: []lab.Check{{Name: "a"}}}))
	if err != nil {
		t.Fatal(err)
	}
	for _, list := range []string{`"services":[]`, `"details":[]`, `"notes":[]`} {
		if !bytes.Contains(b, []byte(list)) {
			t.Errorf("no %s in %s", list, b)
		}
	}
}

// A report can be made again from saved evidence, to the byte.
func TestGradeIsReproducible(t *testing.T) {
	t.Parallel()
	encoded := func(set *evidence.Set) string {
		b, err := json.Marshal(grade(t, set))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	for name, edit := range map[string]edit{
		"right": func(*evidence.Set) {}, "untouched": pet, "patched": petEdited, "laundered": committedPet(), "altered": live(mounted),
		"unstable": func(set *evidence.Set) { set.Unstable = "HEAD moved" },
		"not told": func(set *evidence.Set) {
			for id, i := range set.Images {
				i.Config = nil
				set.Images[id] = i
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			set := sample.Right()
			edit(set)
			before, err := evidence.Marshal(set)
			if err != nil {
				t.Fatal(err)
			}
			first := encoded(set)
			if after, err := evidence.Marshal(set); err != nil || !bytes.Equal(before, after) {
				t.Fatalf("grading changed the evidence: %v", err)
			}
			saved, err := evidence.Unmarshal(before)
			if err != nil {
				t.Fatal(err)
			}
			if again := encoded(set); again != first {
				t.Errorf("graded again\n%s\n%s", first, again)
			}
			if again := encoded(saved); again != first {
				t.Errorf("graded from what was saved\n%s\n%s", first, again)
			}
		})
	}
}
