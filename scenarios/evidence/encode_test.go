package evidence_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/lab"
)

// fullSet is a set in which everything refers to something.
func fullSet() *evidence.Set {
	tree := evidence.Tree{fileEntry("/etc/<booking>&.conf", "x"), fileEntry("/srv/a\x1b\n\u2028", "")}
	digest := tree.Digest()
	created := time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)
	web := evidence.Container{
		ID: "c1", Name: "web-001", Image: "sha256:i1", Created: created, Started: created, State: "running", Tree: digest,
		Config: json.RawMessage(`{"Env":["A=<b>&\ufffd"],"Cmd":null}`), HostConfig: json.RawMessage(`{"Memory":67108864}`),
	}
	pet := evidence.Container{ID: "c0", Name: "pet", Image: "sha256:i0", Tree: digest, Start: true, Called: "pet-01", Created: created, Config: json.RawMessage("null"), HostConfig: json.RawMessage("{}")}
	second := web
	second.ID, second.Name, second.Image = "c2", "web-002", "sha256:i2"
	return &evidence.Set{
		Schema: evidence.Schema, Labctl: "1.0.0", Time: created.Truncate(time.Second), Lab: "drift-lab", Learner: "ada", Instance: "drift-lab-ada", Definition: "sha256:d", Seed: -7,
		Checks: []lab.Check{
			{Name: "right", Kind: "http", Title: "Right", Service: "booking", Points: 30, Required: true, Spec: json.RawMessage(`{"get":"/quote?a=1&b=2"}`)},
			{Name: "right", Kind: "http", Title: "Right", Service: "booking", Environment: "prod", Points: 30},
		},
		Services: []evidence.Service{{
			Name: "booking", Port: 8080, Publish: lab.PublishPort, Network: "n", Replicas: 1, Live: []evidence.Container{web, second},
			Exchanges: []evidence.Exchange{{Request: evidence.Request{Get: "/"}, Container: "c1", Status: 200, Body: "ok"}},
			Traffic:   &evidence.Traffic{Container: "c1", Sent: 1, Received: 1 << 63},
			Fresh: []evidence.Fresh{
				{Image: "sha256:i1", Container: evidence.Container{ID: "f1", Image: "sha256:i1", Created: created, Tree: digest, Config: json.RawMessage("{}"), HostConfig: json.RawMessage("{}")}},
				{Image: "sha256:i2", Error: "engine away", Container: evidence.Container{Config: json.RawMessage("{}"), HostConfig: json.RawMessage("{}")}},
			},
		}},
		Start: evidence.Start{
			Containers: []evidence.Container{pet}, Now: []evidence.Container{pet},
			HandMade: []evidence.Content{{Container: "pet-01", Path: "/etc/<booking>&.conf", SHA256: tree[0].SHA256, Size: tree[0].Size}},
		},
		Head:   evidence.Head{Commit: "abc", Files: []evidence.RepoFile{{Path: "Dockerfile", Mode: "100644", SHA256: strings.Repeat("0a", 32)}, {Path: "sub", Mode: "160000"}}},
		Pinned: []evidence.Pinned{{Name: "base", Tag: "hotel/base:1", ID: "sha256:i0"}, {Name: "tools", Tag: "hotel/tools:1", ID: "sha256:i9"}, {Name: "booking", ID: "sha256:i1"}},
		Builds: []evidence.Build{{Of: evidence.OfHead, Commit: "abc", Image: "sha256:i1", Lineage: &evidence.Lineage{From: "sha256:i0"}}, {Of: evidence.OfWorktree, Commit: "abc", Failed: "exit 1"}, {Of: evidence.OfOlder, Commit: "abb", Error: "away"}},
		Images: map[string]evidence.Image{
			"sha256:i0": {ID: "sha256:i0", Layers: []string{"sha256:l1"}, Config: json.RawMessage("{}")},
			"sha256:i1": {ID: "sha256:i1", Layers: []string{"sha256:l1", "sha256:l2"}, Config: json.RawMessage("{}")},
		},
		Layers: map[string]evidence.Layer{"sha256:l1": {fileEntry("/a", "1")}, "sha256:l2": {whiteout("/a")}},
		Trees:  map[string]evidence.Tree{digest: tree},
		Texts:  texts("1"),
	}
}

