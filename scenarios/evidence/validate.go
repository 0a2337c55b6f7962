package evidence

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/labctl/labctl/scenarios/lab"
)

// maxPoints is what the language of labs allows a check.
const maxPoints = 10000

// skew is by how much the engine's clock may be ahead of that of who looked.
const skew = 24 * time.Hour

// validate reports the first contradiction: what a set refers to must be in
// it, and be what it is called; what it says twice must be the same. It asks for
// nothing that gathering could not keep to, and so refuses no honest evidence.
//
// It cannot tell whether what is said once is true.
func (s *Set) validate() error {
	for _, part := range []func() error{
		s.validIdentity, s.validFilesystems, s.validContents, s.validContainers, s.validServices, s.validRepository, s.validPinned, s.validBuilds, s.validHandMade, s.validChecks, s.validQuiz, s.validTexts, s.validDemonstrations,
	} {
		if err := part(); err != nil {
			return err
		}
	}
	return nil
}

func (s *Set) validIdentity() error {
	for what, is := range map[string]string{"lab": s.Lab, "learner": s.Learner, "instance": s.Instance, "definition": s.Definition, "labctl": s.Labctl} {
		if is == "" {
			return fmt.Errorf("its %s has no name", what)
		}
	}
	return nil
}

// validContents: a content has one size, and of a repository's files one kind,
// wherever it lies.
func (s *Set) validContents() error {
	sizes, kinds := map[string]int64{}, map[string]string{}
	size := func(where, sum string, n int64) error {
		if was, there := sizes[sum]; sum != "" && there && was != n || n < 0 {
			return fmt.Errorf("%q is a content of %d bytes, and of %d elsewhere", where, n, was)
		}
		sizes[sum] = n
		return nil
	}
	var entries [][]Entry
	for _, tree := range s.Trees {
		entries = append(entries, tree)
	}
	for _, layer := range s.Layers {
		entries = append(entries, layer)
	}
	for _, list := range entries {
		for _, e := range list {
			if e.Type != TypeFile {
				continue
			}
			if err := size(e.Path, e.SHA256, e.Size); err != nil {
				return err
			}
		}
	}
	for _, f := range slices.Concat(s.Head.Files, s.Start.Files) {
		if err := size(f.Path, f.SHA256, f.Size); err != nil {
			return err
		}
		if was, there := kinds[f.SHA256]; f.SHA256 != "" && there && was != f.Kind {
			return fmt.Errorf("%q is %q, and %q elsewhere", f.Path, f.Kind, was)
		}
		kinds[f.SHA256] = f.Kind
	}
	return nil
}

func (s *Set) validFilesystems() error {
	for digest, tree := range s.Trees {
		if tree.Digest() != digest {
			return fmt.Errorf("the filesystem %.19s is not what its digest says", digest)
		}
		for i, e := range tree {
			if err := e.valid(false); err != nil {
				return fmt.Errorf("the filesystem %.19s: %w", digest, err)
			}
			if i > 0 && tree[i-1].Path >= e.Path {
				return fmt.Errorf("the filesystem %.19s is not sorted, or has %q twice", digest, e.Path)
			}
		}
	}
	for id, layer := range s.Layers {
		for _, e := range layer {
			if err := e.valid(true); err != nil {
				return fmt.Errorf("the layer %.19s: %w", id, err)
			}
		}
	}
	for id, image := range s.Images {
		if image.ID != id {
			return fmt.Errorf("the image %.19s is called %.19s", image.ID, id)
		}
		if !isObject(image.Config) {
			return fmt.Errorf("the configuration of image %.19s is none", id)
		}
	}
	return nil
}

// valid reports what is wrong with an entry of a filesystem, or of a layer.
func (e Entry) valid(ofLayer bool) error {
	known := []string{TypeFile, TypeDir, TypeSymlink, TypeHardlink, TypeDevice, TypeFIFO}
	if ofLayer {
		known = append(known, TypeWhiteout, TypeOpaque)
	}
	switch {
	case !slices.Contains(known, e.Type):
		return fmt.Errorf("%q is of type %q", e.Path, e.Type)
	case !strings.HasPrefix(e.Path, "/"):
		return fmt.Errorf("the path %q is not absolute", e.Path)
	case (e.Type == TypeFile) != isSHA256(e.SHA256):
		return fmt.Errorf("%q is a %s with the content %q", e.Path, e.Type, e.SHA256)
	}
	return nil
}

