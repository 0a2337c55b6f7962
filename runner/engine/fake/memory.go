package fake

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/labctl/labctl/runner/engine"
)

// Files implements engine.Actuator. A container has those files that were put
// into its memory, until it stops.
func (e *Engine) Files(ctx context.Context, id string, folders []string) (engine.Listing, error) {
	var out engine.Listing
	err := e.request(ctx, "Files", func(s *state) error {
		c, err := s.container(id)
		if err != nil {
			return err
		}
		if c.State != "running" {
			return fmt.Errorf("listing files of container %s: it is not running", id)
		}
		for _, path := range slices.Sorted(maps.Keys(c.Memory)) {
			if slices.ContainsFunc(folders, func(folder string) bool { return strings.HasPrefix(path, folder+"/") }) {
				content := c.Memory[path]
				f := engine.ListedFile{Path: path, Size: int64(len(content))}
				if len(content) <= engine.MaxListedText {
					f.Text = content
				}
				out.Files = append(out.Files, f)
			}
		}
		return nil
	})
	return out, err
}

// Remember writes a file into a running container's memory: to a tmpfs, or to
// /dev/shm.
func (e *Engine) Remember(container, path, content string) error {
	return e.update(context.Background(), func(s *state) error {
		c, err := s.container(container)
		if err != nil {
			return err
		}
		c.remember(path, content)
		return nil
	})
}

func (c *record) remember(path, content string) {
	if c.Memory == nil {
		c.Memory = map[string]string{}
	}
	c.Memory[path] = content
}

// remembered is what a script "echo WORD >/dev/shm/NAME" writes.
func remembered(script string) (path, content string, is bool) {
	word, path, is := strings.Cut(strings.TrimPrefix(script, "echo "), " >")
	return path, word + "\n", is && strings.HasPrefix(path, "/dev/shm/")
}
