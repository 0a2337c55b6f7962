package check

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/docker/go-units"

	"github.com/labctl/labctl/scenarios/lab"
)

func free(*comparison, string, any, any) {}

// nothing is for fields that are compared through others.
var nothing = free

func equal(r *comparison, name string, live, want any) {
	if !same(live, want) {
		r.add("%s %s", name, told(live))
	}
}

// same compares values; what is empty in any notation is one, as clients and
// engines write it differently. -1 is the engine's "not set".
func same(a, b any) bool {
	if blank(a) && blank(b) {
		return true
	}
	return reflect.DeepEqual(a, b)
}

func blank(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case bool:
		return !v
	case float64:
		return v == 0 || v == -1
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}

func told(v any) string {
	if blank(v) {
		return "is not set"
	}
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}

func items(v any) []string {
	list, _ := v.([]any)
	var out []string
	for _, item := range list {
		out = append(out, fmt.Sprint(item))
	}
	return out
}

func environment(r *comparison, _ string, live, want any) {
	has, declared := items(live), items(want)
	for _, e := range has {
		if !slices.Contains(declared, e) {
			r.add("environment %s", e)
		}
	}
	for _, e := range declared {
		name, _, _ := strings.Cut(e, "=")
		if !slices.Contains(has, e) && !slices.ContainsFunc(has, func(h string) bool { return strings.HasPrefix(h, name+"=") }) {
			r.add("environment %s missing", name)
		}
	}
}

func command(what string) rule {
	return func(r *comparison, _ string, live, want any) {
		if !slices.Equal(items(live), items(want)) {
			r.add("%s %s", what, quoted(items(live)))
		}
	}
}

func quoted(words []string) string {
	if len(words) == 0 {
		return "none"
	}
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = w
		if strings.ContainsAny(w, " \t\n'\"$;|&<>()") || w == "" {
			out[i] = strconv.Quote(w)
		}
	}
	return strings.Join(out, " ")
}

func health(r *comparison, _ string, live, want any) {
	if same(live, want) {
		return
	}
	has, _ := live.(map[string]any)
	declared, _ := want.(map[string]any)
	if same(has["Test"], declared["Test"]) {
		r.add("health check %s", told(live))
		return
	}
	r.add("health command %s", quoted(items(has["Test"])))
}

// exposed may be the image's ports and the service's.
func exposed(r *comparison, _ string, live, want any) {
	has, _ := live.(map[string]any)
	declared, _ := want.(map[string]any)
	for _, port := range sortedKeys(has) {
		if _, ok := declared[port]; !ok && port != fmt.Sprintf("%d/tcp", r.service.Port) {
			r.add("exposed port %s", port)
		}
	}
}

// limit is a resource of which a service declares the most that it needs.
type limit struct {
	name     string
	declared func(lab.Run) (most float64, written string, err error)
	unit     func(float64) string
}

var (
	memory = limit{"memory", func(run lab.Run) (float64, string, error) {
		if run.Memory == "" {
			return 0, "", nil
		}
		n, err := units.RAMInBytes(run.Memory)
		return float64(n), run.Memory, err
	}, func(v float64) string { return units.BytesSize(v) }}
	cpus = limit{"CPU", func(run lab.Run) (float64, string, error) {
		if run.CPUs == "" {
			return 0, "", nil
		}
		n, err := strconv.ParseFloat(run.CPUs, 64)
		return n * 1e9, run.CPUs, err
	}, func(v float64) string { return strconv.FormatFloat(v/1e9, 'g', -1, 64) }}
	pids = limit{"process", func(run lab.Run) (float64, string, error) {
		return float64(run.Pids), strconv.FormatInt(run.Pids, 10), nil
	}, func(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }}
)

// atMost holds a limit to what the service declares; without a declaration any
// limit will do, as it can only be stricter.
func atMost(l limit) rule {
	return func(r *comparison, _ string, live, _ any) {
		most, written, err := l.declared(r.service.Run)
		if err != nil {
			r.add("a %s limit that cannot be compared: %v", l.name, err)
			return
		}
		if most == 0 {
			return
		}
		has, _ := live.(float64)
		switch {
		case has <= 0:
			r.add("no %s limit (at most %s)", l.name, written)
		case has > most:
			r.add("%s %s (at most %s)", l.name, l.unit(has), written)
		}
	}
}

// swap may be less than the engine adds to the declared memory.
func swap(r *comparison, _ string, live, want any) {
	has, _ := live.(float64)
	most, _ := want.(float64)
	if r.service.Run.Memory != "" && most > 0 && (has > most || has < 0) {
		r.add("swap without the limit that memory %s brings", r.service.Run.Memory)
	}
}

// more may take away what is declared to be taken, and others.
func more(r *comparison, _ string, live, want any) {
	has := map[string]bool{}
	for _, dropped := range items(live) {
		has[strings.TrimPrefix(dropped, "CAP_")] = true
	}
	for _, dropped := range items(want) {
		if !has[strings.TrimPrefix(dropped, "CAP_")] && !has["ALL"] {
			r.add("capability %s not dropped", dropped)
		}
	}
}

// hardened may only add what takes away privileges.
func hardened(r *comparison, _ string, live, want any) {
	kept, declared := slices.DeleteFunc(items(live), hardening), slices.DeleteFunc(items(want), hardening)
	if !slices.Equal(kept, declared) {
		r.add("security option %s", quoted(kept))
	}
}

// hardening reports whether a security option forbids new privileges, in any of
// the notations that engines take.
func hardening(option string) bool {
	switch option {
	case "no-new-privileges", "no-new-privileges:true", "no-new-privileges=true":
		return true
	}
	return false
}

// stricter may be true where it is not declared, never the other way.
func stricter(r *comparison, _ string, live, want any) {
	if want == true && live != true {
		r.add("a root filesystem that can be written (declared read-only)")
	}
}

// ports must be the service's alone, at its address; on which of the host's
// addresses is free.
func ports(r *comparison, _ string, live, _ any) {
	has, _ := live.(map[string]any)
	own := fmt.Sprintf("%d/tcp", r.service.Port)
	hostPort := r.service.Address[strings.LastIndexByte(r.service.Address, ':')+1:]
	for _, port := range sortedKeys(has) {
		bindings, _ := has[port].([]any)
		for _, b := range bindings {
			binding, _ := b.(map[string]any)
			if r.service.Publish != lab.PublishPort || port != own || fmt.Sprint(binding["HostPort"]) != hostPort {
				r.add("published port %v:%s", binding["HostPort"], port)
			}
		}
	}
}

// network must be a network of its own. Which one that is, networks tells: the
// mode has a name or an ID, as it was given.
func network(r *comparison, _ string, live, want any) {
	mode := fmt.Sprint(live)
	switch {
	case blank(live) && !blank(want):
		r.add("no network mode")
	case mode == "host" || mode == "none" || strings.HasPrefix(mode, "container:"):
		r.add("network mode %s", mode)
	}
}