func marshal(t *testing.T, s *evidence.Set) []byte {
	t.Helper()
	b, err := evidence.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	set := fullSet()
	set.Quiz = &evidence.Quiz{Questions: 3, Answered: 2, Right: 2, FirstTry: 1}
	set.Demonstrations = []evidence.Demonstration{demonstration(set)}
	saved := marshal(t, set)
	read, err := evidence.Unmarshal(saved)
	if err != nil {
		t.Fatal(err)
	}
	again := marshal(t, read)
	if !bytes.Equal(saved, again) {
		t.Errorf("saved\n%s\nagain\n%s", saved, again)
	}
	before, err := set.Digest()
	if err != nil {
		t.Fatal(err)
	}
	if after, err := read.Digest(); err != nil || after != before {
		t.Errorf("the digest was %s, is %s (error %v)", before, after, err)
	}
	if !reflect.DeepEqual(read.Trees, set.Trees) || !reflect.DeepEqual(read.Layers, set.Layers) {
		t.Error("filesystems came back changed")
	}
}

// What people type need not be Unicode; the evidence stays one and the same
// file all the same.
func TestRoundTripOfTextThatIsNoUTF8(t *testing.T) {
	t.Parallel()
	set := fullSet()
	set.Head.Subject = "caf\xe9 <b> \ufffd"
	set.Head.Dirty = []evidence.Change{{Path: "\\ufffd\xff", Sign: "+"}}
	saved := marshal(t, set)
	read, err := evidence.Unmarshal(saved)
	if err != nil {
		t.Fatal(err)
	}
	if again := marshal(t, read); !bytes.Equal(saved, again) {
		t.Errorf("saved\n%s\nagain\n%s", saved, again)
	}
	if got, want := read.Head.Subject+read.Head.Dirty[0].Path, "caf\ufffd <b> \ufffd\\ufffd\ufffd"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestRoundTripOfNamesThatAreNoUTF8(t *testing.T) {
	t.Parallel()
	tree := readTree(t, file("a\xfe", "1"), file("a\xff", "2"), file("a\ufffd", "3"), symlink("l", "\xff"), hardlink("h\xff", "a\xfe"))
	set := fullSet()
	set.Trees[tree.Digest()] = tree
	set.Services[0].Live[0].Tree = tree.Digest()
	read, err := evidence.Unmarshal(marshal(t, set))
	if err != nil {
		t.Fatal(err)
	}
	if got := read.Trees[tree.Digest()]; len(got) != 5 || len(evidence.Diff(got, tree, evidence.Exactly)) > 0 {
		t.Errorf("got %+v, want %+v", got, tree)
	}
}

func TestMarshalRefusesWhatIsNoJSON(t *testing.T) {
	t.Parallel()
	set := fullSet()
	set.Start.Now[0].Config = json.RawMessage("{")
	if _, err := evidence.Marshal(set); err == nil {
		t.Error("Marshal wrote it")
	}
	if _, err := set.Digest(); err == nil {
		t.Error("Digest named it")
	}
}

// retree changes the set's filesystem, and calls it by its new digest.
func retree(s *evidence.Set, change func(evidence.Tree)) {
	for digest, tree := range s.Trees {
		delete(s.Trees, digest)
		change(tree)
		s.Trees[tree.Digest()] = tree
	}
}

// demonstration is a record of the first check of a set.
func demonstration(s *evidence.Set) evidence.Demonstration {
	c := s.Checks[0]
	return evidence.Demonstration{
		ID: "d1", Name: "d1", Created: s.Time, Image: "sha256:i1", Service: c.Service, Environment: c.Environment, Check: c.Name, Containers: []string{"c1"},
	}
}

// That nothing was demonstrated is something else than that nobody looked.
func TestRoundTripOfNoDemonstration(t *testing.T) {
	t.Parallel()
	for name, is := range map[string][]evidence.Demonstration{"none": {}, "not asked for": nil} {
		set := fullSet()
		set.Demonstrations = is
		read, err := evidence.Unmarshal(marshal(t, set))
		if err != nil || (read.Demonstrations == nil) != (is == nil) {
			t.Errorf("%s: %+v, %v", name, read, err)
		}
	}
}

func TestUnmarshalRefusesContradictions(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		spoil func(*evidence.Set)
		want  string
	}{
		{"no schema", func(s *evidence.Set) { s.Schema = "" }, `its schema is ""`},
		{"another schema", func(s *evidence.Set) { s.Schema = "labctl/evidence/v2" }, "this labctl reads labctl/evidence/v1"},
		{"a changed filesystem", func(s *evidence.Set) {
			for _, tree := range s.Trees {
				tree[0].SHA256 = strings.Repeat("0", 64)
			}
		}, "not what its digest says"},
		{"a lab without a name", func(s *evidence.Set) { s.Lab = "" }, "its lab has no name"},
		{"nobody's", func(s *evidence.Set) { s.Learner = "" }, "its learner has no name"},
		{"no definition", func(s *evidence.Set) { s.Definition = "" }, "its definition has no name"},
		{"a content of two sizes", func(s *evidence.Set) {
			s.Layers["sha256:l1"][0].SHA256 = s.Start.HandMade[0].SHA256
			s.Layers["sha256:l1"][0].Size = 7
		}, "is a content of"},
		{"a file of HEAD of another size", func(s *evidence.Set) {
			s.Head.Files[0].SHA256 = s.Layers["sha256:l1"][0].SHA256
			s.Head.Files[0].Size = 7
		}, "is a content of"},
		{"a size below nothing", func(s *evidence.Set) { s.Head.Files[0].Size = -1 }, "is a content of -1 bytes"},
		{"a content of two kinds", func(s *evidence.Set) {
			s.Head.Files[0].Kind = evidence.KindText
			s.Start.Files = []evidence.RepoFile{s.Head.Files[0]}
			s.Start.Files[0].Kind = "tar"
		}, `is "tar", and "text" elsewhere`},
		{"HEAD built of no files", func(s *evidence.Set) { s.Head.Files = nil }, "HEAD was built of no files"},
		{"no replicas", func(s *evidence.Set) { s.Services[0].Replicas = 0 }, "it has 0 replicas"},
		{"an image's configuration that is none", func(s *evidence.Set) {
			i := s.Images["sha256:i1"]
			i.Config = json.RawMessage("[]")
			s.Images["sha256:i1"] = i
		}, "the configuration of image sha256:i1 is none"},
		{"a container's configuration that is none", func(s *evidence.Set) { s.Start.Now[0].HostConfig = json.RawMessage("true") }, "the configuration of container pet is none"},
		{"a container made at no time", func(s *evidence.Set) { s.Start.Now[0].Created = time.Time{} }, "container pet was made at no time"},
		{"an image under another's ID", func(s *evidence.Set) { s.Images["sha256:i2"] = evidence.Image{ID: "sha256:i1"} }, "image"},
		{"a service twice", func(s *evidence.Set) {
			s.Services = append(s.Services, s.Services[0])
			s.Services[1].Fresh = nil
		}, `service "booking"`},
		{"a service without a name", func(s *evidence.Set) { s.Services[0].Name = "" }, "no name"},
		{"a live container twice", func(s *evidence.Set) { s.Services[0].Live = append(s.Services[0].Live, s.Services[0].Live[0]) }, `service booking: container "web-001"`},
		{"a live container without ID", func(s *evidence.Set) { s.Services[0].Live[0].ID = "" }, `container "web-001"`},
		{"a live container without its filesystem", func(s *evidence.Set) { s.Services[0].Live[0].Tree = "sha256:gone" }, "filesystem of container web-001 is missing"},
		{"a fresh container without its filesystem", func(s *evidence.Set) { s.Services[0].Fresh[0].Container.Tree = "sha256:gone" }, "fresh: the filesystem"},
		{"a start container twice", func(s *evidence.Set) { s.Start.Containers = append(s.Start.Containers, s.Start.Containers[0]) }, `start: container "pet"`},
		{"a start container without its filesystem now", func(s *evidence.Set) { s.Start.Now[0].Tree = "sha256:gone" }, "start: the filesystem of container pet"},
		{"an image of the lab twice", func(s *evidence.Set) { s.Pinned[1].Name = "base" }, `the lab's image "base" is there twice`},
		{"an image of the lab without an ID", func(s *evidence.Set) { s.Pinned[1].ID = "" }, `the lab's image "tools"`},
		{"one tag of two images", func(s *evidence.Set) { s.Pinned[1].Tag = "hotel/base:1" }, `the tag "hotel/base:1"`},
		{"a failed build that stands on something", func(s *evidence.Set) { s.Builds[1].Lineage = &evidence.Lineage{} }, "the build of worktree stands on images, and made none"},
		{"a build on an image and on scratch", func(s *evidence.Set) { s.Builds[0].Lineage.Taken = []string{"sha256:i9"} }, "or stands on scratch as well"},
		{"a build on no image of the lab", func(s *evidence.Set) { s.Builds[0].Lineage.From = "sha256:i2" }, "stands on sha256:i2, which is no image of the lab"},
		{"a build that takes from no image of the lab", func(s *evidence.Set) { s.Builds[0].Lineage = &evidence.Lineage{Taken: []string{"sha256:i2"}} }, "which is no image of the lab"},
		{"a build that takes from one twice", func(s *evidence.Set) {
			s.Builds[0].Lineage = &evidence.Lineage{Taken: []string{"sha256:i0", "sha256:i0"}}
		}, "not sorted, or on sha256:i0 twice"},
		{"a build without the layers of what it stands on", func(s *evidence.Set) {
			i := s.Images["sha256:i0"]
			i.Layers = []string{"sha256:l2"}
			s.Images["sha256:i0"] = i
		}, "stands on sha256:i0, and does not begin with its layers"},
		{"a build without outcome", func(s *evidence.Set) { s.Builds[1].Failed = "" }, "the build of worktree has 0 outcomes"},
		{"a build with two outcomes", func(s *evidence.Set) { s.Builds[0].Error = "away" }, "the build of head has 2 outcomes"},
		{"a build of HEAD of another commit", func(s *evidence.Set) { s.Builds[0].Commit = "abd" }, "the build of head is of commit abd, and HEAD is abc"},
		{"a build of the working tree of another commit", func(s *evidence.Set) { s.Builds[1].Commit = "abd" }, "the build of worktree is of commit abd"},
		{"HEAD as an older commit", func(s *evidence.Set) { s.Builds[2].Commit = "abc" }, "an older commit that was built is HEAD"},
		{"a build of HEAD twice", func(s *evidence.Set) { s.Builds = append(s.Builds, s.Builds[0]) }, "the build of head is there twice"},
		{"a build of something else", func(s *evidence.Set) { s.Builds[0].Of = "tail" }, `a build is of "tail"`},
		{"builds without HEAD", func(s *evidence.Set) { s.Head = evidence.Head{} }, "HEAD has files, or was built, and is no commit"},
		{"a file of HEAD without content", func(s *evidence.Set) { s.Head.Files[0].SHA256 = "" }, `HEAD has "Dockerfile", a file of mode 100644`},
		{"a submodule with content", func(s *evidence.Set) { s.Start.Files = []evidence.RepoFile{{Path: "a", Mode: "160000", SHA256: "b"}} }, `the start commit has "a"`},
		{"a filesystem that is not sorted", func(s *evidence.Set) { retree(s, func(t evidence.Tree) { t[0], t[1] = t[1], t[0] }) }, "is not sorted, or has"},
		{"a path twice", func(s *evidence.Set) { retree(s, func(t evidence.Tree) { t[1] = t[0] }) }, "is not sorted, or has"},
		{"a relative path", func(s *evidence.Set) { retree(s, func(t evidence.Tree) { t[0].Path = "etc" }) }, "is not absolute"},
		{"a whiteout in a filesystem", func(s *evidence.Set) { retree(s, func(t evidence.Tree) { t[0] = whiteout("/a") }) }, `"/a" is of type "whiteout"`},
		{"a file without content", func(s *evidence.Set) { retree(s, func(t evidence.Tree) { t[0].SHA256 = "" }) }, "is a file with the content"},
		{"a directory with content", func(s *evidence.Set) { s.Layers["sha256:l1"][0].Type = evidence.TypeDir }, "the layer sha256:l1"},
		{"an entry of no type", func(s *evidence.Set) { s.Layers["sha256:l2"][0].Type = "" }, `is of type ""`},
		{"published in another way", func(s *evidence.Set) { s.Services[0].Publish = "proxy" }, `published as "proxy"`},
		{"an answer of nobody beside what is live", func(s *evidence.Set) { s.Services[0].Answered = "HTTP 200" }, "something answered although nothing was live"},
		{"an exchange with another container", func(s *evidence.Set) { s.Services[0].Exchanges[0].Container = "c0" }, `was asked of "c0"`},
		{"an exchange with nobody", func(s *evidence.Set) { s.Services[0].Exchanges[0].Container = "" }, `was asked of ""`},
		{"an exchange twice", func(s *evidence.Set) {
			s.Services[0].Exchanges = append(s.Services[0].Exchanges, evidence.Exchange{Request: evidence.Request{Get: "/"}, Container: "c1", Status: 500})
		}, `"/" was asked twice of c1`},
		{"an exchange without outcome", func(s *evidence.Set) { s.Services[0].Exchanges[0].Status = 0 }, "has 0 outcomes"},
		{"an answer that failed", func(s *evidence.Set) { s.Services[0].Exchanges[0].Failed = "refused" }, "has 2 outcomes"},
		{"an answer without status", func(s *evidence.Set) {
			s.Services[0].Exchanges[0].Status, s.Services[0].Exchanges[0].Failed = 0, "refused"
		}, "is none that is kept"},
		{"an answer that is too long", func(s *evidence.Set) { s.Services[0].Exchanges[0].Body = strings.Repeat("x", evidence.MaxBody+1) }, "is none that is kept"},
		{"traffic of another container", func(s *evidence.Set) { s.Services[0].Traffic.Container = "c0" }, "traffic is that of c0, which is not live"},
		{"a fresh container of another image", func(s *evidence.Set) { s.Services[0].Fresh[1].Image = "sha256:i0" }, "which is not live or was tried before"},
		{"a fresh container twice", func(s *evidence.Set) { s.Services[0].Fresh[1] = s.Services[0].Fresh[0] }, "was there before"},
		{"a fresh container that is of another image", func(s *evidence.Set) { s.Services[0].Fresh[0].Container.Image = "sha256:i0" }, "the fresh container of sha256:i1 is one of sha256:i0"},
		{"a fresh container that is none, for no reason", func(s *evidence.Set) { s.Services[0].Fresh[1].Error = "" }, "nothing stood in the way"},
		{"the live container as the fresh one", func(s *evidence.Set) { s.Services[0].Fresh[0].Container.ID = "c1" }, "was there before"},
		{"the pet as the fresh one", func(s *evidence.Set) { s.Services[0].Fresh[0].Container.ID = "c0" }, "was there before"},
		{"what a fresh container was not asked", func(s *evidence.Set) { s.Services[0].Fresh[0].Exchanges = s.Services[0].Exchanges }, `fresh: "/" was asked of "c1"`},
		{"a container from the future", func(s *evidence.Set) { s.Services[0].Live[0].Created = s.Time.AddDate(0, 0, 2) }, "made or started after it was looked at"},
		{"a container made at two times", func(s *evidence.Set) { s.Start.Now[0].Created = s.Start.Now[0].Created.Add(1) }, "start: container pet is there as two that differ"},
		{"a container of two images", func(s *evidence.Set) { s.Start.Now[0].Image = "sha256:i1" }, "is there as two that differ"},
		{"the pet as a new container", func(s *evidence.Set) {
			s.Services[0].Live[0].ID, s.Services[0].Exchanges, s.Services[0].Traffic = "c0", nil, nil
		}, "is there as two that differ"},
		{"a start container that start did not make", func(s *evidence.Set) { s.Start.Containers[0].Start = false }, "was not made by start"},
		{"what was by hand taken out", func(s *evidence.Set) { s.Start.HandMade = []evidence.Content{} }, "not what the filesystems of the start's containers say"},
		{"what was by hand edited", func(s *evidence.Set) { s.Start.HandMade[0].SHA256 = strings.Repeat("0a", 32) }, "not what the filesystems of the start's containers say"},
		{"what was by hand, of what was not read", func(s *evidence.Set) { delete(s.Images, "sha256:i0") }, "what was by hand is told, and cannot be"},
		{"what HEAD has and no commit", func(s *evidence.Set) {
			s.Head.Files[0].SHA256, s.Head.Files[0].Size = s.Start.HandMade[0].SHA256, s.Start.HandMade[0].Size
		}, "which no commit is said to have"},
		{"no checks", func(s *evidence.Set) { s.Checks = nil }, "there is nothing to grade"},
		{"no required checks", func(s *evidence.Set) { s.Checks = s.Checks[1:] }, "there is nothing to grade"},
		{"no points", func(s *evidence.Set) { s.Checks[0].Points, s.Checks[1].Points = 0, 0 }, "there is nothing to grade"},
		{"more points than a check can have", func(s *evidence.Set) { s.Checks[0].Points = 10001 }, "10001 points"},
		{"a build of a missing image", func(s *evidence.Set) { s.Builds[0].Image = "sha256:gone" }, "the build of head made an image that is missing"},
		{"a check twice", func(s *evidence.Set) { s.Checks[1].Environment = "" }, `check "right"`},
		{"a check without a name", func(s *evidence.Set) { s.Checks[0].Name = "" }, "no name"},
		{"more right than answered", func(s *evidence.Set) { s.Quiz = &evidence.Quiz{Questions: 3, Answered: 1, Right: 2} }, "of 3 questions 1 were answered, 2 right"},
		{"more at the first try than right", func(s *evidence.Set) { s.Quiz = &evidence.Quiz{Questions: 3, Answered: 3, Right: 1, FirstTry: 2} }, "2 at the first try"},
		{"a quiz without questions", func(s *evidence.Set) { s.Quiz = &evidence.Quiz{} }, "of 0 questions"},
		{"a quiz that is not known, and is", func(s *evidence.Set) { s.Quiz = &evidence.Quiz{Questions: 1, Answered: 1, Error: "damaged"} }, "of 1 questions"},
		{"a demonstration without ID", func(s *evidence.Set) { s.Demonstrations[0].ID = "" }, "has no ID"},
		{"a demonstration twice", func(s *evidence.Set) { s.Demonstrations = append(s.Demonstrations, s.Demonstrations[0]) }, `the demonstration "d1" is there twice`},
		{"a live container as a demonstration", func(s *evidence.Set) { s.Demonstrations[0].ID = "c1" }, "is another container as well"},
		{"a fresh container as a demonstration", func(s *evidence.Set) { s.Demonstrations[0].ID = s.Services[0].Fresh[0].Container.ID }, "is another container as well"},
		{"the pet as a demonstration", func(s *evidence.Set) { s.Demonstrations[0].ID = "c0" }, "is another container as well"},
		{"a demonstration at no time", func(s *evidence.Set) { s.Demonstrations[0].Created = time.Time{} }, "the demonstration d1 was made at no time"},
		{"a demonstration from the future", func(s *evidence.Set) { s.Demonstrations[0].Created = s.Time.AddDate(0, 0, 2) }, "the demonstration d1 was made at no time"},
		{"a demonstration of an image that is missing", func(s *evidence.Set) { s.Demonstrations[0].Image = "sha256:gone" }, "of an image that is missing"},
		{"a demonstration for no check", func(s *evidence.Set) { s.Demonstrations[0].Check = "wrong" }, "of a check that is missing"},
		{"a demonstration for a check elsewhere", func(s *evidence.Set) { s.Demonstrations[0].Environment = "moon" }, "of a check that is missing"},
		{"a check of negative points", func(s *evidence.Set) { s.Checks[0].Points = -5 }, "-5 points"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			set := fullSet()
			set.Demonstrations = []evidence.Demonstration{demonstration(set)}
			test.spoil(set)
			_, err := evidence.Unmarshal(marshal(t, set))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got the error %v, want %q in it", err, test.want)
			}
		})
	}
}

