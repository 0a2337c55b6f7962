package check_test

import (
	"testing"

	"github.com/labctl/labctl/scenarios/check"
	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/internal/sample"
)

// adds puts a file of a kind into HEAD.
func adds(path, kind string) func(*evidence.Set) {
	return func(set *evidence.Set) { set.Head.Files = append(set.Head.Files, packed(path, kind)) }
}

func packed(path, kind string) evidence.RepoFile {
	f := sample.RepoFile(path, "content of "+path)
	f.Kind = kind
	return f
}

// hotfix makes the live image, and the one that HEAD makes, hold what the pet
// had by hand and no commit has.
func hotfix(set *evidence.Set) {
	layers := sample.With(right(), sample.File("/srv/elsewhere", sample.Hotfix))
	sample.AddImage(set, sample.ImageHead, sample.ImageConfig, layers...)
	sample.SetLiveImage(set, sample.ImageConfig, layers...)
}

// holding puts an archive into HEAD that holds a text.
func holding(path, text string) func(*evidence.Set) {
	return func(set *evidence.Set) {
		f := packed(path, "tar")
		f.Packed = []string{sample.File("", text).SHA256}
		set.Head.Files = append(set.Head.Files, f)
	}
}

// made makes the live image, and the one that HEAD makes, hold a text.
func made(text string) func(*evidence.Set) {
	return func(set *evidence.Set) {
		layers := sample.With(right(), sample.File("/srv/elsewhere", text))
		sample.AddImage(set, sample.ImageHead, sample.ImageConfig, layers...)
		sample.SetLiveImage(set, sample.ImageConfig, layers...)
	}
}

func start(edit func(*evidence.Start)) func(*evidence.Set) {
	return func(set *evidence.Set) { edit(&set.Start) }
}

