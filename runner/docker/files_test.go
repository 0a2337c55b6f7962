package docker_test

import (
	"strings"
	"testing"

	"github.com/labctl/labctl/runner/engine"
	"github.com/labctl/labctl/scenarios/lab"
)

// inMemory runs a script in a container with a tmpfs on /tmp and lists what
// then lies in its memory. The suffix is of its name.
func inMemory(t *testing.T, suffix, script string) engine.Listing {
	t.Helper()
	id := start(t, engine.ContainerSpec{Name: name(t) + suffix, Run: lab.Run{Tmpfs: []string{"/tmp"}}})
	if ended, err := shared.Exec(t.Context(), id, "", script, nil); err != nil || ended.ExitCode != 0 {
		t.Fatalf("%+v, %v", ended, err)
	}
	found, err := shared.Files(t.Context(), id, []string{"/tmp", "/dev/shm"})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestFilesAreListedWhateverTheyAreCalled(t *testing.T) {
	t.Parallel()
	found := inMemory(t, "", `busybox mkdir -p "/tmp/a b/.c"
printf 'a\0b\n' >"/tmp/a b/.c/it's"
echo hidden >/dev/shm/.hidden
printf x >"/tmp/$(printf 'line\n\033[31mred')"
busybox head -c 200 /dev/zero >/tmp/short
busybox head -c 201 /dev/zero >/tmp/long
>/tmp/empty
busybox mkfifo /tmp/fifo
busybox ln -s /etc/passwd /tmp/link
`)
	want := []engine.ListedFile{
		{Path: "/dev/shm/.hidden", Size: 7, Text: "hidden\n"},
		{Path: "/tmp/a b/.c/it's", Size: 4, Text: "a\x00b\n"},
		{Path: "/tmp/empty"},
		{Path: "/tmp/line\n\x1b[31mred", Size: 1, Text: "x"},
		{Path: "/tmp/long", Size: 201},
		{Path: "/tmp/short", Size: 200, Text: strings.Repeat("\x00", 200)},
	}
	if found.More > 0 || found.Partial || len(found.Files) != len(want) {
		t.Fatalf("listed is %+v", found)
	}
	for i, f := range found.Files {
		if f != want[i] {
			t.Errorf("listed is %+v, want %+v", f, want[i])
		}
	}
}

func TestMoreFilesThanAreListedAreCounted(t *testing.T) {
	t.Parallel()
	found := inMemory(t, "", `i=0; while [ $i -lt 130 ]; do echo $i >/tmp/$i; i=$((i + 1)); done`)
	if len(found.Files) != 100 || found.More != 30 || found.Partial {
		t.Errorf("%d files and %d more, partial: %t", len(found.Files), found.More, found.Partial)
	}
	// Names so long that the answer is cut.
	found = inMemory(t, "-long", `long=$(printf %0250d 0); dir=/dev/shm; for i in 1 2 3 4; do dir=$dir/$long; done
busybox mkdir -p $dir
i=0; while [ $i -lt 100 ]; do echo $i >$dir/$i; i=$((i + 1)); done`)
	if !found.Partial || len(found.Files) == 0 {
		t.Errorf("%d files of 100, partial: %t", len(found.Files), found.Partial)
	}
}

func TestFilesOfAContainerWithoutFind(t *testing.T) {
	t.Parallel()
	id := start(t, engine.ContainerSpec{})
	// The host's busybox has a find, whatever links there are: a shell that says
	// there is none.
	const without = `busybox rm /bin/sh && printf '#!/bin/busybox sh\nexit 127\n' >/bin/sh && busybox chmod 755 /bin/sh`
	if ended, err := shared.Exec(t.Context(), id, "", without, nil); err != nil || ended.ExitCode != 0 {
		t.Fatalf("%+v, %v", ended, err)
	}
	if found, err := shared.Files(t.Context(), id, []string{"/dev/shm"}); err == nil || !strings.Contains(err.Error(), "it has no find") {
		t.Errorf("got %+v, %v", found, err)
	}
	// What is not there was not looked at.
	id = start(t, engine.ContainerSpec{Name: name(t) + "-2"})
	if found, err := shared.Files(t.Context(), id, []string{"/nothing"}); err != nil || !found.Partial {
		t.Errorf("got %+v, %v", found, err)
	}
}
