package runner

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/labctl/labctl/runner/apply"
	"github.com/labctl/labctl/runner/problem"
	"github.com/labctl/labctl/runner/state"
	"github.com/labctl/labctl/scenarios/lab"
)

const (
	// scriptWithin is how long a scenario's script may take.
	scriptWithin = 5 * time.Minute
	// scriptSays is how much of what a script said is told when it fails.
	scriptSays = 2000
)

// asCommand makes this labctl a command of scripts that works on the same
// instances, and returns the PATH in which it comes first. What learners reach by
// it is not what this user's learners have reached.
func (r *Runner) asCommand(dir string) (string, error) {
	path := os.Getenv("PATH")
	if r.Program == "" {
		return path, nil
	}
	bin, home := filepath.Join(dir, "bin"), filepath.Join(dir, "home")
	if err := r.State.Home(home); err != nil {
		return "", err
	}
	// A script, not a link: a program may look at the name that it is called by.
	script := fmt.Sprintf("#!/bin/sh\nexport XDG_STATE_HOME=%s\nexec %s \"$@\"\n", ShellQuote(home), ShellQuote(r.Program))
	err := os.MkdirAll(bin, 0o755)
	if err == nil {
		err = os.WriteFile(filepath.Join(bin, "labctl"), []byte(script), 0o755)
	}
	if err != nil {
		return "", fmt.Errorf("making labctl a command of scripts: %w", err)
	}
	return bin + string(filepath.ListSeparator) + path, nil
}

// scriptEnvironment is what a host script is told, as environment variables:
// $PARAM_…, the containers' real names ($PET_01), the services
// ($BOOKING_URL, $BOOKING_PROD_RUN), $INSTANCE and $TMP. Path is where its
// commands are.
func scriptEnvironment(l *lab.Lab, rec *state.Record, tmp, path string) ([]string, error) {
	t, err := told(l, rec)
	if err != nil {
		return nil, err
	}
	vars := map[string]string{"PATH": path, "INSTANCE": t.Instance, "TMP": tmp, "WORKSPACE": t.Workspace}
	for k, v := range l.Params {
		vars[k] = v
	}
	for called, name := range t.Containers {
		vars[variable(called)] = name
	}
	for _, s := range t.Services {
		name := variable(s.Name)
		if s.Environment != "" {
			name += "_" + variable(s.Environment)
		}
		vars[name+"_URL"] = s.URL
		vars[name+"_PORT"] = strconv.Itoa(s.Port)
		vars[name+"_NETWORK"] = s.Network
		vars[name+"_RUN"] = s.Run
	}
	// Scripts commit. Whose machine it is, and how its git is set up, must not
	// change what comes out.
	for k, v := range map[string]string{
		"GIT_CONFIG_GLOBAL": os.DevNull, "GIT_CONFIG_NOSYSTEM": "1",
		"GIT_AUTHOR_NAME": "labctl test", "GIT_AUTHOR_EMAIL": "labctl@test.invalid",
		"GIT_COMMITTER_NAME": "labctl test", "GIT_COMMITTER_EMAIL": "labctl@test.invalid",
	} {
		vars[k] = v
	}
	return apply.Variables(vars), nil
}

// variable is a name as shells can have it.
func variable(name string) string {
	return strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

// runScript runs a host script in a folder to its end. Whatever it started is
// ended with it when the context is. Of is what the script belongs to.
func runScript(ctx context.Context, dir, of, script string, env []string) error {
	ctx, cancel := context.WithTimeout(ctx, scriptWithin)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-eu", "-c", script)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	err := cmd.Run()
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		err = fmt.Errorf("it took longer than %s", scriptWithin)
	}
	out := strings.TrimSpace(said.String())
	if len(out) > scriptSays {
		out = "… " + out[len(out)-scriptSays:]
	}
	if out != "" {
		out = "\n" + out
	}
	return &problem.Problem{
		What: "the script of " + of + " failed", Why: fmt.Sprintf("%v%s", err, out), Err: err,
	}
}

func random() string {
	b := make([]byte, 3)
	_, _ = rand.Read(b) // never fails: crypto/rand aborts the program instead
	return hex.EncodeToString(b)
}
