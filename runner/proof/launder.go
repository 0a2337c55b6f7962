package proof

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/labctl/labctl/scenarios/report"
)

// launders make an image of the pet, edited by hand, so that what runs in the
// end is new and clean.
var launders = []Cheat{
	{
		Name: "commit", Family: "launder", Doc: "commit the edited pet, and run that", Killer: "built_from_repo", Word: ofThePet, Needs: NeedsPets, Local: true,
		Do: func(ctx context.Context, w *World) error { return w.launder(ctx, nil) },
	},
	{
		Name: "commit-looks-built", Family: "launder", Doc: "commit it with a history that looks like BuildKit's", Killer: "built_from_repo", Word: ofThePet, Needs: NeedsPets, Local: true,
		Do: func(ctx context.Context, w *World) error {
			return w.launder(ctx, []string{"--message", "buildkit.dockerfile.v0", "--author", "", "--change", "LABEL org.opencontainers.image.source=git"})
		},
	},
	{
		Name: "export-import", Family: "launder", Doc: "export the edited pet, and import it as an image", Killer: "built_from_repo", Word: ofThePet, Needs: NeedsPets, Local: true,
		Do: func(ctx context.Context, w *World) error {
			return w.eachLaundered(ctx, func(p Place, pet string) (string, error) {
				changes, err := w.changes(ctx, pet)
				if err != nil {
					return "", err
				}
				name, err := w.export(ctx, pet)
				if err != nil {
					return "", err
				}
				args := []string{"import"}
				for _, change := range changes {
					if !strings.HasPrefix(change, "STOPSIGNAL ") { // import takes no such
						args = append(args, "--change", change)
					}
				}
				return w.made(w.docker(ctx, append(args, name)...))
			})
		},
	},
	{
		Name: "save-load", Family: "launder", Doc: "save the pet's image, edit its last layer, and load it again", Killer: "built_from_repo", Word: ofTheEdits, Needs: NeedsPets, Local: true,
		Do: saveLoad,
	},
	{
		Name: "from-the-pet", Family: "launder", Doc: "build HEAD FROM the committed pet", Killer: "built_from_repo", Word: ofThePet, Needs: NeedsPets,
		Do: func(ctx context.Context, w *World) error {
			tag := w.Instance + "-golden:1"
			return w.eachLaundered(ctx, func(p Place, pet string) (string, error) {
				return "", all(
					func() error { _, err := w.made(w.docker(ctx, "commit", pet, tag)); return err },
					func() error { return w.write("Dockerfile", "FROM "+tag+"\n") },
					func() error { return w.commit(ctx, "Build on the golden image") },
				)
			})
		},
	},
	{
		Name: "tar-on-scratch", Family: "launder", Doc: "commit a tar of the edited pet, and unpack it on an empty base", Killer: "source", Word: always(report.Laundered), Needs: NeedsPets,
		Do: func(ctx context.Context, w *World) error { return w.tarball(ctx, "scratch") },
	},
	{
		Name: "tar-on-the-base", Family: "launder", Doc: "commit a tar of the edited pet, and unpack it on the lab's base", Killer: "source", Word: always(report.Laundered), Needs: NeedsPets,
		Do: func(ctx context.Context, w *World) error {
			base, err := w.base()
			if err != nil {
				return err
			}
			return w.tarball(ctx, base)
		},
	},
}

// launder commits the edited pets and runs the images.
func (w *World) launder(ctx context.Context, flags []string) error {
	return w.eachLaundered(ctx, func(_ Place, pet string) (string, error) {
		return w.made(w.docker(ctx, append(append([]string{"commit"}, flags...), pet)...))
	})
}

// eachLaundered edits a pet of each place, makes an image of it, and runs that
// in its place. Where no image is made, it is built of the workspace.
func (w *World) eachLaundered(ctx context.Context, make func(Place, string) (string, error)) error {
	return w.eachPlace(ctx, func(_ int, p Place) error {
		if len(p.Pets) == 0 {
			return notApplicable("no container of the start serves %s", p.Service.Address())
		}
		pet, gone, err := w.editedPet(ctx, p)
		if err != nil {
			return err
		}
		image, err := make(p, pet)
		if err = errors.Join(err, gone()); err == nil && image == "" {
			image, err = w.build(ctx)
		}
		if err != nil {
			return err
		}
		if err := w.shoot(ctx, p); err != nil {
			return err
		}
		if _, err := w.run(ctx, p, image, extra{}); err != nil {
			return err
		}
		return nil
	})
}

