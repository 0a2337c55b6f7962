package config

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"github.com/labctl/labctl/scenarios/lab"
)

// What run specifications may say, in docker's notation.
var (
	validMemory     = regexp.MustCompile(`^([1-9][0-9]{0,14})([bkmg]?)$`)
	validCPUs       = regexp.MustCompile(`^[0-9]{1,4}(\.[0-9]{1,3})?$`)
	validUser       = regexp.MustCompile(`^([a-z_][a-z0-9_-]*|[0-9]+)(:([a-z_][a-z0-9_-]*|[0-9]+))?$`)
	validCapability = regexp.MustCompile(`^(CAP_)?[A-Z][A-Z_]*$`)
	validVariable   = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

// minMemory is the least that the engine accepts as a limit, in bytes.
const minMemory = 6 << 20

// run lays a run block over a specification: what the block says holds, and
// variables are added to those there.
func (r *resolver) run(base lab.Run, b *block, sc scope) lab.Run {
	run := base
	r.limits(&run, b, sc)
	if env, ok := get[map[string]string](r, b, "env", cty.Map(cty.String), sc); ok {
		for _, name := range slices.Sorted(maps.Keys(env)) {
			if !validVariable.MatchString(name) {
				r.invalid(b, "env", fmt.Sprintf("%q is no name of a variable; those are letters, digits and _", name))
			}
		}
		run.Env = map[string]string{}
		maps.Copy(run.Env, base.Env)
		maps.Copy(run.Env, env)
	}
	if user, ok := get[string](r, b, "user", cty.String, sc); ok {
		if run.User = user; !validUser.MatchString(user) {
			r.invalid(b, "user", fmt.Sprintf("%q is no user; write a name or number, with a group after a colon if need be: \"1000:1000\"", user))
		}
	}
	if v, ok := get[bool](r, b, "read_only", cty.Bool, sc); ok {
		run.ReadOnly = v
	}
	if _, ok := b.attrs["tmpfs"]; ok {
		run.Tmpfs = r.paths(b, "tmpfs", sc)
	}
	if drop, ok := get[[]string](r, b, "cap_drop", cty.List(cty.String), sc); ok {
		run.CapDrop = drop
		for _, c := range drop {
			if !validCapability.MatchString(c) {
				r.invalid(b, "cap_drop", fmt.Sprintf("%q is no capability; write them like \"NET_RAW\", or \"ALL\"", c))
			}
		}
	}
	if command, ok := get[[]string](r, b, "command", cty.List(cty.String), sc); ok {
		if run.Command = command; len(command) == 0 || command[0] == "" {
			r.invalid(b, "command", "it names no program; leave it out to run the image's own")
		}
	}
	if v, ok := get[bool](r, b, "init", cty.Bool, sc); ok {
		run.Init = v
	}
	return run
}

// limits reads what a container may use at most.
func (r *resolver) limits(run *lab.Run, b *block, sc scope) {
	if memory, ok := get[string](r, b, "memory", cty.String, sc); ok {
		run.Memory = memory
		if bytes, ok := memoryBytes(memory); !ok {
			r.invalid(b, "memory", fmt.Sprintf("%q is no amount of memory; write a whole number with b, k, m or g, like \"64m\"", memory))
		} else if bytes < minMemory {
			r.invalid(b, "memory", fmt.Sprintf("%q is less than the engine's least, \"6m\"", memory))
		}
	}
	if cpus, ok := get[string](r, b, "cpus", cty.String, sc); ok {
		run.CPUs = cpus
		if !validCPUs.MatchString(cpus) || strings.Trim(cpus, "0.") == "" {
			r.invalid(b, "cpus", fmt.Sprintf("%q is no number of processors; write one above zero with at most three decimals, like \"0.5\"", cpus))
		}
	}
	if pids, ok := get[int64](r, b, "pids", cty.Number, sc); ok {
		if run.Pids = pids; pids < 1 {
			r.invalid(b, "pids", "a container needs at least one process")
		}
	}
}

// memoryBytes reads docker's notation of memory.
func memoryBytes(s string) (int64, bool) {
	m := validMemory.FindStringSubmatch(s)
	if m == nil {
		return 0, false
	}
	n, err := strconv.ParseInt(m[1], 10, 64)
	if err != nil {
		return 0, false
	}
	factor := map[string]int64{"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}[m[2]]
	if n > (1<<62)/factor {
		return 0, false
	}
	return n * factor, true
}
