package check_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/labctl/labctl/scenarios/check"
	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/internal/sample"
	"github.com/labctl/labctl/scenarios/lab"
)

// environments is the evidence of a right answer in dev, preprod and prod.
func environments() *evidence.Set {
	set := sample.Right()
	one := set.Services[0]
	set.Services = nil
	for i, name := range []string{"dev", "preprod", "prod"} {
		s := one
		s.Environment = name
		c := one.Live[0]
		c.ID, c.Name = name, name+"-001"
		c.Created = c.Created.Add(time.Duration(i) * time.Minute)
		s.Live = []evidence.Container{c}
		set.Services = append(set.Services, s)
	}
	return set
}

// environmentRow is one row about all environments of a service.
type environmentRow struct {
	name     string
	edit     func(*evidence.Set)
	status   check.Status
	observed string
	details  int
}

func evaluateEnvironments(t *testing.T, kind check.Kind, rows []environmentRow) {
	t.Helper()
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			set := environments()
			row.edit(set)
			v := kind.Eval(lab.Check{Name: kind.Type, Kind: kind.Type, Service: "booking"}, set)
			if v.Status != row.status || v.Observed != row.observed || len(v.Details) != row.details {
				t.Errorf("%s: %q %q\nwant %s: %q, %d details", v.Status, v.Observed, v.Details, row.status, row.observed, row.details)
			}
		})
	}
}

// otherImage makes preprod run another image.
func otherImage(config json.RawMessage, layers ...evidence.Layer) func(*evidence.Set) {
	return func(set *evidence.Set) {
		sample.AddImage(set, sample.ImageOther, string(config), layers...)
		set.Services[1].Live[0].Image = sample.ImageOther
	}
}

func TestSameImage(t *testing.T) {
	t.Parallel()
	sameLayers := func(set *evidence.Set) {
		i := set.Images[sample.ImageLive]
		i.ID = sample.ImageOther
		set.Images[i.ID] = i
		set.Services[1].Live[0].Image = i.ID
	}
	evaluateEnvironments(t, check.SameImage, []environmentRow{
		{"one image", func(*evidence.Set) {}, check.Pass, "one image", 0},
		{"one image with two IDs", sameLayers, check.Pass, "one image", 0},
		{"other layers", otherImage(json.RawMessage(sample.ImageConfig), sample.Layers("", "")...), check.Fail, "preprod-001 run another image than dev-001", 1},
		{"other configuration", all(sameLayers, func(set *evidence.Set) {
			i := set.Images[sample.ImageOther]
			i.Config = sample.Edit(i.Config, "User", "1000")
			set.Images[i.ID] = i
		}), check.Fail, "preprod-001 run another image than dev-001", 1},
		{"an image that could not be read", func(set *evidence.Set) {
			set.Images[sample.ImageLive] = evidence.Image{ID: sample.ImageLive, Error: "gone"}
		},
			check.Error, "the image of dev-001 could not be read: gone", 0},
		{"an image without configuration", func(set *evidence.Set) {
			i := set.Images[sample.ImageLive]
			i.Config = json.RawMessage("null")
			set.Images[i.ID] = i
		}, check.Error, "the image of dev-001 could not be compared: the engine told nothing", 0},
		{"nothing live in one", func(set *evidence.Set) { set.Services[2].Live = nil }, check.Fail, "nothing is live at 127.0.0.1:8080", 0},
		{"one not looked at", func(set *evidence.Set) { set.Services[2].Error = "away" }, check.Error, "service booking.prod could not be looked at: away", 0},
		{"one container of one", func(set *evidence.Set) { set.Services = set.Services[:1] }, check.Error, "dev-001 is all that there is; there is nothing to compare it with", 0},
		{"one container of three", func(set *evidence.Set) { set.Services = set.Services[:1]; set.Services[0].Replicas = 3 }, check.Fail, "only dev-001 is live", 0},
	})
}

func TestPromoted(t *testing.T) {
	t.Parallel()
	created := func(environment int, after time.Duration) func(*evidence.Set) {
		return func(set *evidence.Set) { set.Services[environment].Live[0].Created = sample.Began.Add(after) }
	}
	evaluateEnvironments(t, check.Promoted, []environmentRow{
		{"in order", func(*evidence.Set) {}, check.Pass, "in that order", 0},
		{"preprod first", created(1, time.Second), check.Fail, "preprod before dev", 2},
		{"prod before preprod", created(2, 70*time.Second), check.Fail, "prod before preprod", 2},
		{"at once", created(1, time.Minute), check.Fail, "preprod before dev", 2},
		{"a second replica too early", func(set *evidence.Set) {
			early := set.Services[2].Live[0]
			early.ID, early.Created = "early", sample.Began
			set.Services[2].Live = append(set.Services[2].Live, early)
		}, check.Fail, "prod before preprod", 2},
		{"nothing live in one", func(set *evidence.Set) { set.Services[0].Live = nil }, check.Fail, "nothing is live at 127.0.0.1:8080", 0},
		{"one environment", func(set *evidence.Set) { set.Services = set.Services[:1] }, check.Error, "the evidence has no two environments to compare", 0},
	})
}
