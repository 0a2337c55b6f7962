package main

import (
	"fmt"
	"strings"

	"github.com/labctl/labctl/scenarios/check"
	"github.com/labctl/labctl/scenarios/report"
)

// maxDetails is how many details of a check are shown; all are in the JSON.
const maxDetails = 10

// showReport shows a report to people: what the grade is, how what is live
// came to be, each check, and what to do next.
func showReport(io *Streams, r report.Report) {
	v := reportView{io: io, c: io.OutColors, places: severalPlaces(r.Checks)}
	v.header(r)
	for _, result := range r.Checks {
		v.check(result)
	}
	v.footer(r)
}

type reportView struct {
	io     *Streams
	c      colors
	places bool // results say which service and environment they are about
}

func (v *reportView) header(r report.Report) {
	verdict := v.c.Red("not passed")
	if r.Passed {
		verdict = v.c.Green("passed")
	}
	fmt.Fprintf(v.io.Out, "%s, learner %s: %d of %d points, %s\n", v.c.Bold(Clean(r.Lab)), Clean(r.Learner), r.Score, r.Max, verdict)
	v.provenance("", "", r.Provenance)
	if len(r.Services) > 1 {
		for _, s := range r.Services {
			v.provenance("  ", place(s.Service, s.Environment)+": ", s.Provenance)
		}
	}
	if r.Quiz != nil {
		fmt.Fprintf(v.io.Out, "%s\n", wrap("quiz, apart from the points: "+quizResult(r.Quiz), v.io.Width, "  "))
	}
	fmt.Fprintln(v.io.Out)
}

// provenance is a word and why; where says of what, when there is a choice.
func (v *reportView) provenance(indent, where string, p report.Provenance) {
	prefix := Clean(where) + Clean(string(p.Word)) + ":"
	text := wrap(prefix+" "+Clean(p.Because), v.io.Width-columns(indent), indent+"  ")
	fmt.Fprintf(v.io.Out, "%s%s\n", indent, strings.Replace(text, prefix, v.c.Bold(prefix), 1))
}

// check shows one result; one that passed needs a line only.
func (v *reportView) check(r report.Result) {
	title := Clean(r.Title)
	if v.places {
		title += " (" + Clean(place(r.Service, r.Environment)) + ")"
	}
	points := fmt.Sprintf("%d/%d", r.Points, r.Max)
	if !r.Required {
		points += ", not required"
	}
	points += "  " + Clean(r.Name)
	title = wrap(title, v.io.Width, "  ")
	last := title[strings.LastIndexByte(title, '\n')+1:]
	between := "  "
	if columns(last)+len(between)+columns(points) > v.io.Width-2 {
		between = "\n  "
	}
	fmt.Fprintf(v.io.Out, "%s %s%s%s\n", v.mark(r.Status), title, between, v.c.Faint(points))
	if r.Status != check.Pass {
		v.line("skipped", r.SkippedFor)
		v.line("expected", r.Expected)
		v.line("observed", r.Observed)
		v.details(r.Details)
	}
	for _, note := range r.Notes {
		v.line("note", note)
	}
	if r.Status == check.Fail || r.Status == check.Error {
		v.line("why", r.Why)
		v.line("next", r.Next)
	}
}

func (v *reportView) mark(s check.Status) string {
	switch s {
	case check.Pass:
		return v.c.Green("✓")
	case check.Fail:
		return v.c.Red("✗")
	case check.Skip:
		return v.c.Faint("–")
	}
	return v.c.Yellow("!")
}

// line shows one named part of a result, when there is something to it.
func (v *reportView) line(name, text string) {
	const indent = "           "
	if text == "" {
		return
	}
	fmt.Fprintf(v.io.Out, "  %s %s\n", pad(name, 8), wrap(Clean(text), v.io.Width, indent))
}

// details are paths and differences, to be read under each other. What is
// indented belongs to the line above it.
func (v *reportView) details(details []string) {
	const indent = "           "
	shown := 0
	for i, d := range details {
		if below, belongs := strings.CutPrefix(d, check.Indent); belongs && i > 0 {
			fmt.Fprintf(v.io.Out, "%s%s%s\n", indent, check.Indent, v.c.diff(CleanText(below)))
			continue
		}
		if shown == maxDetails {
			fmt.Fprintf(v.io.Out, "%s… and %d more; --format json shows all\n", indent, more(details[i:]))
			return
		}
		fmt.Fprintf(v.io.Out, "%s%s\n", indent, Clean(d))
		shown++
	}
}

// more counts details less what belongs to others.
func more(details []string) int {
	n := 0
	for _, d := range details {
		if !strings.HasPrefix(d, check.Indent) {
			n++
		}
	}
	return n
}

// footer says what to do next.
func (v *reportView) footer(r report.Report) {
	fmt.Fprintln(v.io.Out)
	errors := 0
	for _, result := range r.Checks {
		if result.Status == check.Error || result.Status == check.Unknown {
			errors++
		}
	}
	switch {
	case r.CouldNotLook():
		v.say(fmt.Sprintf("%s could not be decided, so this is no grade. Mend what stands under \"next\" there, then: labctl check", count(errors, "check", "checks")))
	case r.Passed:
		v.say(fmt.Sprintf("Done. labctl stop %s removes the lab.", Clean(r.Lab)))
	default:
		v.say("Begin with the first ✗. labctl hint helps when you are stuck; labctl check grades again.")
	}
}

func (v *reportView) say(text string) { fmt.Fprintln(v.io.Out, wrap(text, v.io.Width, "")) }

// severalPlaces is true when checks ask about more than one service or
// environment.
func severalPlaces(results []report.Result) bool {
	seen := map[[2]string]bool{}
	for _, r := range results {
		if r.Service != "" {
			seen[[2]string{r.Service, r.Environment}] = true
		}
	}
	return len(seen) > 1
}

func place(service, environment string) string {
	if environment == "" {
		return service
	}
	return service + " in " + environment
}
