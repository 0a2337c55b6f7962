package main

import (
	"context"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/labctl/labctl/runner/engine"
	"github.com/labctl/labctl/runner/engine/fake"
)

var update = flag.Bool("update", false, "write what commands print into the test scripts")

// The test binary is also labctl: as it is for the tests on a real engine, and
// on a fake engine for the scripts. Which one a process is, is said by its
// name, so that the product has no such switch.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"labctl": func() {
			connect := func(context.Context) (engine.Engine, error) { return openFake(os.Getenv("FAKE_ENGINE")) }
			os.Exit(run(newFactory(systemStreams(), connect), os.Args[1:]))
		},
		"fake-docker": fakeDocker,
		realLabctl:    main,
	})
}

// openFake opens the fake engine of a script. "away" is none.
func openFake(path string) (engine.Engine, error) {
	if path == "away" {
		return nil, &engine.Unavailable{Host: "unix:///var/run/docker.sock", Why: "no Docker Engine answers", Mend: "sudo systemctl start docker"}
	}
	return fake.Open(path), nil
}

// TestScripts runs testdata/script/*.txtar, one behaviour of the command line
// each, on an engine that runs nothing. Each script finds the labs of
// testdata/labs: ./shop-lab, and ./promo-lab with two environments.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOME", filepath.Join(env.WorkDir, ".home"))
			env.Setenv("XDG_STATE_HOME", filepath.Join(env.WorkDir, ".state"))
			env.Setenv("GIT_CONFIG_NOSYSTEM", "1")
			env.Setenv("FAKE_ENGINE", filepath.Join(env.WorkDir, ".engine.json"))
			env.Setenv("USER", "ada")
			host, err := userName()
			if err != nil {
				return err
			}
			env.Setenv("HOST_USER", host) // whose objects are
			env.Setenv("TERM", "xterm")
			env.Setenv("NO_COLOR", "")
			if err := os.Mkdir(filepath.Join(env.WorkDir, ".home"), 0o755); err != nil {
				return err
			}
			if err := installDocker(env); err != nil {
				return err
			}
			return os.CopyFS(env.WorkDir, os.DirFS("testdata/labs"))
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"capture": captureCmd, "engine": engineCmd, "exits": exitsCmd,
		},
	})
}

// installDocker puts the fake docker command into a script's PATH, and into
// nothing else's: the tests on a real engine use the real one.
func installDocker(env *testscript.Env) error {
	bin := filepath.Join(env.WorkDir, ".bin")
	if err := os.Mkdir(bin, 0o755); err != nil {
		return err
	}
	env.Setenv("PATH", bin+string(os.PathListSeparator)+env.Getenv("PATH"))
	return os.WriteFile(filepath.Join(bin, "docker"), []byte("#!/bin/sh\nexec fake-docker \"$@\"\n"), 0o755)
}

// exitsCmd runs a command that must end with an exit code: exits 2 labctl strat
func exitsCmd(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND ARGUMENTS")
	}
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	if failed := (*exec.ExitError)(nil); errors.As(err, &failed) {
		code = failed.ExitCode()
	} else {
		ts.Check(err)
	}
	if args[0] != strconv.Itoa(code) {
		ts.Fatalf("%s ended with exit code %d, not %s", args[1], code, args[0])
	}
}

// captureCmd keeps in a variable what a group of a pattern matches in the last
// command's output: capture RUN 'docker run --detach (.*) IMAGE'
func captureCmd(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: capture VARIABLE PATTERN")
	}
	pattern, err := regexp.Compile(args[1])
	ts.Check(err)
	match := pattern.FindStringSubmatch(ts.ReadFile("stdout"))
	if len(match) < 2 {
		ts.Fatalf("nothing matches %s", args[1])
	}
	ts.Setenv(args[0], match[1])
}

// engineCmd is what a script does to the engine that docker has no word for:
//
//	engine edit NAME PATH TEXT         write a file inside a container
//	engine remember NAME PATH TEXT     write a file into a container's memory
//	engine fail OPERATION TIMES TEXT   let requests fail; TEXT away is an engine that went away
func engineCmd(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 {
		ts.Fatalf("usage: engine edit|remember NAME PATH TEXT, engine fail OPERATION TIMES TEXT")
	}
	e := fake.Open(ts.Getenv("FAKE_ENGINE"))
	switch args[0] {
	case "edit":
		ts.Check(e.Edit(args[1], unescape(args[2]), unescape(args[3])))
	case "remember":
		ts.Check(e.Remember(args[1], unescape(args[2]), unescape(args[3])))
	case "fail":
		times, err := strconv.Atoi(args[2])
		ts.Check(err)
		failure := errors.New(args[3])
		if args[3] == "away" {
			failure = &engine.Unavailable{Host: "unix:///var/run/docker.sock", Why: "the Docker Engine went away", Mend: "make sure that `docker info` answers"}
		}
		ts.Check(e.Fail(args[1], times, failure))
	default:
		ts.Fatalf("no such engine command: %s", args[0])
	}
}

// unescape lets scripts write characters that txtar files should not hold.
func unescape(s string) string {
	if text, err := strconv.Unquote(`"` + s + `"`); err == nil {
		return text
	}
	return s
}
