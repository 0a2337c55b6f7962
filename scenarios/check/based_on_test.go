package check_test

import (
	"encoding/json"
	"testing"

	"github.com/labctl/labctl/scenarios/check"
	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/internal/sample"
)

// The lab's images in these tests: two bases on one root filesystem, the pet's
// image on the first base.
const (
	rootfsID = "sha256:rootfs"
	base1    = "sha256:base-1"
	base2    = "sha256:base-2"
)

var askedForBase2 = json.RawMessage(`{"image": "base_2"}`)

// based is the evidence of a right answer to a check "based_on": what is live
// stands on hotel/base:2.
func based() *evidence.Set {
	set := sample.Right()
	set.Pinned = []evidence.Pinned{
		{Name: "rootfs", Tag: "labctl/base:1", ID: rootfsID},
		{Name: "base_1", Tag: "hotel/base:1", ID: base1},
		{Name: "base_2", Tag: "hotel/base:2", ID: base2},
		{Name: "booking", ID: sample.ImageBuilt},
	}
	for id, layers := range map[string][]string{
		rootfsID: {"rootfs"}, base1: {"rootfs", "one"}, base2: {"rootfs", "two"}, sample.ImageBuilt: {"rootfs", "one", "as built"},
	} {
		set.Images[id] = evidence.Image{ID: id, Layers: layers, Config: json.RawMessage(sample.ImageConfig)}
	}
	set.Builds[0].Lineage = &evidence.Lineage{From: base2}
	liveOn("rootfs", "two", "conf", "scripts")(set)
	return set
}

// liveOn makes the live image one of these layers.
func liveOn(layers ...string) func(*evidence.Set) {
	return imaged(sample.ImageLive, func(i *evidence.Image) { i.Layers = layers })
}

func imaged(id string, edit func(*evidence.Image)) func(*evidence.Set) {
	return func(set *evidence.Set) {
		i := set.Images[id]
		edit(&i)
		set.Images[id] = i
	}
}

// onScratch makes the live image what HEAD makes, on the layers of no image of
// the lab; HEAD's Dockerfile takes from these.
func onScratch(ids ...string) func(*evidence.Set) {
	return func(set *evidence.Set) {
		sample.SetLiveImage(set, sample.ImageConfig, sample.Layers(sample.ConfToday, sample.QuoteFriday)...)
		set.Builds[0].Lineage = &evidence.Lineage{Taken: ids}
	}
}

// alike gives base_1 the layers of base_2; what is live is then what HEAD makes,
// with these on top.
func alike(set *evidence.Set) {
	sample.SetLiveImage(set, sample.ImageConfig, sample.Layers(sample.ConfToday, sample.QuoteFriday)...)
	layers := set.Images[sample.ImageLive].Layers[:1]
	for _, id := range []string{base1, base2} {
		imaged(id, func(i *evidence.Image) { i.Layers = layers })(set)
	}
	imaged(base2, func(i *evidence.Image) { i.Config = sample.Edit(i.Config, "Env", []string{"TLS=1.3"}) })(set)
}

// lineage is what HEAD's Dockerfile stands on.
func lineage(l *evidence.Lineage) func(*evidence.Set) {
	return func(set *evidence.Set) { set.Builds[0].Lineage = l }
}

// outcome is what came of the clean room's build of HEAD.
func outcome(b evidence.Build) func(*evidence.Set) {
	return func(set *evidence.Set) {
		b.Of, b.Commit = evidence.OfHead, sample.CommitHead
		set.Builds[0] = b
	}
}

