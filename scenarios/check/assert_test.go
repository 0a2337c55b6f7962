package check_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/labctl/labctl/scenarios/check"
	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/lab"
)

// assertion is an assert check as config resolves it.
func assertion(t *testing.T, condition string) lab.Check {
	t.Helper()
	spec, err := json.Marshal(map[string]any{
		"condition": check.Expression{
			Source: condition,
			Values: map[string]check.ExpressionValue{
				"param": {Type: []byte(`["object",{"user":"string"}]`), Value: []byte(`{"user":"1000"}`)},
			},
			Start: map[string][]string{"web.prod": {"pet-01"}},
		},
		"error_message": "Not as it should be.",
	})
	if err != nil {
		t.Fatal(err)
	}
	return lab.Check{Name: "a", Kind: "assert", Spec: spec}
}

func assertSet() *evidence.Set {
	container := func(id, called string) evidence.Container {
		return evidence.Container{
			ID: id, Name: "name-" + id, Called: called, Image: "sha256:i", State: "running", Tree: "t",
			Created:    time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
			Config:     json.RawMessage(`{"User":"1000","Env":["A=b=c"],"Labels":{"l":"v"}}`),
			HostConfig: json.RawMessage(`{"Memory":67108864,"ReadonlyRootfs":true}`),
		}
	}
	return &evidence.Set{
		Services: []evidence.Service{
			{Name: "web", Environment: "prod", Live: []evidence.Container{container("new", "")}},
			{Name: "web", Environment: "dev", Error: "the engine went away"},
			{Name: "db", Live: []evidence.Container{}},
		},
		Start:  evidence.Start{Containers: []evidence.Container{container("old", "pet-01")}},
		Images: map[string]evidence.Image{"sha256:i": {ID: "sha256:i", Layers: []string{"sha256:l1", "sha256:l2"}}},
		Trees: map[string]evidence.Tree{"t": {
			{Path: "/etc/conf", Type: evidence.TypeFile, Mode: 0o644, SHA256: "abc", Size: 3},
		}},
		Head: evidence.Head{
			Commit: "c0ffee", Subject: "Fix", Files: []evidence.RepoFile{{Path: "conf", Mode: "100644", SHA256: "abc", Size: 3}},
			Dirty: []evidence.Change{{Path: "x", Sign: "+"}},
		},
	}
}

func TestAssertEvaluatesEvidence(t *testing.T) {
	t.Parallel()
	for condition, want := range map[string]check.Status{
		`length(live.web.prod) == 1`: check.Pass,
		`length(live.db) == 0`:       check.Pass,
		`live.web.prod[0].id == "new" && start.web.prod[0].id == "old"`:                check.Pass,
		`alltrue([for c in live.web.prod : c.user == param.user])`:                     check.Pass,
		`alltrue([for c in live.web.prod : c.user != param.user])`:                     check.Fail,
		`live.web.prod[0].env["A"] == "b=c" && live.web.prod[0].labels.l == "v"`:       check.Pass,
		`live.web.prod[0].memory == 64 * 1024 * 1024 && live.web.prod[0].read_only`:    check.Pass,
		`live.web.prod[0].created == "2026-01-02T03:04:05Z"`:                           check.Pass,
		`length(live.web.prod[0].layers) == 2`:                                         check.Pass,
		`live.web.prod[0].files["/etc/conf"].mode == "0644"`:                           check.Pass,
		`(live.web.prod[*].files)[0]["/etc/conf"].sha256 == head.files["conf"].sha256`: check.Pass,
		`head.dirty && head.commit == "c0ffee" && head.files["conf"].mode == "100644"`: check.Pass,
		`head.files["nowhere"].size == 0`:                                              check.Error, // evaluation fails
		`live.web.dev[0].id == "x"`:                                                    check.Error, // could not look
		`length(live.web) == 1 || length(live["web"].dev) == 0`:                        check.Error, // reaches dev, too
		`head.commit`: check.Error, // neither true nor false
		`(`:           check.Error,
	} {
		v := check.Assert.Eval(assertion(t, condition), assertSet())
		if v.Status != want {
			t.Errorf("%s: %s (%s), want %s", condition, v.Status, v.Observed, want)
		}
		if want == check.Fail && v.Observed != "Not as it should be." {
			t.Errorf("%s: observed %q", condition, v.Observed)
		}
	}
}

