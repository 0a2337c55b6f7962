package proof

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/labctl/labctl/scenarios/report"
)

// edit is one path as it must become.
type edit struct {
	header  tar.Header // its name is relative: etc/booking.conf
	content []byte
}

// path is absolute.
func (e edit) path() string { return "/" + e.header.Name }

// maxEdits is how many bytes edits may hold: they are kept in memory.
const maxEdits = 256 << 20

// ofTheEngine are paths that engines put into containers themselves.
var ofTheEngine = []string{
	".dockerenv", "dev", "proc", "sys", "etc/hosts", "etc/hostname", "etc/resolv.conf", "etc/mtab", "run/.containerenv",
}

// like is all that two entries must share to be the same.
func like(h *tar.Header, sum string) string {
	return fmt.Sprint(h.Typeflag, h.Mode, h.Uid, h.Gid, h.Linkname, h.Devmajor, h.Devminor, h.Size, sum)
}

// exported reads an exported filesystem, leaving out what is ignored.
func exported(name string, ignored []string, each func(h *tar.Header, content []byte, like string) error) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	for archive := tar.NewReader(f); ; {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading an exported filesystem: %w", err)
		}
		h.Name = strings.TrimPrefix(path.Clean("/"+h.Name), "/")
		if h.Name == "" || slices.ContainsFunc(ignored, func(i string) bool { return h.Name == i || strings.HasPrefix(h.Name, i+"/") }) {
			continue
		}
		content, err := io.ReadAll(archive)
		if err != nil {
			return fmt.Errorf("reading %s in an exported filesystem: %w", h.Name, err)
		}
		if err := each(h, content, like(h, digest(content))); err != nil {
			return err
		}
	}
}

// between are the edits that make the files and links of one exported
// filesystem those of another. What only the first has stays.
func between(before, after string, runtimePaths []string) ([]edit, error) {
	ignored := slices.Clone(ofTheEngine)
	for _, p := range runtimePaths {
		ignored = append(ignored, strings.TrimPrefix(path.Clean(p), "/"))
	}
	is := map[string]string{}
	err := exported(before, ignored, func(h *tar.Header, _ []byte, like string) error {
		is[h.Name] = like
		return nil
	})
	if err != nil {
		return nil, err
	}
	var edits []edit
	size := 0
	err = exported(after, ignored, func(h *tar.Header, content []byte, like string) error {
		was, there := is[h.Name]
		if was == like || there && h.Typeflag == tar.TypeDir {
			return nil
		}
		if size += len(content); size > maxEdits {
			return notApplicable("more than %d MiB differ between the start and the right scenario", maxEdits>>20)
		}
		edits = append(edits, edit{*h, content})
		return nil
	})
	return edits, err
}

// export writes a container's filesystem into a file and returns its name.
func (w *World) export(ctx context.Context, container string) (string, error) {
	f, err := os.CreateTemp(w.Tmp, "export-*.tar")
	if err != nil {
		return "", err
	}
	err = w.command(ctx, nil, f, "docker", "export", container)
	return f.Name(), errors.Join(err, f.Close())
}

// exportImage writes an image's filesystem into a file.
func (w *World) exportImage(ctx context.Context, image string) (name string, err error) {
	id, err := w.docker(ctx, "create", image, "sh")
	if err != nil {
		return "", err
	}
	defer func() {
		_, rmErr := w.docker(context.WithoutCancel(ctx), "rm", "--volumes", id)
		err = errors.Join(err, rmErr)
	}()
	return w.export(ctx, id)
}

// errNothing is for labs whose fix is no file.
var errNothing = &NotApplicable{"no file differs between the start and the right scenario"}

// editsTo are what a container of a place lacks of the right one.
func (w *World) editsTo(ctx context.Context, p Place, container string) ([]edit, error) {
	before, err := w.export(ctx, container)
	if err != nil {
		return nil, err
	}
	return w.editsFrom(p, before)
}

// editsToImage are what an image lacks of the right container of a place.
func (w *World) editsToImage(ctx context.Context, p Place, image string) ([]edit, error) {
	key := p.Service.Address() + " " + image
	w.Model.edits.Lock()
	edits, known := w.Model.edits.found[key]
	w.Model.edits.Unlock()
	if known {
		return edits, nil
	}
	before, err := w.exportImage(ctx, image)
	if err != nil {
		return nil, err
	}
	if edits, err = w.editsFrom(p, before); err != nil {
		return nil, err
	}
	w.Model.edits.Lock()
	defer w.Model.edits.Unlock()
	if w.Model.edits.found == nil {
		w.Model.edits.found = map[string][]edit{}
	}
	w.Model.edits.found[key] = edits
	return edits, nil
}

func (w *World) editsFrom(p Place, before string) ([]edit, error) {
	edits, err := between(before, w.Model.Live[p.Service.Address()], p.Service.RuntimePaths)
	if err == nil && len(edits) == 0 {
		return nil, errNothing
	}
	return edits, err
}

// archive packs edits.
func archive(edits []edit) ([]byte, error) {
	var out bytes.Buffer
	t := tar.NewWriter(&out)
	for _, e := range edits {
		h := e.header
		h.Format = tar.FormatPAX
		if err := t.WriteHeader(&h); err != nil {
			return nil, fmt.Errorf("packing %s: %w", e.path(), err)
		}
		if _, err := t.Write(e.content); err != nil {
			return nil, fmt.Errorf("packing %s: %w", e.path(), err)
		}
	}
	if err := t.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// file writes what an edit makes of a file to the host, and returns its name.
func (w *World) file(e edit) (string, error) {
	name := filepath.Join(w.Tmp, "edited", e.header.Name)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return "", err
	}
	return name, os.WriteFile(name, e.content, e.header.FileInfo().Mode().Perm())
}

