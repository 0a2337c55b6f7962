package runner_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/labctl/labctl/runner"
	"github.com/labctl/labctl/runner/docker"
	"github.com/labctl/labctl/runner/engine"
	"github.com/labctl/labctl/runner/state"
	"github.com/labctl/labctl/scenarios/config"
)

// What drift-lab does not have, environments and replicas, is proven with labs
// of these tests' own, on the machine's Docker Engine. Without one they fail.

// newRunner is labctl for a user of one test's own, whose objects are removed
// when it ends. What the test itself should have removed is an error.
func newRunner(t *testing.T) *runner.Runner {
	t.Helper()
	e, err := docker.Connect(t.Context())
	if err != nil {
		t.Fatalf("these tests need a Docker Engine: %v", err)
	}
	r := &runner.Runner{
		Engine: e, State: state.New(t.TempDir()), Library: runner.NewLibrary(os.DirFS(t.TempDir())),
		User: "test-" + strings.ToLower(rand.Text()[:8]), Version: "test", Now: time.Now,
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		sweep(ctx, t, e, r.User)
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// sweep removes by label whatever of a user's is left, and says what it was.
func sweep(ctx context.Context, t *testing.T, e engine.Engine, user string) {
	networks, err := e.Networks(ctx)
	if err != nil {
		t.Error(err)
		return
	}
	networks = slices.DeleteFunc(networks, func(n engine.Network) bool { return n.Labels[engine.LabelUser] != user })
	containers, err := e.Containers(ctx)
	if err != nil {
		t.Error(err)
		return
	}
	for _, c := range containers {
		on := slices.ContainsFunc(networks, func(n engine.Network) bool { _, on := c.Networks[n.Name]; return on })
		if on || c.Labels[engine.LabelUser] == user {
			t.Errorf("container %s is left", c.Name)
			if err := e.RemoveContainer(ctx, c.ID); err != nil {
				t.Error(err)
			}
		}
	}
	for _, n := range networks {
		t.Errorf("network %s is left", n.Name)
		if err := e.RemoveNetwork(ctx, n.Name); err != nil && !errors.Is(err, engine.ErrNotFound) {
			t.Error(err)
		}
	}
}

// fixture is the folder of a lab of these tests.
func fixture(t *testing.T, name string) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("testdata", "labs", name))
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// proven tries a lab, or a part of it, and reports what is not as it should be.
func proven(t *testing.T, o runner.TestOptions) *runner.TestOutcome {
	t.Helper()
	return provenBy(t, newRunner(t), o)
}

func provenBy(t *testing.T, r *runner.Runner, o runner.TestOptions) *runner.TestOutcome {
	t.Helper()
	o.Cwd, o.Parallel, o.Trust = o.Labs[0], 2, true
	outcomes, err := r.Test(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	outcome := &outcomes[0]
	for _, result := range outcome.Scenarios {
		if !result.OK {
			t.Errorf("%s: %s %s", result.Scenario, result.Error, strings.Join(result.Differences, "; "))
		}
	}
	for _, p := range outcome.Proofs {
		if !p.OK {
			t.Errorf("%s: %s: %s", p.Name, p.Outcome, p.Because)
		}
	}
	return outcome
}

func TestScenariosGetTheReportsThatTheyExpect(t *testing.T) {
	t.Parallel()
	for _, dir := range []string{
		fixture(t, "promotion"), // two environments, each with an address of its own
		fixture(t, "herd"),      // two replicas behind a relay
		fixture(t, "bases"),     // three environments, and two bases that are built on a third image
		documentedLab(t),
	} {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			names := scenarios(t, dir)
			outcome := proven(t, runner.TestOptions{Labs: []string{dir}, Scenarios: names})
			if len(names) < 3 || len(outcome.Scenarios) != len(names) || len(outcome.Proofs) > 0 {
				t.Errorf("%d scenarios and %d others were tried, want %d", len(outcome.Scenarios), len(outcome.Proofs), len(names))
			}
		})
	}
}

// scenarios names those of a lab.
func scenarios(t *testing.T, dir string) []string {
	t.Helper()
	definition, diags := config.Load(os.DirFS(dir))
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	l, diags := definition.Resolve("test", 1)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	var names []string
	for _, s := range l.Scenarios {
		names = append(names, s.Name)
	}
	return names
}

