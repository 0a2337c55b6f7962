package report_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"

	"github.com/labctl/labctl/scenarios/check"
	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/internal/sample"
	"github.com/labctl/labctl/scenarios/lab"
	"github.com/labctl/labctl/scenarios/report"
)

// definition is the lab that the sample is evidence of.
func definition() *lab.Lab {
	return &lab.Lab{
		Name: "drift-lab", Learner: "ann", Seed: 7, Definition: "sha256:d1", Checks: sample.Checks(), Commits: sample.Commits(),
		Services: []lab.Service{{
			Name: "booking", Port: 8080, Publish: lab.PublishPort, Replicas: 1, RuntimePaths: []string{"/run/booking"}, Run: lab.Run{Memory: "64m"},
		}},
	}
}

func row(l *lab.Lab, name string) *lab.Check {
	i := slices.IndexFunc(l.Checks, func(c lab.Check) bool { return c.Name == name })
	return &l.Checks[i]
}

func without(checks []lab.Check, name string) []lab.Check {
	return slices.DeleteFunc(slices.Clone(checks), func(c lab.Check) bool { return c.Name == name })
}

func change(name, from, to string, pointsFrom, pointsTo int) report.Change {
	return report.Change{Name: name, Service: "booking", From: from, To: to, PointsFrom: pointsFrom, PointsTo: pointsTo}
}

