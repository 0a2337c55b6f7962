package check

import (
	"fmt"
	"path"
	"slices"

	"github.com/labctl/labctl/scenarios/evidence"
)

// InMemory are the folders of a container that live in memory and end with it,
// sorted: each tmpfs, and /dev/shm where that is the container's own.
func InMemory(c evidence.Container) ([]string, error) {
	host, err := requestedOf(c)
	if err != nil {
		return nil, fmt.Errorf("reading the mounts of %s: %w", called(c), err)
	}
	at := host.tmpfs()
	if slices.Contains([]string{"", "private", "shareable"}, host.IpcMode) && !slices.Contains(at, shm) {
		at = append(at, shm)
	}
	at = slices.DeleteFunc(at, func(p string) bool { // a volume lies there
		return slices.ContainsFunc(c.Mounts, func(m evidence.Mount) bool { return path.Clean(m.Destination) == p })
	})
	slices.Sort(at)
	return at, nil
}

// shm is where engines mount a tmpfs for shared memory into each container that
// has a namespace of its own for it.
const shm = "/dev/shm"

// Anonymous reports whether a mount is a volume that the engine made for this
// container, and removes with it.
func Anonymous(c evidence.Container, m evidence.Mount) (bool, error) {
	host, err := requestedOf(c)
	if err != nil {
		return false, fmt.Errorf("reading the mounts of %s: %w", called(c), err)
	}
	return m.Type == "volume" && anonymous.MatchString(m.Name) && !host.gave(m), nil
}
