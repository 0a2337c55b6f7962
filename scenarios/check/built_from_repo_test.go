package check_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/labctl/labctl/scenarios/check"
	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/internal/sample"
)

// right are the layers that HEAD makes.
func right() []evidence.Layer { return sample.Layers(sample.ConfToday, sample.QuoteFriday) }

// image makes the live image one of these layers.
func image(layers ...evidence.Layer) func(*evidence.Set) {
	return func(set *evidence.Set) { sample.SetLiveImage(set, sample.ImageConfig, layers...) }
}

// imageWith is the live image with entries in its top layer.
func imageWith(entries ...evidence.Entry) func(*evidence.Set) {
	layers := right()
	top := evidence.Union([]evidence.Layer{layers[2], entries})
	return image(layers[0], layers[1], evidence.Layer(top))
}

// built adds a build of another state of the repository, with what it makes.
func built(of, commit, conf string) func(*evidence.Set) {
	return func(set *evidence.Set) {
		id := "sha256:built-" + of + commit
		sample.AddImage(set, id, sample.ImageConfig, sample.Layers(conf, sample.QuoteFriday)...)
		set.Builds = append(set.Builds, evidence.Build{Of: of, Commit: commit, Image: id})
	}
}

// imageConfig sets a field of the configuration of the live image.
func imageConfig(name string, value any) func(*evidence.Set) {
	return editImage(sample.ImageLive, name, value)
}

func editImage(id, name string, value any) func(*evidence.Set) {
	return func(set *evidence.Set) {
		i := set.Images[id]
		i.Config = sample.Edit(i.Config, name, value)
		set.Images[id] = i
	}
}

func head(edit func(*evidence.Build)) func(*evidence.Set) {
	return func(set *evidence.Set) { edit(&set.Builds[0]) }
}

func dirty(paths ...string) func(*evidence.Set) {
	return func(set *evidence.Set) {
		for _, p := range paths {
			set.Head.Dirty = append(set.Head.Dirty, evidence.Change{Path: p, Sign: "~"})
		}
	}
}

const sameImage = "the same, layer by layer"

// unlike is a row about an image that HEAD does not make.
func unlike(name string, edit func(*evidence.Set), details ...string) verdict {
	return verdict{name, edit, check.Fail, "the image of web-001 is something else: " + strings.Join(details, ", "), details, nil}
}

func equal(name string, edit func(*evidence.Set)) verdict {
	return verdict{name: name, edit: edit, status: check.Pass, observed: sameImage}
}

func TestBuiltFromRepoContents(t *testing.T) {
	t.Parallel()
	quote := sample.Executable("/srv/www/cgi-bin/quote", sample.QuoteFriday)
	owned := quote
	owned.GID = 1000
	layers := right()
	evaluate(t, check.BuiltFromRepo, []verdict{
		equal("the same in other layers' IDs", nil),
		unlike("a file differs", imageWith(sample.Executable(quote.Path, sample.QuoteBuilt)), "~ /srv/www/cgi-bin/quote"),
		unlike("a file is more", imageWith(sample.File("/srv/extra", "")), "+ /srv/extra"),
		unlike("a file is missing", image(layers[0], layers[1]), "- /srv", "- /srv/www", "- /srv/www/cgi-bin", "- /srv/www/cgi-bin/quote"),
		unlike("who may execute", imageWith(mode(quote, 0o644)), "~ /srv/www/cgi-bin/quote (mode 755 → 644)"),
		equal("the group's bits", imageWith(mode(quote, 0o775))),
		equal("the bits of a directory", imageWith(mode(sample.Dir("/srv"), 0o775))),
		unlike("setuid", imageWith(mode(quote, 0o4755)), "~ /srv/www/cgi-bin/quote (mode 755 → 4755)"),
		unlike("setgid of a directory", imageWith(mode(sample.Dir("/srv"), 0o2755)), "~ /srv (mode 755 → 2755)"),
		unlike("sticky", imageWith(mode(sample.Dir("/srv"), 0o1755)), "~ /srv (mode 755 → 1755)"),
		unlike("owner", imageWith(owned), "~ /srv/www/cgi-bin/quote (owner 0:0 → 0:1000)"),
		equal("an empty layer", image(layers[0], layers[1], evidence.Layer{}, layers[2])),
		equal("a layer that writes what is there", image(layers[0], layers[1], layers[1], layers[2], evidence.Layer{sample.Dir("/srv")})),
		{"one layer of all", image(evidence.Layer(evidence.Union(layers))), check.Fail,
			"the image of web-001 holds HEAD's files and was not put together by the Dockerfile", []string{"not put together by the Dockerfile"}, nil},
		{"a pet made the same and committed", image(append(sample.Layers(sample.ConfBuilt, sample.QuoteBuilt),
			evidence.Layer{sample.File("/etc/booking.conf", sample.ConfToday), quote})...), check.Fail,
			"the image of web-001 holds HEAD's files and was not put together by the Dockerfile", []string{"not put together by the Dockerfile"}, nil},
		{"layers in another order", image(layers[0], layers[2], layers[1]), check.Fail,
			"the image of web-001 holds HEAD's files and was not put together by the Dockerfile", []string{"not put together by the Dockerfile"}, nil},
	})
}

