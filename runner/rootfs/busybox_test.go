package rootfs_test

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/labctl/labctl/runner/rootfs"
)

func busybox(t *testing.T) rootfs.Rootfs {
	t.Helper()
	made, err := rootfs.Busybox(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func TestBusyboxIsTheSameEachTime(t *testing.T) {
	t.Parallel()
	one, two := busybox(t), busybox(t)
	if !bytes.Equal(one.Tar, two.Tar) || one.DiffID != two.DiffID {
		t.Error("two calls differ")
	}
	if want := fmt.Sprintf("sha256:%x", sha256.Sum256(one.Tar)); one.DiffID != want {
		t.Errorf("diff ID %s, want %s", one.DiffID, want)
	}
}

func TestBusyboxFilesystem(t *testing.T) {
	t.Parallel()
	found := map[string]string{}
	var names []string
	for in := tar.NewReader(bytes.NewReader(busybox(t).Tar)); ; {
		header, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if header.Uid != 0 || header.Gid != 0 || header.ModTime.Unix() != 0 || header.Uname != "" {
			t.Errorf("%s belongs to %d:%d %q, of %v", header.Name, header.Uid, header.Gid, header.Uname, header.ModTime)
		}
		names = append(names, "/"+strings.TrimSuffix(header.Name, "/"))
		found[header.Name] = fmt.Sprintf("%c %o %s", header.Typeflag, header.Mode, header.Linkname)
	}
	if !slices.IsSorted(names) {
		t.Error("not sorted by path")
	}
	for name, want := range map[string]string{
		"root/": "5 700 ", "tmp/": "5 1777 ", "srv/": "5 755 ", "etc/passwd": "0 644 ",
		"bin/busybox": "0 755 ", "bin/sh": "2 777 /bin/busybox", "usr/bin/[": "2 777 /bin/busybox",
	} {
		if found[name] != want {
			t.Errorf("%s is %q, want %q", name, found[name], want)
		}
	}
	for _, name := range []string{"linuxrc", "etc/hosts", "etc/hostname", "etc/resolv.conf"} {
		if found[name] != "" {
			t.Errorf("%s is there", name)
		}
	}
}

func TestBusyboxPrefersPATH(t *testing.T) {
	from := busybox(t).Source
	dir := t.TempDir()
	binary, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	mine := filepath.Join(dir, "busybox")
	if err := os.WriteFile(mine, binary, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
	if got := busybox(t); got.Source != mine {
		t.Errorf("took %s", got.Source)
	}
	// What is no static busybox is passed over.
	for _, bad := range [][]byte{[]byte("#!/bin/sh\nexec echo bin/sh\n"), nil} {
		if err := os.WriteFile(mine, bad, 0o755); err != nil {
			t.Fatal(err)
		}
		if got := busybox(t); got.Source == mine {
			t.Errorf("took %q", bad)
		}
	}
}

func TestBusyboxEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := rootfs.Busybox(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}