// editedPet edits a pet of a place. One that is read-only takes no edit: then it
// is a container of its commit, which nothing forbids to write, and which gone
// removes.
func (w *World) editedPet(ctx context.Context, p Place) (pet string, gone func() error, err error) {
	stays := func() error { return nil }
	pet = p.Pets[0]
	fixed, err := w.docker(ctx, "inspect", "--format", "{{.HostConfig.ReadonlyRootfs}}", pet)
	if err != nil {
		return "", nil, err
	}
	if fixed != "true" {
		err := w.edit(ctx, p, pet, byCopy)
		if errors.Is(err, errNothing) { // what was tried before left it edited
			err = nil
		}
		return pet, stays, err
	}
	frozen, err := w.made(w.docker(ctx, "commit", pet))
	if err != nil {
		return "", nil, err
	}
	twin, err := w.docker(ctx, "create", frozen)
	if err != nil {
		return "", nil, err
	}
	gone = func() error { _, err := w.docker(ctx, "rm", twin); return err }
	if err := w.edit(ctx, p, twin, byCopy); err != nil {
		return "", nil, errors.Join(err, gone())
	}
	return twin, gone, nil
}

// tarball puts the edited pet into the repository, packed. It is that of the
// first place: pets differ, and what runs everywhere must be the last commit's.
func (w *World) tarball(ctx context.Context, base string) error {
	packed := false
	return w.eachLaundered(ctx, func(_ Place, pet string) (string, error) {
		if packed {
			return "", nil
		}
		packed = true
		changes, err := w.changes(ctx, pet)
		if err != nil {
			return "", err
		}
		name, err := w.export(ctx, pet)
		if err != nil {
			return "", err
		}
		return "", all(
			func() error { return os.Rename(name, filepath.Join(w.Workspace, "rootfs.tar")) },
			func() error { return w.write(".dockerignore", "") },
			func() error {
				return w.write("Dockerfile", "FROM "+base+"\nADD rootfs.tar /\n"+strings.Join(changes, "\n")+"\n")
			},
			func() error { return w.commit(ctx, "Build from the root filesystem") },
		)
	})
}

// base is what the workspace's Dockerfile is built on.
func (w *World) base() (string, error) {
	dockerfile, err := w.dockerfile()
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(dockerfile) {
		if words := strings.Fields(line); len(words) > 1 && strings.EqualFold(words[0], "FROM") && words[1] != "scratch" {
			return words[1], nil
		}
	}
	return "", notApplicable("the Dockerfile is built on no image of the lab")
}

// changes are the configuration of a container's image as lines of a
// Dockerfile: what an export loses.
func (w *World) changes(ctx context.Context, container string) ([]string, error) {
	image, err := w.imageOf(ctx, container)
	if err != nil {
		return nil, err
	}
	config, err := w.docker(ctx, "image", "inspect", "--format", "{{json .Config}}", image)
	if err != nil {
		return nil, err
	}
	return changesOf(config)
}

func changesOf(config string) ([]string, error) {
	var c struct {
		Env             []string
		Cmd, Entrypoint []string
		User            string
		WorkingDir      string
		StopSignal      string
		ExposedPorts    map[string]any
		Volumes         map[string]any
	}
	if err := json.Unmarshal([]byte(config), &c); err != nil {
		return nil, fmt.Errorf("reading a configuration: %w", err)
	}
	var changes []string
	add := func(instruction string, value any) error {
		text, err := json.Marshal(value)
		changes = append(changes, instruction+" "+string(text))
		return err
	}
	for _, e := range c.Env {
		name, value, _ := strings.Cut(e, "=")
		changes = append(changes, fmt.Sprintf("ENV %s=%q", name, value))
	}
	var err error
	if len(c.Entrypoint) > 0 {
		err = errors.Join(err, add("ENTRYPOINT", c.Entrypoint))
	}
	if len(c.Cmd) > 0 {
		err = errors.Join(err, add("CMD", c.Cmd))
	}
	for _, port := range slices.Sorted(maps.Keys(c.ExposedPorts)) {
		changes = append(changes, "EXPOSE "+port)
	}
	for _, volume := range slices.Sorted(maps.Keys(c.Volumes)) {
		err = errors.Join(err, add("VOLUME", []string{volume}))
	}
	for _, one := range [][2]string{{"USER", c.User}, {"WORKDIR", c.WorkingDir}, {"STOPSIGNAL", c.StopSignal}} {
		if one[1] != "" {
			changes = append(changes, one[0]+" "+one[1])
		}
	}
	return changes, err
}