func TestBuiltFromRepoConfiguration(t *testing.T) {
	t.Parallel()
	path := []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TZ=UTC"}
	evaluate(t, check.BuiltFromRepo, []verdict{
		unlike("Env", imageConfig("Env", append(slices.Clone(path), "A=1")), `~ image Env ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin","TZ=UTC","A=1"] (built: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin","TZ=UTC"])`),
		equal("BuildKit's default PATH", imageConfig("Env", path[1:])),
		unlike("another PATH", imageConfig("Env", []string{"PATH=/evil", "TZ=UTC"}), `~ image Env ["PATH=/evil","TZ=UTC"] (built: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin","TZ=UTC"])`),
		equal("only the default PATH, and none", all(imageConfig("Env", path[:1]), editImage(sample.ImageHead, "Env", nil))),
		unlike("Cmd", imageConfig("Cmd", []string{"sh"}), `~ image Cmd ["sh"] (built: ["httpd","-f","-p","8080"])`),
		unlike("Entrypoint", imageConfig("Entrypoint", []string{"/fix"}), `~ image Entrypoint ["/fix"] (built: is not set)`),
		unlike("User", imageConfig("User", "1000"), `~ image User "1000" (built: is not set)`),
		unlike("WorkingDir", imageConfig("WorkingDir", "/srv"), `~ image WorkingDir "/srv" (built: is not set)`),
		equal("BuildKit's WorkingDir", imageConfig("WorkingDir", "/")),
		unlike("Volumes", imageConfig("Volumes", map[string]any{"/data": map[string]any{}}), `~ image Volumes {"/data":{}} (built: is not set)`),
		unlike("ExposedPorts", imageConfig("ExposedPorts", nil), `~ image ExposedPorts is not set (built: {"8080/tcp":{}})`),
		unlike("Healthcheck", imageConfig("Healthcheck", map[string]any{"Test": []string{"NONE"}}), `~ image Healthcheck {"Test":["NONE"]} (built: is not set)`),
		unlike("StopSignal", imageConfig("StopSignal", "SIGINT"), `~ image StopSignal "SIGINT" (built: is not set)`),
		unlike("Shell", imageConfig("Shell", []string{"/bin/ash"}), `~ image Shell ["/bin/ash"] (built: is not set)`),
		unlike("OnBuild", imageConfig("OnBuild", []string{"RUN x"}), `~ image OnBuild ["RUN x"] (built: is not set)`),
		equal("labels, names, and what only Windows has", all(imageConfig("Labels", map[string]string{"a": "b"}), imageConfig("Image", "x"),
			imageConfig("Hostname", "y"), imageConfig("ArgsEscaped", true), imageConfig("Volumes", map[string]any{}))),
		{"not told", func(set *evidence.Set) {
			i := set.Images[sample.ImageLive]
			i.Config = json.RawMessage("null")
			set.Images[i.ID] = i
		}, check.Error, "reading the configuration of an image: the engine told nothing", nil, nil},
		{"the clean room's not told", func(set *evidence.Set) {
			i := set.Images[sample.ImageHead]
			i.Config = nil
			set.Images[i.ID] = i
		}, check.Error, "reading the configuration of the clean room's image: the engine told nothing", nil, nil},
	})
}

