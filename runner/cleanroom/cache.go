package cleanroom

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"github.com/labctl/labctl/scenarios/evidence"
)

const (
	cacheFormat  = "labctl/cleanroom/v1" // changes when what a room does changes its results
	cacheEntries = 32
)

// result is what a build gave, read.
type result struct {
	Key    string                    `json:"key"`
	Image  evidence.Image            `json:"image"`
	Layers map[string]evidence.Layer `json:"layers"`
}

// cacheKey names everything that a build's result depends on: the context,
// the pinned images in it, and how it is built.
func cacheKey(c *Context, buildKit bool) (string, error) {
	sum := sha256.New()
	fmt.Fprintf(sum, "%s buildkit=%t\n", cacheFormat, buildKit)
	err := c.WriteTar(sum, ".labctl", func(imageID string) string { return imageID })
	return hex.EncodeToString(sum.Sum(nil)), err
}

// imageKey names everything that an image of the lab's depends on.
func imageKey(c *Context, buildKit bool, labels map[string]string) (string, error) {
	key, err := cacheKey(c, buildKit)
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %q", key, labels)) // maps are printed in order
	return hex.EncodeToString(sum[:]), err
}

func (r *Room) imagePath(key string) string { return filepath.Join(r.Cache, key+".image") }

// keptImage is the ID of the image that was made last for a key.
func (r *Room) keptImage(key string) (id string, ok bool) {
	if r.Cache == "" {
		return "", false
	}
	data, err := os.ReadFile(r.imagePath(key))
	id = string(data)
	return id, err == nil && imageID.MatchString(id)
}

func (r *Room) keepImage(key, id string) error {
	if r.Cache == "" {
		return nil
	}
	return writeWhole(r.imagePath(key), []byte(id))
}

// imageID is how engines write one.
var imageID = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

func (r *Room) cachePath(key string) string {
	return filepath.Join(r.Cache, key+".json")
}

// cached finds a kept result. One that is missing, damaged or of something
// else is none: the build that follows writes it anew.
func (r *Room) cached(key string) (*result, bool) {
	if r.Cache == "" {
		return nil, false
	}
	data, err := os.ReadFile(r.cachePath(key))
	if err != nil {
		return nil, false
	}
	var found result
	if err := json.Unmarshal(data, &found); err != nil || found.Key != key || found.Image.ID == "" {
		return nil, false
	}
	for _, diffID := range found.Image.Layers {
		if _, ok := found.Layers[diffID]; !ok {
			return nil, false
		}
	}
	now := time.Now()
	_ = os.Chtimes(r.cachePath(key), now, now) // only which entry is dropped first depends on it
	return &found, true
}

// keep writes a result, whole or not at all, and drops the oldest ones beyond
// cacheEntries.
func (r *Room) keep(key string, made *result) error {
	if r.Cache == "" {
		return nil
	}
	made.Key = key
	data, err := json.Marshal(made)
	if err != nil {
		return fmt.Errorf("keeping what the clean room built: %w", err)
	}
	if err := os.MkdirAll(r.Cache, 0o700); err != nil {
		return fmt.Errorf("keeping what the clean room built: %w", err)
	}
	if err := writeWhole(r.cachePath(key), data); err != nil {
		return fmt.Errorf("keeping what the clean room built: %w", err)
	}
	if err := dropOldest(r.Cache); err != nil {
		return fmt.Errorf("keeping what the clean room built: %w", err)
	}
	return nil
}

// writeWhole puts a file in place once it is complete.
func writeWhole(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// dropOldest removes the entries used longest ago. One that another process
// removed meanwhile is gone as well.
func dropOldest(dir string) error {
	names, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(names) <= cacheEntries {
		return err
	}
	used := map[string]time.Time{}
	for _, name := range names {
		if info, err := os.Stat(name); err == nil {
			used[name] = info.ModTime()
		}
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(used[a].Compare(used[b]), cmp.Compare(a, b))
	})
	for _, name := range names[:len(names)-cacheEntries] {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
