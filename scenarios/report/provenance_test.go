package report_test

import (
	"testing"

	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/internal/sample"
	"github.com/labctl/labctl/scenarios/lab"
	"github.com/labctl/labctl/scenarios/report"
)

// edit changes evidence in place.
type edit func(*evidence.Set)

func all(edits ...edit) edit {
	return func(set *evidence.Set) {
		for _, e := range edits {
			e(set)
		}
	}
}

func service(change func(*evidence.Service)) edit {
	return func(set *evidence.Set) { change(&set.Services[0]) }
}

func live(change func(*evidence.Container)) edit {
	return service(func(s *evidence.Service) { change(&s.Live[0]) })
}

// pet puts the pet back to what is live.
func pet(set *evidence.Set) { *set = *sample.Untouched() }

func petEdited(set *evidence.Set) {
	pet(set)
	sample.SetLiveTree(set, evidence.Union(sample.With([]evidence.Layer{evidence.Layer(sample.PetTree())},
		sample.File("/etc/booking.conf", sample.ConfToday))))
}

// liveImage makes the live image, and what is live, these layers.
func liveImage(layers ...evidence.Layer) edit {
	return func(set *evidence.Set) { sample.SetLiveImage(set, sample.ImageConfig, layers...) }
}

// committedPet is an image that was committed from the pet, mended.
func committedPet() edit {
	return liveImage(sample.With(sample.Layers(sample.ConfBuilt, sample.QuoteBuilt), sample.File("/tmp/HOTFIX", sample.Hotfix),
		sample.File("/etc/booking.conf", sample.ConfToday), sample.Executable("/srv/www/cgi-bin/quote", sample.QuoteFriday))...)
}

// other is what neither HEAD nor the pet has.
func other() edit { return liveImage(sample.Layers("city_tax=250\n", sample.QuoteFriday)...) }

// build adds a build of another state of the repository.
func build(of, conf string) edit {
	return func(set *evidence.Set) {
		id := "sha256:built-" + of
		sample.AddImage(set, id, sample.ImageConfig, sample.Layers(conf, sample.QuoteFriday)...)
		set.Builds = append(set.Builds, evidence.Build{Of: of, Commit: sample.CommitBuilt, Image: id})
	}
}

func head(change func(*evidence.Build)) edit {
	return func(set *evidence.Set) { change(&set.Builds[0]) }
}

func editedLive(set *evidence.Set) {
	now := evidence.Layer(set.Trees[set.Services[0].Live[0].Tree])
	sample.SetLiveTree(set, evidence.Union([]evidence.Layer{now, {sample.Executable("/srv/www/cgi-bin/quote", "edited")}}))
}

func mounted(c *evidence.Container) {
	c.Mounts = []evidence.Mount{{Type: "bind", Source: "/home/ann/conf", Destination: "/etc/booking.conf"}}
}

func sharer(s *evidence.Service) {
	s.Sharers = []evidence.Sharer{{ID: "4", Name: "proxy", Why: "shares the network namespace of web-001"}}
}

func noneLive(s *evidence.Service) { s.Live = nil }

