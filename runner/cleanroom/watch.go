package cleanroom

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/labctl/labctl/runner/engine"
)

const (
	// floor is how much disk a build must leave: an engine without disk takes
	// everything on it down.
	floor = 512 << 20
	// most is how much disk may go while a build runs, its layers and what it
	// makes on the way together. Nothing else limits what a step writes.
	most = 4 << 30
	// watchEvery is how often the disk is looked at while a build runs.
	watchEvery = 200 * time.Millisecond
	// givenBack is how long the engine may take to remove what a build wrote.
	givenBack = 5 * time.Second
)

// diskGone is the cause of a build's end when too much disk went meanwhile.
type diskGone struct{ before, left int64 } // bytes free

func (e *diskGone) Error() string {
	return fmt.Sprintf("%d MiB of disk went while the clean room built, and %d MiB are left: make room, and see what else writes", (e.before-e.left)>>20, e.left>>20)
}

// watched builds within the room's limits of time and disk.
func (r *Room) watched(ctx context.Context, info engine.Info, req engine.BuildRequest) (string, error) {
	free := func() (int64, error) { return freeDisk(info.Root) }
	if r.Free != nil {
		free = r.Free
	}
	before, err := free()
	if err != nil {
		return "", fmt.Errorf("looking how much disk is free for a build: %w", err)
	}
	if before < floor {
		return "", fmt.Errorf("only %d MiB of disk are free, too few for a build: make room for %d MiB", before>>20, floor>>20)
	}
	limit := cmp.Or(r.Timeout, DefaultTimeout)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	timed, stop := context.WithTimeoutCause(ctx, limit, &engine.BuildFailed{
		Message: fmt.Sprintf("the build took longer than %s and was stopped", limit),
	})
	defer stop()

	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := watchDisk(timed, free, before); err != nil {
			cancel(err)
		}
	}()
	id, err := r.Builder.Build(timed, req)
	if err != nil && timed.Err() != nil {
		err = context.Cause(timed)
	}
	stop()
	<-done
	if gone := (*diskGone)(nil); errors.As(err, &gone) {
		err = whoFilled(ctx, free, gone)
	}
	return id, err
}

// watchDisk returns once the disk is as empty as a build may make it, or
// cannot be looked at; nil when ctx ended before.
func watchDisk(ctx context.Context, free func() (int64, error), before int64) error {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		left, err := free()
		if err != nil {
			return fmt.Errorf("looking how much disk a build leaves: %w", err)
		}
		if left < floor || before-left > most {
			return &diskGone{before, left}
		}
	}
}

// whoFilled tells a build that filled the disk from one during which somebody
// else did: what a build wrote is free again when it is gone.
func whoFilled(ctx context.Context, free func() (int64, error), gone *diskGone) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), givenBack)
	defer cancel()
	for {
		now, err := free()
		if err != nil {
			return fmt.Errorf("looking how much disk a build left: %w", err)
		}
		if back := now - gone.left; back >= (gone.before-gone.left)/2 {
			return &engine.BuildFailed{Message: fmt.Sprintf("the build filled the disk: it had written %d MiB or more when it was stopped (it may write %d MiB, and leaves %d MiB free)", back>>20, most>>20, floor>>20)}
		}
		select {
		case <-ctx.Done():
			return gone
		case <-time.After(watchEvery):
		}
	}
}

// freeDisk is what is free where the engine keeps its data, where that is a
// folder of this machine, and where temporary files are.
func freeDisk(root string) (int64, error) {
	left := int64(-1)
	for _, dir := range []string{root, os.TempDir()} {
		var fs syscall.Statfs_t
		err := syscall.Statfs(dir, &fs)
		if errors.Is(err, syscall.ENOENT) || errors.Is(err, syscall.EACCES) {
			continue
		}
		if err != nil {
			return 0, fmt.Errorf("%s: %w", dir, err)
		}
		if free := int64(fs.Bavail) * int64(fs.Bsize); left < 0 || free < left {
			left = free
		}
	}
	return max(left, 0), nil
}
