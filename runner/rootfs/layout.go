package rootfs

import (
	"archive/tar"
	"bytes"
	"errors"
	"slices"
	"strings"
	"time"
)

// entry is one path of the filesystem; everything belongs to root.
type entry struct {
	path    string // absolute
	mode    int64
	dir     bool
	link    string
	content []byte
}

// busyboxPath is where the one program lies that all applets link to.
const busyboxPath = "/bin/busybox"

// layout is the filesystem with more entries, sorted by path. What the engine
// mounts over or writes itself (/etc/hosts and the like) is left to it.
func layout(binary []byte, applets []string, more ...entry) []entry {
	entries := map[string]entry{}
	for _, dir := range []string{
		"/bin", "/dev", "/etc", "/home", "/proc", "/run", "/sbin", "/srv", "/sys",
		"/usr", "/usr/bin", "/usr/local", "/usr/local/bin", "/usr/sbin", "/var", "/var/log", "/var/spool",
	} {
		entries[dir] = entry{path: dir, mode: 0o755, dir: true}
	}
	entries["/root"] = entry{path: "/root", mode: 0o700, dir: true}
	entries["/tmp"] = entry{path: "/tmp", mode: 0o1777, dir: true}
	entries["/var/tmp"] = entry{path: "/var/tmp", mode: 0o1777, dir: true}
	for path, text := range map[string]string{
		"/etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
		"/etc/group":  "root:x:0:\nnogroup:x:65534:\n",
	} {
		entries[path] = entry{path: path, mode: 0o644, content: []byte(text)}
	}
	for _, applet := range append(applets, "/bin/sh") {
		entries[applet] = entry{path: applet, mode: 0o777, link: busyboxPath}
	}
	entries[busyboxPath] = entry{path: busyboxPath, mode: 0o755, content: binary}
	for _, e := range more {
		entries[e.path] = e
	}

	sorted := make([]entry, 0, len(entries))
	for _, e := range entries {
		sorted = append(sorted, e)
	}
	slices.SortFunc(sorted, func(a, b entry) int { return strings.Compare(a.path, b.path) })
	return sorted
}

// epoch is the time of everything: the bytes must depend on busybox alone.
var epoch = time.Unix(0, 0).UTC()

// pack writes the filesystem as a tar.
func pack(entries []entry) ([]byte, error) {
	var out bytes.Buffer
	t := tar.NewWriter(&out)
	for _, e := range entries {
		header := &tar.Header{Name: strings.TrimPrefix(e.path, "/"), Mode: e.mode, ModTime: epoch, Format: tar.FormatUSTAR}
		switch {
		case e.dir:
			header.Typeflag, header.Name = tar.TypeDir, header.Name+"/"
		case e.link != "":
			header.Typeflag, header.Linkname = tar.TypeSymlink, e.link
		default:
			header.Typeflag, header.Size = tar.TypeReg, int64(len(e.content))
		}
		err := t.WriteHeader(header)
		if len(e.content) > 0 {
			_, werr := t.Write(e.content)
			err = errors.Join(err, werr)
		}
		if err != nil {
			return nil, err
		}
	}
	err := t.Close()
	return out.Bytes(), err
}
