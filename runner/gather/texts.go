package gather

import (
	"context"
	"crypto/sha256"
	"encoding/hex"

	"github.com/labctl/labctl/runner/engine"
	"github.com/labctl/labctl/scenarios/evidence"
)

// texts puts into the set what its checks could show of differing files, as
// far as it can be had. Where nothing differs nothing is asked.
func (s *session) texts(ctx context.Context) error {
	found, err := s.contents(ctx, evidence.Wanted(s.lacks, evidence.MaxText, evidence.MaxTexts))
	s.set.Texts = evidence.Texts(found)
	return err
}

// contents reads files of what the set holds, wherever that is cheapest: from
// the baseline, from HEAD, from the containers, and last from images. What
// cannot be read is left out; the error is for an engine that went away.
func (s *session) contents(ctx context.Context, wanted map[string]int64) (map[string]string, error) {
	found := map[string]string{}
	if len(wanted) == 0 {
		return found, nil
	}
	take := func(contents map[string]string) {
		for sum, content := range contents {
			if _, is := wanted[sum]; is {
				found[sum] = content
			}
		}
	}
	missing := func(entries []evidence.Entry) map[string]int64 {
		out := map[string]int64{}
		for _, e := range entries {
			if size, is := wanted[e.SHA256]; is {
				if _, there := found[e.SHA256]; !there {
					out[e.SHA256] = size
				}
			}
		}
		return out
	}
	read := func(from engine.Source, missing map[string]int64) error {
		if len(missing) == 0 {
			return nil
		}
		contents, err := s.Engine.Contents(ctx, from, missing)
		if err != nil && (ctx.Err() != nil || away(err)) {
			return err
		}
		take(contents)
		return nil
	}

	take(s.startTexts)
	var committed []evidence.Entry
	for _, f := range s.set.Head.Files {
		committed = append(committed, evidence.Entry{SHA256: f.SHA256})
	}
	if len(missing(committed)) > 0 {
		take(s.committed(ctx))
	}
	var images []string
	for _, c := range s.set.Start.Containers {
		images = append(images, c.Image)
	}
	for _, service := range s.set.Services {
		for _, c := range service.Live {
			images = append(images, c.Image)
			if err := read(engine.Source{Container: c.ID}, missing(s.set.Trees[c.Tree])); err != nil {
				return nil, err
			}
		}
	}
	for _, id := range images {
		if err := read(engine.Source{Image: id}, missing(s.layered(id))); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// layered is all that an image's layers hold; nothing when that is not known.
func (s *session) layered(image string) []evidence.Entry {
	layers, err := s.set.LayersOf(image)
	if err != nil {
		return nil
	}
	var out []evidence.Entry
	for _, layer := range layers {
		out = append(out, layer...)
	}
	return out
}

// committed are the contents of HEAD's files, by SHA-256; none when they cannot
// be read.
func (s *session) committed(ctx context.Context) map[string]string {
	files, err := s.repo.Files(ctx, s.set.Head.Commit)
	if err != nil {
		return nil
	}
	contents := make(map[string]string, len(files))
	for _, f := range files {
		sum := sha256.Sum256(f.Content)
		contents[hex.EncodeToString(sum[:])] = string(f.Content)
	}
	return contents
}