func TestRegrade(t *testing.T) {
	t.Parallel()
	other := func(l *lab.Lab) { l.Definition = "sha256:d2" }
	for _, test := range []struct {
		name    string
		set     edit
		lab     func(*lab.Lab)
		unlike  []string
		changed []report.Change
		passed  bool
	}{
		{"the same", nil, nil, nil, nil, true},
		{"the same of the pet", pet, nil, nil, nil, false},
		{"a forger took a failing check out", all(live(mounted), func(s *evidence.Set) { s.Checks = without(s.Checks, "run_as_declared") }), nil,
			[]string{"check run_as_declared is missing"}, []report.Change{change("run_as_declared", "absent", "fail", 0, 0)}, false},
		{"a forger left one check", func(s *evidence.Set) { s.Services[0].Exchanges[1].Body, s.Checks = "wrong", s.Checks[:1] }, nil,
			[]string{"check built_from_repo is missing", "check fridays_fix is missing", "check no_drift is missing", "check replaced is missing",
				"check run_as_declared is missing", "check served_by is missing", "check source is missing", "check survives is missing"},
			[]report.Change{change("fridays_fix", "absent", "fail", 0, 0), change("replaced", "absent", "pass", 0, 15), change("run_as_declared", "absent", "pass", 0, 10),
				change("no_drift", "absent", "pass", 0, 10), change("source", "absent", "pass", 0, 0), change("built_from_repo", "absent", "pass", 0, 20),
				change("served_by", "absent", "pass", 0, 5), change("survives", "absent", "pass", 0, 10)}, false},
		{"a forger asked for what is answered", all(service(func(s *evidence.Service) { s.Exchanges[0].Body = "total=1" }), func(s *evidence.Set) {
			s.Checks[0].Spec = json.RawMessage(`{"get":"/quote?nights=2","body":["total=1"]}`)
		}), nil, []string{"check todays_change: spec"},
			// What does not work need not survive.
			[]report.Change{change("todays_change", "pass", "fail", 15, 0), change("fridays_fix", "pass", "skip", 15, 0), change("survives", "fail", "pass", 0, 10)}, false},
		{"a forger made a check not required", func(s *evidence.Set) { s.Checks[2].Required, s.Checks[3].Points = false, 90 }, nil,
			[]string{"check replaced: required", "check run_as_declared: points"}, []report.Change{change("run_as_declared", "pass", "pass", 90, 10)}, true},
		{"a forger added a check", func(s *evidence.Set) { s.Checks = append(s.Checks, plain("gift")) }, nil,
			[]string{"check gift was added"}, []report.Change{change("gift", "pass", "absent", 1, 0)}, true},
		{"a forger hides drift as a runtime path", all(editedLive, service(func(s *evidence.Service) { s.RuntimePaths = []string{"/srv"} })), nil,
			[]string{"service booking: runtime_paths"}, []report.Change{change("no_drift", "pass", "fail", 10, 0)}, false},
		{"a forger puts the pet's archive into the start commit", func(s *evidence.Set) {
			f := sample.RepoFile("pet.tar", "packed")
			f.Kind = "tar"
			s.Head.Files, s.Start.Files = append(s.Head.Files, f), append(s.Start.Files, f)
			layers := sample.With(sample.Layers(sample.ConfToday, sample.QuoteFriday), sample.File("/tmp/HOTFIX", sample.Hotfix))
			sample.AddImage(s, sample.ImageHead, sample.ImageConfig, layers...)
			sample.SetLiveImage(s, sample.ImageConfig, layers...)
		}, nil, []string{"the files of the start commit"}, []report.Change{change("source", "pass", "fail", 0, 0), change("built_from_repo", "pass", "skip", 20, 0)}, false},
		{"a forger declares another run", service(func(s *evidence.Service) { s.Run.Memory = "1g" }), nil,
			[]string{"service booking: run"}, []report.Change{change("run_as_declared", "pass", "error", 10, 0), change("survives", "pass", "error", 10, 0)}, false},
		{"written otherwise", func(s *evidence.Set) {
			s.Checks[0].Spec = json.RawMessage("{\n \"get\": \"/quote?nights=2\",\n \"body\": [\"total=207.07\"] }")
		}, nil, nil, nil, true},

		{"another definition, with the same checks", nil, other, nil, nil, true},
		{"other points", nil, func(l *lab.Lab) { other(l); row(l, "replaced").Points = 20 }, nil, []report.Change{change("replaced", "pass", "pass", 15, 20)}, true},
		{"a check more, nobody looked", nil, func(l *lab.Lab) {
			other(l)
			l.Checks = append(l.Checks, lab.Check{Name: "thanks", Kind: "http", Service: "booking", Points: 5, Required: true, Spec: json.RawMessage(`{"get":"/thanks"}`)})
			// It is asked of a fresh container, too, only when it passes live.
		}, nil, []report.Change{change("thanks", "absent", "error", 0, 0)}, false},
		{"a check less", nil, func(l *lab.Lab) { other(l); l.Checks = without(l.Checks, "survives") }, nil, []report.Change{change("survives", "pass", "absent", 10, 0)}, true},
		{"a stricter check", nil, func(l *lab.Lab) {
			other(l)
			row(l, "fridays_fix").Spec = json.RawMessage(`{"get":"/quote?nights=1","body":["total=1.00"]}`)
		}, nil, []report.Change{change("fridays_fix", "pass", "fail", 15, 0)}, false},
		{"a check of the pet, who was not asked", pet, func(l *lab.Lab) { other(l); row(l, "built_from_repo").Requires = nil }, nil,
			[]report.Change{change("built_from_repo", "skip", "error", 0, 0)}, false},
		{"another port", nil, func(l *lab.Lab) { other(l); l.Services[0].Port = 80 }, nil, []report.Change{
			change("todays_change", "pass", "error", 15, 0), change("fridays_fix", "pass", "skip", 15, 0), change("replaced", "pass", "error", 15, 0),
			change("run_as_declared", "pass", "skip", 10, 0), change("no_drift", "pass", "skip", 10, 0), change("source", "pass", "skip", 0, 0),
			change("built_from_repo", "pass", "skip", 20, 0), change("served_by", "pass", "skip", 5, 0), change("survives", "pass", "skip", 10, 0)}, false},
		{"images with their tags", func(s *evidence.Set) {
			s.Pinned = []evidence.Pinned{{Name: "base", Tag: "labctl/base:1", ID: "sha256:b"}}
		},
			func(l *lab.Lab) { l.Images = []lab.Image{{Name: "base", Tag: "labctl/base:1"}} }, nil, nil, true},
		{"a forger renamed an image of the lab", func(s *evidence.Set) {
			s.Pinned = []evidence.Pinned{{Name: "base", Tag: "labctl/base:1", ID: "sha256:b"}, {Name: "tools", ID: "sha256:t"}}
		}, func(l *lab.Lab) { l.Images = []lab.Image{{Name: "base", Tag: "labctl/base:2"}, {Name: "booking"}} },
			[]string{"image base: tag", "image booking is missing", "image tools was added"}, nil, true},
		{"a base that nobody looked at", nil, func(l *lab.Lab) {
			other(l)
			l.Checks = append(l.Checks, lab.Check{Name: "base", Kind: "based_on", Service: "booking", Points: 5, Required: true, Spec: json.RawMessage(`{"image":"base"}`)})
		}, nil, []report.Change{change("base", "absent", "error", 0, 0)}, false},
		{"more replicas", nil, func(l *lab.Lab) { other(l); l.Services[0].Replicas = 2; l.Checks = l.Checks[2:3] }, nil, []report.Change{
			change("replaced", "pass", "fail", 15, 0), change("todays_change", "pass", "absent", 15, 0), change("fridays_fix", "pass", "absent", 15, 0),
			change("run_as_declared", "pass", "absent", 10, 0), change("no_drift", "pass", "absent", 10, 0), change("source", "pass", "absent", 0, 0),
			change("built_from_repo", "pass", "absent", 20, 0), change("served_by", "pass", "absent", 5, 0), change("survives", "pass", "absent", 10, 0)}, false},
		{"a service that was not there", nil, func(l *lab.Lab) {
			other(l)
			l.Services = append(l.Services, lab.Service{Name: "billing"})
			l.Checks = append(l.Checks, lab.Check{Name: "bill", Kind: "http", Service: "billing", Points: 5, Required: true, Spec: json.RawMessage(`{"get":"/"}`)})
		}, nil, []report.Change{{Name: "bill", Service: "billing", From: "absent", To: "error"}}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			set, l := sample.Right(), definition()
			if test.set != nil {
				test.set(set)
			}
			if test.lab != nil {
				test.lab(l)
			}
			before := grade(t, set)
			got, err := report.Regrade(set, l)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got.Unlike, test.unlike) {
				t.Errorf("unlike %q, want %q", got.Unlike, test.unlike)
			}
			if !slices.Equal(got.Changed, test.changed) {
				t.Errorf("changed\n%+v\nwant\n%+v", got.Changed, test.changed)
			}
			if got.Report.Passed != test.passed {
				t.Errorf("passed %t: %v", got.Report.Passed, statuses(got.Report))
			}
			if got.Same != (l.Definition == "sha256:d1") || got.Embedded != "sha256:d1" || got.Report.Definition != l.Definition {
				t.Errorf("same %t, embedded %s, definition %s", got.Same, got.Embedded, got.Report.Definition)
			}
			if got.Report.Evidence != before.Evidence || got.Unlike == nil || got.Changed == nil {
				t.Errorf("%+v", got)
			}
			if after := grade(t, set); !reflect.DeepEqual(after, before) {
				t.Error("the evidence itself was changed")
			}
		})
	}
}

