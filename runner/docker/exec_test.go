package docker_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/labctl/labctl/runner/engine"
	"github.com/labctl/labctl/runner/engine/enginetest"
)

func TestExec(t *testing.T) {
	t.Parallel()
	id := start(t, engine.ContainerSpec{})
	ended, err := shared.Exec(t.Context(), id, "1000", `echo "$A"; busybox id -u; echo wrong >&2; exit 3`, []string{"A=one two"})
	if err != nil {
		t.Fatal(err)
	}
	if ended.ExitCode != 3 {
		t.Errorf("exit code is %d", ended.ExitCode)
	}
	for _, want := range []string{"one two\n", "1000\n", "wrong\n"} {
		if !strings.Contains(ended.Output, want) {
			t.Errorf("output is %q, want %q in it", ended.Output, want)
		}
	}
	ended, err = shared.Exec(t.Context(), id, "", "busybox yes | busybox head -c 1000000; exit 4", nil)
	if err != nil || len(ended.Output) != 64<<10 || ended.ExitCode != 4 {
		t.Errorf("%d bytes of output, exit code %d, %v", len(ended.Output), ended.ExitCode, err)
	}
}

func TestExecEndsWithItsContext(t *testing.T) {
	t.Parallel()
	id := start(t, engine.ContainerSpec{})
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := shared.Exec(ctx, id, "", "busybox sleep 1000", nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestExecWithoutAShell(t *testing.T) {
	t.Parallel()
	tag := name(t) + ":1"
	rootfs := enginetest.Tar(t, enginetest.File("bin/nothing", 0o755, ""))
	if _, err := shared.ImportImage(t.Context(), rootfs, tag, []string{"LABEL " + enginetest.LabelTest + "=" + unique}); err != nil {
		t.Fatal(err)
	}
	// Something has to run there: the base's busybox, without its links.
	_, err := shared.Build(t.Context(), engine.BuildRequest{
		Context:    enginetest.Tar(t, enginetest.File("Dockerfile", 0o644, "FROM "+tag+"\nCOPY --from="+base+" /bin/busybox /busybox\n")),
		Dockerfile: "Dockerfile", Tag: tag, Labels: labels()})
	if err != nil {
		t.Fatal(err)
	}
	id := start(t, engine.ContainerSpec{Image: tag, Run: sleeping("/busybox")})
	if _, err := shared.Exec(t.Context(), id, "", "true", nil); err == nil || !strings.Contains(err.Error(), "it has no sh") {
		t.Errorf("got %v", err)
	}
}

func TestShellReadsCommands(t *testing.T) {
	t.Parallel()
	id := start(t, engine.ContainerSpec{})
	var stdout, stderr bytes.Buffer
	exit, err := shared.Shell(t.Context(), id, strings.NewReader("echo told\necho wrong >&2\nexit 5\n"), &stdout, &stderr)
	if err != nil || exit != 5 || stdout.String() != "told\n" || stderr.String() != "wrong\n" {
		t.Errorf("exit %d, %v, said %q and %q", exit, err, &stdout, &stderr)
	}
}
