package runner

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/agext/levenshtein"
	"github.com/hashicorp/hcl/v2"

	"github.com/labctl/labctl/runner/problem"
	"github.com/labctl/labctl/scenarios/config"
	"github.com/labctl/labctl/scenarios/lab"
)

// Library finds labs: those in the binary, and those in folders. It is safe for
// concurrent use.
type Library struct {
	shipped fs.FS

	mu   sync.Mutex
	read map[string]*OpenLab // shipped ones, which cannot change
}

// NewLibrary is a library with the labs of a file system, one folder each.
func NewLibrary(shipped fs.FS) *Library {
	return &Library{shipped: shipped, read: map[string]*OpenLab{}}
}

// LabInfo is a lab as labctl list shows it.
type LabInfo struct {
	Name    string   `json:"name"`
	Title   string   `json:"title"`
	Level   string   `json:"level"`
	Minutes int      `json:"minutes"`
	Teaches []string `json:"teaches"`
	After   []string `json:"after"` // labs to do before

	questions []lab.Question
}

// OpenLab is a lab that was found and is valid.
type OpenLab struct {
	Definition *config.Definition
	FS         fs.FS  // the lab's folder
	Source     string // the shipped lab's name, or the folder's absolute path
	Shipped    bool   // part of this binary: its host scripts may run
}

// LabError is a lab that is wrong, with everything that is.
type LabError struct {
	Source string
	Diags  hcl.Diagnostics
	Files  map[string]*hcl.File
}

func (e *LabError) Error() string {
	n := len(e.Diags.Errs())
	if n == 1 {
		return fmt.Sprintf("the lab in %s is wrong: %s", e.Source, e.Diags.Errs()[0])
	}
	return fmt.Sprintf("the lab in %s has %d errors", e.Source, n)
}

// Names are the shipped labs' names.
func (l *Library) Names() ([]string, error) {
	entries, err := fs.ReadDir(l.shipped, ".")
	if err != nil {
		return nil, fmt.Errorf("listing the shipped labs: %w", err)
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// List reads the shipped labs, in the order in which they are best done.
func (l *Library) List() ([]LabInfo, error) {
	names, err := l.Names()
	if err != nil {
		return nil, err
	}
	infos := []LabInfo{}
	for _, name := range names {
		open, err := l.Open(name, "")
		if err != nil {
			return nil, err
		}
		found, diags := open.Definition.Resolve("learner", config.SeedOf("learner"))
		if diags.HasErrors() {
			return nil, &LabError{Source: name, Diags: diags, Files: open.Definition.Files}
		}
		infos = append(infos, LabInfo{
			Name: found.Name, Title: found.Title, Level: found.Level, Minutes: found.Minutes,
			Teaches: append([]string{}, found.Teaches...), After: append([]string{}, found.After...),
			questions: found.Quiz,
		})
	}
	return learningOrder(infos), nil
}

// learningOrder puts labs after those that they name as done before; of several
// that could be next the easier one first, then by name. Of labs that wait for
// each other the easiest one comes first.
func learningOrder(infos []LabInfo) []LabInfo {
	left := slices.Clone(infos)
	slices.SortStableFunc(left, func(a, b LabInfo) int {
		return cmp.Or(slices.Index(config.Levels, a.Level)-slices.Index(config.Levels, b.Level), strings.Compare(a.Name, b.Name))
	})
	ordered := []LabInfo{}
	for len(left) > 0 {
		waits := func(l LabInfo) bool {
			return slices.ContainsFunc(left, func(other LabInfo) bool { return slices.Contains(l.After, other.Name) })
		}
		next := max(0, slices.IndexFunc(left, func(l LabInfo) bool { return !waits(l) }))
		ordered = append(ordered, left[next])
		left = slices.Delete(left, next, next+1)
	}
	return ordered
}

// Open finds a lab by a shipped lab's name or by a folder: anything with a
// path separator, or ".". Relative folders are relative to cwd. What a folder holds
// is validated; shipped labs were when labctl was made.
func (l *Library) Open(ref, cwd string) (*OpenLab, error) {
	if inFolder(ref) {
		return l.Validate(ref, cwd)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if known := l.read[ref]; known != nil {
		return known, nil
	}
	found, err := l.openShipped(config.Read, ref, cwd)
	if err == nil {
		l.read[ref] = found
	}
	return found, err
}

// Validate is Open, and finds all that is wrong with a shipped lab, too.
func (l *Library) Validate(ref, cwd string) (*OpenLab, error) {
	if !inFolder(ref) {
		return l.openShipped(config.Load, ref, cwd)
	}
	dir := ref
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(cwd, dir)
	}
	dir = filepath.Clean(dir)
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		if err == nil {
			err = errors.New("it is not a folder")
		}
		return nil, &problem.Problem{What: fmt.Sprintf("no lab in %s", dir), Err: err, Mend: "name a folder that holds a lab's .hcl files", Usage: true}
	}
	return open(config.Load, os.DirFS(dir), dir, false)
}

func inFolder(ref string) bool {
	return ref == "." || ref == ".." || strings.ContainsRune(ref, os.PathSeparator)
}

func (l *Library) openShipped(load loader, ref, cwd string) (*OpenLab, error) {
	names, err := l.Names()
	if err != nil {
		return nil, err
	}
	if !slices.Contains(names, ref) {
		return nil, unknownLab(ref, cwd, names)
	}
	sub, err := fs.Sub(l.shipped, ref)
	if err != nil {
		return nil, fmt.Errorf("opening lab %s: %w", ref, err)
	}
	return open(load, sub, ref, true)
}

// loader is config.Load or config.Read.
type loader func(fs.FS) (*config.Definition, hcl.Diagnostics)

func open(load loader, fsys fs.FS, source string, shipped bool) (*OpenLab, error) {
	def, diags := load(fsys)
	if diags.HasErrors() {
		e := &LabError{Source: source, Diags: diags}
		if def != nil {
			e.Files = def.Files
		}
		return nil, e
	}
	return &OpenLab{Definition: def, FS: fsys, Source: source, Shipped: shipped}, nil
}

func unknownLab(ref, cwd string, names []string) error {
	mend := "`labctl list` shows the labs there are"
	best, distance := "", 4
	for _, name := range names {
		if d := levenshtein.Distance(ref, name, nil); d < distance {
			best, distance = name, d
		}
	}
	if best != "" {
		mend = fmt.Sprintf("did you mean %s?", best)
	} else if info, err := os.Stat(filepath.Join(cwd, ref)); err == nil && info.IsDir() {
		mend = fmt.Sprintf("for the lab in that folder say .%c%s", os.PathSeparator, ref)
	}
	return &problem.Problem{What: fmt.Sprintf("no lab is called %q", ref), Mend: mend, Usage: true}
}
