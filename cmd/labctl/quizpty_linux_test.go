package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/labctl/labctl/runner/state"
)

// dialogue is labctl with a terminal as its input and outputs, as somebody uses
// it who reads before they type.
type dialogue struct {
	t       *testing.T
	control *os.File
	cmd     *exec.Cmd
	sent    chan string
	read    string // that was not expected yet
}

func talk(t *testing.T, dir string, args ...string) *dialogue {
	t.Helper()
	control, tty := openTerminal(t)
	d := &dialogue{t: t, control: control, cmd: terminalCommand(dir, nil, args...), sent: make(chan string)}
	d.cmd.Stdin, d.cmd.Stdout, d.cmd.Stderr = tty, tty, tty
	// Ctrl-C goes to whom the terminal belongs to.
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	tty.Close()
	go func() {
		buffer := make([]byte, 4096)
		for {
			n, err := control.Read(buffer)
			if n > 0 {
				d.sent <- string(buffer[:n])
			}
			if err != nil { // EIO: labctl has ended
				close(d.sent)
				return
			}
		}
	}()
	return d
}

// expect waits until the terminal shows a text, and types.
func (d *dialogue) expect(text, then string) {
	d.t.Helper()
	late := time.After(30 * time.Second)
	for {
		if _, after, ok := strings.Cut(d.read, text); ok {
			d.read = after
			break
		}
		select {
		case s, ok := <-d.sent:
			if !ok {
				d.t.Fatalf("labctl ended, and never said %q: %q", text, d.read)
			}
			d.read += s
		case <-late:
			_ = d.cmd.Process.Kill()
			d.t.Fatalf("labctl never said %q: %q", text, d.read)
		}
	}
	if _, err := d.control.WriteString(then); err != nil {
		d.t.Fatal(err)
	}
}

// end waits until labctl has ended and returns its exit code and what else it
// said.
func (d *dialogue) end() (code int, rest string) {
	d.t.Helper()
	for s := range d.sent {
		d.read += s
	}
	_ = d.cmd.Wait() // the exit code says it
	d.control.Close()
	return d.cmd.ProcessState.ExitCode(), d.read
}

func quizDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "shop-lab"), os.DirFS("testdata/labs/shop-lab")); err != nil {
		t.Fatal(err)
	}
	return dir
}

func answersIn(t *testing.T, dir string) map[string]state.Answer {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, ".state", "labctl", "progress", "shop-lab", "ada.json"))
	if err != nil {
		t.Fatal(err)
	}
	var p state.Progress
	if err := json.Unmarshal(b, &p); err != nil {
		t.Fatal(err)
	}
	return p.Answers
}

func TestQuizAsksOneQuestionAtATime(t *testing.T) {
	t.Parallel()
	dir := quizDir(t)
	d := talk(t, dir, "quiz", "./shop-lab", "--learner", "ada")
	d.expect("Question 1 of 2", "")
	d.expect("Your answer: ", "d\n")
	d.expect("there is no choice d; choose of a, b.", "")
	d.expect("Your answer: ", "A\n")
	d.expect("Not right. You chose a; it is b.", "")
	d.expect("Servers do not inherit.", "")
	if strings.Contains(d.read, "Question 2") {
		t.Errorf("the next question came by itself: %q", d.read)
	}
	d.expect("Enter shows the next one.", "\n")
	d.expect("Question 2 of 2", "")
	d.expect("several letters: ", "c, a\n")
	d.expect("Right.", "")
	if code, rest := d.end(); code != 0 || !strings.Contains(rest, "1 of 2 questions right, 1 at the first try.") {
		t.Errorf("exit code %d: %q", code, rest)
	}
	want := map[string]state.Answer{"where": {First: "a", Tries: 1}, "lost": {First: "ac", FirstRight: true, Right: true, Tries: 1}}
	if got := answersIn(t, dir); got["where"] != want["where"] || got["lost"] != want["lost"] {
		t.Errorf("kept %+v, want %+v", got, want)
	}
	// Asked again is what was not right; the first try stays the first.
	d = talk(t, dir, "quiz", "./shop-lab", "--learner", "ada")
	d.expect("1 question was answered right before", "")
	d.expect("Question 1 of 2", "")
	d.expect("Your answer: ", "b\n")
	if code, rest := d.end(); code != 0 || !strings.Contains(rest, "2 of 2 questions right, 1 at the first try.") {
		t.Errorf("exit code %d: %q", code, rest)
	}
	if got, want := answersIn(t, dir)["where"], (state.Answer{First: "a", Right: true, Tries: 2}); got != want {
		t.Errorf("kept %+v, want %+v", got, want)
	}
}

func TestLeavingAQuizKeepsWhatWasAnswered(t *testing.T) {
	t.Parallel()
	for name, leave := range map[string]struct {
		key  string
		code int
		says string
	}{
		"Ctrl-C": {"\x03", exitFailed, "what you answered is kept"},
		"Ctrl-D": {"\x04", exitOK, "1 of 2 questions right, 1 at the first try, 1 not answered yet."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := quizDir(t)
			d := talk(t, dir, "quiz", "./shop-lab", "--learner", "ada")
			d.expect("Your answer: ", "b\n")
			d.expect("Enter shows the next one.", "\n")
			d.expect("several letters: ", leave.key)
			if code, rest := d.end(); code != leave.code || !strings.Contains(rest, leave.says) {
				t.Errorf("exit code %d: %q", code, rest)
			}
			if got := answersIn(t, dir); len(got) != 1 || !got["where"].FirstRight {
				t.Errorf("kept %+v", got)
			}
		})
	}
}
