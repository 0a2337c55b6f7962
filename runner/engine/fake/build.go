package fake

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"github.com/labctl/labctl/runner/engine"
)

// Build implements engine.Builder for one stage of FROM, COPY and what only
// changes the configuration. A RUN step fails: nothing can be run.
func (e *Engine) Build(ctx context.Context, req engine.BuildRequest) (id string, err error) {
	err = e.request(ctx, "Build", func(s *state) error {
		files, err := readContext(req.Context)
		if err != nil {
			return fmt.Errorf("reading the build context: %w", err)
		}
		dockerfile, ok := files[path.Clean(req.Dockerfile)]
		if !ok {
			return &engine.BuildFailed{Message: "cannot locate Dockerfile " + req.Dockerfile}
		}
		if id, err = s.build(string(dockerfile.content), files, req); err != nil {
			return err
		}
		if req.Tag != "" {
			s.setTag(id, req.Tag)
		}
		return nil
	})
	return id, err
}

func (s *state) build(dockerfile string, files map[string]file, req engine.BuildRequest) (string, error) {
	steps, err := instructions(dockerfile)
	if err != nil {
		return "", &engine.BuildFailed{Message: err.Error()}
	}
	var log []string
	var base *image
	var layers []string
	c := emptyConfig()
	for i, step := range steps {
		line := fmt.Sprintf("Step %d/%d : %s", i+1, len(steps), step.Original)
		log = append(log, line)
		if req.Progress != nil {
			req.Progress(line)
		}
		words := arguments(step)
		switch strings.ToUpper(step.Value) {
		case "FROM":
			if base, err = s.image(words[0]); err == nil {
				layers = append([]string{}, base.Layers...)
				c = maps.Clone(base.Config)
			}
		case "COPY":
			var layer string
			if layer, err = s.copy(files, words); err == nil {
				layers = append(layers, layer)
			}
		case "RUN":
			err = errors.New("the fake engine runs nothing")
		default:
			err = c.set(step)
		}
		if err != nil {
			return "", &engine.BuildFailed{Message: step.Original + ": " + err.Error(), Log: strings.Join(log, "\n")}
		}
	}
	if base == nil {
		return "", &engine.BuildFailed{Message: "no FROM"}
	}
	for label, value := range req.Labels {
		c.put("Labels", label, value)
	}
	return s.addImage(layers, c, base.ID, time.Time{}), nil
}

// copy makes a layer of the files that COPY takes.
func (s *state) copy(files map[string]file, words []string) (string, error) {
	sources, target := words[:len(words)-1], words[len(words)-1]
	var archive bytes.Buffer
	layer := tar.NewWriter(&archive)
	for _, source := range sources {
		source, found := path.Clean(strings.TrimPrefix(source, "/")), false
		for _, name := range slices.Sorted(maps.Keys(files)) {
			f, to := files[name], target
			if below, ok := strings.CutPrefix(name, source+"/"); ok || source == "." {
				if source == "." {
					below = name
				}
				to = path.Join(target, below)
			} else if name != source {
				continue
			} else if strings.HasSuffix(target, "/") {
				to = path.Join(target, path.Base(name))
			}
			found = true
			if err := layer.WriteHeader(&tar.Header{Name: strings.TrimPrefix(to, "/"), Mode: f.mode, Size: int64(len(f.content))}); err != nil {
				return "", err
			}
			if _, err := layer.Write(f.content); err != nil {
				return "", err
			}
		}
		if !found {
			return "", fmt.Errorf("%s: not in the build context", source)
		}
	}
	if err := layer.Close(); err != nil {
		return "", err
	}
	return s.addArchive(&archive)
}

// file is one file of a build context.
type file struct {
	content []byte
	mode    int64
}

func readContext(archive io.Reader) (map[string]file, error) {
	files := map[string]file{}
	for entries := tar.NewReader(archive); ; {
		header, err := entries.Next()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, err
		}
		if header.Typeflag != tar.TypeReg {
			continue
		}
		content, err := io.ReadAll(entries)
		if err != nil {
			return nil, err
		}
		files[path.Clean(header.Name)] = file{content, header.Mode}
	}
}

func instructions(dockerfile string) ([]*parser.Node, error) {
	parsed, err := parser.Parse(strings.NewReader(dockerfile))
	if err != nil {
		return nil, err
	}
	return parsed.AST.Children, nil
}

// arguments are the words after an instruction.
func arguments(step *parser.Node) []string {
	var words []string
	for n := step.Next; n != nil; n = n.Next {
		words = append(words, n.Value)
	}
	return words
}
