package check_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/labctl/labctl/scenarios/check"
	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/internal/sample"
)

// with puts texts into the set.
func with(texts ...string) func(*evidence.Set) {
	return func(set *evidence.Set) {
		set.Texts = map[string]string{}
		for _, text := range texts {
			set.Texts[sample.File("/", text).SHA256] = text
		}
	}
}

// What differs is shown below its path, as far as the evidence has the texts;
// what it lacks is asked for.
func TestTextsAreShown(t *testing.T) {
	t.Parallel()
	conf := func(text string) evidence.Entry { return sample.File("/etc/booking.conf", text) }
	numbered := func(from, to int) string {
		var b strings.Builder
		for i := from; i <= to; i++ {
			fmt.Fprintf(&b, "line %d\n", i)
		}
		return b.String()
	}
	large := strings.Repeat("x", evidence.MaxText+1)
	wide := strings.Repeat("é", 200)
	tests := []struct {
		name    string
		kind    check.Kind
		edit    func(*evidence.Set)
		details []string
		lacks   []string // sizes and paths, sorted as they are asked for
	}{
		{"drift", check.NoDrift, all(layered(conf(sample.ConfBuilt)), with(sample.ConfBuilt, sample.ConfToday)),
			[]string{"~ /etc/booking.conf", "    -city_tax=240", "    -cap=3", "    +city_tax=170"}, nil},
		{"drift, no text known", check.NoDrift, layered(conf(sample.ConfBuilt)),
			[]string{"~ /etc/booking.conf"}, []string{"19 /etc/booking.conf", "13 /etc/booking.conf"}},
		{"drift, one text known", check.NoDrift, all(layered(conf(sample.ConfBuilt)), with(sample.ConfBuilt)),
			[]string{"~ /etc/booking.conf"}, []string{"19 /etc/booking.conf"}},
		{"a mode", check.NoDrift, layered(mode(conf(sample.ConfToday), 0o600)), []string{"~ /etc/booking.conf (mode 644 → 600)"}, nil},
		{"too large to ask for", check.NoDrift, layered(sample.File("/tmp/x", large)), []string{"+ /tmp/x"}, nil},
		{"many lines", check.NoDrift, all(layered(sample.File("/tmp/x", numbered(1, 9))), with(numbered(1, 9))),
			[]string{"+ /tmp/x", "    +line 1", "    +line 2", "    +line 3", "    +line 4", "    +line 5", "    +line 6", "    … and 3 more lines; labctl drift shows all"}, nil},
		{"a wide line", check.NoDrift, all(layered(sample.File("/tmp/x", wide)), with(wide)),
			[]string{"+ /tmp/x", "    +" + strings.Repeat("é", 119) + "…"}, nil},
		{"many files", check.NoDrift, all(
			layered(sample.File("/tmp/a", "a"), sample.File("/tmp/b", "b"), sample.Dir("/tmp/c"), sample.File("/tmp/d", "d"), sample.File("/tmp/e", "e")), with("a", "b", "d", "e")),
			[]string{"+ /tmp/a", "    +a", "+ /tmp/b", "    +b", "+ /tmp/c", "+ /tmp/d", "    +d", "+ /tmp/e"}, nil},
		{"lines that look like names of a diff", check.NoDrift, all(layered(sample.File("/tmp/x", "++ b/y\n-- a/y\n")), with("++ b/y\n-- a/y\n")),
			[]string{"+ /tmp/x", "    +++ b/y", "    +-- a/y"}, nil},
		{"an image that HEAD does not make", check.BuiltFromRepo, all(image(sample.Layers(sample.ConfBuilt, sample.QuoteFriday)...), with(sample.ConfBuilt, sample.ConfToday)),
			[]string{"~ /etc/booking.conf", "    -city_tax=240", "    -cap=3", "    +city_tax=170"}, nil},
		{"an image of uncommitted changes", check.BuiltFromRepo, all(image(sample.Layers(sample.ConfBuilt, sample.QuoteFriday)...), dirty("booking.conf"),
			built(evidence.OfWorktree, sample.CommitHead, sample.ConfBuilt), with(sample.ConfBuilt, sample.ConfToday)),
			[]string{"not committed: booking.conf", "~ /etc/booking.conf", "    -city_tax=240", "    -cap=3", "    +city_tax=170"}, nil},
		{"a pet that was changed", check.Replaced, petLive(all(func(set *evidence.Set) {
			sample.SetLiveTree(set, evidence.Union(sample.With([]evidence.Layer{evidence.Layer(sample.PetTree())}, conf(sample.ConfToday))))
		}, with(sample.ConfFriday, sample.ConfToday))),
			[]string{"~ /etc/booking.conf", "    -city_tax=190", "    +city_tax=240"}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			set := sample.Right()
			test.edit(set)
			v := test.kind.Eval(asking(set, test.kind.Type), set)
			if v.Status != check.Fail || !slices.Equal(v.Details, test.details) {
				t.Errorf("%s, details\n%s\nwant\n%s", v.Status, strings.Join(v.Details, "\n"), strings.Join(test.details, "\n"))
			}
			if strings.Contains(v.Observed, check.Indent) {
				t.Errorf("observed is no line: %q", v.Observed)
			}
			var lacks []string
			for _, e := range v.Lacks {
				lacks = append(lacks, fmt.Sprintf("%d %s", e.Size, e.Path))
			}
			if !slices.Equal(lacks, test.lacks) {
				t.Errorf("lacks %q, want %q", lacks, test.lacks)
			}
		})
	}
}

// A container is compared with HEAD's build by its filesystem, and by the
// configuration of its image.
func TestSinceBuild(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name         string
		edit         func(*evidence.Set)
		paths, other []string
	}{
		{"the same", nil, nil, nil},
		{"changed by hand", layered(sample.File("/tmp/HOTFIX", "x")), []string{"+ /tmp/HOTFIX"}, nil},
		{"a mode that git does not keep", layered(mode(sample.File("/etc/booking.conf", sample.ConfToday), 0o664)), nil, nil},
		{"built of something else", image(sample.Layers(sample.ConfBuilt, sample.QuoteFriday)...), []string{"~ /etc/booking.conf"}, nil},
		{"built of something else, put right by hand", all(image(sample.Layers(sample.ConfBuilt, sample.QuoteFriday)...),
			layered(sample.File("/etc/booking.conf", sample.ConfToday)), imageConfig("User", "daemon")), nil, []string{`~ image User "daemon" (built: is not set)`}},
		{"another configuration", imageConfig("User", "daemon"), nil, []string{`~ image User "daemon" (built: is not set)`}},
		{"runtime path", layered(sample.Dir("/run"), sample.Dir("/run/booking"), sample.File("/run/booking/pid", "1")), nil, nil},
		{"in one layer", image(evidence.Layer(evidence.Union(right()))), nil, []string{"not put together by the Dockerfile"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			set := sample.Right()
			if test.edit != nil {
				test.edit(set)
			}
			s := &set.Services[0]
			ds, other, err := check.SinceBuild(set, s, s.Live[0], set.Builds[0])
			var paths []string
			for _, d := range ds {
				paths = append(paths, d.String())
			}
			if err != nil || !slices.Equal(paths, test.paths) || !slices.Equal(other, test.other) {
				t.Errorf("%q and %q (%v), want %q and %q", paths, other, err, test.paths, test.other)
			}
		})
	}
}
