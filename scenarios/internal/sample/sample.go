// Package sample makes evidence of a small lab like drift-lab for tests: a
// booking service whose pet was changed by hand, and the ways in which learners
// may have dealt with it.
package sample

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/lab"
)

// What the files of the service say as built, since Friday, and today.
const (
	ConfBuilt   = "city_tax=170\n"
	ConfFriday  = "city_tax=190\ncap=3\n"
	ConfToday   = "city_tax=240\ncap=3\n"
	QuoteBuilt  = "#!/bin/sh\n# VAT is truncated\n"
	QuoteFriday = "#!/bin/sh\n# VAT is rounded half up\n"
	Hotfix      = "Friday night, just this once\n"
)

// IDs of images.
const (
	ImageBuilt = "sha256:image-as-built"     // the pet's
	ImageHead  = "sha256:image-of-head"      // what the clean room makes of HEAD
	ImageLive  = "sha256:image-of-web-001"   // what the learner built
	ImageOther = "sha256:image-of-elsewhere" // any other
)

// IDs of containers.
const (
	PetID   = "1111111111111111111111111111111111111111111111111111111111111111"
	WebID   = "2222222222222222222222222222222222222222222222222222222222222222"
	FreshID = "3333333333333333333333333333333333333333333333333333333333333333"
)

// Commits of the repository.
const (
	CommitBuilt = "b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0"
	CommitHead  = "c0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ff"
)

// Began is when the start's containers were created.
var Began = time.Date(2026, 3, 6, 10, 12, 0, 0, time.UTC)

// Right is the evidence of a learner who did everything right: pet-01 is gone,
// and web-001 runs what HEAD makes.
func Right() *evidence.Set {
	set := &evidence.Set{
		Schema: evidence.Schema, Labctl: "1.0.0", Time: Began.Add(time.Hour), Lab: "drift-lab", Learner: "ann",
		Instance: "drift-lab-ann", Definition: "sha256:d1", Seed: 7, Checks: Checks(),
		Images: map[string]evidence.Image{}, Layers: map[string]evidence.Layer{}, Trees: map[string]evidence.Tree{},
		Head: evidence.Head{Commit: CommitHead, Tree: "7ree", Subject: "Today's city tax", Branch: "main", Files: Files(ConfToday, QuoteFriday)},
		Services: []evidence.Service{{
			Name: "booking", Port: 8080, Publish: lab.PublishPort, Address: "127.0.0.1:8080", Network: "drift-lab-ann",
			Replicas: 1, RuntimePaths: []string{"/run/booking"}, Run: lab.Run{Memory: "64m"},
			Live: []evidence.Container{web()}, Exchanges: answers(WebID),
			Traffic: &evidence.Traffic{Container: WebID, Sent: 16000, Received: 18000},
			Fresh:   []evidence.Fresh{{Image: ImageLive, Container: fresh(), Exchanges: answers(FreshID)}},
		}},
		Builds: []evidence.Build{{Of: evidence.OfHead, Commit: CommitHead, Image: ImageHead}},
	}
	AddImage(set, ImageBuilt, ImageConfig, Layers(ConfBuilt, QuoteBuilt)...)
	AddImage(set, ImageHead, ImageConfig, Layers(ConfToday, QuoteFriday)...)
	SetLiveImage(set, ImageConfig, Layers(ConfToday, QuoteFriday)...)
	pet := Pet()
	pet.Tree = AddTree(set, PetTree())
	set.Start = evidence.Start{
		Containers: []evidence.Container{pet}, Now: []evidence.Container{},
		HandMade: []evidence.Content{
			content("/etc/booking.conf", ConfFriday, false),
			content("/srv/www/cgi-bin/quote", QuoteFriday, true),
			content("/tmp/HOTFIX", Hotfix, false),
		},
		Files: Files(ConfBuilt, QuoteBuilt),
	}
	return set
}