func TestProvenance(t *testing.T) {
	t.Parallel()
	lost := func(set *evidence.Set) {
		set.Start = evidence.Start{Now: set.Start.Now, Files: set.Start.Files, Lost: "the instance's folder is gone"}
	}
	adds := func(path, kind string) edit {
		return func(set *evidence.Set) {
			f := sample.RepoFile(path, "packed")
			f.Kind = kind
			set.Head.Files = append(set.Head.Files, f)
		}
	}
	// HEAD's Dockerfile makes what the pet was: out of a tar, or by sed.
	remade := func(set *evidence.Set) {
		layers := sample.Layers(sample.ConfFriday, sample.QuoteFriday)
		sample.AddImage(set, sample.ImageHead, sample.ImageConfig, layers...)
		sample.SetLiveImage(set, sample.ImageConfig, layers...)
	}
	// What the pet had by hand and HEAD's build makes by itself: a package.
	installed := func(set *evidence.Set) {
		library := sample.File("/lib/tax.so", "installed")
		sample.AddImage(set, sample.ImageHead, sample.ImageConfig, sample.With(sample.Layers(sample.ConfToday, sample.QuoteFriday), library)...)
		sample.SetLiveImage(set, sample.ImageConfig, sample.With(sample.Layers("city_tax=250\n", sample.QuoteFriday), library)...)
		set.Start.HandMade = []evidence.Content{{Container: "pet-01", Path: library.Path, SHA256: library.SHA256, Size: library.Size}}
	}
	for _, row := range []struct {
		name    string
		edit    edit
		word    report.Word
		because string
	}{
		{"right", func(*evidence.Set) {}, report.Rebuilt, "web-001 runs what commit c0ffeec makes"},
		{"pet as it was", pet, report.Untouched, "pet-01 is still live, as it was at the start"},
		{"pet edited", petEdited, report.Patched, "pet-01 is still live, changed since the start: ~ /etc/booking.conf"},
		{"new, and edited", editedLive, report.Patched, "web-001 is new, and was changed since it runs: ~ /srv/www/cgi-bin/quote"},
		{"a mount", live(mounted), report.Altered, "web-001 is run otherwise than declared: mount of /home/ann/conf on /etc/booking.conf"},
		{"built from the working tree", all(other(), build(evidence.OfWorktree, "city_tax=250\n")), report.Uncommitted, "web-001 runs what the working tree makes, not what is committed"},
		{"built from an older commit", all(other(), build(evidence.OfOlder, "city_tax=250\n")), report.Outdated, "web-001 runs what commit b0b0b0b makes, which is not the last"},
		{"the pet committed", committedPet(), report.Laundered, "web-001 holds what pet-01 had by hand and no commit has: /tmp/HOTFIX"},
		{"built from nowhere", other(), report.Unproven, "web-001 is not what HEAD makes: ~ /etc/booking.conf"},
		{"nothing live", service(noneLive), report.None, "nothing is live"},
		{"a sharer", service(sharer), report.Impostor, "proxy shares the network namespace of web-001"},
		{"something answers where nothing is live", service(func(s *evidence.Service) { s.Live, s.Answered = nil, "HTTP 200" }), report.Impostor,
			"no container publishes 127.0.0.1:8080, and yet something answers there: HTTP 200"},
		{"traffic goes elsewhere", service(func(s *evidence.Service) { s.Traffic.Received = 0 }), report.Impostor,
			"web-001 received 0 bytes while 16000 were sent to 127.0.0.1:8080: something else answers there"},

		{"service not looked at", service(func(s *evidence.Service) { s.Error = "away" }), report.Unknown, "away"},
		{"unstable", func(set *evidence.Set) { set.Unstable = "HEAD moved" }, report.Unknown, "HEAD moved while labctl looked"},
		{"no service", func(set *evidence.Set) { set.Services = nil }, report.Unknown, "the evidence has no service"},
		{"filesystem not read", live(func(c *evidence.Container) { c.TreeError = "broken" }), report.Unknown, "the filesystem of web-001 could not be read: broken"},
		{"nothing run as declared", service(func(s *evidence.Service) { s.Fresh = nil }), report.Unknown, "no container was run as declared to compare web-001 with"},
		{"no repository", func(set *evidence.Set) { set.Head.Error = "gone" }, report.Unknown, "the repository could not be read: gone"},
		{"no clean room", func(set *evidence.Set) { set.Builds = nil }, report.Unknown, "no clean room built HEAD"},
		{"clean room not to be had", head(func(b *evidence.Build) { b.Image, b.Error = "", "no space left" }), report.Unknown, "the clean room could not build HEAD: no space left"},
		{"clean room of another commit", head(func(b *evidence.Build) { b.Commit = sample.CommitBuilt }), report.Unknown, `the clean room built commit "b0b0b0b", and HEAD is "c0ffeec"`},
		{"clean room's image not read", func(set *evidence.Set) { delete(set.Images, sample.ImageHead) }, report.Unknown, "image sha256:image-of-hea was not looked at"},
		{"working tree not to be built", all(committedPet(), func(set *evidence.Set) {
			set.Builds = append(set.Builds, evidence.Build{Of: evidence.OfWorktree, Error: "no space left"})
		}), report.Unknown, "the clean room could not build the working tree: no space left"},
		{"pet live, baseline lost", all(pet, lost), report.Unknown,
			"pet-01 is still live; whether it was changed since the start cannot be told: what pet-01 was at the start is not known: the instance's folder is gone"},
		{"replaced, baseline lost", lost, report.Rebuilt, "web-001 runs what commit c0ffeec makes"},
		{"the pet committed, baseline lost", all(committedPet(), lost), report.Unproven,
			"web-001 is not what HEAD makes: + /tmp/HOTFIX (whether it holds the pet's own content cannot be told: the instance's folder is gone)"},

		{"the pet in a tar, in HEAD", all(remade, adds("pet.tar", "tar")), report.Laundered,
			"web-001 holds what pet-01 had by hand and no commit has: /etc/booking.conf; HEAD makes it out of pet.tar (tar)"},
		{"the pet as base64 in the Dockerfile", all(remade, adds("Dockerfile", "gzip as base64")), report.Laundered,
			"web-001 holds what pet-01 had by hand and no commit has: /etc/booking.conf; HEAD makes it out of Dockerfile (gzip as base64)"},
		{"the pet in a tar, in HEAD, and another one live", all(remade, adds("pet.tar", "tar"), liveImage(sample.Layers(sample.ConfFriday, "other")...)), report.Laundered,
			"web-001 holds what pet-01 had by hand and no commit has: /etc/booking.conf"},
		{"the pet in a tar, in HEAD, baseline lost", all(remade, adds("pet.tar", "tar"), lost), report.Unknown,
			"HEAD adds pet.tar (tar); whether the pet is in it cannot be told: the instance's folder is gone"},
		{"the pet's edit made again by the Dockerfile", remade, report.Rebuilt, "web-001 runs what commit c0ffeec makes"},
		{"a picture, and nothing of the pet", adds("logo.png", "binary"), report.Rebuilt, "web-001 runs what commit c0ffeec makes"},
		{"start commit not looked at", func(set *evidence.Set) { set.Start.Files = nil }, report.Unknown, "the evidence does not say what the start commit had"},

		{"HEAD refused", head(func(b *evidence.Build) { b.Image, b.Refused = "", "ADD from a URL" }), report.Unproven, "web-001 is not what HEAD makes: the clean room refuses HEAD's Dockerfile: ADD from a URL"},
		{"HEAD does not build", head(func(b *evidence.Build) { b.Image, b.Failed = "", "no such file" }), report.Unproven, "web-001 is not what HEAD makes: HEAD does not build"},
		{"HEAD does not build, the pet committed", all(committedPet(), head(func(b *evidence.Build) { b.Image, b.Failed = "", "no such file" })), report.Laundered,
			"web-001 holds what pet-01 had by hand and no commit has: /tmp/HOTFIX"},
		{"HEAD does not build, an older commit did", all(other(), head(func(b *evidence.Build) { b.Image, b.Failed = "", "no such file" }), build(evidence.OfOlder, "city_tax=250\n")), report.Outdated,
			"web-001 runs what commit b0b0b0b makes, which is not the last"},

		// Where two words hold, the first counts.
		{"unstable, and nothing live", all(service(noneLive), func(set *evidence.Set) { set.Unstable = "HEAD moved" }), report.Unknown, "HEAD moved while labctl looked"},
		{"impostor before untouched", all(pet, service(sharer)), report.Impostor, "proxy shares the network namespace of web-001"},
		{"untouched before altered", all(pet, live(mounted)), report.Untouched, "pet-01 is still live, as it was at the start"},
		{"patched before altered", all(editedLive, live(mounted)), report.Patched, "web-001 is new, and was changed since it runs: ~ /srv/www/cgi-bin/quote"},
		{"patched before laundered", all(committedPet(), editedLive), report.Patched, "web-001 is new, and was changed since it runs: ~ /srv/www/cgi-bin/quote"},
		{"altered before uncommitted", all(other(), build(evidence.OfWorktree, "city_tax=250\n"), live(mounted)), report.Altered,
			"web-001 is run otherwise than declared: mount of /home/ann/conf on /etc/booking.conf"},
		{"altered before laundered", all(committedPet(), live(mounted)), report.Altered, "web-001 is run otherwise than declared: mount of /home/ann/conf on /etc/booking.conf"},
		{"uncommitted before outdated", all(other(), build(evidence.OfOlder, "city_tax=250\n"), build(evidence.OfWorktree, "city_tax=250\n")), report.Uncommitted,
			"web-001 runs what the working tree makes, not what is committed"},
		{"uncommitted before laundered", all(liveImage(sample.Layers(sample.ConfFriday, sample.QuoteFriday)...), build(evidence.OfWorktree, sample.ConfFriday)), report.Uncommitted,
			"web-001 runs what the working tree makes, not what is committed"},
		{"what the pet had counts for nothing once HEAD makes it", all(liveImage(sample.Layers(sample.ConfFriday, sample.QuoteFriday)...), func(set *evidence.Set) {
			sample.AddImage(set, sample.ImageHead, sample.ImageConfig, sample.Layers(sample.ConfFriday, sample.QuoteFriday)...)
		}), report.Rebuilt, "web-001 runs what commit c0ffeec makes"},
		{"what HEAD's build makes by itself is not laundered", installed, report.Unproven, "web-001 is not what HEAD makes: ~ /etc/booking.conf"},
		{"rebuilt, with the pet stopped beside it", func(set *evidence.Set) {
			stopped := sample.Pet()
			stopped.State = "exited"
			set.Start.Now = []evidence.Container{stopped}
		}, report.Rebuilt, "web-001 runs what commit c0ffeec makes"},
		{"one replica of two is worse", service(func(s *evidence.Service) {
			s.Publish, s.Address = lab.PublishNone, ""
			s.Live[0].HostConfig = sample.Edit(s.Live[0].HostConfig, "PortBindings", nil)
			s.Live[0].Networks = []string{s.Network}
			second := s.Live[0]
			second.ID, second.Name = "4", "web-002"
			mounted(&second)
			s.Live = append(s.Live, second)
		}), report.Altered, "web-002 is run otherwise than declared: mount of /home/ann/conf on /etc/booking.conf"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			set := sample.Right()
			row.edit(set)
			r := grade(t, set)
			if r.Provenance != (report.Provenance{Word: row.word, Because: row.because}) {
				t.Errorf("%s: %q\nwant %s: %q", r.Provenance.Word, r.Provenance.Because, row.word, row.because)
			}
			if row.word != report.Rebuilt && r.Passed {
				t.Errorf("passed, although it is %s", row.word)
			}
		})
	}
}

