package main

import (
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/labctl/labctl/runner/progress"
)

// The bar draws itself while steps come and go. It once asked, while drawing,
// for what a step held that was waiting for the bar, and a start stood still for
// ever.
func TestTheBarNeverStandsStill(t *testing.T) {
	t.Parallel()
	v := newProgressView(&Streams{Err: io.Discard, ErrTerminal: true, Width: 80})
	v.Show()
	done := make(chan struct{})
	go func() {
		defer close(done)
		var group sync.WaitGroup
		for worker := range 4 {
			group.Go(func() {
				for begun, i := time.Now(), 0; time.Since(begun) < time.Second; i++ {
					step := fmt.Sprintf("step %d of %d", i, worker)
					v.Send(progress.Event{State: progress.Begun, Step: step, Total: 1000})
					v.Send(progress.Event{State: progress.Detail, Step: step, Detail: "half"})
					v.Send(progress.Event{State: progress.Done, Step: step})
				}
			})
		}
		group.Wait()
		v.Close()
	}()
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		t.Fatal("the bar and the steps wait for each other")
	}
}
