package main

import (
	"errors"
	"os/exec"
	"strings"
	"testing"
)

// shop is a folder with the shop started for ada, and a question: is its pet
// still there?
func shop(t *testing.T) (dir string, petLives func() bool) {
	t.Helper()
	dir = quizDir(t)
	run := func(args ...string) string {
		out, err := terminalCommand(dir, nil, args...).Output()
		if failed := (*exec.ExitError)(nil); errors.As(err, &failed) {
			t.Fatalf("labctl %q: %v\n%s", args, err, failed.Stderr)
		}
		return string(out)
	}
	run("start", "./shop-lab", "--learner", "ada", "--dir", "ws")
	return dir, func() bool { return strings.Contains(run("status", "shop-lab"), "shop-lab-ada-pet-01") }
}

func TestNothingIsShotBeforeSomebodySaysYes(t *testing.T) {
	t.Parallel()
	for name, typed := range map[string]string{"Enter": "\n", "no": "n\n", "another word": "yesterday\n", "Ctrl-D": "\x04", "Ctrl-C": "\x03"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, petLives := shop(t)
			d := talk(t, dir, "shoot", "pet-01")
			d.expect("Its death would cost:", "")
			d.expect("/drift", "")
			d.expect("Shoot shop-lab-ada-pet-01? [y/N] ", typed)
			code, rest := d.end()
			if code != exitFailed || !strings.Contains(rest, "shop-lab-ada-pet-01 lives.") || !petLives() {
				t.Errorf("exit code %d, lives: %t: %q", code, petLives(), rest)
			}
		})
	}
}

func TestCtrlCEndsFollowing(t *testing.T) {
	t.Parallel()
	dir, petLives := shop(t)
	d := talk(t, dir, "shoot", "pet-01", "--wait", "1h")
	d.expect("[y/N] ", "y\n")
	d.expect("is dead", "")
	d.expect("Ctrl-C ends that.", "\x03")
	code, rest := d.end()
	if code != exitOK || !strings.Contains(rest, "Nothing came back") || petLives() {
		t.Errorf("exit code %d, lives: %t: %q", code, petLives(), rest)
	}
}
