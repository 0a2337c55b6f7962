package runner_test

import (
	"testing"

	"github.com/labctl/labctl/runner"
)

func TestShellQuote(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"drift-lab": "drift-lab", "my labs/drift": "'my labs/drift'", "it's": `'it'\''s'`, "-x": "'-x'", "$(reboot)": "'$(reboot)'", "": "''",
	} {
		if got := runner.ShellQuote(in); got != want {
			t.Errorf("ShellQuote(%q) = %s, want %s", in, got, want)
		}
	}
}
