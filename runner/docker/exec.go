package docker

import (
	"context"
	"fmt"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"

	"github.com/labctl/labctl/runner/engine"
)

// maxOutput is how many bytes of a script's output are kept.
const maxOutput = 64 << 10

// Exec implements engine.Actuator. A script that ends with any exit code is no
// error; one that cannot be started is. When the context ends first, the
// script may go on inside the container.
func (e *Engine) Exec(ctx context.Context, id, user, script string, env []string) (engine.ExecResult, error) {
	created, err := e.client.ContainerExecCreate(ctx, id, container.ExecOptions{
		User:         user,
		Env:          env,
		Cmd:          []string{"sh", "-c", script},
		AttachStdout: true,
		AttachStderr: true,
	})
	if err != nil {
		return engine.ExecResult{}, e.failed(err, "running a script in container %s", id)
	}
	output := &bounded{limit: maxOutput}
	err = e.attachOutput(ctx, created.ID, output)
	if noShell(err, "") {
		return engine.ExecResult{}, fmt.Errorf("running a script in container %s: it has no sh", id)
	}
	if err != nil {
		return engine.ExecResult{}, e.failed(err, "running a script in container %s", id)
	}
	ended, err := e.client.ContainerExecInspect(ctx, created.ID)
	if err != nil {
		return engine.ExecResult{}, e.failed(err, "reading how a script in container %s ended", id)
	}
	if ended.ExitCode > 125 && noShell(nil, output.String()) {
		return engine.ExecResult{}, fmt.Errorf("running a script in container %s: it has no sh", id)
	}
	return engine.ExecResult{ExitCode: ended.ExitCode, Output: output.String()}, nil
}

// attachOutput runs a created exec and copies both its streams to output until
// it ends.
func (e *Engine) attachOutput(ctx context.Context, exec string, output *bounded) error {
	stream, err := e.client.ContainerExecAttach(ctx, exec, container.ExecAttachOptions{})
	if err != nil {
		return err
	}
	defer stream.Close()
	// The stream knows nothing of the context.
	stop := context.AfterFunc(ctx, stream.Close)
	defer stop()
	_, err = stdcopy.StdCopy(output, output, stream.Reader)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// noShell recognises a container without the program to run. Engines before 25
// say so in the output, later ones as an error of the start.
func noShell(err error, output string) bool {
	said := output
	if err != nil {
		said = err.Error()
	}
	return strings.Contains(said, "OCI runtime exec failed") &&
		(strings.Contains(said, "executable file not found") || strings.Contains(said, "no such file or directory"))
}