// A forger who takes the whole service out, or calls it otherwise.
func TestRegradeNamesServicesThatAreGone(t *testing.T) {
	t.Parallel()
	set := sample.Right()
	set.Services[0].Name = "bookings"
	got, err := report.Regrade(set, definition())
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"service booking is missing", "service bookings was added"}; !slices.Equal(got.Unlike, want) || got.Report.Passed || !got.Report.CouldNotLook() {
		t.Errorf("unlike %q, passed %t, %v", got.Unlike, got.Report.Passed, statuses(got.Report))
	}
}

func TestRegradeRefusesAnotherLab(t *testing.T) {
	t.Parallel()
	l := definition()
	l.Name = "other-lab"
	if _, err := report.Regrade(sample.Right(), l); err == nil {
		t.Error("it was graded with another lab's checks")
	}
}

func TestRepeated(t *testing.T) {
	t.Parallel()
	result := func(name string, s check.Status) report.Result {
		return report.Result{Name: name, Service: "web", Status: s}
	}
	run := func(word report.Word, results ...report.Result) report.Report {
		return report.Report{Provenance: report.Provenance{Word: word}, Checks: results, Score: len(results)}
	}
	for _, test := range []struct {
		name     string
		runs     []report.Report
		wavering []report.Wavering
		wavers   bool
	}{
		{"alike", []report.Report{run("rebuilt", result("a", check.Pass)), run("rebuilt", result("a", check.Pass))}, nil, false},
		{"alike, and failed", []report.Report{run("none", result("a", check.Fail)), run("none", result("a", check.Fail))}, nil, false},
		{"one once otherwise", []report.Report{
			run("rebuilt", result("a", check.Pass), result("b", check.Pass)), run("rebuilt", result("a", check.Pass), result("b", check.Fail)), run("rebuilt", result("a", check.Pass), result("b", check.Pass)),
		}, []report.Wavering{{Name: "b", Service: "web", Outcomes: []string{"pass", "fail", "pass"}}}, true},
		{"one that was never evaluated", []report.Report{run("rebuilt", result("a", check.Pass)), run("rebuilt", result("a", check.Unknown))},
			[]report.Wavering{{Name: "a", Service: "web", Outcomes: []string{"pass", "error"}}}, true},
		{"one that is not always there", []report.Report{run("rebuilt"), run("rebuilt", result("a", check.Pass))},
			[]report.Wavering{{Name: "a", Service: "web", Outcomes: []string{"absent", "pass"}}}, true},
		{"the word alone", []report.Report{run("rebuilt", result("a", check.Pass)), run("unproven", result("a", check.Pass))}, nil, true},
	} {
		got := report.Repeated(test.runs)
		if !reflect.DeepEqual(got.Wavering, append([]report.Wavering{}, test.wavering...)) || got.Wavers() != test.wavers {
			t.Errorf("%s: %+v, wavers %t", test.name, got.Wavering, got.Wavers())
		}
		if last := test.runs[len(test.runs)-1]; got.Runs != len(test.runs) || len(got.Words) != got.Runs || !reflect.DeepEqual(got.Report, last) {
			t.Errorf("%s: %+v", test.name, got)
		}
	}
}