func TestBuiltFromRepoCleanRoom(t *testing.T) {
	t.Parallel()
	uncommitted := all(dirty("booking.conf"), built(evidence.OfWorktree, sample.CommitHead, "city_tax=250\n"))
	older := built(evidence.OfOlder, sample.CommitBuilt, "city_tax=250\n")
	other := image(sample.Layers("city_tax=250\n", sample.QuoteFriday)...)
	evaluate(t, check.BuiltFromRepo, []verdict{
		{"refused", head(func(b *evidence.Build) { b.Image, b.Refused = "", "ADD from a URL" }), check.Fail, "the clean room refuses HEAD's Dockerfile: ADD from a URL", nil, nil},
		{"failed", head(func(b *evidence.Build) { b.Image, b.Failed = "", "step 2: no such file\nCOPY x /x" }), check.Fail, "HEAD does not build: step 2: no such file", []string{"COPY x /x"}, nil},
		{"could not be tried", head(func(b *evidence.Build) { b.Image, b.Error = "", "no space left" }), check.Error, "the clean room could not build HEAD: no space left", nil, nil},
		{"not tried", func(set *evidence.Set) { set.Builds = nil }, check.Error, "no clean room built HEAD", nil, nil},
		{"made an image that is missing", head(func(b *evidence.Build) { b.Image = "" }), check.Error, "image  was not looked at", nil, nil},
		{"no repository", func(set *evidence.Set) { set.Head.Error = "the workspace is gone" }, check.Error, "the repository could not be read: the workspace is gone", nil, nil},
		{"another commit than HEAD was built", head(func(b *evidence.Build) { b.Commit = sample.CommitBuilt }), check.Error, `the clean room built commit "b0b0b0b", and HEAD is "c0ffeec"`, nil, nil},
		{"HEAD not looked at", func(set *evidence.Set) { set.Head, set.Builds[0].Commit = evidence.Head{}, "" }, check.Error, `the clean room built commit "", and HEAD is ""`, nil, nil},
		{"layer not read", func(set *evidence.Set) { delete(set.Layers, sample.ImageLive+"-layer-2") }, check.Error,
			"layer sha256:image-of-web of image sha256:image-of-web could not be read", nil, nil},
		{"built from the working tree", all(other, uncommitted), check.Fail, "it was built from changes that are not committed",
			[]string{"not committed: booking.conf", "~ /etc/booking.conf"}, nil},
		{"built from what attributes make of a commit", all(other, uncommitted, func(set *evidence.Set) {
			set.Head.Files = append(set.Head.Files, evidence.RepoFile{Path: "etc/.gitattributes", Mode: "100644"})
		}), check.Fail, "it was built from changes that are not committed", []string{"not committed: booking.conf", "~ /etc/booking.conf"},
			[]string{"where git status shows no change, .gitattributes lets git write files other than they are committed (eol, ident, filter), and what is committed is what counts"}},
		{"built from an older commit", all(other, older), check.Fail, "it was built from commit b0b0b0b, which is not the last", []string{"~ /etc/booking.conf"}, nil},
		{"built from the working tree, which is as an older commit", all(other, older, uncommitted), check.Fail, "it was built from changes that are not committed",
			[]string{"not committed: booking.conf", "~ /etc/booking.conf"}, nil},
		unlike("built from neither", all(uncommitted, older, imageWith(sample.File("/tmp/x", ""))), "+ /tmp/x"),
		unlike("working tree that could not be built", all(other, func(set *evidence.Set) {
			set.Builds = append(set.Builds, evidence.Build{Of: evidence.OfWorktree, Error: "no space left"})
		}), "~ /etc/booking.conf"),
		{"unclean working tree", dirty("a", "b"), check.Pass, sameImage, nil, []string{"the working tree has changes that are not committed: ~ a, ~ b"}},
		{"many changes", dirty("a", "b", "c", "d", "e", "f"), check.Pass, sameImage, nil, []string{"the working tree has changes that are not committed: ~ a, ~ b, ~ c, ~ d and 2 more"}},
	})
}
