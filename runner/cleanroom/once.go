package cleanroom

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// lockEvery is how often a lock that another process has is asked for again.
const lockEvery = 20 * time.Millisecond

// once keeps others who share the cache from building the same meanwhile: what
// they build would be one image on the engine, which the first to be done
// removes under the others. They find its result in the cache then.
func (r *Room) once(ctx context.Context, key string) (unlock func(), err error) {
	if r.Cache == "" {
		return func() {}, nil
	}
	if err := os.MkdirAll(r.Cache, 0o700); err != nil {
		return nil, fmt.Errorf("waiting for another build of the same: %w", err)
	}
	// A few locks for all keys: a lock file cannot be removed safely.
	lock := flock.New(filepath.Join(r.Cache, "build-"+key[:1]+".lock"))
	if _, err := lock.TryLockContext(ctx, lockEvery); err != nil {
		return nil, fmt.Errorf("waiting for another build of the same: %w", err)
	}
	return func() { _ = lock.Close() }, nil
}
