package docker_test

import (
	"testing"

	"github.com/labctl/labctl/runner/engine/enginetest"
)

func TestBehavesLikeAnEngine(t *testing.T) {
	t.Parallel()
	enginetest.Run(t, shared, unique)
}
