package cleanroom

import (
	"fmt"
	"sort"
	"strings"

	"github.com/distribution/reference"
)

// canonical spells an image reference in full, so that labctl/base:1 and
// docker.io/labctl/base:1 are one. A reference by digest or ID is an error:
// what it stands for cannot be pinned by a tag.
func canonical(ref string) (string, error) {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return "", fmt.Errorf("%q is no image reference: %w", ref, err)
	}
	if _, ok := named.(reference.Digested); ok {
		return "", fmt.Errorf("%q names an image by digest: use its tag", ref)
	}
	return reference.TagNameOnly(named).String(), nil
}

// pinned are the lab's images: canonical reference → image ID.
type pinned map[string]string

func pin(pins map[string]string) (pinned, error) {
	p := make(pinned, len(pins))
	for tag, id := range pins {
		full, err := canonical(tag)
		if err != nil {
			return nil, fmt.Errorf("an image of the lab: %w", err)
		}
		p[full] = id
	}
	return p, nil
}

// image finds the image that a reference stands for.
func (p pinned) image(ref string) (id string, ok bool) {
	full, err := canonical(ref)
	if err != nil {
		return "", false
	}
	id, ok = p[full]
	return id, ok
}

// String lists the tags for a message.
func (p pinned) String() string {
	if len(p) == 0 {
		return "it has none"
	}
	tags := make([]string, 0, len(p))
	for full := range p {
		named, err := reference.ParseNormalizedNamed(full)
		if err != nil {
			continue // canonical made it
		}
		tags = append(tags, reference.FamiliarString(named))
	}
	sort.Strings(tags)
	return strings.Join(tags, ", ")
}
