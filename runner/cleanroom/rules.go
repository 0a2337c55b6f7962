// Package cleanroom builds a state of the repository where the learner has no
// hand in it: from raw files, on the lab's images as they were pinned at the
// start, without cache, network or leftovers. What comes out is what the
// repository alone makes, to be compared with what is live.
package cleanroom

import "fmt"

// Rules say what a Dockerfile may refer to and how it is read.
type Rules struct {
	Pins     map[string]string // the lab's images: tag as Dockerfiles write it → pinned image ID
	Platform string            // the engine's: linux/amd64
	// BuildKit is set when the engine builds with it. The classic builder
	// knows neither heredocs nor Dockerfile.dockerignore.
	BuildKit bool
}

// Refused is the error of a Dockerfile that is not run, because what it makes
// would not come from the repository and the lab's images alone.
type Refused struct {
	Line   int    // in the Dockerfile; 0 when it is not about one
	Reason string // what, why and what to do instead
}

func (e *Refused) Error() string {
	if e.Line == 0 {
		return e.Reason
	}
	return fmt.Sprintf("Dockerfile line %d: %s", e.Line, e.Reason)
}

func refuse(line int, format string, args ...any) *Refused {
	return &Refused{Line: line, Reason: fmt.Sprintf(format, args...)}
}