// files are the edits of regular files.
func files(edits []edit) []edit {
	return slices.DeleteFunc(slices.Clone(edits), func(e edit) bool { return e.header.Typeflag != tar.TypeReg })
}

// byHand are the contents, by digest, that the pets of some places have and the
// images that they were made of do not, with the paths at which they lie.
func (w *World) byHand(ctx context.Context, places []Place) (map[string][]string, error) {
	has := map[string][]string{}
	for _, p := range places {
		there, err := w.byHandIn(ctx, p)
		if err != nil {
			return nil, err
		}
		for sum, at := range there {
			has[sum] = append(has[sum], at...)
		}
	}
	return has, nil
}

func (w *World) byHandIn(ctx context.Context, p Place) (map[string][]string, error) {
	if known, is := w.Model.hands[p.Service.Address()]; is {
		return known, nil
	}
	has := map[string][]string{}
	for _, pet := range p.Pets {
		image, err := w.imageOf(ctx, pet)
		if err != nil {
			return nil, err
		}
		before, err := w.exportImage(ctx, image)
		if err != nil {
			return nil, err
		}
		after, err := w.export(ctx, pet)
		if err != nil {
			return nil, err
		}
		built := map[string]bool{}
		err = exported(before, ofTheEngine, func(_ *tar.Header, content []byte, _ string) error {
			built[digest(content)] = true
			return nil
		})
		if err != nil {
			return nil, err
		}
		err = exported(after, ofTheEngine, func(h *tar.Header, content []byte, _ string) error {
			if sum := digest(content); len(content) > 0 && !built[sum] {
				has[sum] = append(has[sum], "/"+h.Name)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	if w.Model.hands == nil {
		w.Model.hands = map[string]map[string][]string{}
	}
	w.Model.hands[p.Service.Address()] = has
	return has, nil
}

// eachPet looks at every container of the start that serves.
func eachPet(w *World, look func(Place, string) error) error {
	for _, p := range w.Places {
		for _, pet := range p.Pets {
			if err := look(p, pet); err != nil {
				return err
			}
		}
	}
	return nil
}

// imageOf is the ID of a container's image.
func (w *World) imageOf(ctx context.Context, container string) (string, error) {
	return w.docker(ctx, "inspect", "--format", "{{.Image}}", container)
}

// once finds a word out once for the same places, or that there is none: pets of
// one seed have the same done to them.
func once(name string, word func(context.Context, *World) (report.Word, error)) func(context.Context, *World) (report.Word, error) {
	return func(ctx context.Context, w *World) (report.Word, error) {
		name := name
		for _, p := range w.Places {
			name += " " + p.Service.Address()
		}
		w.Model.words.Lock()
		defer w.Model.words.Unlock()
		if known, is := w.Model.words.found[name]; is {
			return known.word, known.err
		}
		found, err := word(ctx, w)
		if away := (*NotApplicable)(nil); err != nil && !errors.As(err, &away) {
			return "", err
		}
		if w.Model.words.found == nil {
			w.Model.words.found = map[string]foundWord{}
		}
		w.Model.words.found[name] = foundWord{found, err}
		return found, err
	}
}

// ofThePet is the word of an image that holds all that the edited pet has:
// laundered, if something is left of what somebody did to it by hand.
var ofThePet = once("of the pet", func(ctx context.Context, w *World) (report.Word, error) {
	return w.launders(ctx, w.editsTo, func(at []string, edited map[string]bool) bool {
		return slices.ContainsFunc(at, func(path string) bool { return !edited[path] })
	})
})

// ofTheEdits is the word of an image that holds what the right one has and
// HEAD does not make: laundered, if the pet has some of it by hand.
var ofTheEdits = once("of the edits", func(ctx context.Context, w *World) (report.Word, error) {
	return w.launders(ctx, func(ctx context.Context, p Place, pet string) ([]edit, error) {
		image, err := w.imageOf(ctx, pet)
		if err != nil {
			return nil, err
		}
		return w.editsToImage(ctx, p, image)
	}, func([]string, map[string]bool) bool { return false })
})

// launders decides between the two words for an image that edits are laid
// over: stays tells whether something done by hand, at these paths, is still
// there when the paths that are edited are not.
func (w *World) launders(ctx context.Context, edits func(context.Context, Place, string) ([]edit, error), stays func(at []string, edited map[string]bool) bool) (report.Word, error) {
	everywhere, err := w.byHand(ctx, w.everywhere())
	if err != nil {
		return "", err
	}
	has, err := w.byHand(ctx, w.Places)
	if err != nil {
		return "", err
	}
	word := report.Unproven
	err = eachPet(w, func(p Place, pet string) error {
		laid, err := edits(ctx, p, pet)
		if err != nil {
			return err
		}
		edited := map[string]bool{}
		for _, e := range laid {
			edited[e.path()] = true
			if everywhere[digest(e.content)] != nil {
				word = report.Laundered
			}
		}
		for _, at := range has {
			if stays(at, edited) {
				word = report.Laundered
			}
		}
		return nil
	})
	return word, err
}
