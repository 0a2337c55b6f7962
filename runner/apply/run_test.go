package apply_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/labctl/labctl/runner/apply"
	"github.com/labctl/labctl/runner/plan"
)

func chain() plan.Plan {
	return plan.Plan{Ops: []plan.Op{
		{Name: "a"}, {Name: "b", After: []int{0}}, {Name: "c", After: []int{1}}, {Name: "d"},
	}}
}

func TestRunOrder(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var done []string
	err := apply.Run(t.Context(), chain(), func(_ context.Context, op plan.Op) error {
		mu.Lock()
		defer mu.Unlock()
		done = append(done, op.Name)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(done) != 4 || slices.Index(done, "a") > slices.Index(done, "b") || slices.Index(done, "b") > slices.Index(done, "c") {
		t.Errorf("done in the order %v", done)
	}
}

func TestRunDependentsOfAFailureDoNotStart(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	var mu sync.Mutex
	var done []string
	err := apply.Run(t.Context(), chain(), func(_ context.Context, op plan.Op) error {
		mu.Lock()
		defer mu.Unlock()
		done = append(done, op.Name)
		if op.Name == "b" {
			return broken
		}
		return nil
	})
	if !errors.Is(err, broken) {
		t.Errorf("error %v, want the operation's", err)
	}
	if slices.Contains(done, "c") {
		t.Errorf("c was started after b failed: %v", done)
	}
}

func TestRunCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	err := apply.Run(ctx, chain(), func(_ context.Context, op plan.Op) error {
		if op.Name == "a" {
			cancel()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want cancelled", err)
	}
}
