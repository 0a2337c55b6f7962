package check_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/labctl/labctl/scenarios/check"
	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/internal/sample"
	"github.com/labctl/labctl/scenarios/lab"
)

// asked is a check that wants a demonstration in preprod before prod.
func asked() lab.Check {
	return lab.Check{
		Name: "done", Kind: "demonstrated", Service: "booking", Environment: "preprod", Points: 10, Required: true,
		Spec: json.RawMessage(`{"before": "prod", "behaviour": ["todays_change"]}`),
	}
}

// demonstrated is the evidence of environments, with a demonstration that was
// made between preprod and prod.
func demonstrated() *evidence.Set {
	set := environments()
	behaves := set.Checks[0]
	set.Checks = []lab.Check{asked()}
	for i := range set.Services {
		s := &set.Services[i]
		s.Traffic, s.Fresh = nil, nil
		s.Exchanges = slices.Clone(s.Exchanges)
		for j := range s.Exchanges {
			s.Exchanges[j].Container = s.Environment
		}
		behaves.Environment = s.Environment
		set.Checks = append(set.Checks, behaves)
	}
	set.Demonstrations = []evidence.Demonstration{demonstration("d1", sample.ImageLive, 150*time.Second)}
	return set
}

// demonstration is a record that was made so long after the start; preprod's
// container came after two minutes, and prod's after three.
func demonstration(name, image string, after time.Duration) evidence.Demonstration {
	return evidence.Demonstration{
		ID: name, Name: name, Created: sample.Began.Add(after), Image: image,
		Service: "booking", Environment: "preprod", Check: "done", Containers: []string{"preprod"},
	}
}

func recorded(all ...evidence.Demonstration) func(*evidence.Set) {
	return func(set *evidence.Set) { set.Demonstrations = all }
}

func TestDemonstrated(t *testing.T) {
	t.Parallel()
	other := func(set *evidence.Set) {
		sample.AddImage(set, sample.ImageOther, sample.ImageConfig, sample.Layers("", "")...)
	}
	otherID := func(set *evidence.Set) {
		i := set.Images[sample.ImageLive]
		i.ID = sample.ImageOther
		set.Images[i.ID] = i
	}
	unread := func(set *evidence.Set) {
		set.Images[sample.ImageOther] = evidence.Image{ID: sample.ImageOther, Error: "gone"}
	}
	of := func(edit func(*evidence.Demonstration)) evidence.Demonstration {
		d := demonstration("d1", sample.ImageLive, 150*time.Second)
		edit(&d)
		return d
	}
	const (
		before  = "demonstrated before"
		nothing = "nothing was demonstrated in preprod before this check"
		late    = "it was demonstrated in preprod only after prod ran it already"
		another = "what was demonstrated in preprod is another image than prod-001 runs"
	)
	for _, row := range []environmentRow{
		{"before prod", func(*evidence.Set) {}, check.Pass, before, 0},
		{"an image with two IDs", all(otherID, recorded(demonstration("d1", sample.ImageOther, 150*time.Second))), check.Pass, before, 0},
		{"once before and once after", recorded(demonstration("d2", sample.ImageLive, time.Hour), demonstration("d1", sample.ImageLive, 150*time.Second)), check.Pass, before, 0},
		{"another image as well", all(other, recorded(demonstration("d1", sample.ImageOther, 0), demonstration("d2", sample.ImageLive, 150*time.Second))), check.Pass, before, 0},
		{"something that cannot be read as well", all(unread, recorded(demonstration("d1", sample.ImageOther, 0), demonstration("d2", sample.ImageLive, 150*time.Second))), check.Pass, before, 0},
		{"preprod has nothing any more", func(set *evidence.Set) { set.Services[1].Live = nil }, check.Pass, before, 0},
		{"preprod does not behave any more", func(set *evidence.Set) { set.Services[1].Exchanges = nil }, check.Pass, before, 0},
		{"nobody looked", recorded(), check.Error, "what was demonstrated was not looked at", 0},
		{"none", func(set *evidence.Set) { set.Demonstrations = []evidence.Demonstration{} }, check.Fail, nothing, 0},
		{"by another check", recorded(of(func(d *evidence.Demonstration) { d.Check = "other" })), check.Fail, nothing, 0},
		{"in another environment", recorded(of(func(d *evidence.Demonstration) { d.Environment = "dev" })), check.Fail, nothing, 0},
		{"of another service", recorded(of(func(d *evidence.Demonstration) { d.Service = "rates" })), check.Fail, nothing, 0},
		{"another image", all(other, recorded(demonstration("d1", sample.ImageOther, 0))), check.Fail, another, 1},
		{"after prod", recorded(demonstration("d1", sample.ImageLive, time.Hour)), check.Fail, late, 2},
		{"at once with prod", recorded(demonstration("d1", sample.ImageLive, 180*time.Second)), check.Fail, late, 2},
		{"one of prod's replicas came too early", func(set *evidence.Set) {
			early := set.Services[2].Live[0]
			early.ID, early.Created = "early", sample.Began
			set.Services[2].Live = append(set.Services[2].Live, early)
		}, check.Fail, late, 2},
		{"prod runs two images", all(other, func(set *evidence.Set) {
			second := set.Services[2].Live[0]
			second.ID, second.Name, second.Image = "second", "prod-002", sample.ImageOther
			set.Services[2].Live = append(set.Services[2].Live, second)
		}), check.Fail, "prod runs several images: prod-002 runs another than prod-001", 0},
		{"what cannot be read", all(unread, recorded(demonstration("d1", sample.ImageOther, 0))), check.Error,
			"the image that d1 is of could not be read: gone; docker rm d1 removes the record", 0},
		{"too late, but for what cannot be read", all(unread, recorded(demonstration("d1", sample.ImageOther, 0), demonstration("d2", sample.ImageLive, time.Hour))), check.Error,
			"the image that d1 is of could not be read: gone; docker rm d1 removes the record", 0},
		{"prod's image cannot be read", func(set *evidence.Set) { delete(set.Images, sample.ImageLive) }, check.Error, "the image of prod-001 could not be read: ", 0},
		{"nothing live in prod", func(set *evidence.Set) { set.Services[2].Live = nil }, check.Fail, "nothing is live at 127.0.0.1:8080", 0},
		{"prod was not looked at", func(set *evidence.Set) { set.Services[2].Error = "away" }, check.Error, "service booking could not be looked at: away", 0},
		{"no prod", func(set *evidence.Set) { set.Services = set.Services[:2] }, check.Error, "the evidence has no service booking", 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			set := demonstrated()
			row.edit(set)
			v := check.Demonstrated.Eval(asked(), set)
			if v.Status != row.status || v.Observed != row.observed || len(v.Details) != row.details {
				t.Errorf("%s: %q %q\nwant %s: %q, %d details", v.Status, v.Observed, v.Details, row.status, row.observed, row.details)
			}
			if says := len(v.Notes) > 0; says != (v.Status == check.Pass) {
				t.Errorf("notes are %q", v.Notes)
			}
		})
	}
}

