package runner_test

import (
	"strings"
	"testing"

	"github.com/labctl/labctl/runner/engine"
)

// A learner can put a network of the same name in the place of the instance's,
// with labels that pin other images: that is no instance to grade.
func TestForgedFactsAreNotGraded(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change func(labels map[string]string)
		graded bool
	}{
		"the same again": {func(map[string]string) {}, true},
		"another base":   {func(l map[string]string) { l[engine.LabelImages] = `{"shop/base:1":"sha256:pet"}` }, false},
		"another seed":   {func(l map[string]string) { l[engine.LabelSeed] = "7" }, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, e, in := shop(t)
			networks, err := e.Networks(t.Context())
			if err != nil || len(networks) != 1 {
				t.Fatalf("networks are %+v, %v", networks, err)
			}
			containers, err := e.Containers(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range containers {
				if err := e.RemoveContainer(t.Context(), c.ID); err != nil {
					t.Fatal(err)
				}
			}
			if err := e.RemoveNetwork(t.Context(), networks[0].Name); err != nil {
				t.Fatal(err)
			}
			test.change(networks[0].Labels)
			if err := e.CreateNetwork(t.Context(), networks[0].Name, false, networks[0].Labels); err != nil {
				t.Fatal(err)
			}
			_, err = r.Gather(t.Context(), in)
			if test.graded && err != nil || !test.graded && (err == nil || !strings.Contains(err.Error(), "not the one that it was started with")) {
				t.Errorf("gathering gives %v", err)
			}
		})
	}
}