func TestUnmarshalRefusesOtherFiles(t *testing.T) {
	t.Parallel()
	whole := string(marshal(t, fullSet()))
	for name, text := range map[string]string{
		"nothing":                       "",
		"no JSON":                       "evidence",
		"another JSON value":            "[]",
		"cut off":                       whole[:len(whole)-3],
		"something after it":            whole + "{}",
		"text after it":                 whole + "x",
		"a name twice":                  strings.Replace(whole, `"seed": -7`, `"seed": 1, "seed": -7`, 1),
		"a name twice, deep":            strings.Replace(whole, `"get": "/"`, `"get": "/x", "get": "/"`, 1),
		"in another case":               strings.Replace(whole, `"checks"`, `"Checks": [], "checks"`, 1),
		"twice in what the engine said": strings.Replace(whole, `"Memory"`, `"Memory": 1, "Memory"`, 1),
		"an unknown field":              strings.Replace(whole, `"seed"`, `"grade"`, 1),
		"a field of its type":           strings.Replace(whole, `"seed": -7`, `"seed": "7"`, 1),
	} {
		if _, err := evidence.Unmarshal([]byte(text)); err == nil || !strings.HasPrefix(err.Error(), "reading evidence: ") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// The engine's own names may differ by case: a label may be called anything.
func TestUnmarshalKeepsForeignNames(t *testing.T) {
	t.Parallel()
	set := fullSet()
	set.Services[0].Live[0].Config = json.RawMessage(`{"Labels":{"a":"1","A":"2"},"list":[{"b":1},{"b":1}]}`)
	set.Services[0].Run.Env = map[string]string{"path": "1", "PATH": "2"}
	if _, err := evidence.Unmarshal(marshal(t, set)); err != nil {
		t.Error(err)
	}
}

func TestLayersOf(t *testing.T) {
	t.Parallel()
	set := fullSet()
	got, err := set.LayersOf("sha256:i1")
	if want := []evidence.Layer{{fileEntry("/a", "1")}, {whiteout("/a")}}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	set.Images["broken"] = evidence.Image{ID: "broken", Error: "engine away", Layers: []string{"sha256:l1"}}
	set.Images["empty"] = evidence.Image{ID: "empty"}
	set.Images["partly"] = evidence.Image{ID: "partly", Layers: []string{"sha256:l1", "sha256:l9"}}
	for image, want := range map[string]string{
		"unknown": "was not looked at",
		"broken":  "engine away",
		"empty":   "has no layers",
		"partly":  "layer sha256:l9 of image partly",
	} {
		if layers, err := set.LayersOf(image); err == nil || layers != nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %+v and the error %v, want %q in it", image, layers, err, want)
		}
	}
}
