package check

import (
	"encoding/json"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/labctl/labctl/scenarios/evidence"
)

// requested is what a container's HostConfig asks to have mounted. The engine's
// list of mounts says what came of it, but not whether a volume was given or
// made, and evidence has no tmpfs in that list.
type requested struct {
	Init    bool
	IpcMode string   // "" is the engine's default: one of its own
	Binds   []string // "/source:/destination" or "volume:/destination", options after another colon
	Tmpfs   map[string]string
	Mounts  []struct {
		Type          string
		Source        string
		Target        string
		VolumeOptions *struct{ DriverConfig json.RawMessage }
	}
}

func requestedOf(c evidence.Container) (requested, error) {
	var r requested
	if untold(c.HostConfig) {
		return r, errUntold
	}
	err := json.Unmarshal(c.HostConfig, &r)
	return r, err
}

// tmpfs are the paths of all tmpfs, whichever of the two notations asked for
// them, sorted.
func (r requested) tmpfs() []string {
	var at []string
	for p := range r.Tmpfs {
		at = append(at, path.Clean("/"+p))
	}
	for _, m := range r.Mounts {
		if m.Type == "tmpfs" {
			at = append(at, path.Clean("/"+m.Target))
		}
	}
	slices.Sort(at)
	return slices.Compact(at)
}

// gave reports whether a volume was given by whoever ran the container, with
// what is in it, instead of made by the engine for the image.
func (r requested) gave(m evidence.Mount) bool {
	for _, bind := range r.Binds {
		if strings.HasPrefix(bind, m.Name+":") {
			return true
		}
	}
	for _, given := range r.Mounts {
		if path.Clean("/"+given.Target) != m.Destination || given.Type != "volume" {
			continue
		}
		options := given.VolumeOptions
		if given.Source != "" || options != nil && len(options.DriverConfig) > 0 && string(options.DriverConfig) != "null" {
			return true
		}
	}
	return false
}

var anonymous = regexp.MustCompile(`^[0-9a-f]{64}$`)

// mounts must be those that the image declares, with nothing in them but what
// the engine puts there: anonymous volumes. A tmpfs may lie on what the service
// declares to write while it runs, too.
func (r *comparison) mounts(live, want evidence.Container) error {
	has, err := requestedOf(live)
	if err != nil {
		return err
	}
	declared, err := requestedOf(want)
	if err != nil {
		return err
	}
	for _, m := range live.Mounts {
		same := func(w evidence.Mount) bool { return w.Type == m.Type && w.Destination == m.Destination }
		switch {
		case m.Type == "volume" && slices.ContainsFunc(want.Mounts, same) && anonymous.MatchString(m.Name) && !has.gave(m):
		case m.Type == "volume":
			r.add("volume %s on %s", m.Name, m.Destination)
		default:
			r.add("mount of %s on %s", m.Source, m.Destination)
		}
	}
	for _, w := range want.Mounts {
		if !slices.ContainsFunc(live.Mounts, func(m evidence.Mount) bool { return m.Destination == w.Destination }) {
			r.add("no volume on %s", w.Destination)
		}
	}
	for _, at := range has.tmpfs() {
		if !slices.Contains(declared.tmpfs(), at) && !slices.Contains(r.service.RuntimePaths, at) {
			r.add("tmpfs on %s", at)
		}
	}
	for _, at := range declared.tmpfs() {
		if !slices.Contains(has.tmpfs(), at) {
			r.add("no tmpfs on %s", at)
		}
	}
	return nil
}
