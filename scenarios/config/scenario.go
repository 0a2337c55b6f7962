package config

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/labctl/labctl/scenarios/lab"
)

// provenances are the words for how what is live came to be.
var provenances = []string{
	"unknown", "none", "impostor", "untouched", "patched", "altered",
	"uncommitted", "outdated", "laundered", "unproven", "rebuilt",
}

func (r *resolver) scenarios() {
	var start *block
	for _, b := range r.def.root.blocks["scenario"] {
		s := r.scenario(b)
		if s.Start && start != nil {
			r.fail(b.attrAt("start"), sumStart, "A lab has one start scenario, and scenario.%s at %s is it already. Remove start = true from one of them.", start.name, place(start.at))
		} else if s.Start {
			start = b
		}
		r.lab.Scenarios = append(r.lab.Scenarios, s)
	}
	if start == nil && len(r.lab.Scenarios) > 0 {
		r.fail(r.def.root.blocks["scenario"][0].at, sumStart, "No scenario is the one that learners start in. Give one of them start = true.")
		return
	}
	r.origins(start)
}

// origins checks that every scenario leads back to the start.
func (r *resolver) origins(start *block) {
	from := map[string]string{}
	var names []string
	for i := range r.lab.Scenarios {
		s := &r.lab.Scenarios[i]
		if start != nil && s.From == start.name {
			s.From = ""
		}
		from[s.Name] = s.From
		names = append(names, s.Name)
	}
	sortByNeed(names, func(name string) []string { return []string{from[name]} }, func(cycle []string) {
		r.fail(r.def.root.named("scenario", cycle[0]).attrAt("from"), sumCycle, "scenario.%s continues itself: %s. Break the circle.", cycle[0], strings.Join(append(cycle, cycle[0]), " → "))
	})
}

func (r *resolver) scenario(b *block) lab.Scenario {
	s := lab.Scenario{Name: b.name}
	s.Start, _ = get[bool](r, b, "start", cty.Bool, scope{})
	s.Script = r.script(b, "run")
	if a, ok := b.attrs["from"]; ok {
		s.From, _, _ = r.reference(a.Expr, "scenario")
	}
	_, runs := b.attrs["run"]
	switch {
	case s.Start:
		for _, attr := range []string{"run", "from"} {
			if a, ok := b.attrs[attr]; ok {
				r.fail(a.NameRange, sumStart, "The start scenario is brought about by `labctl start` alone: it takes containers, and no %q.", attr)
			}
		}
		r.containers(b, &s)
	default:
		if !runs {
			r.fail(b.at, sumMissingAttr, "A scenario other than the start needs the attribute \"run\": the script that brings it about.")
		}
		for _, c := range b.blocks["container"] {
			r.fail(c.at, sumStart, "Containers belong to the start scenario; every other one makes its own in its script.")
		}
	}
	if e := b.one("expect"); e != nil {
		s.Expect = r.expect(e, s.Start)
	}
	return s
}

// script reads a shell script. A shell takes the carriage returns of an editor
// on Windows as parts of its words.
func (r *resolver) script(b *block, attr string) string {
	s := r.text(b, attr, scope{})
	if strings.Contains(s, "\r\n") {
		r.invalid(b, attr, "its lines end with CR LF, which shells do not understand; save it with LF alone")
	}
	return s
}

// containers reads the containers of the start scenario. One that serves a
// service of several environments is one in each, named after it.
func (r *resolver) containers(b *block, s *lab.Scenario) {
	serving := map[string]hcl.Range{} // by address, where one port can be had once
	for _, cb := range b.blocks["container"] {
		c := lab.Container{Name: cb.name}
		if a, ok := cb.attrs["image"]; ok {
			c.Image, _, _ = r.reference(a.Expr, "image")
		}
		if d := cb.one("drift"); d != nil {
			c.Drift = r.script(d, "script")
			if user, ok := get[string](r, d, "user", cty.String, scope{}); ok {
				if c.DriftUser = user; !validUser.MatchString(user) {
					r.invalid(d, "user", "it is no user; write a name or number")
				}
			}
		}
		a, serves := cb.attrs["serves"]
		if !serves {
			if len(r.lab.Environments) > 0 {
				c.Environment = r.lab.Environments[0].Name
			}
			if run := cb.one("run"); run != nil {
				c.Run = r.run(lab.Run{}, run, scope{})
			}
			r.container(s, c, cb)
			continue
		}
		service, environment, ok := r.reference(a.Expr, "service")
		if !ok {
			r.declare("container", cb.name, cb.nameAt)
			continue
		}
		rows := r.servicesOf(service, environment)
		for _, row := range rows {
			one := c
			one.Service, one.Environment, one.Run = service, row.Environment, row.Run
			if len(rows) > 1 {
				one.Name = c.Name + "-" + row.Environment
			}
			if run := cb.one("run"); run != nil {
				one.Run = r.run(lab.Run{}, run, r.eachScope(row.Environment))
			}
			if before, taken := serving[row.Address()]; taken && row.Publish == lab.PublishPort && row.Replicas == 1 {
				r.fail(a.Expr.Range(), sumReplicas, "%s is served by another container already, at %s, and one published port cannot serve two. Let one of them serve nothing, or use replicas with publish = \"relay\" or \"none\".", row.Address(), place(before))
			}
			serving[row.Address()] = cb.at
			r.container(s, one, cb)
		}
	}
}

func (r *resolver) container(s *lab.Scenario, c lab.Container, b *block) {
	if r.declare("container", c.Name, b.nameAt) {
		r.variable(shellName(c.Name), b.nameAt)
		s.Containers = append(s.Containers, c)
	}
}

// expect reads the report that a scenario must get.
func (r *resolver) expect(b *block, start bool) lab.Expect {
	var e lab.Expect
	passed, given := get[bool](r, b, "passed", cty.Bool, scope{})
	e.Passed = passed
	failing, known := r.references(b, "failing", "check")
	e.Failing = failing
	if word, ok := get[string](r, b, "provenance", cty.String, scope{}); ok {
		e.Provenance = word
		r.oneOf(b, "provenance", word, provenances)
	}
	e.Says, _ = get[[]string](r, b, "says", cty.List(cty.String), scope{})
	if slices.Contains(e.Says, "") {
		r.invalid(b, "says", "an empty text is in every report; say which words must occur")
	}
	switch {
	case e.Passed && start:
		r.fail(b.attrAt("passed"), sumStart, "The start scenario passes, so there is nothing to do in this lab. Say which checks fail there: failing = [check.NAME].")
	case e.Passed && len(e.Failing) > 0:
		r.fail(b.attrAt("failing"), sumExpect, "A report that passes has no failing checks. Remove either passed = true or failing.")
	case !e.Passed && given && len(e.Failing) == 0 && known,
		!e.Passed && len(e.Failing) == 0 && known && len(b.attrs) > 0:
		r.fail(b.at, sumExpect, "This scenario does not pass, and no check is expected to fail. Say failing = [check.NAME], or passed = true.")
	case !e.Passed && len(e.Failing) == 0 && known:
		r.fail(b.at, sumNothingAsked, "Nothing is expected of this scenario, so it proves nothing. Say passed = true, or failing = [check.NAME].")
	}
	return e
}
