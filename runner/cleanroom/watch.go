package cleanroom

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/labctl/labctl/runner/engine"
)

// floor is how much disk a build must leave: nothing else limits what a step
// writes, and an engine without disk takes everything on it down.
const floor = 512 << 20

// watchEvery is how often the disk is looked at while a build runs.
const watchEvery = 500 * time.Millisecond

// tooLong is the cause of a build's end when its time is over.
type tooLong struct{ limit time.Duration }

func (e *tooLong) Error() string {
	return fmt.Sprintf("the build took longer than %s and was stopped", e.limit)
}

// watched builds within the room's limits of time and disk.
func (r *Room) watched(ctx context.Context, req engine.BuildRequest) (string, error) {
	if err := r.checkDisk(); err != nil {
		return "", err
	}
	limit := r.Timeout
	if limit == 0 {
		limit = DefaultTimeout
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	timed, stop := context.WithTimeoutCause(ctx, limit, &tooLong{limit})
	defer stop()

	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(watchEvery)
		defer tick.Stop()
		for {
			select {
			case <-timed.Done():
				return
			case <-tick.C:
				if err := r.checkDisk(); err != nil {
					cancel(err)
					return
				}
			}
		}
	}()
	id, err := r.Builder.Build(timed, req)
	if err != nil && timed.Err() != nil {
		err = context.Cause(timed)
	}
	stop()
	<-done
	return id, err
}

// checkDisk is an error when the disk is too full to build.
func (r *Room) checkDisk() error {
	free := r.Free
	if free == nil {
		free = freeDisk
	}
	left, err := free()
	if err != nil {
		return fmt.Errorf("looking how much disk is free for a build: %w", err)
	}
	if left < floor {
		return fmt.Errorf("only %d MiB of disk are free, too few for a build: make room for %d MiB", left>>20, floor>>20)
	}
	return nil
}

// freeDisk is what is free where engines usually keep their data, and where
// temporary files are.
func freeDisk() (int64, error) {
	left := int64(-1)
	for _, dir := range []string{"/var/lib/docker", os.TempDir()} {
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
