package evidence

import "fmt"

// ByHand lists the contents that the start's containers had by hand: files that
// are not as in their image. Whether a commit holds them is not looked at. An
// error says why it is not known.
func (s *Set) ByHand() ([]Content, error) {
	all := []Content{}
	for _, c := range s.Start.Containers {
		tree, there := s.Trees[c.Tree]
		if !there {
			return nil, fmt.Errorf("the filesystem that %s had at the start is not known: %s", c.Called, c.TreeError)
		}
		layers, err := s.LayersOf(c.Image)
		if err != nil {
			return nil, err
		}
		built := map[string]bool{}
		for _, e := range Union(layers) {
			built[e.SHA256] = true
		}
		for _, e := range tree {
			// An empty file tells nothing about where it came from.
			if e.Type == TypeFile && e.Size > 0 && !built[e.SHA256] {
				all = append(all, Content{Container: c.Called, Path: e.Path, SHA256: e.SHA256, Size: e.Size})
			}
		}
	}
	return all, nil
}
