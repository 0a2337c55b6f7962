// Package cleanroom builds a state of the repository where the learner has no
// hand in it: from raw files, on the lab's images as they were pinned at the
// start, without cache, network or leftovers. What comes out is what the
// repository alone makes, to be compared with what is live.
//
// What is built may be hostile. So the steps are caged: they have no network
// unless the lab declares one, and limits of time, disk, memory, processor and
// processes, as far as the engine has them. A build that hits one has failed,
// and says which; what it left is removed then, or by the next Sweep.
package cleanroom

import "fmt"

// Rules say what a Dockerfile may refer to and how it is read.
type Rules struct {
	Pins     map[string]string // the lab's images: tag as Dockerfiles write it → pinned image ID
	Platform string            // the engine's: linux/amd64
	// BuildKit is set when the engine builds with it. The classic builder
	// knows neither heredocs nor Dockerfile.dockerignore.
	BuildKit bool
	// Network is set when the lab declares that its clean rooms reach the
	// network: what is fetched is then let through.
	Network bool
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
