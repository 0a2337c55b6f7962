package proof

import (
	"strings"
	"testing"
)

// A try that fails must say why: docker's last line is always the same.
func TestWhatDockerSaidIsToldNotWhereItsHelpIs(t *testing.T) {
	t.Parallel()
	w := &World{Workspace: t.TempDir()}
	const says = `echo 'docker: Error response from daemon: permission denied: unknown.

Run '"'"'docker run --help'"'"' for more information' >&2; exit 126`
	err := w.command(t.Context(), nil, nil, "sh", "-c", says)
	if err == nil || !strings.HasSuffix(err.Error(), "permission denied: unknown.") {
		t.Errorf("%v", err)
	}
}
