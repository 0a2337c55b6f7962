package main

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/labctl/labctl/runner"
)

// What of a loss is shown to people at the most; --format json has all.
const (
	mostLost  = 20 // files of a kind
	mostLines = 5  // of a file's text
)

// shotView shows a shot to people: before it, after it, and what comes back.
type shotView struct {
	io   *Streams
	c    colors
	shot *runner.Shot
}

func (v shotView) say(format string, args ...any) { fmt.Fprintf(v.io.Out, format+"\n", args...) }

// cost says what the container is and what its death would cost.
func (v shotView) cost() {
	s, l := v.shot, v.shot.Lost
	name := v.c.Bold(Clean(s.Container.Name))
	switch others := len(s.LiveBefore) - 1; {
	case !s.Live():
		v.say("%s is not live: no service stops answering without it.", name)
	case others == 0:
		v.say("%s is live, %s: nothing else answers there.", name, v.service())
	default:
		v.say("%s is live, %s, as %s.", name, v.service(), count(others, "other is", "others are"))
	}
	if l.Nothing() {
		v.say("Its death would cost nothing: it is what its image is, and its memory holds no file.")
	} else {
		v.say("Its death would cost:")
	}
	v.files()
	v.held("in its memory", l.Memory)
	for _, volume := range l.Volumes {
		v.volume(volume)
	}
	if l.More > 0 {
		v.say("  and %s of the same kind", count(l.More, "file more", "files more"))
	}
	for _, why := range l.Unknown {
		v.say("  %s not known: %s", v.c.Yellow("!"), Clean(why))
	}
	if n := len(l.Runtime); n > 0 {
		v.say("  %s", v.c.Faint(fmt.Sprintf("besides %s that its service writes while it runs, as declared", count(n, "file", "files"))))
	}
}

func (v shotView) service() string {
	at := place(v.shot.Service, v.shot.Environment)
	if v.shot.Address != "" {
		at += " at http://" + v.shot.Address
	}
	return Clean(at)
}

func (v shotView) files() {
	files := v.shot.Lost.Files
	if len(files) == 0 {
		return
	}
	name := v.shot.Container.Called
	if name == "" {
		name = v.shot.Container.Name
	}
	v.say("  unlike its image (labctl drift %s shows the lines)", Clean(name))
	for _, f := range files[:min(len(files), mostLost)] {
		var about []string
		if f.What != "" && f.What != "content" {
			about = append(about, Clean(f.What))
		}
		if f.Sign == "+" && f.After.SHA256 != "" {
			about = append(about, count(int(f.After.Size), "byte", "bytes"))
		}
		if f.Committed {
			about = append(about, v.c.Green("in a commit"))
		}
		v.say("    %s", strings.TrimRight(v.c.Bold(f.Sign+" "+Clean(f.Path))+"  "+strings.Join(about, ", "), " "))
	}
	v.rest(len(files))
}

// held shows files that no image has, with what is in short texts.
func (v shotView) held(where string, files []runner.HeldFile) {
	if len(files) == 0 {
		return
	}
	v.say("  %s", where)
	for _, f := range files[:min(len(files), mostLost)] {
		v.say("    %s  %s", v.c.Bold(Clean(f.Path)), count(int(f.Size), "byte", "bytes"))
		if !utf8.ValidString(f.Text) || strings.ContainsRune(f.Text, 0) {
			continue
		}
		lines := slices.Collect(strings.Lines(f.Text))
		for _, line := range lines[:min(len(lines), mostLines)] {
			v.say("      %s", Clean(strings.TrimSuffix(line, "\n")))
		}
		if len(lines) > mostLines {
			v.say("      …")
		}
	}
	v.rest(len(files))
}

func (v shotView) rest(n int) {
	if n > mostLost {
		v.say("    … and %d more", n-mostLost)
	}
}

func (v shotView) volume(volume runner.LostVolume) {
	switch {
	case volume.Kept:
		v.say("  %s", v.c.Faint(fmt.Sprintf("not %s on %s, which stays", Clean(volume.Name), Clean(volume.Path))))
	case len(volume.Files) == 0:
		v.say("  a volume of its own on %s, with nothing listed in it", Clean(volume.Path))
	default:
		v.held("in a volume of its own on "+Clean(volume.Path), volume.Files)
	}
}

// dead says that it is done, what was lost, and how another one is made.
func (v shotView) dead() {
	s := v.shot
	v.say("\n%s is dead, and removed. %s", v.c.Bold(Clean(s.Container.Name)), v.lost())
	what := "To bring " + Clean(place(s.Service, s.Environment)) + " back from the repository"
	if !s.Lost.Nothing() && !s.Lost.Committed() {
		what += ", without what was lost"
	}
	what += ":"
	if s.Service == "" {
		what = "No service is run like it. To begin the lab anew:"
	}
	v.say("%s\n", what)
	for _, command := range s.BringBack {
		v.say("    %s", Clean(command))
	}
	v.say("")
	if s.Container.Called != "" && s.Service != "" {
		v.say("labctl start makes no second %s. To begin the lab anew, stop it first: labctl stop %s.", Clean(s.Container.Called), Clean(s.Instance))
	}
}

// lost says in a sentence or two what was lost.
func (v shotView) lost() string {
	l := v.shot.Lost
	switch {
	case l.Nothing():
		return v.c.Green("Nothing was lost with it: it was cattle.")
	case l.Committed():
		return v.c.Green("Nothing was lost with it that no commit has.")
	}
	var parts []string
	add := func(n int, one, many string) {
		if n > 0 {
			parts = append(parts, count(n, one, many))
		}
	}
	only := len(slices.DeleteFunc(slices.Clone(l.Files), func(f runner.LostFile) bool { return f.Committed }))
	add(only, "change that neither its image nor a commit has", "changes that neither its image nor a commit has")
	add(len(l.Memory), "file in memory", "files in memory")
	inVolumes := 0
	for _, volume := range l.Volumes {
		inVolumes += len(volume.Files)
	}
	add(inVolumes, "file in its volumes", "files in its volumes")
	add(l.More, "file more", "files more")
	text := "Lost with it: " + strings.Join(parts, ", ") + "."
	if len(parts) == 0 {
		text = "Nothing is known to be lost with it."
	}
	if len(l.Unknown) > 0 {
		text += " Not everything could be looked at."
	}
	return text
}

// back says whether the service answers again, and since when.
func (v shotView) back() {
	s := v.shot
	if !s.Live() {
		return
	}
	service := Clean(place(s.Service, s.Environment))
	var came []string
	for _, name := range s.LiveAfter {
		if !slices.Contains(s.LiveBefore, name) || name == s.Container.Name {
			came = append(came, Clean(name))
		}
	}
	live := fmt.Sprintf("%d of %d live", len(s.LiveAfter), max(s.Replicas, 1))
	if len(came) > 0 {
		live += ", back: " + strings.Join(came, ", ")
	}
	switch {
	case len(s.LiveAfter) == 0:
		v.say("%s in %.1fs: %s does not answer.", v.c.Red("Nothing came back"), s.Followed, service)
	case !s.Answers:
		v.say("%s after %.1fs: %s.", v.c.Yellow(service+" does not answer yet"), s.Followed, live)
	case len(s.LiveBefore) > 1:
		v.say("%s: %s.", v.c.Green("The service answers"), live)
	default:
		v.say("%s after %.1fs: %s.", v.c.Green(service+" answers again"), *s.AnsweredAfter, live)
	}
}