// isObject reports whether what the engine told is an object, or nothing.
func isObject(raw json.RawMessage) bool {
	return len(raw) == 0 || raw[0] == '{' || string(raw) == "null"
}

func isSHA256(s string) bool {
	return len(s) == 64 && strings.Trim(s, "0123456789abcdef") == ""
}

func (s *Set) validServices() error {
	seen := map[string]bool{}
	for _, service := range s.Services {
		name := service.Name + "." + service.Environment
		if service.Name == "" || seen[name] {
			return fmt.Errorf("service %q is there twice, or has no name", service.Name)
		}
		seen[name] = true
		if err := service.valid(); err != nil {
			return fmt.Errorf("service %s: %w", service.Name, err)
		}
	}
	return nil
}

func (s *Service) valid() error {
	if s.Publish != lab.PublishPort && !lab.OnNetwork(s.Publish) {
		return fmt.Errorf("it is published as %q", s.Publish)
	}
	if s.Replicas < 1 {
		return fmt.Errorf("it has %d replicas", s.Replicas)
	}
	if s.Answered != "" && len(s.Live) > 0 {
		return fmt.Errorf("something answered although nothing was live, and %s is live", s.Live[0].Name)
	}
	live, images := map[string]bool{}, map[string]bool{}
	for _, c := range s.Live {
		live[c.ID], images[c.Image] = true, true
	}
	if err := valid(s.Exchanges, live); err != nil {
		return err
	}
	if s.Traffic != nil && !live[s.Traffic.Container] {
		return fmt.Errorf("its traffic is that of %.12s, which is not live", s.Traffic.Container)
	}
	for _, f := range s.Fresh {
		if !images[f.Image] {
			return fmt.Errorf("a fresh container was run of %.19s, which is not live or was tried before", f.Image)
		}
		delete(images, f.Image)
		switch {
		case f.Container.ID == "" && f.Error == "":
			return fmt.Errorf("no fresh container was run of %.19s, and nothing stood in the way", f.Image)
		case f.Container.ID != "" && f.Container.Image != f.Image:
			return fmt.Errorf("the fresh container of %.19s is one of %.19s", f.Image, f.Container.Image)
		}
		if err := valid(f.Exchanges, map[string]bool{f.Container.ID: true}); err != nil {
			return fmt.Errorf("fresh: %w", err)
		}
	}
	return nil
}

// valid reports what is wrong with exchanges: each is with one of some
// containers, there once, and has one outcome.
func valid(exchanges []Exchange, with map[string]bool) error {
	type question struct{ container, get string }
	seen := map[question]bool{}
	for _, e := range exchanges {
		q := question{e.Container, e.Request.Get}
		outcomes := 0
		for _, is := range []bool{e.Status != 0, e.Failed != "", e.Error != ""} {
			if is {
				outcomes++
			}
		}
		switch {
		case e.Container == "" || !with[e.Container]:
			return fmt.Errorf("%q was asked of %.12q, which was not to be asked", e.Request.Get, e.Container)
		case seen[q]:
			return fmt.Errorf("%q was asked twice of %.12s", e.Request.Get, e.Container)
		case outcomes != 1:
			return fmt.Errorf("%q has %d outcomes", e.Request.Get, outcomes)
		case e.Status < 0 || e.Status == 0 && e.Body != "" || len(e.Body) > MaxBody:
			return fmt.Errorf("the answer to %q is none that is kept", e.Request.Get)
		}
		seen[q] = true
	}
	return nil
}