// What is recorded is what was seen to behave where it is asked for, once.
func TestDemonstrable(t *testing.T) {
	t.Parallel()
	one := evidence.Demonstration{Image: sample.ImageLive, Service: "booking", Environment: "preprod", Check: "done", Containers: []string{"preprod"}}
	none := func(set *evidence.Set) { set.Demonstrations = []evidence.Demonstration{} }
	preprod := func(edit func(*evidence.Service)) func(*evidence.Set) {
		return all(none, func(set *evidence.Set) { edit(&set.Services[1]) })
	}
	for _, row := range []struct {
		name string
		edit func(*evidence.Set)
		want []evidence.Demonstration
	}{
		{"it behaves", none, []evidence.Demonstration{one}},
		{"it is recorded", func(*evidence.Set) {}, nil},
		{"it is recorded for another check", func(set *evidence.Set) { set.Demonstrations[0].Check = "other" }, []evidence.Demonstration{one}},
		{"another image is recorded", all(func(set *evidence.Set) {
			sample.AddImage(set, sample.ImageOther, sample.ImageConfig, sample.Layers("", "")...)
		}, recorded(demonstration("d1", sample.ImageOther, 0))), []evidence.Demonstration{one}},
		{"it answers wrong", preprod(func(s *evidence.Service) { s.Exchanges[0].Body = "total=1" }), nil},
		{"it was not asked", preprod(func(s *evidence.Service) { s.Exchanges = nil }), nil},
		{"prod answers wrong", all(none, func(set *evidence.Set) { set.Services[2].Exchanges[0].Body = "total=1" }), []evidence.Demonstration{one}},
		{"nothing is live", preprod(func(s *evidence.Service) { s.Live, s.Exchanges = nil, nil }), nil},
		{"something else may have answered", preprod(func(s *evidence.Service) { s.Sharers = []evidence.Sharer{{Name: "front"}} }), nil},
		{"what was seen changed meanwhile", all(none, func(set *evidence.Set) { set.Unstable = "HEAD changed" }), nil},
		{"a check that it names is not there", all(none, func(set *evidence.Set) {
			set.Checks[0].Spec = json.RawMessage(`{"before": "prod", "behaviour": ["todays_change", "fridays_fix"]}`)
		}), nil},
		{"no check asks for it", all(none, func(set *evidence.Set) { set.Checks = set.Checks[1:] }), nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			set := demonstrated()
			row.edit(set)
			if got := check.Demonstrable(set); !reflect.DeepEqual(got, row.want) {
				t.Errorf("got %+v\nwant %+v", got, row.want)
			}
		})
	}
}

// Replicas of one image are one demonstration, those of two are two.
func TestDemonstrableReplicas(t *testing.T) {
	t.Parallel()
	set := demonstrated()
	set.Demonstrations = []evidence.Demonstration{}
	sample.AddImage(set, sample.ImageOther, sample.ImageConfig, sample.Layers("", "")...)
	s := &set.Services[1]
	s.Address, s.Publish = "", lab.PublishNone
	for id, image := range map[string]string{"same": sample.ImageLive, "other": sample.ImageOther} {
		c := s.Live[0]
		c.ID, c.Image = id, image
		s.Live = append(s.Live, c)
	}
	slices.SortFunc(s.Live[1:], func(a, b evidence.Container) int { return len(a.ID) - len(b.ID) })
	for _, c := range s.Live[1:] {
		for _, e := range s.Exchanges[:2] {
			e.Container = c.ID
			s.Exchanges = append(s.Exchanges, e)
		}
	}
	got := check.Demonstrable(set)
	if len(got) != 2 || !slices.Equal(got[0].Containers, []string{"preprod", "same"}) || !slices.Equal(got[1].Containers, []string{"other"}) {
		t.Errorf("got %+v", got)
	}
}