// Untouched is the evidence right after the start.
func Untouched() *evidence.Set {
	set := Right()
	pet := set.Start.Containers[0]
	set.Start.Now = []evidence.Container{pet}
	s := &set.Services[0]
	s.Live, s.Fresh, s.Exchanges = []evidence.Container{pet}, nil, answers(PetID)
	s.Traffic.Container = PetID
	for i := range s.Exchanges {
		s.Exchanges[i].Body = "total=104.94\n"
	}
	set.Builds, set.Head.Commit, set.Head.Files = nil, CommitBuilt, Files(ConfBuilt, QuoteBuilt)
	return set
}

// Checks are the lab's: behaviour, and the standard set, which asks nothing
// while the pet is live.
func Checks() []lab.Check {
	checks := []lab.Check{
		{Name: "todays_change", Kind: "http", Points: 15, Spec: json.RawMessage(`{"get":"/quote?nights=2","body":["total=207.07"]}`)},
		{Name: "fridays_fix", Kind: "http", Points: 15, Requires: []string{"todays_change"}, Spec: json.RawMessage(`{"requests":[{"get":"/quote?nights=1","body":["total=105.94"]}]}`)},
	}
	for _, member := range []struct {
		kind   string
		points int
	}{{"replaced", 15}, {"run_as_declared", 10}, {"no_drift", 10}, {"source", 0}, {"built_from_repo", 20}, {"served_by", 5}, {"survives", 10}} {
		c := lab.Check{Name: member.kind, Kind: member.kind, Points: member.points}
		if member.kind != "replaced" {
			c.Requires = []string{"replaced"}
		}
		if member.kind == "built_from_repo" {
			c.Requires = append(c.Requires, "source")
		}
		checks = append(checks, c)
	}
	for i := range checks {
		c := &checks[i]
		c.Service, c.Required = "booking", true
		c.Title, c.Why, c.Next = "Title of "+c.Name, "Why "+c.Name, "Next "+c.Name
	}
	return checks
}

func answers(container string) []evidence.Exchange {
	return []evidence.Exchange{
		{Request: evidence.Request{Get: "/quote?nights=2"}, Container: container, Status: 200, Body: "nights=2\ntotal=207.07\n"},
		{Request: evidence.Request{Get: "/quote?nights=1"}, Container: container, Status: 200, Body: "nights=1\ntotal=105.94\n"},
	}
}

// Pet is pet-01 as start made it, without its filesystem.
func Pet() evidence.Container {
	return evidence.Container{
		ID: PetID, Name: "drift-lab-ann-pet-01", Called: "pet-01", Start: true, Serves: "booking", Image: ImageBuilt,
		ImageName: "labctl/drift-lab-ann:booking", Created: Began, Started: Began, State: "running",
		Path: "httpd", Args: []string{"-f", "-p", "8080"}, Config: json.RawMessage(Config), HostConfig: json.RawMessage(HostConfig),
	}
}

func web() evidence.Container {
	c := Pet()
	c.ID, c.Name, c.Called, c.Start, c.Serves = WebID, "web-001", "", false, ""
	c.Image, c.ImageName = ImageLive, "booking:2"
	c.Created, c.Started = Began.Add(time.Minute), Began.Add(time.Minute)
	return c
}

func fresh() evidence.Container {
	c := web()
	c.ID, c.Name = FreshID, "drift-lab-ann-fresh-1"
	c.HostConfig = Edit(c.HostConfig, "PortBindings", map[string]any{"8080/tcp": []any{map[string]string{"HostIp": "127.0.0.1", "HostPort": ""}}})
	return c
}

// Layers are those of an image of the service: the base, its configuration,
// its scripts.
func Layers(conf, quote string) []evidence.Layer {
	return []evidence.Layer{
		{Dir("/bin"), Executable("/bin/busybox", "busybox"), Dir("/etc"), {Path: "/tmp", Type: evidence.TypeDir, Mode: 0o1777}},
		{Dir("/etc"), File("/etc/booking.conf", conf)},
		{Dir("/srv"), Dir("/srv/www"), Dir("/srv/www/cgi-bin"), Executable("/srv/www/cgi-bin/quote", quote)},
	}
}

const dockerfile = "FROM labctl/base:1\nCOPY booking.conf /etc/\nCOPY www /srv/www\n"

