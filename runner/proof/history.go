package proof

import "context"

// histories are honest ways of keeping a repository.
var histories = []Way{
	{"other-branch", "the work on another branch", func(ctx context.Context, w *World) error {
		return w.then(ctx, "checkout", "--quiet", "-b", "tax-of-today")
	}},
	{"amended", "the last commit amended", func(ctx context.Context, w *World) error {
		return w.then(ctx, "commit", "--quiet", "--amend", "--message", "All of it, said better")
	}},
	{"squashed", "all of history in one commit", func(ctx context.Context, w *World) error {
		if err := w.goRight(ctx); err != nil {
			return err
		}
		squashed, err := w.git(ctx, "commit-tree", "HEAD^{tree}", "-m", "Everything")
		if err != nil {
			return err
		}
		if _, err := w.git(ctx, "reset", "--quiet", "--soft", squashed); err != nil {
			return err
		}
		return w.rebuild(ctx)
	}},
	{"untracked-note", "a note that was never added", func(ctx context.Context, w *World) error {
		return all(
			func() error { return w.right(ctx) },
			func() error { return w.write("note-to-myself.txt", "buy milk\n") },
		)
	}},
	{"commit-after", "a commit after the build, with equal content", func(ctx context.Context, w *World) error {
		return all(
			func() error { return w.right(ctx) },
			func() error {
				_, err := w.git(ctx, "commit", "--quiet", "--allow-empty", "--message", "Say that it is live")
				return err
			},
		)
	}},
}

// then does something to the right repository, and rebuilds.
func (w *World) then(ctx context.Context, args ...string) error {
	return all(
		func() error { return w.goRight(ctx) },
		func() error { _, err := w.git(ctx, args...); return err },
		func() error { return w.rebuild(ctx) },
	)
}
