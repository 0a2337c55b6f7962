package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/labctl/labctl/runner"
	"github.com/labctl/labctl/scenarios/check"
	"github.com/labctl/labctl/scenarios/report"
)

// Drift on a real engine: what a shell did to the pet, what HEAD makes that
// the pet has not, and nothing once it is rebuilt.
func TestDriftOnDocker(t *testing.T) {
	t.Parallel()
	l := newLearner(t)
	started := decode[status](t, l.labctl(l.dir, exitOK, "start", "drift-lab", "--learner", l.name, "--format", "json"))
	in := started.Instances[0]
	ws := in.Workspace

	// In the image, on the pet, and what only a build makes.
	pet := l.drift(ws, "pet-01")
	for _, path := range []string{"/etc/booking.conf", "/srv/www/cgi-bin/quote", "/tmp/HOTFIX"} {
		f := drifted(pet.ImageDifferences, path)
		if f == nil || f.Diff == "" || drifted(pet.Head.Differences, path) == nil {
			t.Errorf("%s is %+v in %+v", path, f, pet)
		}
	}
	if f := drifted(pet.ImageDifferences, "/tmp/HOTFIX"); f != nil && (f.Sign != "+" || f.Before != nil || !strings.Contains(f.Diff, "\n+fri 23:41 ")) {
		t.Errorf("the hotfix is %+v", f)
	}
	l.git(ws, "echo 'RUN echo made >/etc/made && head -c 3 /dev/zero >/etc/zeros' >>Dockerfile")
	pet = l.drift(ws)
	if f := drifted(pet.Head.Differences, "/etc/made"); f == nil || f.Sign != "-" || f.Diff != "--- a/etc/made\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-made\n" {
		t.Errorf("what the build makes is %+v in %+v", f, pet.Head)
	}
	if f := drifted(pet.Head.Differences, "/etc/zeros"); f == nil || f.Diff != "" || f.Before == nil || f.Before.Size != 3 || f.After != nil {
		t.Errorf("what is no text is %+v", f)
	}
	if drifted(pet.ImageDifferences, "/etc/made") != nil {
		t.Errorf("what HEAD makes is in the pet's image: %+v", pet.ImageDifferences)
	}

	// A unified diff is one that others can apply.
	conf := drifted(pet.ImageDifferences, "/etc/booking.conf")
	root := filepath.Join(l.dir, "root")
	if err := os.MkdirAll(filepath.Join(root, "etc"), 0o755); err != nil {
		t.Fatal(err)
	}
	built, err := os.ReadFile(filepath.Join(ws, "booking.conf"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "etc", "booking.conf"), built, 0o644); err != nil {
		t.Fatal(err)
	}
	apply := l.command(root, "git", "apply", "-")
	apply.Stdin = strings.NewReader(conf.Diff)
	if out, err := apply.CombinedOutput(); err != nil {
		t.Fatalf("applying\n%s\n%v: %s", conf.Diff, err, out)
	}
	applied, err := os.ReadFile(filepath.Join(root, "etc", "booking.conf"))
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("docker", "exec", in.Services[0].Live[0].Name, "cat", "/etc/booking.conf").Output(); err != nil || string(out) != string(applied) {
		t.Errorf("applied it is\n%s\nand on the pet (%v)\n%s", applied, err, out)
	}

	// In short, in the report: since the start, and on a container that is new.
	if out, err := exec.Command("docker", "exec", in.Services[0].Live[0].Name, "sed", "-i", "s/^city_tax=.*/city_tax=1/", "/etc/booking.conf").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	l.says(ws, "replaced", "~ /etc/booking.conf", check.Indent+"+city_tax=1")
	l.git(ws, "git reset --quiet --hard HEAD~1")
	l.rebuild(ws, in)
	web := l.drift(ws)
	if !web.Live || len(web.ImageDifferences)+len(web.Head.Differences)+len(web.Head.Image) > 0 {
		t.Errorf("rebuilt, it differs: %+v", web)
	}
	if out, err := exec.Command("docker", "exec", web.Name, "sed", "-i", "s/^city_tax=/# by hand\\n&/", "/etc/booking.conf").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	l.says(ws, "no_drift", "~ /etc/booking.conf", check.Indent+"+# by hand")
}

// drift is that of the one container that is compared.
func (l *learner) drift(ws string, args ...string) runner.ContainerDrift {
	l.t.Helper()
	d := decode[runner.Drift](l.t, l.labctl(ws, exitOK, append([]string{"drift", "--format", "json"}, args...)...))
	if d.Schema != runner.DriftSchema || d.Learner != l.name || len(d.Containers) != 1 {
		l.t.Fatalf("drift is %+v", d)
	}
	return d.Containers[0]
}

func drifted(files []runner.DriftedFile, path string) *runner.DriftedFile {
	i := slices.IndexFunc(files, func(f runner.DriftedFile) bool { return f.Path == path })
	if i < 0 {
		return nil
	}
	return &files[i]
}

// git changes the workspace with a script, and commits.
func (l *learner) git(ws, script string) {
	l.t.Helper()
	cmd := l.command(ws, "sh", "-euc", script+"\ngit diff --quiet || git commit --quiet --all --message change")
	if out, err := cmd.CombinedOutput(); err != nil {
		l.t.Fatalf("%s: %v\n%s", script, err, out)
	}
}

// says demands that a check fails and its details have these lines in order.
func (l *learner) says(ws, name string, lines ...string) {
	l.t.Helper()
	r := decode[report.Report](l.t, l.labctl(ws, exitNotPassed, "check", "--format", "json"))
	for _, c := range r.Checks {
		if c.Name != name {
			continue
		}
		left := lines
		for _, d := range c.Details {
			if len(left) > 0 && d == left[0] {
				left = left[1:]
			}
		}
		if c.Status != check.Fail || len(left) > 0 {
			l.t.Errorf("%s: %s, and %q is not in %q", name, c.Status, left, c.Details)
		}
		return
	}
	l.t.Errorf("no check %s", name)
}