func TestAssertCouldNotLook(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		condition, want string
		damage          func(*evidence.Set)
	}{
		"files":       {`live.web.prod[0].files != null`, "tar broke", func(s *evidence.Set) { s.Services[0].Live[0].TreeError = "tar broke" }},
		"no files":    {`live.web.prod[0].files != null`, "not looked at", func(s *evidence.Set) { s.Trees = nil }},
		"layers":      {`live.web.prod[0].layers != null`, "gone", func(s *evidence.Set) { s.Images["sha256:i"] = evidence.Image{Error: "gone"} }},
		"no layers":   {`live.web.prod[0].layers != null`, "not looked at", func(s *evidence.Set) { s.Images = nil }},
		"start":       {`length(start.web.prod) == 1`, "folder is gone", func(s *evidence.Set) { s.Start.Lost = "folder is gone" }},
		"head":        {`head.dirty`, "no repository", func(s *evidence.Set) { s.Head = evidence.Head{Error: "no repository"} }},
		"no head":     {`head.dirty`, "not looked at", func(s *evidence.Set) { s.Head = evidence.Head{} }},
		"config":      {`live.web.prod[0].user == ""`, "configuration", func(s *evidence.Set) { s.Services[0].Live[0].Config = nil }},
		"other value": {`length(live.db) == 0`, "", func(s *evidence.Set) { s.Services[0].Live[0].Config, s.Start.Lost, s.Trees = nil, "x", nil }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			set := assertSet()
			test.damage(set)
			v := check.Assert.Eval(assertion(t, test.condition), set)
			if test.want == "" {
				if v.Status != check.Pass {
					t.Errorf("what the condition does not refer to changed it: %s (%s)", v.Status, v.Observed)
				}
				return
			}
			if v.Status != check.Error || !strings.Contains(v.Observed, test.want) {
				t.Errorf("%s (%s), want an error with %q", v.Status, v.Observed, test.want)
			}
		})
	}
}

func TestAssertNeedsWhatItRefersTo(t *testing.T) {
	t.Parallel()
	for condition, want := range map[string]check.Needs{
		`length(live.web.prod) == 1`: {},
		`head.dirty`:                 {Head: true},
		`alltrue([for c in live.web.prod : length(c.files) > 1])`:    {Trees: true},
		`alltrue([for c in start.web.prod : length(c.files) > 1])`:   {Trees: true},
		`live.web.prod[*]["layers"] != null`:                         {Layers: true},
		`live.web.prod[0].files["/x"].sha256 == head.files.x.sha256`: {Trees: true, Head: true},
		`length(head.files) > 1`:                                     {Head: true},
	} {
		got, err := check.Assert.Needs(assertion(t, condition))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s needs %+v, %v; want %+v", condition, got, err, want)
		}
	}
	if _, err := check.Assert.Needs(assertion(t, "(")); err == nil {
		t.Error("a condition that cannot be read needs nothing")
	}
}

func TestAssertValidate(t *testing.T) {
	t.Parallel()
	if wrong := check.Assert.Validate(assertion(t, "head.dirty").Spec); wrong != nil {
		t.Errorf("nothing is wrong, and it says %q", wrong)
	}
	for _, spec := range []string{`{"error_message": " "}`, `{"error_message": 1}`} {
		if wrong := check.Assert.Validate([]byte(spec)); len(wrong) != 1 {
			t.Errorf("%s: %q", spec, wrong)
		}
	}
}
