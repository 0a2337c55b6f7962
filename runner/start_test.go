package runner_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/labctl/labctl/runner"
	"github.com/labctl/labctl/runner/engine"
)

// A start that was killed left its network, which says what the images were; and
// somebody's purge took those before it was started again. What it says then is what
// checks go by.
func TestStartAgainAfterItsImagesWereTaken(t *testing.T) {
	t.Parallel()
	r, e, in := shop(t)
	rec, err := r.State.Load(in.Instance)
	if err != nil {
		t.Fatal(err)
	}
	rec.Complete = false
	if err := r.State.Save(rec); err != nil {
		t.Fatal(err)
	}
	containers, networks := objects(t, e)
	for _, c := range containers {
		if err := e.RemoveContainer(t.Context(), c.ID); err != nil {
			t.Fatal(err)
		}
	}
	labels := networks[0].Labels
	said := labels[engine.LabelImages]
	for _, id := range rec.Images {
		labels[engine.LabelImages] = strings.ReplaceAll(labels[engine.LabelImages], id, "sha256:"+strings.Repeat("0", 64))
	}
	if err := e.RemoveNetwork(t.Context(), networks[0].Name); err != nil {
		t.Fatal(err)
	}
	if err := e.CreateNetwork(t.Context(), networks[0].Name, false, labels); err != nil {
		t.Fatal(err)
	}

	again := runner.StartOptions{Lab: rec.Source, Learner: "ada", Dir: rec.Workspace, Cwd: "/"}
	if _, err := r.Start(t.Context(), again); err != nil {
		t.Fatal(err)
	}
	after, now := objects(t, e)
	if len(now) != 1 || now[0].Labels[engine.LabelImages] != said {
		t.Errorf("the networks say %+v, want the images %s", now, said)
	}
	names := func(all []engine.Summary) (names []string) {
		for _, c := range all {
			names = append(names, c.Name)
		}
		slices.Sort(names)
		return names
	}
	if got, want := names(after), names(containers); !slices.Equal(got, want) {
		t.Errorf("there are %q, want %q", got, want)
	}
	purge(t, r, in)
	if left, networks := objects(t, e); len(left)+len(networks) > 0 {
		t.Errorf("stop left %+v, %+v", left, networks)
	}
}

func objects(t *testing.T, e engine.Engine) ([]engine.Summary, []engine.Network) {
	t.Helper()
	containers, err := e.Containers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	networks, err := e.Networks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return containers, networks
}
