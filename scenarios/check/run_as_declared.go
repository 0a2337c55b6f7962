package check

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/lab"
)

// RunAsDeclared asks whether live servers are run as their service says.
var RunAsDeclared = Kind{
	Type: "run_as_declared",
	Doc: "Whether each live container is run as its image and the service say. labctl runs a container of the same image as declared on the same engine, " +
		"and compares the two field by field: mounts, environment, entrypoint, command, user, namespaces, privileges, devices and health command must be equal, " +
		"and so must every field that labctl does not know. Where no container publishes the port, the service's network must be the only one. Memory, CPU, processes, capabilities and a read-only root may be stricter. " +
		"Name, labels, restart policy, log driver, terminal, --rm, --init and hostname are free.",
	Title:   "%s is run as declared, with nothing slipped in",
	Why:     "What is given to one container by hand is not in the image and not in the repository: the next container will lack it.",
	Next:    "Start the container with the flags that the brief gives, and nothing else; what the service needs belongs into the image.",
	Points:  10,
	Service: true,
	Needs:   func(lab.Check) (Needs, error) { return Needs{Fresh: true}, nil },
	Eval: func(c lab.Check, set *evidence.Set) Verdict {
		s, decided := live(c, set)
		if decided != nil {
			return *decided
		}
		const expected = "run as its image and the service say"
		for _, container := range s.Live {
			wrong, err := RunOtherwise(s, container)
			if err != nil {
				return couldNot(err.Error())
			}
			if len(wrong) > 0 {
				return Verdict{Status: Fail, Container: container.Name, Expected: expected, Observed: called(container) + " has " + Few(wrong), Details: wrong}
			}
		}
		return Verdict{Status: Pass, Container: s.Live[0].Name, Expected: expected, Observed: "so it is"}
	},
}

// RunOtherwise says in what a live container is run otherwise than declared:
// one line each, "mount of /x on /etc/booking.conf".
func RunOtherwise(s *evidence.Service, c evidence.Container) ([]string, error) {
	i := slices.IndexFunc(s.Fresh, func(f evidence.Fresh) bool { return f.Image == c.Image })
	if i < 0 {
		return nil, fmt.Errorf("no container was run as declared to compare %s with", called(c))
	}
	fresh := s.Fresh[i]
	if fresh.Container.ID == "" {
		return nil, fmt.Errorf("no container could be run as declared to compare %s with: %s", called(c), fresh.Error)
	}
	r := comparison{service: s}
	for _, part := range []struct {
		name       string
		live, want json.RawMessage
		rules      map[string]rule
	}{
		{"Config", c.Config, fresh.Container.Config, configRules},
		{"HostConfig", c.HostConfig, fresh.Container.HostConfig, hostRules},
	} {
		live, err := fields(part.live)
		if err != nil {
			return nil, fmt.Errorf("reading the %s of %s: %w", part.name, called(c), err)
		}
		want, err := fields(part.want)
		if err != nil {
			return nil, fmt.Errorf("reading the %s of the fresh container: %w", part.name, err)
		}
		if len(live) == 0 || len(want) == 0 {
			return nil, fmt.Errorf("the engine told no %s of %s", part.name, called(c))
		}
		r.part(live, want, part.rules)
	}
	r.networks(c)
	if err := r.mounts(c, fresh.Container); err != nil {
		return nil, fmt.Errorf("reading the mounts of %s: %w", called(c), err)
	}
	if len(r.wrong) == 0 && (c.Path != fresh.Container.Path || !slices.Equal(c.Args, fresh.Container.Args)) {
		r.add("command %s %s", c.Path, strings.Join(c.Args, " "))
	}
	return r.wrong, nil
}

var errUntold = errors.New("the engine told nothing")

// untold reports whether there is nothing: what was nothing when it was saved
// is null when it is read.
func untold(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }

// fields are a configuration's, by name. One that is not there is an error: two
// of those would otherwise be equal.
func fields(raw json.RawMessage) (map[string]any, error) {
	if untold(raw) {
		return nil, errUntold
	}
	var m map[string]any
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, err
	}
	return m, nil
}

// comparison collects what a live container has otherwise.
type comparison struct {
	service *evidence.Service
	wrong   []string
}

func (r *comparison) add(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	if !slices.Contains(r.wrong, line) {
		r.wrong = append(r.wrong, line)
	}
}

// networks must be the service's alone where it is reached there: another one may
// lead out of one that is internal. Where a port is published, any bridge leads
// there.
func (r *comparison) networks(c evidence.Container) {
	if !lab.OnNetwork(r.service.Publish) {
		return
	}
	if !slices.Contains(c.Networks, r.service.Network) {
		r.add("no network %s", r.service.Network)
	}
	for _, name := range c.Networks {
		if name != r.service.Network {
			r.add("network %s (declared %s)", name, r.service.Network)
		}
	}
}

// rule compares one field. The rule of a field that is in no table is equal:
// what labctl does not know must not make a difference.
type rule func(r *comparison, name string, live, want any)

// part compares all fields of one part.
func (r *comparison) part(live, want map[string]any, rules map[string]rule) {
	all := map[string]any{}
	for name := range live {
		all[name] = nil
	}
	for name := range want {
		all[name] = nil
	}
	for _, name := range sortedKeys(all) {
		compare, known := rules[name]
		if !known {
			compare = equal
		}
		compare(r, name, live[name], want[name])
	}
}

// configRules are the fields of Config that need not be equal.
var configRules = map[string]rule{
	"Hostname": free, "Domainname": free, "Labels": free, "Image": free,
	"Tty": free, "OpenStdin": free, "StdinOnce": free, "AttachStdin": free, "AttachStdout": free, "AttachStderr": free,
	"StopTimeout": free,
	"ArgsEscaped": free, // of Windows; BuildKit sets it everywhere
	"Env":         environment,
	"Cmd":         command("command"), "Entrypoint": command("entrypoint"),
	"Healthcheck":  health,
	"ExposedPorts": exposed,
}

// hostRules are the fields of HostConfig that need not be equal.
var hostRules = map[string]rule{
	"RestartPolicy": free, "LogConfig": free, "AutoRemove": free, "Init": free,
	"ContainerIDFile": free, "ConsoleSize": free, "Annotations": free,
	"Memory": atMost(memory), "MemorySwap": swap, "MemoryReservation": free,
	"NanoCpus": atMost(cpus), "CpuShares": free, "CpuPeriod": free, "CpuQuota": free,
	"CpusetCpus": free, "CpusetMems": free,
	"PidsLimit":      atMost(pids),
	"CapDrop":        more,
	"SecurityOpt":    hardened,
	"ReadonlyRootfs": stricter,
	"PortBindings":   ports,
	"NetworkMode":    network,
	"Tmpfs":          nothing, // these three are what comparison.mounts compares
	"Binds":          nothing,
	"Mounts":         nothing,
}
