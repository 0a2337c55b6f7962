package gather

import (
	"net"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/labctl/labctl/runner/engine"
	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/lab"
)

// Publishing are the containers that answer at an address of the host,
// 127.0.0.1:8080, because they publish it; the oldest first.
func Publishing(all []engine.Summary, address string) []engine.Summary {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		return nil
	}
	var out []engine.Summary
	for _, c := range all {
		if !runs(c) {
			continue
		}
		if slices.ContainsFunc(c.Ports, func(p engine.Port) bool {
			return p.Host == n && p.Protocol == "tcp" && (p.HostIP == host || p.HostIP == "0.0.0.0" || p.HostIP == "")
		}) {
			out = append(out, c)
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Created.Before(out[j].Created) })
	return out
}

// Attached are the running containers on a network, the oldest first.
func Attached(all []engine.Summary, network string) []engine.Summary {
	var out []engine.Summary
	for _, c := range all {
		if _, on := c.Networks[network]; on && runs(c) {
			out = append(out, c)
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Created.Before(out[j].Created) })
	return out
}

// serves reports whether a container that was found on a service's way is one
// of its own: on a network, what is found there by the service's name.
func serves(c evidence.Container, service evidence.Service) bool {
	return !lab.OnNetwork(service.Publish) || KnownAs(c, service.Name)
}

// KnownAs reports whether networks find a container by a name. They know no
// difference between capitals and small letters.
func KnownAs(c evidence.Container, name string) bool {
	return slices.ContainsFunc(c.Aliases, func(alias string) bool { return strings.EqualFold(alias, name) })
}

func runs(c engine.Summary) bool { return c.State == "running" || c.State == "paused" }

// sharers are the containers that share the network of a live one, so that
// what answers may be theirs.
func sharers(all []engine.Summary, live []evidence.Container) []evidence.Sharer {
	var out []evidence.Sharer
	for _, c := range all {
		with, shares := strings.CutPrefix(c.NetworkMode, "container:")
		if !shares || !runs(c) {
			continue
		}
		for _, l := range live {
			if with == l.ID || with == l.Name {
				out = append(out, evidence.Sharer{ID: c.ID, Name: c.Name, Why: "shares the network namespace of " + l.Name})
			}
		}
	}
	return out
}
