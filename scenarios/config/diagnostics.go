package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
	"github.com/hashicorp/hcl/v2"
)

// Summaries of diagnostics. Each is one kind of mistake; the detail says what
// is wrong here, why, and how to mend it.
const (
	sumUnknownBlock  = "Unknown block"
	sumUnknownAttr   = "Unknown attribute"
	sumUnknownRef    = "Unknown reference"
	sumUnknownKind   = "Unknown kind of check"
	sumUnknownFunc   = "Unknown function"
	sumMissingBlock  = "Missing block"
	sumMissingAttr   = "Missing attribute"
	sumLabels        = "Wrong number of labels"
	sumName          = "Invalid name"
	sumDuplicate     = "Duplicate name"
	sumDuplicateOnce = "Duplicate block"
	sumNotReference  = "Not a reference"
	sumOutOfPlace    = "Reference out of place"
	sumCycle         = "Cycle"
	sumUnreadable    = "Unreadable file"
	sumType          = "Wrong type"
	sumValue         = "Invalid value"
	sumVacuous       = "Vacuous check"
	sumUnproven      = "Unproven check"
	sumPoints        = "Nothing to score"
	sumStart         = "Wrong start scenario"
	sumExpect        = "Contradictory expectation"
	sumNothingAsked  = "Nothing expected"
	sumSolution      = "No way to pass"
	sumReplicas      = "Unreachable replicas"
	sumImage         = "Image cannot be made"
	sumQuiz          = "No question"
)

// problem is an error at a place of the source.
func problem(at hcl.Range, summary, format string, args ...any) *hcl.Diagnostic {
	return &hcl.Diagnostic{
		Severity: hcl.DiagError,
		Summary:  summary,
		Detail:   sentence(fmt.Sprintf(format, args...)),
		Subject:  &at,
	}
}

// sentence ends a text as sentences end, once.
func sentence(s string) string {
	s = strings.TrimRight(s, ".")
	if strings.HasSuffix(s, "?") || strings.HasSuffix(s, "!") {
		return s
	}
	return s + "."
}

// collector gathers diagnostics, each place and summary once: what is wrong is
// found again with every draw and every environment.
type collector struct {
	list hcl.Diagnostics
	seen map[string]bool
}

func newCollector() *collector { return &collector{seen: map[string]bool{}} }

func (c *collector) add(diags ...*hcl.Diagnostic) {
	for _, d := range diags {
		key := d.Summary
		if d.Subject != nil {
			key += "\x00" + d.Subject.String()
		}
		if d.Summary == sumMissingAttr || d.Summary == sumMissingBlock || d.Summary == sumSolution {
			key += d.Detail // several may be missing at one place
		}
		if !c.seen[key] {
			c.seen[key] = true
			c.list = append(c.list, d)
		}
	}
}

func (c *collector) merge(other *collector) { c.add(other.list...) }

// sorted is what was gathered, in the order of the source.
func (c *collector) sorted() hcl.Diagnostics {
	slices.SortStableFunc(c.list, func(a, b *hcl.Diagnostic) int {
		if a.Subject == nil || b.Subject == nil {
			return 0
		}
		return cmp.Or(
			strings.Compare(a.Subject.Filename, b.Subject.Filename),
			cmp.Compare(a.Subject.Start.Byte, b.Subject.Start.Byte),
		)
	})
	return c.list
}

// nearest is the candidate that a misspelt name most likely means; "" when
// none is near.
func nearest(name string, candidates []string) string {
	best, distance := "", max(2, len(name)/3)+1
	for _, c := range candidates {
		if d := levenshtein.Distance(name, c, nil); d < distance {
			best, distance = c, d
		}
	}
	return best
}

// didYouMean ends a detail: with the nearest name, or with what there is.
func didYouMean(name string, candidates []string) string {
	if best := nearest(name, candidates); best != "" {
		return fmt.Sprintf("Did you mean %q?", best)
	}
	if len(candidates) == 0 {
		return "There are none."
	}
	sorted := slices.Sorted(slices.Values(candidates))
	return fmt.Sprintf("There are: %s.", strings.Join(sorted, ", "))
}
