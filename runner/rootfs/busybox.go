// Package rootfs makes root filesystems for base images from what the host
// has, so that labs need no registry.
package rootfs

import (
	"bytes"
	"context"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
	"time"
)

// Rootfs is a root filesystem, ready to be imported.
type Rootfs struct {
	Tar []byte
	// DiffID is the digest of Tar, "sha256:…". An image whose only layer has
	// it was imported from the same bytes, whatever it is called.
	DiffID  string
	Source  string   // the busybox on the host: /bin/busybox
	Env     []string // of the image's configuration: NAME=value
	Cmd     []string
	Labels  map[string]string
	Changes []string // Env, Cmd and Labels as Dockerfile instructions, for the import
}

// mend says how to get what Busybox needs.
const mend = "install one, on Debian or Ubuntu with apt-get install busybox-static"

// Busybox makes a small Linux of the host's static busybox: a shell, the usual
// tools, and a web server with CGI. The same busybox always gives the same
// bytes.
func Busybox(ctx context.Context) (Rootfs, error) { return packed(ctx, []string{"sh"}, nil) }

// packed is the host's busybox, and more files. A container of it runs cmd.
func packed(ctx context.Context, cmd []string, labels map[string]string, more ...entry) (Rootfs, error) {
	var found []error
	for _, name := range candidates() {
		binary, applets, err := inspect(ctx, name)
		if err == nil {
			return build(name, layout(binary, applets, more...), cmd, labels)
		}
		if ctx.Err() != nil {
			return Rootfs{}, fmt.Errorf("making a root filesystem of busybox: %w", context.Cause(ctx))
		}
		if !errors.Is(err, os.ErrNotExist) {
			found = append(found, err)
		}
	}
	if len(found) > 0 {
		return Rootfs{}, fmt.Errorf("no static busybox on this machine: %w: %s", found[0], mend)
	}
	return Rootfs{}, fmt.Errorf("no busybox on this machine: %s", mend)
}

// candidates are where a busybox may be: first in PATH, then where packages
// put it, which PATH may leave out.
func candidates() []string {
	var names []string
	for _, name := range []string{"busybox.static", "busybox"} {
		if found, err := exec.LookPath(name); err == nil {
			names = append(names, found)
		}
	}
	return append(names, "/bin/busybox", "/usr/bin/busybox", "/bin/busybox.static", "/usr/lib/busybox/busybox")
}

// inspect reads a busybox that runs without libraries, and asks it for the
// paths of its applets.
func inspect(ctx context.Context, name string) (binary []byte, applets []string, err error) {
	binary, err = os.ReadFile(name)
	if err != nil {
		return nil, nil, err
	}
	if err := static(binary); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, "--list-full")
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	if err != nil {
		return nil, nil, fmt.Errorf("%s --list-full: %w", name, err)
	}
	for _, applet := range strings.Fields(string(out)) {
		applet = path.Clean("/" + applet)
		if path.Dir(applet) != "/" { // linuxrc is for machines, not containers
			applets = append(applets, applet)
		}
	}
	if len(applets) == 0 {
		return nil, nil, fmt.Errorf("%s lists no applets", name)
	}
	return binary, applets, nil
}

// static tells whether a program runs without a loader and libraries.
func static(binary []byte) error {
	file, err := elf.NewFile(bytes.NewReader(binary))
	if err != nil {
		return fmt.Errorf("not a Linux program: %w", err)
	}
	for _, segment := range file.Progs {
		if segment.Type == elf.PT_INTERP {
			return errors.New("not static: it needs libraries that an empty filesystem lacks")
		}
	}
	return nil
}

// build packs the filesystem.
func build(source string, entries []entry, cmd []string, labels map[string]string) (Rootfs, error) {
	archive, err := pack(entries)
	if err != nil {
		return Rootfs{}, fmt.Errorf("packing the root filesystem of busybox: %w", err)
	}
	sum := sha256.Sum256(archive)
	const searched = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	changes := []string{"ENV " + searched, fmt.Sprintf(`CMD ["%s"]`, strings.Join(cmd, `", "`))}
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		changes = append(changes, "LABEL "+name+"="+labels[name])
	}
	return Rootfs{
		Tar:     archive,
		DiffID:  "sha256:" + hex.EncodeToString(sum[:]),
		Source:  source,
		Env:     []string{searched},
		Cmd:     cmd,
		Labels:  labels,
		Changes: changes,
	}, nil
}