// validContainers reports a list with one container twice, and two lists that
// say of one what cannot be both.
func (s *Set) validContainers() error {
	all := map[string]Container{}
	check := func(list []Container) error {
		seen := map[string]bool{}
		for _, c := range list {
			if c.ID == "" || seen[c.ID] {
				return fmt.Errorf("container %q is there twice, or has no ID", c.Name)
			}
			seen[c.ID] = true
			if _, there := s.Trees[c.Tree]; c.Tree != "" && !there {
				return fmt.Errorf("the filesystem of container %s is missing", c.Name)
			}
			if !isObject(c.Config) || !isObject(c.HostConfig) {
				return fmt.Errorf("the configuration of container %s is none", c.Name)
			}
			if c.Created.IsZero() {
				return fmt.Errorf("container %s was made at no time", c.Name)
			}
			if last := s.Time.Add(skew); c.Created.After(last) || c.Started.After(last) {
				return fmt.Errorf("container %s was made or started after it was looked at", c.Name)
			}
			other, there := all[c.ID]
			if there && (!other.Created.Equal(c.Created) || other.Image != c.Image || other.Start != c.Start || other.Called != c.Called || other.Serves != c.Serves) {
				return fmt.Errorf("container %s is there as two that differ", c.Name)
			}
			all[c.ID] = c
		}
		return nil
	}
	for _, service := range s.Services {
		if err := check(service.Live); err != nil {
			return fmt.Errorf("service %s: %w", service.Name, err)
		}
	}
	for _, list := range [][]Container{s.Start.Containers, s.Start.Now} {
		for _, c := range list {
			if !c.Start {
				return fmt.Errorf("start: container %s was not made by start", c.Name)
			}
		}
		if err := check(list); err != nil {
			return fmt.Errorf("start: %w", err)
		}
	}
	for _, service := range s.Services {
		for _, f := range service.Fresh {
			if f.Container.ID == "" {
				continue
			}
			if _, there := all[f.Container.ID]; there {
				return fmt.Errorf("service %s: fresh: container %s was there before", service.Name, f.Container.Name)
			}
			if err := check([]Container{f.Container}); err != nil {
				return fmt.Errorf("service %s: fresh: %w", service.Name, err)
			}
		}
	}
	return nil
}

func (s *Set) validRepository() error {
	for what, files := range map[string][]RepoFile{"HEAD": s.Head.Files, "the start commit": s.Start.Files} {
		for _, f := range files {
			if submodule := f.Mode == "160000"; submodule != (f.SHA256 == "") || !submodule && !isSHA256(f.SHA256) {
				return fmt.Errorf("%s has %q, a file of mode %s with the content %q", what, f.Path, f.Mode, f.SHA256)
			}
		}
	}
	if s.Head.Commit == "" && (len(s.Head.Files) > 0 || len(s.Builds) > 0) {
		return errors.New("HEAD has files, or was built, and is no commit")
	}
	for _, b := range s.Builds {
		if b.Of == OfHead && b.Image != "" && len(s.Head.Files) == 0 {
			return errors.New("HEAD was built of no files")
		}
	}
	return nil
}

func (s *Set) validPinned() error {
	names, tags := map[string]bool{}, map[string]bool{}
	for _, p := range s.Pinned {
		if p.Name == "" || p.ID == "" || names[p.Name] {
			return fmt.Errorf("the lab's image %q is there twice, or has no name or no ID", p.Name)
		}
		if p.Tag != "" && tags[p.Tag] {
			return fmt.Errorf("two images of the lab have the tag %q", p.Tag)
		}
		names[p.Name], tags[p.Tag] = true, true
	}
	return nil
}

// validLineage: a build stands on images of the lab, and begins with the layers
// of the one that is below it.
func (s *Set) validLineage(b Build) error {
	l := b.Lineage
	if l == nil {
		return nil
	}
	if b.Image == "" || l.From != "" && len(l.Taken) > 0 {
		return fmt.Errorf("the build of %s stands on images, and made none or stands on scratch as well", b.Of)
	}
	for i, id := range l.Images() {
		if !slices.ContainsFunc(s.Pinned, func(p Pinned) bool { return p.ID == id }) {
			return fmt.Errorf("the build of %s stands on %.19s, which is no image of the lab", b.Of, id)
		}
		if i > 0 && l.Taken[i-1] >= id {
			return fmt.Errorf("the build of %s stands on images that are not sorted, or on %.19s twice", b.Of, id)
		}
	}
	if below, there := s.Images[l.From]; there && below.Error == "" && !s.Images[b.Image].StandsOn(below) {
		return fmt.Errorf("the build of %s stands on %.19s, and does not begin with its layers", b.Of, l.From)
	}
	return nil
}

