package proof

import "context"

// histories are honest ways of keeping a repository.
var histories = family("history", []Way{
	{Name: "other-branch", Doc: "the work on another branch", before: inGit("checkout", "--quiet", "-b", "tax-of-today")},
	{Name: "amended", Doc: "the last commit amended", before: inGit("commit", "--quiet", "--amend", "--message", "All of it, said better")},
	{Name: "squashed", Doc: "all of history in one commit", before: func(ctx context.Context, w *World) error {
		squashed, err := w.git(ctx, "commit-tree", "HEAD^{tree}", "-m", "Everything")
		if err != nil {
			return err
		}
		_, err = w.git(ctx, "reset", "--quiet", "--soft", squashed)
		return err
	}},
	{Name: "untracked-note", Doc: "a note that was never added", after: func(_ context.Context, w *World) error {
		return w.write("note-to-myself.txt", "buy milk\n")
	}},
	{Name: "commit-after", Doc: "a commit after the build, with equal content", after: inGit("commit", "--quiet", "--allow-empty", "--message", "Say that it is live")},
})

// inGit does one thing with the repository.
func inGit(args ...string) func(context.Context, *World) error {
	return func(ctx context.Context, w *World) error {
		_, err := w.git(ctx, args...)
		return err
	}
}
