package evidence

import (
	"fmt"
	"slices"
	"strings"
)

// Exactness is how closely two filesystems must agree.
type Exactness int

const (
	// Exactly is to the last bit of the modes.
	Exactly Exactness = iota
	// AsBuilt is as two honest builds of one repository agree: contents,
	// links, owners, and of modes what git keeps (whether the owner may
	// execute a file) besides setuid, setgid and sticky. Clones under another
	// umask differ in the rest. Logs and caches of package managers, which
	// hold the time of the build, are left out.
	AsBuilt
)

// Difference is one path that differs.
type Difference struct {
	Sign string // "+" only in the second, "-" only in the first, "~" in both
	Path string
	What string // of "~": "content", "mode 644 → 600", "owner 0:0 → 1000:1000", "link a → b", "type file → dir"

	Before, After Entry // what the two have there; the zero Entry for nothing
}

// String is the difference on one line: "~ /etc/booking.conf". What differs is
// told when it is not the content.
func (d Difference) String() string {
	if d.Sign == "~" && d.What != "content" {
		return fmt.Sprintf("~ %s (%s)", d.Path, d.What)
	}
	return d.Sign + " " + d.Path
}

// buildNoise is what differs between two builds that install packages: found
// by experiment with Debian's apt.
var buildNoise = []string{
	"/var/cache/apt/pkgcache.bin", "/var/cache/apt/srcpkgcache.bin",
	"/var/log/apt/history.log", "/var/log/apt/term.log", "/var/log/dpkg.log",
	"/var/cache/ldconfig/aux-cache",
}

// Diff compares two filesystems. Ignored are paths, and all below them, that
// nobody looks at.
func Diff(a, b Tree, how Exactness, ignored ...string) []Difference {
	return diff(a, b, how, ignored)
}

// DiffEntries compares entries of which each path occurs once, such as deltas.
func DiffEntries(a, b []Entry, how Exactness) []Difference {
	return diff(a, b, how, nil)
}

// diff reports modes as they are, even where only some of their bits count.
func diff(a, b []Entry, how Exactness, ignored []string) []Difference {
	before, after := how.looked(a, ignored), how.looked(b, ignored)
	var out []Difference
	for p, was := range before {
		now, there := after[p]
		if !there {
			out = append(out, Difference{Sign: "-", Path: p, Before: was})
		} else if how.counted(now) != how.counted(was) {
			out = append(out, Difference{Sign: "~", Path: p, What: how.what(was, now), Before: was, After: now})
		}
	}
	for p, now := range after {
		if _, there := before[p]; !there {
			out = append(out, Difference{Sign: "+", Path: p, After: now})
		}
	}
	slices.SortFunc(out, func(x, y Difference) int { return strings.Compare(x.Path, y.Path) })
	return out
}

// looked are the entries that are looked at, by path.
func (how Exactness) looked(entries []Entry, ignored []string) map[string]Entry {
	out := make(map[string]Entry, len(entries))
	for _, e := range entries {
		if within(ignored, e.Path) || how == AsBuilt && slices.Contains(buildNoise, e.Path) {
			continue
		}
		out[e.Path] = e
	}
	return out
}

// counted is an entry with what does not count taken out.
func (how Exactness) counted(e Entry) Entry {
	if how == AsBuilt {
		bits := uint32(0o7000)
		if e.Type == TypeFile {
			bits |= 0o100
		}
		e.Mode &= bits
	}
	return e
}

// what names the first thing in which two entries of one path differ.
func (how Exactness) what(was, now Entry) string {
	switch {
	case was.Type != now.Type:
		return "type " + was.Type + " → " + now.Type
	case was.SHA256 != now.SHA256 || was.Size != now.Size:
		return "content"
	case was.Link != now.Link:
		return fmt.Sprintf("link %s → %s", was.Link, now.Link)
	case was.Device != now.Device:
		return fmt.Sprintf("device %s → %s", was.Device, now.Device)
	case how.counted(was).Mode != how.counted(now).Mode:
		return fmt.Sprintf("mode %o → %o", was.Mode, now.Mode)
	case was.UID != now.UID || was.GID != now.GID:
		return fmt.Sprintf("owner %d:%d → %d:%d", was.UID, was.GID, now.UID, now.GID)
	default:
		return "capability"
	}
}
