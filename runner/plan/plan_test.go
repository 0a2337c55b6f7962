package plan_test

import (
	"strings"
	"testing"

	"github.com/labctl/labctl/runner/plan"
	"github.com/labctl/labctl/scenarios/lab"
)

// hotel is a lab with two images, two environments and a container in each.
func hotel() *lab.Lab {
	return &lab.Lab{
		Name:         "hotel",
		Environments: []lab.Environment{{Name: "dev"}, {Name: "prod"}},
		Images:       []lab.Image{{Name: "base", Tag: "labctl/base:1", Rootfs: "busybox"}, {Name: "booking", Commit: "built"}},
		Services: []lab.Service{
			{Name: "booking", Environment: "dev", Port: 8080, Publish: lab.PublishPort},
			{Name: "booking", Environment: "prod", Port: 8080, Publish: lab.PublishPort, Ready: lab.Ready{Get: "/", Within: "10s"}},
		},
		Scenarios: []lab.Scenario{{Name: "first", Start: true, Containers: []lab.Container{
			{Name: "box-dev", Image: "booking", Service: "booking", Environment: "dev"},
			{Name: "box-prod", Image: "booking", Service: "booking", Environment: "prod", Drift: "touch /tmp/x"},
		}}},
	}
}

func TestStartInstance(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		observed plan.Observed
		want     string
	}{
		"nothing is there": {
			want: `
0 create workspace /w: the learner works there
1 make image labctl/base:1: the lab's world is made of it (after 0)
2 make image labctl/hotel-ida:booking: the lab's world is made of it (after 0, 1)
3 create network hotel-ida-dev: it is not there (after 0, 1, 2)
4 create network hotel-ida-prod: it is not there (after 0, 1, 2)
5 create container hotel-ida-box-dev-starting: the start has it (after 3)
6 start container hotel-ida-box-dev-starting: it runs (after 5)
7 record container hotel-ida-box-dev-starting: what it is now is compared with later (after 6)
8 name container hotel-ida-box-dev: it is complete (after 7)
9 create container hotel-ida-box-prod-starting: the start has it (after 4)
10 start container hotel-ida-box-prod-starting: it runs (after 9)
11 drift container hotel-ida-box-prod-starting: somebody changed it by hand (after 10)
12 wait for container hotel-ida-box-prod-starting: service.booking.prod says when it is ready (after 11)
13 record container hotel-ida-box-prod-starting: what it is now is compared with later (after 12)
14 name container hotel-ida-box-prod: it is complete (after 13)
`,
		},
		"killed half-way: what is finished stays, what is not is made again": {
			observed: plan.Observed{
				Workspace: true,
				Networks:  []string{"hotel-ida-dev", "hotel-ida-prod"},
				Containers: []plan.Found{
					{ID: "d1", Name: "hotel-ida-box-dev", Called: "box-dev", Finished: true},
					{ID: "p1", Name: "hotel-ida-box-prod-starting", Called: "box-prod"},
				},
			},
			want: `
0 make image labctl/base:1: the lab's world is made of it
1 make image labctl/hotel-ida:booking: the lab's world is made of it (after 0)
2 remove container p1: hotel-ida-box-prod-starting is half-made
3 create container hotel-ida-box-prod-starting: the start has it (after 0, 1, 2)
4 start container hotel-ida-box-prod-starting: it runs (after 3)
5 drift container hotel-ida-box-prod-starting: somebody changed it by hand (after 4)
6 wait for container hotel-ida-box-prod-starting: service.booking.prod says when it is ready (after 5)
7 record container hotel-ida-box-prod-starting: what it is now is compared with later (after 6)
8 name container hotel-ida-box-prod: it is complete (after 7)
`,
		},
		"complete: nothing": {
			observed: plan.Observed{Complete: true, Workspace: true, Networks: []string{"hotel-ida-dev", "hotel-ida-prod"}},
			want:     "\n",
		},
		"complete, and the learner removed containers, a network and the folder: no container comes back": {
			observed: plan.Observed{Complete: true, Networks: []string{"hotel-ida-prod"}},
			want: `
0 create network hotel-ida-dev: it was removed
1 create workspace /w: it is gone
`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := plan.StartInstance(hotel(), plan.Names{Instance: "hotel-ida"}, "/w", test.observed).String()
			if want := strings.TrimPrefix(test.want, "\n"); got != want {
				t.Errorf("plan:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

// herd is a lab with a service behind a relay in two environments.
func herd() *lab.Lab {
	return &lab.Lab{
		Name:         "herd",
		Environments: []lab.Environment{{Name: "dev"}, {Name: "prod", Internal: true}},
		Services: []lab.Service{
			{Name: "shop", Environment: "dev", Port: 8080, Publish: lab.PublishRelay, Replicas: 2},
			{Name: "shop", Environment: "prod", Port: 8080, Publish: lab.PublishRelay, Replicas: 2},
		},
		Scenarios: []lab.Scenario{{Name: "first", Start: true, Containers: []lab.Container{
			{Name: "box", Image: "shop", Service: "shop", Environment: "dev"},
		}}},
	}
}

func TestStartInstanceMakesRelays(t *testing.T) {
	t.Parallel()
	networks := []string{"herd-ida-dev", "herd-ida-prod"}
	for name, test := range map[string]struct {
		observed plan.Observed
		want     string
	}{
		"nothing is there": {
			want: `
0 create workspace /w: the learner works there
1 create network herd-ida-dev: it is not there (after 0)
2 create network herd-ida-prod: it is not there (after 0)
3 make relay image labctl/relay:1: relays run it (after 0)
4 create relay herd-ida-relay.shop.dev: service.shop.dev is reached through it (after 1, 3)
5 start relay herd-ida-relay.shop.dev: it runs (after 4)
6 create relay herd-ida-relay.shop.prod: service.shop.prod is reached through it (after 2, 3)
7 start relay herd-ida-relay.shop.prod: it runs (after 6)
8 create container herd-ida-box-starting: the start has it (after 1)
9 start container herd-ida-box-starting: it runs (after 8)
10 record container herd-ida-box-starting: what it is now is compared with later (after 9)
11 name container herd-ida-box: it is complete (after 10)
`,
		},
		"killed half-way: what does not run yet is made again": {
			observed: plan.Observed{
				Workspace: true, Networks: networks,
				Containers: []plan.Found{{ID: "b1", Name: "herd-ida-box", Called: "box", Finished: true}},
				Relays: []plan.FoundRelay{
					{ID: "r1", Name: "herd-ida-relay.shop.dev", Service: "service.shop.dev", Passes: true},
					{ID: "r2", Name: "herd-ida-relay.shop.prod", Service: "service.shop.prod"},
				},
			},
			want: `
0 remove container r2: herd-ida-relay.shop.prod passes nothing on
1 make relay image labctl/relay:1: relays run it
2 create relay herd-ida-relay.shop.prod: service.shop.prod is reached through it (after 0, 1)
3 start relay herd-ida-relay.shop.prod: it runs (after 2)
`,
		},
		"complete: nothing": {
			observed: plan.Observed{Complete: true, Workspace: true, Networks: networks, Relays: []plan.FoundRelay{
				{ID: "r1", Service: "service.shop.dev", Passes: true}, {ID: "r2", Service: "service.shop.prod", Passes: true},
			}},
			want: "\n",
		},
		"complete, and the learner removed a relay and a network": {
			observed: plan.Observed{Complete: true, Workspace: true, Networks: []string{"herd-ida-dev"}, Relays: []plan.FoundRelay{
				{ID: "r1", Service: "service.shop.dev", Passes: true},
			}},
			want: `
0 create network herd-ida-prod: it was removed
1 make relay image labctl/relay:1: relays run it
2 create relay herd-ida-relay.shop.prod: service.shop.prod is reached through it (after 0, 1)
3 start relay herd-ida-relay.shop.prod: it runs (after 2)
`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := plan.StartInstance(herd(), plan.Names{Instance: "herd-ida"}, "/w", test.observed).String()
			if want := strings.TrimPrefix(test.want, "\n"); got != want {
				t.Errorf("plan:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

func TestStopInstance(t *testing.T) {
	t.Parallel()
	got := plan.StopInstance(plan.Present{
		Instance:   "hotel-ida",
		Containers: []plan.Object{{ID: "c1", Why: "it is the instance's"}, {ID: "c2", Why: "it is on network hotel-ida"}},
		Networks:   []plan.Object{{ID: "n1", Why: "it is the instance's"}},
		Images:     []plan.Object{{ID: "i1", Why: "purging was asked for"}, {ID: "i2", Why: "purging was asked for"}},
		Workspace:  "/w",
		Purge:      true,
	}).String()
	want := `0 remove container c1: it is the instance's
1 remove container c2: it is on network hotel-ida (after 0)
2 remove network n1: it is the instance's (after 1)
3 remove image i1: purging was asked for (after 1)
4 remove image i2: purging was asked for (after 3)
5 remove workspace /w: purging was asked for (after 1)
6 forget instance hotel-ida: nothing of it is left (after 0, 1, 2, 3, 4, 5)
`
	if got != want {
		t.Errorf("plan:\n%s\nwant:\n%s", got, want)
	}
	got = plan.StopInstance(plan.Present{Instance: "hotel-ida"}).String()
	if want := "0 mark instance stopped hotel-ida: its images and workspace can be purged later\n"; got != want {
		t.Errorf("plan without purging:\n%s\nwant:\n%s", got, want)
	}
}
