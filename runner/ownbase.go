package runner

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/labctl/labctl/runner/cleanroom"
	"github.com/labctl/labctl/runner/state"
	"github.com/labctl/labctl/scenarios/lab"
)

// ownBases gives a lab's images tags that no other instance has, in its
// Dockerfiles too: what is then done to a tag, or to a builder's cache, which
// are the engine's, reaches that instance alone.
func ownBases(l *lab.Lab, instance string) error {
	tags := map[string]string{}
	for i := range l.Images {
		image := &l.Images[i]
		if image.Tag == "" {
			continue
		}
		own := fmt.Sprintf("%s%s:1", ownPrefix(instance), image.Name)
		tags[image.Tag], image.Tag = own, own
	}
	for i := range l.Images {
		if err := retag(l.Images[i].Context, tags); err != nil {
			return err
		}
	}
	for i := range l.Commits {
		if err := retag(l.Commits[i].Files, tags); err != nil {
			return err
		}
	}
	return nil
}

// ownPrefix begins the tags of an instance's own bases.
func ownPrefix(instance string) string { return instance + "-own/" }

// hasOwnBases reports whether an instance was started with bases of its own.
func hasOwnBases(rec *state.Record) bool {
	for tag := range rec.Images {
		if strings.HasPrefix(tag, ownPrefix(rec.Instance)) {
			return true
		}
	}
	return false
}

// retag rewrites the Dockerfile among files, if there is one that can be read.
func retag(files []lab.File, tags map[string]string) error {
	pins := map[string]string{}
	for _, tag := range slices.Sorted(maps.Keys(tags)) {
		pins[tag] = tag
	}
	i := slices.IndexFunc(files, func(f lab.File) bool { return f.Path == "Dockerfile" && f.Link == "" })
	if i < 0 {
		return nil
	}
	c, err := cleanroom.NewContext(files[i:i+1], cleanroom.Rules{Pins: pins, BuildKit: true})
	var refused *cleanroom.Refused
	if errors.As(err, &refused) {
		return nil
	}
	if err != nil {
		return err
	}
	files[i].Content = c.Dockerfile(func(tag string) string { return tags[tag] })
	return nil
}