func TestSource(t *testing.T) {
	t.Parallel()
	const none = "HEAD adds no archive and no binary to what it was at the start"
	inPet := []string{"/tmp/HOTFIX, as pet-01 had it by hand"}
	fails := func(name, path, kind string) verdict {
		return verdict{name, all(adds(path, kind), hotfix), check.Fail, "HEAD adds " + path + " (" + kind + "), and the image of web-001 holds what no commit has as a file", inPet, nil}
	}
	lost := start(func(s *evidence.Start) {
		*s = evidence.Start{Now: s.Now, Files: s.Files, Lost: "the instance's folder is gone"}
	})
	const untold = "HEAD adds pet.tar (tar); whether the pet is in it cannot be told: "
	evaluate(t, check.Source, []verdict{
		{"sources alone", nil, check.Pass, none, nil, nil},
		fails("the pet in a tar", "pet.tar", "tar"),
		fails("compressed", "pet.tar.gz", "gzip"),
		fails("called otherwise", "logo.png", "binary"),
		fails("as letters in the Dockerfile", "Dockerfile", "gzip as base64"),
		{"several archives", all(adds("a", "tar"), adds("b", "ELF"), hotfix), check.Fail, "HEAD adds a (tar), b (ELF), and the image of web-001 holds what no commit has as a file", inPet, nil},
		{"what was by hand, made by a Dockerfile that can be read", hotfix, check.Pass, none, nil, nil},
		{"a picture, and nothing that was by hand", adds("logo.png", "binary"), check.Pass, "so it is", nil, []string{"HEAD adds what cannot be read as text: logo.png (binary)"}},
		{"a picture, and what was by hand is committed as a file", all(adds("logo.png", "binary"), hotfix, start(func(s *evidence.Start) { s.HandMade[2].Committed = true })), check.Pass,
			"so it is", nil, []string{"HEAD adds what cannot be read as text: logo.png (binary)"}},
		{"an archive of the start", all(hotfix, adds("vendor.tar", "tar"), start(func(s *evidence.Start) { s.Files = append(s.Files, packed("vendor.tar", "tar")) })), check.Pass, none, nil, nil},
		{"an archive of the start under another name", all(hotfix, func(set *evidence.Set) {
			moved := packed("vendor.tar", "tar")
			set.Start.Files = append(set.Start.Files, moved)
			moved.Path = "third-party.tar"
			set.Head.Files = append(set.Head.Files, moved)
		}), check.Pass, none, nil, nil},
		{"an archive of the start with another content", all(hotfix, adds("vendor.tar", "tar"), start(func(s *evidence.Start) {
			was := packed("vendor.tar", "tar")
			was.SHA256 = sample.RepoFile("", "as it was").SHA256
			s.Files = append(s.Files, was)
		})), check.Fail, "HEAD adds vendor.tar (tar), and the image of web-001 holds what no commit has as a file", inPet, nil},
		{"what an archive holds alone", all(holding("pet.tar", "made elsewhere"), made("made elsewhere")), check.Fail,
			"HEAD adds pet.tar (tar), and the image of web-001 holds what is in there alone: /srv/elsewhere", []string{"/srv/elsewhere"}, nil},
		{"what an archive and a file of HEAD hold", all(holding("pet.tar", "made elsewhere"), made("made elsewhere"), func(set *evidence.Set) {
			set.Head.Files = append(set.Head.Files, sample.RepoFile("here", "made elsewhere"))
		}), check.Pass, "so it is", nil, []string{"HEAD adds what cannot be read as text: pet.tar (tar)"}},
		{"what an archive and the start's image hold", all(holding("pet.tar", sample.QuoteBuilt), made(sample.QuoteBuilt)), check.Pass,
			"so it is", nil, []string{"HEAD adds what cannot be read as text: pet.tar (tar)"}},
		{"what an archive holds and the image does not", holding("pet.tar", "made elsewhere"), check.Pass,
			"so it is", nil, []string{"HEAD adds what cannot be read as text: pet.tar (tar)"}},
		{"a submodule", func(set *evidence.Set) {
			set.Head.Files = append(set.Head.Files, evidence.RepoFile{Path: "sub", Mode: "160000"})
		}, check.Pass, none, nil, nil},
		{"baseline lost, sources alone", lost, check.Pass, none, nil, nil},

		{"no repository", func(set *evidence.Set) { set.Head.Error = "the workspace is gone" }, check.Error, "the repository could not be read: the workspace is gone", nil, nil},
		{"HEAD not looked at", func(set *evidence.Set) { set.Head = evidence.Head{} }, check.Error, "the repository was not looked at", nil, nil},
		{"start commit not looked at", start(func(s *evidence.Start) { s.Files = nil }), check.Error, "the evidence does not say what the start commit had", nil, nil},
		{"what a file is not looked at", adds("pet.tar", ""), check.Error, "what pet.tar is was not looked at", nil, nil},
		{"baseline lost", all(adds("pet.tar", "tar"), lost), check.Error, untold + "the instance's folder is gone", nil, nil},
		{"what was by hand not looked at", all(adds("pet.tar", "tar"), start(func(s *evidence.Start) { s.HandMade = nil })), check.Error,
			untold + "what the start's containers had by hand was not looked at", nil, nil},
		{"the pet's filesystem not read", all(adds("pet.tar", "tar"), start(func(s *evidence.Start) { s.Containers[0].Tree, s.Containers[0].TreeError = "", "away" })), check.Error,
			untold + "the filesystem that pet-01 had at the start is not known: away", nil, nil},
		{"the pet's image not read", all(adds("pet.tar", "tar"), func(set *evidence.Set) { delete(set.Layers, sample.ImageBuilt+"-layer-0") }), check.Error,
			untold + "layer sha256:image-as-bui of image sha256:image-as-bui could not be read", nil, nil},
		{"the live image not read", all(adds("pet.tar", "tar"), func(set *evidence.Set) { delete(set.Images, sample.ImageLive) }), check.Error,
			untold + "image sha256:image-of-web was not looked at", nil, nil},
		{"nothing live", service(func(s *evidence.Service) { s.Live = nil }), check.Fail, "nothing is live at 127.0.0.1:8080", nil, nil},
	})
}
