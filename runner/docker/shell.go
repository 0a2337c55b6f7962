package docker

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"
	"golang.org/x/term"
)

// anyShell runs the more comfortable of the two shells.
const anyShell = "if command -v bash >/dev/null 2>&1; then exec bash; fi; exec sh"

// Shell implements engine.Engine. On a terminal the shell has one too, which
// follows its size; otherwise it reads its commands from stdin. No history is
// written, so that looking around leaves no trace.
//
// Reading stdin cannot be interrupted: a reader that never ends is left with
// one pending read.
func (e *Engine) Shell(ctx context.Context, id string, stdin io.Reader, stdout, stderr io.Writer) (int, error) {
	terminal, _ := stdin.(*os.File)
	tty := terminal != nil && term.IsTerminal(int(terminal.Fd()))
	options := container.ExecOptions{
		Cmd: []string{"sh", "-c", anyShell},
		// An empty name turns the history off in bash and in busybox's shell.
		Env:          []string{"HISTFILE="},
		Tty:          tty,
		AttachStdin:  true,
		AttachStdout: true,
		AttachStderr: true,
	}
	if tty {
		options.Env = append(options.Env, "TERM="+os.Getenv("TERM"))
		options.ConsoleSize = consoleSize(terminal)
	}
	created, err := e.client.ContainerExecCreate(ctx, id, options)
	if err != nil {
		return 0, e.failed(err, "opening a shell in container %s", id)
	}
	stream, err := e.client.ContainerExecAttach(ctx, created.ID, container.ExecAttachOptions{Tty: tty, ConsoleSize: options.ConsoleSize})
	if noShell(err, "") {
		return 0, fmt.Errorf("opening a shell in container %s: it has none", id)
	}
	if err != nil {
		return 0, e.failed(err, "opening a shell in container %s", id)
	}
	defer stream.Close()
	stop := context.AfterFunc(ctx, stream.Close)
	defer stop()

	if tty {
		restore, err := e.followTerminal(ctx, terminal, created.ID)
		if err != nil {
			return 0, fmt.Errorf("opening a shell in container %s: %w", id, err)
		}
		defer restore()
	}
	if err := converse(stream, tty, stdin, stdout, stderr); err != nil && ctx.Err() == nil {
		return 0, e.failed(err, "talking to the shell in container %s", id)
	}
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	ended, err := e.client.ContainerExecInspect(ctx, created.ID)
	if err != nil {
		return 0, e.failed(err, "reading how the shell in container %s ended", id)
	}
	return ended.ExitCode, nil
}

// converse passes input on until the shell's output ends.
func converse(stream types.HijackedResponse, tty bool, stdin io.Reader, stdout, stderr io.Writer) error {
	go func() {
		// When writing fails the shell has ended, which the output tells.
		_, _ = io.Copy(stream.Conn, stdin)
		_ = stream.CloseWrite()
	}()
	if tty {
		_, err := io.Copy(stdout, stream.Reader)
		return err
	}
	_, err := stdcopy.StdCopy(stdout, stderr, stream.Reader)
	return err
}

// followTerminal hands every key to the shell and tells it the terminal's
// size, now and when it changes, until the returned function puts the terminal
// back as it was.
func (e *Engine) followTerminal(ctx context.Context, terminal *os.File, exec string) (restore func(), err error) {
	before, err := term.MakeRaw(int(terminal.Fd()))
	if err != nil {
		return nil, err
	}
	changed := make(chan os.Signal, 1)
	signal.Notify(changed, syscall.SIGWINCH)
	changed <- syscall.SIGWINCH // engines before 23 ignore the size given at the start
	ctx, cancel := context.WithCancel(ctx)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-ctx.Done():
				return
			case <-changed:
				if size := consoleSize(terminal); size != nil {
					// A wrong size is no reason to end the shell.
					_ = e.client.ContainerExecResize(ctx, exec, container.ResizeOptions{Height: size[0], Width: size[1]})
				}
			}
		}
	}()
	return func() {
		signal.Stop(changed)
		cancel()
		<-stopped
		_ = term.Restore(int(terminal.Fd()), before)
	}, nil
}

// consoleSize is a terminal's height and width, nil when it has none.
func consoleSize(terminal *os.File) *[2]uint {
	width, height, err := term.GetSize(int(terminal.Fd()))
	if err != nil {
		return nil
	}
	return &[2]uint{uint(height), uint(width)}
}
