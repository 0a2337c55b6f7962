package proof

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/labctl/labctl/scenarios/report"
)

// keeping is the edit that is none where no file can keep its size.
const keeping = "exec-kept"

// How a container that runs can be edited, whatever it is.
var inPlace = []struct {
	name, doc string
	do        func(context.Context, *World, string, []edit) error
}{
	{"exec", "edit by docker exec", byExec},
	{keeping, "edit by docker exec, with size and times kept", byExecKept},
	{"copy-in", "edit by docker cp", byCopy},
	{"restart", "edit, then restart", func(ctx context.Context, w *World, c string, edits []edit) error {
		return all(
			func() error { return byExec(ctx, w, c, edits) },
			func() error { _, err := w.docker(ctx, "restart", "--time", "1", c); return err },
		)
	}},
	{"rename", "edit, then rename to the next number", func(ctx context.Context, w *World, c string, edits []edit) error {
		return all(
			func() error { return byExec(ctx, w, c, edits) },
			func() error { _, err := w.docker(ctx, "rename", c, w.number()); return err },
		)
	}},
	{"memory", "put what is right into memory (/dev/shm), and lead there by links", byMemory},
}

// onThePet edits the start's own containers; onAReplacement new ones of what
// the repository made at the start, so that each edit is told for itself.
var onThePet, onAReplacement = edits()

func edits() (pet, replacement []Cheat) {
	for _, how := range inPlace {
		// Of several containers one is enough that can keep a file's size.
		done := func(w *World, err error) error {
			if err == nil && how.name == keeping && w.kept == 0 {
				return notApplicable("no file that differs can keep its size")
			}
			return err
		}
		pet = append(pet, Cheat{
			Name: "pet-" + how.name, Family: "edit", Doc: how.doc + ", on the pet", Killer: "replaced", Word: always(report.Patched), Needs: NeedsStart, Local: true,
			Do: func(ctx context.Context, w *World) error {
				if err := w.writable(); err != nil {
					return err
				}
				return done(w, w.eachPlace(ctx, func(_ int, p Place) error {
					for _, pet := range p.Pets {
						if err := w.edit(ctx, p, pet, how.do); err != nil {
							return err
						}
					}
					return nil
				}))
			},
		})
		replacement = append(replacement, Cheat{
			Name: "fresh-" + how.name, Family: "edit", Doc: how.doc + ", on a fresh replacement", Killer: "no_drift", Word: always(report.Patched), Local: true,
			Do: func(ctx context.Context, w *World) error {
				if err := w.writable(); err != nil {
					return err
				}
				return done(w, w.remade(ctx, func(p Place, image string, edits []edit) error {
					ids, err := w.run(ctx, p, image, extra{})
					if err != nil {
						return err
					}
					for _, id := range ids {
						if err := taken(ctx, how.do(ctx, w, id, edits)); err != nil {
							return err
						}
					}
					return nil
				}))
			},
		})
	}
	return pet, append(replacement, Cheat{
		Name: "fresh-created", Family: "edit", Doc: "copy into a container that is created and not started yet", Killer: "no_drift", Word: always(report.Patched), Local: true,
		Do: created,
	})
}

// writable is for cheats that edit what runs. Nothing is to be edited anywhere
// when they have no place in the lab.
func (w *World) writable() error {
	for _, p := range w.Places {
		if p.Service.Run.ReadOnly {
			return notApplicable("the filesystem of %s is read-only", p.Service.Address())
		}
	}
	return nil
}

// edit brings a container to what the right one is.
func (w *World) edit(ctx context.Context, p Place, container string, by func(context.Context, *World, string, []edit) error) error {
	edits, err := w.editsTo(ctx, p, container)
	if err != nil {
		return err
	}
	return taken(ctx, by(ctx, w, container, edits))
}

// taken says of an edit that failed that it has no place in the lab: the
// container is as the lab has it, so whether it takes edits is the lab's doing.
func taken(ctx context.Context, err error) error {
	if err != nil && ctx.Err() == nil && !errors.As(err, new(*NotApplicable)) {
		return notApplicable("the container does not take the edit: %v", err)
	}
	return err
}

func byExec(ctx context.Context, w *World, container string, edits []edit) error {
	packed, err := archive(edits)
	if err != nil {
		return err
	}
	_, err = w.dockerIn(ctx, bytes.NewReader(packed), "exec", "--interactive", "--user", "0", container, "tar", "-x", "-f", "-", "-C", "/")
	return err
}

