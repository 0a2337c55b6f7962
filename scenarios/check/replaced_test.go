package check_test

import (
	"testing"
	"time"

	"github.com/labctl/labctl/scenarios/check"
	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/internal/sample"
)

// petIs keeps the pet beside what is live, in a state and with a restart
// policy.
func petIs(state, restart string) func(*evidence.Set) {
	return func(set *evidence.Set) {
		pet := sample.Pet()
		pet.State, pet.RestartPolicy = state, restart
		set.Start.Now = append(set.Start.Now, pet)
	}
}

// petLive is the evidence with the pet live, edited.
func petLive(edit func(*evidence.Set)) func(*evidence.Set) {
	return func(set *evidence.Set) {
		*set = *sample.Untouched()
		edit(set)
	}
}

func TestReplaced(t *testing.T) {
	t.Parallel()
	const stillLive = "pet-01 is still live"
	changed := func(set *evidence.Set) {
		sample.SetLiveTree(set, evidence.Union(sample.With([]evidence.Layer{evidence.Layer(sample.PetTree())},
			sample.File("/etc/booking.conf", sample.ConfToday), sample.File("/run/booking/pid", "1"), sample.Dir("/run/booking"))))
	}
	lost := func(set *evidence.Set) {
		set.Start.Containers, set.Start.HandMade, set.Start.Lost = nil, nil, "the instance's folder is gone"
	}
	evaluate(t, check.Replaced, []verdict{
		{"pet removed", nil, check.Pass, "web-001", nil, nil},
		{"pet live", petLive(func(*evidence.Set) {}), check.Fail, stillLive, nil, nil},
		{"pet live and changed", petLive(changed), check.Fail, stillLive, []string{"~ /etc/booking.conf"}, nil},
		{"pet live under another name", petLive(live(func(c *evidence.Container) { c.Name, c.Called = "web-001", "" })), check.Fail, "web-001 is still live", nil, nil},
		{"pet live, its label lost", petLive(live(func(c *evidence.Container) { c.Start = false })), check.Fail, stillLive, nil, nil},
		{"pet live, baseline lost", petLive(lost), check.Fail, stillLive, nil, nil},
		{"pet live, its filesystem not read", petLive(live(func(c *evidence.Container) { c.Tree, c.TreeError = "", "gone" })), check.Fail, stillLive, nil, nil},
		{"pet running on the side", petIs("running", ""), check.Fail, "pet-01 is not live, but still there: running", nil, nil},
		{"pet paused", petIs("paused", ""), check.Fail, "pet-01 is not live, but still there: paused", nil, nil},
		{"pet restarting", petIs("restarting", "always"), check.Fail, "pet-01 is not live, but still there: restarting", nil, nil},
		{"pet in no known state", petIs("", ""), check.Fail, "pet-01 is not live, but still there: ", nil, nil},
		{"pet stopped", petIs("exited", "no"), check.Pass, "web-001", nil, []string{"pet-01 is stopped, not removed: rotated out"}},
		{"pet dead", petIs("dead", ""), check.Pass, "web-001", nil, []string{"pet-01 is stopped, not removed: rotated out"}},
		{"pet stopped, with a restart policy", petIs("exited", "always"), check.Fail, `pet-01 is stopped, and its restart policy "always" would bring it back`, nil, nil},
		{"pet stopped, restarted after failures", petIs("exited", "on-failure"), check.Fail, `pet-01 is stopped, and its restart policy "on-failure" would bring it back`, nil, nil},
		{"another service's pet running", all(petIs("running", ""), func(set *evidence.Set) { set.Start.Now[0].Serves = "billing" }), check.Pass, "web-001", nil, nil},
		{"baseline lost", lost, check.Pass, "web-001", nil, []string{"what the start's containers held is not known: the instance's folder is gone"}},
		{"baseline lost, pet running on the side", all(lost, petIs("running", "")), check.Fail, "pet-01 is not live, but still there: running", nil, nil},
		{"baseline lost, created before the pet that is left", all(lost, petIs("exited", ""), live(func(c *evidence.Container) { c.Created = sample.Began })), check.Fail,
			"web-001 is no younger than the start's containers", nil, nil},
		{"no baseline at all", func(set *evidence.Set) { set.Start = evidence.Start{} }, check.Error, "the evidence does not say which containers were there at the start", nil, nil},
		{"start's containers not looked at", func(set *evidence.Set) { set.Start.Error = "away" }, check.Error, "what became of the start's containers could not be looked at: away", nil, nil},
		{"too few replicas", service(func(s *evidence.Service) { s.Replicas = 2 }), check.Fail, "1 of 2 containers are live", nil, nil},
		{"one of two is the pet", service(func(s *evidence.Service) { s.Live = append(s.Live, sample.Pet()) }), check.Fail, stillLive, nil, nil},
		{"two pets live", petLive(service(func(s *evidence.Service) {
			other := sample.Pet()
			other.ID, other.Name, other.Called = "other", "pet-02", "pet-02"
			s.Live = append([]evidence.Container{other}, s.Live...)
		})), check.Fail, "pet-01 and pet-02 are still live", nil, nil},
		{"created before the pet", live(func(c *evidence.Container) { c.Created = sample.Began.Add(-time.Second) }), check.Fail, "web-001 is no younger than the start's containers", nil, nil},
		{"created with the pet", live(func(c *evidence.Container) { c.Created = sample.Began }), check.Fail, "web-001 is no younger than the start's containers", nil, nil},
	})
}