func TestBasedOn(t *testing.T) {
	t.Parallel()
	const (
		nothingBelow = "none of the lab's images is below web-001"
		either       = "by its layers alone web-001 may stand on any of hotel/base:1, hotel/base:2"
	)
	gone := func(i *evidence.Image) { *i = evidence.Image{ID: i.ID, Error: "no such image"} }
	evaluate(t, check.BasedOn, []verdict{
		{"on it", nil, check.Pass, "it begins with all layers of hotel/base:2", nil, nil},
		{"it, and nothing on it", liveOn("rootfs", "two"), check.Pass, "it begins with all layers of hotel/base:2", nil, nil},
		{"on another that is built on it", all(imaged(base1, func(i *evidence.Image) { i.Layers = []string{"rootfs", "two", "more"} }), liveOn("rootfs", "two", "more", "conf")),
			check.Pass, "it begins with all layers of hotel/base:2", nil, nil},
		{"on it, whatever HEAD is", outcome(evidence.Build{Failed: "exit 1"}), check.Pass, "it begins with all layers of hotel/base:2", nil, nil},
		{"on the other", liveOn("rootfs", "one", "conf"), check.Fail, "web-001 stands on hotel/base:1", nil, nil},
		{"the pet's image", liveOn("rootfs", "one", "as built"), check.Fail, "web-001 stands on hotel/base:1", nil, nil},
		{"on what both are built on", liveOn("rootfs", "conf"), check.Fail, "web-001 stands on labctl/base:1", nil, nil},
		{"on the other, whatever HEAD says", all(liveOn("rootfs", "one", "conf"), lineage(&evidence.Lineage{From: base2})), check.Fail, "web-001 stands on hotel/base:1", nil, nil},
		{"on an image without a tag alone", func(set *evidence.Set) {
			for i := range set.Pinned {
				if set.Pinned[i].ID != base2 {
					set.Pinned[i].Tag = ""
				}
			}
			liveOn("rootfs", "one", "conf")(set)
		}, check.Fail, "web-001 stands on image.base_1", nil, nil},
		{"one replica on the other", all(imaged(sample.ImageBuilt, func(*evidence.Image) {}), service(func(s *evidence.Service) {
			second := s.Live[0]
			second.ID, second.Name, second.Image = "second", "web-002", sample.ImageBuilt
			s.Live = append(s.Live, second)
		})), check.Fail, "web-002 stands on hotel/base:1", nil, nil},

		{"on scratch, of it", onScratch(base2), check.Pass, "HEAD makes the image, and takes it from hotel/base:2", nil, nil},
		{"on scratch, of the other", onScratch(base1), check.Fail, "web-001 stands on hotel/base:1, as HEAD's Dockerfile says", nil, nil},
		{"on scratch, of both", onScratch(base1, base2), check.Fail, "web-001 stands on hotel/base:1, hotel/base:2, as HEAD's Dockerfile says", nil, nil},
		{"on scratch, of the pet's image", onScratch(sample.ImageBuilt), check.Fail, "web-001 stands on image.booking, as HEAD's Dockerfile says", nil, nil},
		{"on scratch, of nothing", onScratch(), check.Fail, nothingBelow + ": HEAD's Dockerfile takes nothing from any", nil, nil},
		{"on scratch, and not what HEAD makes", all(onScratch(base2), func(set *evidence.Set) {
			sample.SetLiveImage(set, sample.ImageConfig, sample.Layers(sample.ConfToday, sample.QuoteBuilt)...)
		}), check.Fail, nothingBelow + ", and HEAD does not make its image: ~ /srv/www/cgi-bin/quote", []string{"~ /srv/www/cgi-bin/quote"}, nil},
		{"on scratch, and HEAD is refused", all(onScratch(base2), outcome(evidence.Build{Refused: "FROM debian"})), check.Fail, nothingBelow + ", and the clean room refuses HEAD's Dockerfile: FROM debian", nil, nil},
		{"on scratch, and HEAD does not build", all(onScratch(base2), outcome(evidence.Build{Failed: "exit 1"})), check.Fail, nothingBelow + ", and HEAD does not build", nil, nil},
		{"on scratch, and HEAD could not be built", all(onScratch(base2), outcome(evidence.Build{Error: "away"})), check.Error, nothingBelow + ", and the clean room could not build HEAD: away", nil, nil},
		{"on scratch, and nobody says of what", all(onScratch(), lineage(nil)), check.Error, nothingBelow + ", and it is not known on what HEAD's Dockerfile stands", nil, nil},

		{"alike, and HEAD says it", alike, check.Pass, "HEAD makes the image, and takes it from hotel/base:2", nil, nil},
		{"alike, and HEAD says the other", all(alike, lineage(&evidence.Lineage{From: base1})), check.Fail, "web-001 stands on hotel/base:1, as HEAD's Dockerfile says", nil, nil},
		{"alike, and not what HEAD makes", all(alike, imaged(sample.ImageLive, func(i *evidence.Image) { i.Config = sample.Edit(i.Config, "User", "1000") })), check.Fail,
			either + `, and HEAD does not make its image: ~ image User "1000" (built: is not set)`, []string{`~ image User "1000" (built: is not set)`}, nil},
		{"alike in everything", all(alike, imaged(base2, func(i *evidence.Image) { i.Config = json.RawMessage(sample.ImageConfig) })), check.Error,
			"hotel/base:2 and hotel/base:1 have the same layers and the same configuration: nothing that is built on one can be told from what is built on the other", nil, nil},
		{"one image with two tags", func(set *evidence.Set) { set.Pinned[1].ID = base2 }, check.Error,
			"hotel/base:2 and hotel/base:1 have the same layers and the same configuration: nothing that is built on one can be told from what is built on the other", nil, nil},
		{"of no layers, which every image begins with", imaged(base2, func(i *evidence.Image) { i.Layers = nil }), check.Fail, "web-001 stands on labctl/base:1", nil, nil},

		{"the other is gone", imaged(base1, gone), check.Pass, "it begins with all layers of hotel/base:2", nil, []string{"no longer there, and so not compared with it: hotel/base:1"}},
		{"it is gone", imaged(base2, gone), check.Error, "hotel/base:2 could not be looked at: image sha256:base-2 could not be read: no such image", nil, nil},
		{"it was not looked at", func(set *evidence.Set) { delete(set.Images, base2) }, check.Error, "hotel/base:2 could not be looked at: image sha256:base-2 was not looked at", nil, nil},
		{"the live image could not be read", imaged(sample.ImageLive, gone), check.Error, "of web-001: image sha256:image-of-web could not be read: no such image", nil, nil},
		{"nothing is pinned", func(set *evidence.Set) { set.Pinned = nil }, check.Error, "the evidence has no image base_2 of the lab", nil, nil},
	})
}

// The clean room is asked only where layers do not decide.
func TestBasedOnAsksForMoreOnlyWhereLayersDoNotDecide(t *testing.T) {
	t.Parallel()
	unbuilt := func(set *evidence.Set) { set.Builds = nil }
	for name, test := range map[string]struct {
		edit func(*evidence.Set)
		more bool
	}{
		"on it":        {func(*evidence.Set) {}, false},
		"on the other": {liveOn("rootfs", "one", "conf"), false},
		"on scratch":   {onScratch(base2), true},
		"alike":        {alike, true},
		"gone":         {imaged(base2, func(i *evidence.Image) { i.Error = "gone" }), false},
	} {
		set := based()
		all(test.edit, unbuilt)(set)
		v := check.BasedOn.Eval(asking(set, "based_on"), set)
		if asks := v.More != nil && v.More.Build && v.More.Layers; asks != test.more || asks && v.Status != check.Error {
			t.Errorf("%s: %s, and asks for %+v", name, v.Status, v.More)
		}
	}
}
