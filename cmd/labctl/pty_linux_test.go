package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"unsafe"
)

// openTerminal makes a pseudo-terminal: what is written to tty is read from
// the controlling side.
func openTerminal(t *testing.T) (control, tty *os.File) {
	t.Helper()
	control, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	var unlocked, number int32
	for request, value := range map[uintptr]*int32{syscall.TIOCSPTLCK: &unlocked, syscall.TIOCGPTN: &number} {
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, control.Fd(), request, uintptr(unsafe.Pointer(value))); errno != 0 {
			t.Fatal(errno)
		}
	}
	tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return control, tty
}

// terminalCommand is labctl on the fake engine, for a terminal.
func terminalCommand(dir string, env []string, args ...string) *exec.Cmd {
	cmd := exec.Command("labctl", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_STATE_HOME="+filepath.Join(dir, ".state"),
		"FAKE_ENGINE="+filepath.Join(dir, ".engine.json"), "TERM=xterm", "NO_COLOR=")
	cmd.Env = append(cmd.Env, env...)
	return cmd
}

// onTerminal runs labctl on the fake engine with a terminal as its outputs and
// returns what the terminal was sent.
func onTerminal(t *testing.T, dir string, env []string, args ...string) string {
	t.Helper()
	control, tty := openTerminal(t)
	sent := make(chan string)
	go func() {
		var b strings.Builder
		buffer := make([]byte, 4096)
		for {
			n, err := control.Read(buffer)
			b.Write(buffer[:n])
			if err != nil { // EIO: the last writer is gone
				sent <- b.String()
				return
			}
		}
	}()
	cmd := terminalCommand(dir, env, args...)
	cmd.Stdout, cmd.Stderr = tty, tty
	err := cmd.Run()
	tty.Close()
	text := <-sent
	control.Close()
	if err != nil {
		t.Fatalf("labctl %s: %v\n%s", strings.Join(args, " "), err, text)
	}
	return text
}

func TestColoursOnATerminal(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		env     []string
		colours bool
	}{
		{"terminal", nil, true},
		{"NO_COLOR", []string{"NO_COLOR=1"}, false},
		{"dumb terminal", []string{"TERM=dumb"}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			text := onTerminal(t, t.TempDir(), tt.env, "list")
			if got := strings.Contains(text, "\x1b["); got != tt.colours {
				t.Errorf("colours: %t, want %t in %q", got, tt.colours, text)
			}
		})
	}
}

func TestStartDrawsABarOnATerminal(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "shop-lab"), os.DirFS("testdata/labs/shop-lab")); err != nil {
		t.Fatal(err)
	}
	text := onTerminal(t, dir, nil, "start", "./shop-lab", "--learner", "ada", "--dir", "ws")
	if strings.Contains(text, "… done (") {
		t.Errorf("plain lines were written to a terminal: %q", text)
	}
	bar, brief := strings.Index(text, "\x1b["), strings.Index(text, "The shop")
	if bar < 0 || brief < bar {
		t.Errorf("no bar before the brief: %q", text)
	}
	if dumb := onTerminal(t, dir, []string{"TERM=dumb"}, "start", "./shop-lab", "--learner", "bob", "--dir", "bob"); strings.Contains(dumb, "\x1b") {
		t.Errorf("a dumb terminal was sent escape sequences: %q", dumb)
	}
}
