package evidence

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
)

// Digest names a tree by what is in it.
func (t Tree) Digest() string {
	sum := sha256.New()
	_ = json.NewEncoder(sum).Encode(t) // neither strings nor a hash can fail
	return "sha256:" + hex.EncodeToString(sum.Sum(nil))
}

// Union is the filesystem that layers make together, the lowest first.
func Union(layers []Layer) Tree {
	u := newUnion()
	for _, layer := range layers {
		u.apply(layer)
	}
	return sorted(u.at)
}

// Deltas is, for each layer, what it changes of the files and links below it;
// layers that change none are left out. What a layer writes as it already was
// is no change: storage drivers and builders disagree about whether to write
// it. Nor is one of modes that does not count AsBuilt: whether a step sets them
// anew depends on the umask under which the repository was cloned. A removal is
// an entry of TypeWhiteout.
func Deltas(layers []Layer) [][]Entry {
	var out [][]Entry
	u := newUnion()
	for _, layer := range layers {
		u.apply(layer)
		if delta := u.delta(); len(delta) > 0 {
			out = append(out, delta)
		}
	}
	return out
}

// union is a filesystem by path.
type union struct {
	at  map[string]Entry
	was map[string]Entry // paths that the last layer touched, as they were before it; the zero Entry where nothing was
}

func newUnion() *union { return &union{at: map[string]Entry{}} }

// apply lays a layer over what is there. Removals come first: they mean what
// lies below the layer, wherever they stand in it.
func (u *union) apply(layer Layer) {
	u.was = map[string]Entry{}
	u.remove(layer)
	for _, e := range layer {
		switch e.Type {
		case TypeWhiteout, TypeOpaque, TypeHardlink:
		default:
			u.put(e)
		}
	}
	// Links last: a tar may hold them before what they link to.
	u.link(layer)
}

// delta is what the last layer changed of files and links, sorted by path.
func (u *union) delta() []Entry {
	var delta []Entry
	for p, was := range u.was {
		now := u.at[p]
		switch {
		case AsBuilt.counted(now) == AsBuilt.counted(was) || within(engineOwn, p):
		case now.Type != "" && now.Type != TypeDir:
			delta = append(delta, now)
		case was.Type != "" && was.Type != TypeDir:
			delta = append(delta, Entry{Path: p, Type: TypeWhiteout})
		}
	}
	slices.SortFunc(delta, func(a, b Entry) int { return cmp.Compare(a.Path, b.Path) })
	return delta
}

// remove takes away what the layer removes: what it says so of, and what lies
// below a directory that it makes something else.
func (u *union) remove(layer Layer) {
	below := map[string]bool{} // "" for the root
	for _, e := range layer {
		switch {
		case e.Type == TypeWhiteout:
			u.drop(e.Path)
			below[e.Path] = true
		case e.Type == TypeOpaque, e.Type != TypeDir && u.at[e.Path].Type == TypeDir:
			below[strings.TrimSuffix(e.Path, "/")] = true
		}
	}
	if len(below) == 0 {
		return
	}
	// Once over the filesystem, however much is removed: a layer may hold
	// thousands of whiteouts.
	for p := range u.at {
		for i := strings.LastIndexByte(p, '/'); i >= 0; i = strings.LastIndexByte(p[:i], '/') {
			if below[p[:i]] {
				u.drop(p)
				break
			}
		}
	}
}

// link puts the layer's hard links in place. Each becomes what it leads to, in
// the same layer or below it, through other links if need be. One that leads
// nowhere, or back to itself, stays what it is.
func (u *union) link(layer Layer) {
	links := map[string]Entry{}
	for _, e := range layer {
		if e.Type == TypeHardlink {
			links[e.Path] = e
			u.drop(e.Path) // so that no link leads to what another one replaces
		}
	}
	for _, e := range layer {
		var chain []Entry
		end := e.Path
		for next, is := links[end]; is; next, is = links[end] {
			delete(links, end) // each link is followed once, however long the chain
			chain = append(chain, next)
			end = next.Link
		}
		target, there := u.at[end]
		for _, link := range chain {
			if there && target.Type != TypeHardlink {
				target.Path = link.Path
				u.put(target)
			} else {
				u.put(link)
			}
		}
	}
}

func (u *union) put(e Entry) {
	u.touch(e.Path)
	u.at[e.Path] = e
}

func (u *union) drop(p string) {
	u.touch(p)
	delete(u.at, p)
}

// touch remembers what the layer found at a path.
func (u *union) touch(p string) {
	if _, touched := u.was[p]; !touched {
		u.was[p] = u.at[p]
	}
}
