package workspace

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// git runs the git binary on one repository, deaf to everything that could
// make it run something else: the user's and the system's configuration, the
// environment's, and what the repository's own configuration could start.
type git struct {
	dir string // the git directory
	// objects and the index, when it runs, are read with this work tree
	root string
}

// overrides win over the repository's own configuration. Explicit directories
// do the rest: core.worktree is not consulted and ownership not asked about.
var overrides = []string{
	"-c", "safe.directory=*",
	"-c", "core.fsmonitor=false",
	"-c", "core.hooksPath=/dev/null",
	"-c", "core.untrackedCache=false",
	"-c", "core.excludesFile=/dev/null",
	"-c", "core.attributesFile=/dev/null",
	"-c", "core.commitGraph=false",
	"-c", "core.multiPackIndex=false",
	"-c", "core.autocrlf=false",
	"-c", "core.precomposeUnicode=false",
	"-c", "commit.gpgSign=false",
	"-c", "gc.auto=0",
	"-c", "maintenance.auto=false",
	"-c", "protocol.allow=never",
}

// environment is all that git gets to see. An empty GIT_ALLOW_PROTOCOL allows
// no transport whatever the repository's configuration says, so that a
// missing object is an error and never fetched.
func environment() []string {
	return []string{
		"PATH=" + os.Getenv("PATH"),
		"HOME=/nonexistent",
		"TMPDIR=" + os.TempDir(),
		"LC_ALL=C",
		"GIT_CONFIG_NOSYSTEM=1",
		"GIT_CONFIG_GLOBAL=/dev/null",
		"GIT_ATTR_NOSYSTEM=1",
		"GIT_NO_REPLACE_OBJECTS=1",
		"GIT_GRAFT_FILE=/dev/null",
		"GIT_OPTIONAL_LOCKS=0",
		"GIT_TERMINAL_PROMPT=0",
		"GIT_NO_LAZY_FETCH=1",
		"GIT_ALLOW_PROTOCOL=",
		"GIT_PROTOCOL_FROM_USER=0",
	}
}

// command prepares one git command; ctx kills it.
func (g git) command(ctx context.Context, args ...string) *exec.Cmd {
	all := append([]string{"--no-pager", "--literal-pathspecs"}, overrides...)
	if g.dir != "" {
		all = append(all, "--git-dir="+g.dir)
	}
	if g.root != "" {
		all = append(all, "--work-tree="+g.root)
	}
	cmd := exec.CommandContext(ctx, "git", append(all, args...)...)
	cmd.Env = environment()
	cmd.Dir = g.root
	cmd.WaitDelay = 5 * time.Second // a child of git's own cannot hold the pipes open longer
	return cmd
}

// maxOutput bounds what one command may print into memory.
const maxOutput = 256 << 20

// run runs one command to its end and returns what it printed.
func (g git) run(ctx context.Context, stdin io.Reader, args ...string) ([]byte, error) {
	cmd := g.command(ctx, args...)
	cmd.Stdin = stdin
	out := &limited{left: maxOutput}
	stderr := &limited{left: maxSmall}
	cmd.Stdout, cmd.Stderr = out, stderr
	err := cmd.Run()
	if out.over {
		return nil, fmt.Errorf("git %s printed more than %d MiB: the repository is too large for a lab", args[0], maxOutput>>20)
	}
	if err != nil {
		return nil, gitError(ctx, args[0], err, stderr.Bytes())
	}
	return out.Bytes(), nil
}

// gitError makes an error of a failed git command that says why.
func gitError(ctx context.Context, command string, err error, stderr []byte) error {
	if ctx.Err() != nil {
		return fmt.Errorf("git %s: %w", command, context.Cause(ctx))
	}
	if errors.Is(err, exec.ErrNotFound) {
		return ErrNoGit
	}
	if said := strings.TrimSpace(string(stderr)); said != "" {
		return fmt.Errorf("git %s: %w: %s", command, err, said)
	}
	return fmt.Errorf("git %s: %w", command, err)
}

// exitCode is the code that a failed command ended with; -1 when it did not
// get that far.
func exitCode(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	return -1
}

// limited keeps the first bytes written to it and notes whether there were more.
type limited struct {
	bytes.Buffer
	left int
	over bool
}

func (l *limited) Write(p []byte) (int, error) {
	keep := p
	if len(keep) > l.left {
		keep, l.over = keep[:l.left], true
	}
	l.left -= len(keep)
	l.Buffer.Write(keep)
	return len(p), nil
}