// Commits are those that the workspace starts with.
func Commits() []lab.Commit {
	return []lab.Commit{{Name: "as_built", Files: []lab.File{
		{Path: "Dockerfile", Content: []byte(dockerfile)},
		{Path: "booking.conf", Content: []byte(ConfBuilt)},
		{Path: "www/cgi-bin/quote", Content: []byte(QuoteBuilt)},
	}}}
}

// Files are those of a commit that makes Layers.
func Files(conf, quote string) []evidence.RepoFile {
	return []evidence.RepoFile{
		RepoFile("Dockerfile", dockerfile),
		RepoFile("booking.conf", conf),
		RepoFile("www/cgi-bin/quote", quote),
	}
}

// RepoFile is a text file of a commit.
func RepoFile(path, text string) evidence.RepoFile {
	return evidence.RepoFile{Path: path, Mode: "100644", SHA256: sum(text), Size: int64(len(text)), Kind: evidence.KindText}
}

// PetTree is what pet-01's filesystem was at the start: Friday's.
func PetTree() evidence.Tree {
	return evidence.Union(append(Layers(ConfFriday, QuoteFriday), evidence.Layer{File("/tmp/HOTFIX", Hotfix)}))
}

// AddImage puts an image with these layers into a set. No two images share the
// ID of a layer: builds of the same at another time do not.
func AddImage(set *evidence.Set, id, config string, layers ...evidence.Layer) {
	image := evidence.Image{ID: id, Config: json.RawMessage(config)}
	for i, layer := range layers {
		diff := fmt.Sprintf("%s-layer-%d", id, i)
		set.Layers[diff] = layer
		image.Layers = append(image.Layers, diff)
	}
	set.Images[id] = image
}

// AddTree puts a filesystem into a set, and gives its digest.
func AddTree(set *evidence.Set, t evidence.Tree) string {
	set.Trees[t.Digest()] = t
	return t.Digest()
}

// SetLiveImage makes the live image one of these layers, and the live
// filesystem what they make.
func SetLiveImage(set *evidence.Set, config string, layers ...evidence.Layer) {
	AddImage(set, ImageLive, config, layers...)
	SetLiveTree(set, evidence.Union(layers))
}

// SetLiveTree makes a filesystem the live one.
func SetLiveTree(set *evidence.Set, t evidence.Tree) {
	set.Services[0].Live[0].Tree = AddTree(set, t)
}

// With is layers and one more on top.
func With(layers []evidence.Layer, entries ...evidence.Entry) []evidence.Layer {
	return append(slices.Clone(layers), evidence.Layer(entries))
}

// File is a file that its owner may write and all may read.
func File(path, text string) evidence.Entry {
	return evidence.Entry{Path: path, Type: evidence.TypeFile, Mode: 0o644, Size: int64(len(text)), SHA256: sum(text)}
}

// Executable is a file that all may execute.
func Executable(path, text string) evidence.Entry {
	e := File(path, text)
	e.Mode = 0o755
	return e
}

// Dir is a directory that all may read.
func Dir(path string) evidence.Entry {
	return evidence.Entry{Path: path, Type: evidence.TypeDir, Mode: 0o755}
}

func content(path, text string, committed bool) evidence.Content {
	return evidence.Content{Container: "pet-01", Path: path, SHA256: sum(text), Size: int64(len(text)), Committed: committed}
}

func sum(text string) string {
	s := sha256.Sum256([]byte(text))
	return hex.EncodeToString(s[:])
}

// Edit is a JSON object with one field set; nil stands for null.
func Edit(object json.RawMessage, field string, value any) json.RawMessage {
	var m map[string]any
	if err := json.Unmarshal(object, &m); err != nil {
		panic(err)
	}
	m[field] = value
	return encode(m)
}

// Drop is a JSON object without one field.
func Drop(object json.RawMessage, field string) json.RawMessage {
	var m map[string]any
	if err := json.Unmarshal(object, &m); err != nil {
		panic(err)
	}
	delete(m, field)
	return encode(m)
}

func encode(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}