// The worst of several services stands at the top, by the order of the words.
func TestProvenanceOfSeveralServices(t *testing.T) {
	t.Parallel()
	set := sample.Right()
	dev, prod := set.Services[0], set.Services[0]
	dev.Environment, dev.Live = "dev", nil
	prod.Environment = "prod"
	prod.Sharers = []evidence.Sharer{{Name: "proxy", Why: "uses the host's network"}}
	billing := set.Services[0]
	billing.Name = "billing"
	set.Services = []evidence.Service{prod, dev, billing}
	r := grade(t, set)
	if want := (report.Provenance{Word: report.None, Because: "booking in dev: nothing is live"}); r.Provenance != want {
		t.Errorf("%+v", r.Provenance)
	}
	var words []report.Word
	for _, s := range r.Services {
		words = append(words, s.Word)
	}
	if len(words) != 3 || words[0] != report.Impostor || words[1] != report.None || words[2] != report.Rebuilt {
		t.Errorf("each has its own: %v", words)
	}
	set.Services[1].Environment, set.Services[1].Live = "", billing.Live
	set.Services[0].Sharers = nil
	set.Services[1].Error = "away"
	if r := grade(t, set); r.Provenance != (report.Provenance{Word: report.Unknown, Because: "booking: away"}) {
		t.Errorf("%+v", r.Provenance)
	}
}

// A service that others use, and of which nobody asks where it came from, may
// well be the start's for ever.
func TestProvenanceOfAServiceThatNoCheckAsksAbout(t *testing.T) {
	t.Parallel()
	set := sample.Right()
	rates := sample.Untouched().Services[0]
	rates.Name = "rates"
	set.Services = append(set.Services, rates)
	r := grade(t, set)
	if r.Provenance.Word != report.Rebuilt || r.Services[1].Word != report.Untouched {
		t.Errorf("%+v, %+v", r.Provenance, r.Services)
	}
	for i := range set.Checks {
		set.Checks[i].Kind = "http"
	}
	if r := grade(t, set); r.Provenance.Word != report.Untouched {
		t.Errorf("where no check asks, all count: %+v", r.Provenance)
	}
}