// saveLoad edits a layer where no engine looks: in a saved image. The digests
// that lead to the layer are made right again.
func saveLoad(ctx context.Context, w *World) error {
	return w.eachPlace(ctx, func(_ int, p Place) error {
		if len(p.Pets) == 0 {
			return notApplicable("no container of the start serves %s", p.Service.Address())
		}
		image, err := w.imageOf(ctx, p.Pets[0])
		if err != nil {
			return err
		}
		edits, err := w.editsToImage(ctx, p, image)
		if err != nil {
			return err
		}
		saved := filepath.Join(w.Tmp, "saved.tar")
		if _, err := w.docker(ctx, "save", "--output", saved, image); err != nil {
			return err
		}
		tag := fmt.Sprintf("%s-loaded:%d", w.Instance, len(w.images))
		edited, err := editSaved(saved, edits, tag)
		if err != nil {
			return err
		}
		if _, err := w.dockerIn(ctx, bytes.NewReader(edited), "load", "--quiet"); err != nil {
			return err
		}
		loaded, err := w.made(w.docker(ctx, "image", "inspect", "--format", "{{.Id}}", tag))
		if err != nil {
			return err
		}
		if err := w.shoot(ctx, p); err != nil {
			return err
		}
		if _, err := w.run(ctx, p, loaded, extra{}); err != nil {
			return err
		}
		return nil
	})
}

// editSaved lays edits over the last layer of a saved image, and packs the
// result as an archive of docker load.
func editSaved(name string, edits []edit, tag string) ([]byte, error) {
	content, err := savedFiles(name)
	if err != nil {
		return nil, err
	}
	var manifest []struct {
		Config   string
		RepoTags []string
		Layers   []string
	}
	if err := json.Unmarshal(content["manifest.json"], &manifest); err != nil || len(manifest) != 1 || len(manifest[0].Layers) == 0 {
		return nil, fmt.Errorf("a saved image is not as expected: %v", err)
	}
	m := &manifest[0]
	last := m.Layers[len(m.Layers)-1]
	// Engines whose images containerd keeps save layers as they were stored.
	unpacked := content[last]
	if bytes.HasPrefix(unpacked, []byte{0x1f, 0x8b}) {
		zipped, err := gzip.NewReader(bytes.NewReader(unpacked))
		if err == nil {
			unpacked, err = io.ReadAll(zipped)
		}
		if err != nil {
			return nil, fmt.Errorf("unpacking a layer: %w", err)
		}
	}
	layer, err := overlaid(unpacked, edits)
	if err != nil {
		return nil, err
	}
	var config map[string]any
	if err := json.Unmarshal(content[m.Config], &config); err != nil {
		return nil, fmt.Errorf("reading the configuration of a saved image: %w", err)
	}
	rootfs, _ := config["rootfs"].(map[string]any)
	diffIDs, _ := rootfs["diff_ids"].([]any)
	if len(diffIDs) != len(m.Layers) {
		return nil, errors.New("a saved image does not have a diff ID for each layer")
	}
	diffIDs[len(diffIDs)-1] = "sha256:" + digest(layer)
	changed, err := json.Marshal(config)
	if err != nil {
		return nil, err
	}
	lastName := digest(layer) + "/layer.tar"
	out := map[string][]byte{lastName: layer, digest(changed) + ".json": changed}
	m.Config, m.RepoTags = digest(changed)+".json", []string{tag}
	for i, name := range m.Layers[:len(m.Layers)-1] {
		m.Layers[i] = fmt.Sprintf("%d/layer.tar", i)
		out[m.Layers[i]] = content[name]
	}
	m.Layers[len(m.Layers)-1] = lastName
	if out["manifest.json"], err = json.Marshal(manifest); err != nil {
		return nil, err
	}
	var packed bytes.Buffer
	t := tar.NewWriter(&packed)
	for _, name := range slices.Sorted(maps.Keys(out)) {
		if err := t.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(out[name]))}); err != nil {
			return nil, err
		}
		if _, err := t.Write(out[name]); err != nil {
			return nil, err
		}
	}
	return packed.Bytes(), t.Close()
}

func digest(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// savedFiles reads a saved image. Layers of several images may be links to one.
func savedFiles(name string) (map[string][]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	files, links := map[string][]byte{}, map[string]string{}
	for archive := tar.NewReader(f); ; {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("reading a saved image: %w", err)
		}
		if h.Typeflag == tar.TypeSymlink {
			links[h.Name] = filepath.Join(filepath.Dir(h.Name), h.Linkname)
			continue
		}
		if files[h.Name], err = io.ReadAll(archive); err != nil {
			return nil, fmt.Errorf("reading a saved image: %w", err)
		}
	}
	for name, target := range links {
		files[name] = files[target]
	}
	return files, nil
}

// overlaid is a layer with edits laid over it.
func overlaid(layer []byte, edits []edit) ([]byte, error) {
	replaced := map[string]bool{}
	for _, e := range edits {
		replaced[e.header.Name] = true
	}
	var kept []edit
	for in := tar.NewReader(bytes.NewReader(layer)); ; {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return archive(append(kept, edits...))
		}
		if err != nil {
			return nil, fmt.Errorf("reading a layer: %w", err)
		}
		content, err := io.ReadAll(in)
		if err != nil {
			return nil, fmt.Errorf("reading a layer: %w", err)
		}
		if !replaced[strings.TrimPrefix(filepath.Clean("/"+h.Name), "/")] {
			kept = append(kept, edit{*h, content})
		}
	}
}
