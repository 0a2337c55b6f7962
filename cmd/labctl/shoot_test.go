package main

import (
	"strings"
	"testing"

	"github.com/labctl/labctl/runner"
	"github.com/labctl/labctl/scenarios/schema/schematest"
)

// Shooting on a real engine: a pet takes with it what somebody did to it and
// what lived in its memory; of cattle nothing is lost, and the next one answers.
func TestShootOnDocker(t *testing.T) {
	t.Parallel()
	l := newLearner(t)
	started := decode[status](t, l.labctl(l.dir, exitOK, "start", "drift-lab", "--learner", l.name, "--format", "json"))
	in := started.Instances[0]
	ws, pet := in.Workspace, in.Services[0].Live[0].Name
	image := strings.TrimSpace(l.docker(ws, "inspect", "--format", "{{.Image}}", pet))
	l.docker(ws, "exec", pet, "sh", "-c", `echo 'call Bob' >/etc/note; printf 'token=abc\n' >/dev/shm/session`)

	// What is not the instance's is left alone.
	foreign := in.Instance + "-foreign"
	l.docker(ws, "run", "--detach", "--name", foreign, "--network", in.Instance, image)
	l.labctl(ws, exitUsage, "shoot", foreign, "--yes")
	l.docker(ws, "inspect", foreign)
	l.docker(ws, "rm", "--force", foreign)

	out := l.labctl(ws, exitOK, "shoot", "pet-01", "--yes", "--wait", "0s", "--format", "json")
	schematest.Validate(t, "shoot", out)
	shot := decode[runner.Shot](t, out)
	for _, path := range []string{"/etc/booking.conf", "/etc/note"} {
		f := lostFile(shot.Lost.Files, path)
		if f == nil || f.Committed || !strings.Contains(f.Diff, "\n+") {
			t.Errorf("%s is lost as %+v", path, f)
		}
	}
	// The pet still has a copy of what it was built with.
	if f := lostFile(shot.Lost.Files, "/tmp/quote.orig"); f == nil || !f.Committed {
		t.Errorf("what a commit has is lost as %+v", f)
	}
	if want := (runner.HeldFile{Path: "/dev/shm/session", Size: 10, Text: "token=abc\n"}); len(shot.Lost.Memory) != 1 || shot.Lost.Memory[0] != want {
		t.Errorf("of its memory is lost %+v, want %+v", shot.Lost.Memory, want)
	}
	if len(shot.Lost.Unknown) > 0 || shot.Answers || len(shot.LiveAfter) > 0 || shot.Container.Name != pet {
		t.Errorf("shot is %+v", shot)
	}
	if err := l.command(ws, "docker", "inspect", pet).Run(); err == nil {
		t.Errorf("%s is still there", pet)
	}

	// What it says brings another one; here with a tmpfs and a volume of its own.
	for _, command := range shot.BringBack {
		l.sh(ws, strings.Replace(command, "docker run ", "docker run --tmpfs /run --volume /data ", 1))
	}
	web := in.Instance + "-web-001"
	l.docker(ws, "exec", web, "sh", "-c", "echo 7 >/run/count; echo order >/data/order")
	shot = decode[runner.Shot](t, l.labctl(ws, exitOK, "shoot", "--yes", "--wait", "0s", "--format", "json"))
	if want := (runner.HeldFile{Path: "/run/count", Size: 2, Text: "7\n"}); len(shot.Lost.Files) > 0 || len(shot.Lost.Memory) != 1 || shot.Lost.Memory[0] != want {
		t.Errorf("of %s is lost %+v", web, shot.Lost)
	}
	volumes := shot.Lost.Volumes
	if len(volumes) != 1 || volumes[0].Kept || volumes[0].Path != "/data" || len(volumes[0].Files) != 1 || volumes[0].Files[0].Path != "/data/order" {
		t.Fatalf("of its volumes is lost %+v", volumes)
	}
	if err := l.command(ws, "docker", "volume", "inspect", volumes[0].Name).Run(); err == nil {
		t.Errorf("volume %s is still there", volumes[0].Name)
	}

	// Cattle: another one takes its place while labctl follows.
	run := shot.BringBack[2]
	l.sh(ws, run)
	l.sh(ws, "docker create "+strings.TrimPrefix(strings.Replace(run, "-web-00", "-web-01", 1), "docker run --detach "))
	next := l.command(ws, "sh", "-c", "while docker inspect "+in.Instance+"-web-002 >/dev/null 2>&1; do sleep 0.1; done; exec docker start "+in.Instance+"-web-012")
	if err := next.Start(); err != nil {
		t.Fatal(err)
	}
	out = l.labctl(ws, exitOK, "shoot", "--yes", "--wait", "2m")
	if err := next.Wait(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"Its death would cost nothing", "Nothing was lost with it: it was cattle.",
		"booking answers again after ", "1 of 1 live, back: " + in.Instance + "-web-012",
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	l.labctl(ws, exitOK, "stop", "--purge", "--yes") // the image, too
}

func lostFile(files []runner.LostFile, path string) *runner.LostFile {
	for i := range files {
		if files[i].Path == path {
			return &files[i]
		}
	}
	return nil
}

// docker is what a docker command says, which must succeed.
func (l *learner) docker(dir string, args ...string) string {
	l.t.Helper()
	out, err := l.command(dir, "docker", args...).CombinedOutput()
	if err != nil {
		l.t.Fatalf("docker %q: %v\n%s", args, err, out)
	}
	return string(out)
}

// sh runs what labctl says to type.
func (l *learner) sh(dir, command string) {
	l.t.Helper()
	if out, err := l.command(dir, "sh", "-c", command).CombinedOutput(); err != nil {
		l.t.Fatalf("%s: %v\n%s", command, err, out)
	}
}
