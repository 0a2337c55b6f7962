package cleanroom_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/labctl/labctl/runner/engine"
	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/lab"
)

// Two instances of one draw have one HEAD. What both build is one image, and
// whoever was done first removed it under the other.
func TestTheSameIsBuiltOnce(t *testing.T) {
	t.Parallel()
	m := newImages()
	m.build = func(context.Context) error {
		time.Sleep(50 * time.Millisecond) // so that both are at it at once
		return nil
	}
	cache := t.TempDir()
	files := []lab.File{file("Dockerfile", "FROM labctl/base:1")}
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			r := room(m)
			r.Cache = cache
			b, image, _, err := r.Build(t.Context(), files, evidence.OfHead, "abc")
			if err != nil || b.Error != "" || image.ID != "sha256:built" {
				t.Errorf("%+v (%v)", b, err)
			}
		})
	}
	group.Wait()
	if len(m.requests) != 1 {
		t.Errorf("it was built %d times", len(m.requests))
	}
}

// vanishing loses an image once, between its build and the look at it.
type vanishing struct {
	*images
	once sync.Once
}

func (v *vanishing) Image(ctx context.Context, ref string) (image evidence.Image, err error) {
	lost := false
	if ref == "sha256:built" {
		v.once.Do(func() { lost = true })
	}
	if lost {
		return image, engine.ErrNotFound
	}
	return v.images.Image(ctx, ref)
}

func TestAnImageThatSomebodyElseRemovedIsBuiltAgain(t *testing.T) {
	t.Parallel()
	m := newImages()
	r := room(m)
	r.Cache, r.Observer = t.TempDir(), &vanishing{images: m}
	b, image, _, err := r.Build(t.Context(), []lab.File{file("Dockerfile", "FROM labctl/base:1")}, evidence.OfHead, "abc")
	if err != nil || b.Error != "" || image.ID != "sha256:built" || len(m.requests) != 2 {
		t.Errorf("%+v after %d builds (%v)", b, len(m.requests), err)
	}
}