func (s *Set) validBuilds() error {
	seen := map[string]bool{}
	for _, b := range s.Builds {
		outcomes := 0
		for _, outcome := range []string{b.Image, b.Refused, b.Failed, b.Error} {
			if outcome != "" {
				outcomes++
			}
		}
		if outcomes != 1 {
			return fmt.Errorf("the build of %s has %d outcomes", b.Of, outcomes)
		}
		if _, there := s.Images[b.Image]; b.Image != "" && !there {
			return fmt.Errorf("the build of %s made an image that is missing", b.Of)
		}
		if err := s.validLineage(b); err != nil {
			return err
		}
		of := b.Of
		switch b.Of {
		case OfHead, OfWorktree:
			if b.Commit != s.Head.Commit {
				return fmt.Errorf("the build of %s is of commit %.7s, and HEAD is %.7s", b.Of, b.Commit, s.Head.Commit)
			}
		case OfOlder:
			of += b.Commit
			if b.Commit == s.Head.Commit {
				return errors.New("an older commit that was built is HEAD")
			}
		default:
			return fmt.Errorf("a build is of %q", b.Of)
		}
		if seen[of] {
			return fmt.Errorf("the build of %s is there twice", b.Of)
		}
		seen[of] = true
	}
	return nil
}

// validHandMade holds what the start's containers are said to have had by hand
// to their filesystems.
func (s *Set) validHandMade() error {
	if s.Start.HandMade == nil {
		return nil
	}
	had, err := s.ByHand()
	if err != nil {
		return fmt.Errorf("start: what was by hand is told, and cannot be: %w", err)
	}
	if !slices.EqualFunc(had, s.Start.HandMade, func(a, b Content) bool { b.Committed = false; return a == b }) {
		return errors.New("start: what was by hand is not what the filesystems of the start's containers say")
	}
	committed := map[string]bool{}
	for _, f := range s.Head.Files {
		committed[f.SHA256] = true
	}
	for _, c := range s.Start.HandMade {
		if committed[c.SHA256] && !c.Committed && s.Unstable == "" {
			return fmt.Errorf("start: HEAD has the content of %s, which no commit is said to have", c.Path)
		}
	}
	return nil
}

func (s *Set) validQuiz() error {
	q := s.Quiz
	if q == nil || q.Questions > 0 && 0 <= q.FirstTry && q.FirstTry <= q.Right && q.Right <= q.Answered && q.Answered <= q.Questions && (q.Error == "" || q.Answered == 0) {
		return nil
	}
	return fmt.Errorf("of %d questions %d were answered, %d right, %d at the first try", q.Questions, q.Answered, q.Right, q.FirstTry)
}

// validChecks: evidence of which nothing is asked, or nothing that counts, would
// be graded without a question.
func (s *Set) validChecks() error {
	seen := map[string]bool{}
	points, required := 0, 0
	for _, c := range s.Checks {
		name := c.Name + "." + c.Service + "." + c.Environment
		if c.Name == "" || seen[name] {
			return fmt.Errorf("check %q is there twice, or has no name", c.Name)
		}
		seen[name] = true
		if c.Points < 0 || c.Points > maxPoints {
			return fmt.Errorf("check %s has %d points", c.Name, c.Points)
		}
		points += c.Points
		if c.Required {
			required++
		}
	}
	if points == 0 || required == 0 {
		return fmt.Errorf("%d checks ask for %d points, and %d are required: there is nothing to grade", len(s.Checks), points, required)
	}
	return nil
}

// validDemonstrations: a record is a container that was never started, so none
// that serves; and it is of a check that the evidence has.
func (s *Set) validDemonstrations() error {
	others := map[string]bool{}
	for _, service := range s.Services {
		for _, c := range service.Live {
			others[c.ID] = true
		}
		for _, f := range service.Fresh {
			others[f.Container.ID] = true
		}
	}
	for _, c := range slices.Concat(s.Start.Containers, s.Start.Now) {
		others[c.ID] = true
	}
	for _, d := range s.Demonstrations {
		if d.ID == "" || others[d.ID] {
			return fmt.Errorf("the demonstration %q is there twice, is another container as well, or has no ID", d.Name)
		}
		others[d.ID] = true
		if d.Created.IsZero() || d.Created.After(s.Time.Add(skew)) {
			return fmt.Errorf("the demonstration %s was made at no time, or after it was looked at", d.Name)
		}
		if _, there := s.Images[d.Image]; !there {
			return fmt.Errorf("the demonstration %s is of an image that is missing", d.Name)
		}
		if !slices.ContainsFunc(s.Checks, func(c lab.Check) bool {
			return c.Name == d.Check && c.Service == d.Service && c.Environment == d.Environment
		}) {
			return fmt.Errorf("the demonstration %s is of a check that is missing", d.Name)
		}
	}
	return nil
}