// What is derived knows environments, replicas, services behind a relay and pets
// of which nothing by hand is left. drift-lab, which has none of these,
// is proven with all there is; here it is one or two of each family.
func TestCheatsAreDerivedForAnyLab(t *testing.T) {
	t.Parallel()
	for dir, some := range map[string][]string{
		fixture(t, "promotion"): {"pet-exec", "fresh-exec-kept", "commit", "tar-on-scratch", "poisoned-base", "poisoned-cache", "other-port", "compose"},
		fixture(t, "herd"):      {"pet-exec", "fresh-created", "save-load", "named-volume", "poisoned-cache", "shared-network", "less-memory", "pet-stopped"},
		documentedLab(t): {
			"fresh-created", "commit", "save-load", "tar-on-scratch", "command", "uncommitted", "fetched-by-run",
			"other-port", "shared-network", "buildkit", "multi-stage-scratch", "pet-stopped",
		},
		fixture(t, "bases"): {"poisoned-base", "multi-stage-scratch"}, // bases of its own that are built on each other, and none
	} {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			outcome := proven(t, runner.TestOptions{Labs: []string{dir}, Derived: some})
			var tried []string
			for _, p := range outcome.Proofs {
				tried = append(tried, p.Name)
			}
			if !slices.Equal(tried, some) {
				t.Errorf("tried were %s, want %s", tried, some)
			}
		})
	}
}

// Labs are proven side by side, and told in the order asked for.
func TestLabsAreProvenSideBySide(t *testing.T) {
	t.Parallel()
	labs := []string{fixture(t, "promotion"), fixture(t, "herd")}
	var tried []string
	outcomes, err := newRunner(t).Test(t.Context(), runner.TestOptions{
		Labs: labs, Cwd: labs[0], Derived: []string{"commit", "plain"}, Parallel: 3, Trust: true,
		Tried: func(outcome runner.TestOutcome) { tried = append(tried, outcome.Lab) },
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, outcome := range outcomes {
		got = append(got, outcome.Lab)
		for _, s := range outcome.Scenarios {
			got = append(got, s.Lab, fmt.Sprint(s.OK))
		}
		for _, p := range outcome.Proofs {
			got = append(got, p.Lab, p.Name, p.Outcome)
		}
	}
	want := []string{
		"promotion", "promotion", "true", "promotion", "commit", "killed", "promotion", "plain", "cleared",
		"herd", "herd", "true", "herd", "commit", "killed", "herd", "plain", "cleared",
	}
	slices.Sort(tried)
	if !slices.Equal(got, want) || !slices.Equal(tried, []string{"herd", "promotion"}) {
		t.Errorf("%q (told of %q), want %q", got, tried, want)
	}
}

// One of three honest ways that are gone at once has no place in this lab: the
// others must not suffer for it.
func TestWhatComesOutWrongTogetherIsTriedAlone(t *testing.T) {
	t.Parallel()
	dir := documentedLab(t)
	dockerfile := filepath.Join(dir, "workspace", "Dockerfile")
	content, err := os.ReadFile(dockerfile)
	if err != nil {
		t.Fatal(err)
	}
	before, _, _ := strings.Cut(string(content), "CMD")
	// The way "names" calls the host so.
	after := `CMD ["sh", "-c", "[ $(hostname) != web ] || rm /srv/index.html; exec httpd -f -p 8080 -h /srv"]` + "\n"
	if err := os.WriteFile(dockerfile, []byte(before+after), 0o644); err != nil {
		t.Fatal(err)
	}
	outcomes, err := newRunner(t).Test(t.Context(), runner.TestOptions{
		Labs: []string{dir}, Cwd: dir, Derived: []string{"no-cache", "squashed", "names", "init"}, Parallel: 2, Trust: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range outcomes[0].Proofs {
		got = append(got, p.Name+" "+p.Outcome+" with "+strings.Join(p.With, ","))
	}
	want := []string{"no-cache cleared with ", "squashed cleared with ", "names unsaid with ", "init cleared with "}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// documentedFile is a file of the lab in the reference of the language: its
// name in a paragraph of its own, then its content.
var documentedFile = regexp.MustCompile("(?ms)^`([^`\n]+)`:\n\n```[a-z]+\n(.*?)^```$")

// documentedLab writes the complete lab that the reference of the language
// shows into a folder.
func documentedLab(t *testing.T) string {
	t.Helper()
	reference, err := os.ReadFile(filepath.Join("..", "labs", "LANGUAGE.md"))
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "first-lab")
	for _, file := range documentedFile.FindAllStringSubmatch(string(reference), -1) {
		name := filepath.Join(dir, filepath.FromSlash(file[1]))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(file[2]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
