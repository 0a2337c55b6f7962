package gather

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/labctl/labctl/scenarios/check"
	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/lab"
)

// source gathers what tells whether the repository holds the pet in an archive.
// The layers of what is live are read for that only where there is an archive:
// most repositories have none.
func (s *session) source(ctx context.Context, w wanted) error {
	if s.set.Head.Error != "" || len(w.source) == 0 {
		return nil
	}
	if s.first("start commit") {
		files, err := committed(s.Lab.Commits)
		if err != nil {
			return err
		}
		s.set.Start.Files = files
	}
	added, err := check.Added(s.set)
	if err != nil || len(added) == 0 {
		return nil // the check says so
	}
	for i := range w.source {
		w.layers[i] = true
	}
	return s.handMade(ctx)
}

// committed are the files of the last of a lab's commits, as the workspace had
// them when start made it: whatever became of that commit since.
func committed(commits []lab.Commit) ([]evidence.RepoFile, error) {
	at := map[string]evidence.RepoFile{}
	for _, c := range commits {
		for _, f := range c.Files {
			file := evidence.RepoFile{Path: f.Path, Mode: "100644"}
			content := f.Content
			switch {
			case f.Link != "":
				file.Mode, content = "120000", []byte(f.Link)
			case f.Executable:
				file.Mode = "100755"
			}
			var err error
			if file.Kind, err = evidence.KindOf(bytes.NewReader(content)); err != nil {
				return nil, err
			}
			sum := sha256.Sum256(content)
			file.Size, file.SHA256 = int64(len(content)), hex.EncodeToString(sum[:])
			at[f.Path] = file
		}
	}
	files := []evidence.RepoFile{}
	for _, f := range at {
		files = append(files, f)
	}
	slices.SortFunc(files, func(a, b evidence.RepoFile) int { return strings.Compare(a.Path, b.Path) })
	return files, nil
}

// handMade lists the contents that the start's containers had by hand, and
// which of them a commit holds.
func (s *session) handMade(ctx context.Context) error {
	if s.set.Start.Lost != "" || !s.first("hand made") {
		return nil
	}
	contents, err := s.set.ByHand()
	if err != nil {
		return nil // the set says so itself
	}
	sizes := map[string]int64{}
	for _, c := range contents {
		sizes[c.SHA256] = c.Size
	}
	held, err := s.repo.Holds(ctx, sizes)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		s.set.Start.Lost = "what commits hold could not be read: " + err.Error()
		return nil
	}
	for i := range contents {
		contents[i].Committed = held[contents[i].SHA256]
	}
	s.set.Start.HandMade = contents
	return nil
}