func byCopy(ctx context.Context, w *World, container string, edits []edit) error {
	packed, err := archive(edits)
	if err != nil {
		return err
	}
	_, err = w.dockerIn(ctx, bytes.NewReader(packed), "cp", "-", container+":/")
	return err
}

// byExecKept writes over the files that are there, so that docker diff, which
// looks at sizes and times, sees nothing where a size could be kept.
func byExecKept(ctx context.Context, w *World, container string, edits []edit) error {
	for _, e := range edits {
		if e.header.Typeflag != tar.TypeReg {
			if err := byExec(ctx, w, container, []edit{e}); err != nil {
				return err
			}
			continue
		}
		size, err := w.docker(ctx, "exec", container, "stat", "-c", "%s", e.path())
		if err != nil { // not there yet
			if err := byExec(ctx, w, container, []edit{e}); err != nil {
				return err
			}
			continue
		}
		content := e.content
		var n int
		if _, err := fmt.Sscan(size, &n); err != nil {
			return fmt.Errorf("reading the size of %s: %w", e.path(), err)
		}
		if fitting, ok := fit(content, n); ok {
			content = fitting
			w.kept++
		}
		const over = `touch -r "$1" /dev/shm/kept && cat >"$1" && touch -r /dev/shm/kept "$1" && rm /dev/shm/kept`
		if _, err := w.dockerIn(ctx, bytes.NewReader(content), "exec", "--interactive", "--user", "0", container, "sh", "-c", over, "sh", e.path()); err != nil {
			return err
		}
	}
	return nil
}

// fit makes a text as long as another was: comments go until it is short
// enough, and line breaks fill it up.
func fit(text []byte, size int) ([]byte, bool) {
	if bytes.IndexByte(text, 0) >= 0 {
		return nil, false
	}
	lines := strings.SplitAfter(string(text), "\n")
	length := len(text)
	for i := len(lines) - 1; i >= 0 && length > size; i-- {
		line := strings.TrimSpace(lines[i])
		if strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "#!") {
			length -= len(lines[i])
			lines[i] = ""
		}
	}
	if length > size {
		return nil, false
	}
	return []byte(strings.Join(lines, "") + strings.Repeat("\n", size-length)), true
}

// byMemory keeps what is right in memory, where docker cp and export see
// nothing, and puts links in the files' places. Memory is mounted so that
// nothing in it can be run: a script's place gets one that has it read there.
func byMemory(ctx context.Context, w *World, container string, edits []edit) error {
	for i, e := range files(edits) {
		at := fmt.Sprintf("/dev/shm/%d-%s", i, path.Base(e.path()))
		place := "rm -f \"$3\" && ln -s \"$1\" \"$3\""
		if e.header.Mode&0o111 != 0 {
			interpreter, ok := interpreter(e.content)
			if !ok {
				return notApplicable("%s is a program, and nothing in memory can be run", e.path())
			}
			place = fmt.Sprintf("echo '#!%s' \"$1\" >\"$3\" && chmod \"$2\" \"$3\"", interpreter)
		}
		if _, err := w.dockerIn(ctx, bytes.NewReader(e.content), "exec", "--interactive", "--user", "0", container, "sh", "-c",
			`cat >"$1" && chmod "$2" "$1" && `+place, "sh", at, fmt.Sprintf("%o", e.header.Mode&0o7777), e.path()); err != nil {
			return err
		}
	}
	return nil
}

// interpreter is the program that a script is read by.
func interpreter(script []byte) (string, bool) {
	line, _, _ := bytes.Cut(script, []byte("\n"))
	words := strings.Fields(strings.TrimPrefix(string(line), "#!"))
	if !bytes.HasPrefix(line, []byte("#!")) || len(words) != 1 || strings.Contains(words[0], "'") {
		return "", false
	}
	return words[0], true
}

// created never runs anything in the container: it is edited before it starts.
func created(ctx context.Context, w *World) error {
	if err := w.writable(); err != nil {
		return err
	}
	return w.remade(ctx, func(p Place, image string, edits []edit) error {
		for range p.Service.Replicas {
			args := append(append([]string{"create"}, p.Run...), image)
			id, err := w.docker(ctx, append(args, p.Service.Run.Command...)...)
			if err != nil {
				return err
			}
			if err := taken(ctx, byCopy(ctx, w, id, edits)); err != nil {
				return err
			}
			if _, err := w.docker(ctx, "start", id); err != nil {
				return err
			}
		}
		return nil
	})
}
