package runner

import (
	"fmt"
	"net"
	"strconv"

	"github.com/labctl/labctl/runner/apply"
	"github.com/labctl/labctl/runner/problem"
	"github.com/labctl/labctl/scenarios/lab"
)

// portsTried is how many ports above a service's own are tried.
const portsTried = 200

// addresses chooses a port on 127.0.0.1 for every service that is reached from the host:
// its own where that is free, else the next above. A port that another
// instance was given is taken even while nothing answers there: its learner may
// be between removing a pet and running its successor.
func addresses(l *lab.Lab, w world) (map[string]string, error) {
	out := map[string]string{}
	taken := map[int]bool{}
	for _, c := range w.containers {
		for _, p := range c.Ports {
			taken[p.Host] = true
		}
	}
	for _, n := range w.networks {
		for _, address := range apply.Addresses(n) {
			if _, port, err := net.SplitHostPort(address); err == nil {
				number, _ := strconv.Atoi(port) // 0 is nobody's port
				taken[number] = true
			}
		}
	}
	for _, s := range l.Services {
		if s.Publish == lab.PublishNone {
			continue
		}
		port := s.Port
		if port < 1024 {
			port += 8000 // ports below are not for everybody
		}
		first := port
		for taken[port] || !free(port) {
			if port++; port > first+portsTried || port > 65535 {
				return nil, &problem.Problem{
					What: fmt.Sprintf("no port is free for %s", s.Address()),
					Why:  fmt.Sprintf("%d to %d on 127.0.0.1 are taken", first, port-1),
					Mend: "stop what uses them",
				}
			}
		}
		taken[port] = true
		out[apply.Key(s.Name, s.Environment)] = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	}
	return out, nil
}

// free reports whether nothing listens on a port, on this address or on all.
func free(port int) bool {
	for _, host := range []string{"127.0.0.1", ""} {
		l, err := net.Listen("tcp4", net.JoinHostPort(host, strconv.Itoa(port)))
		if err != nil {
			return false
		}
		_ = l.Close()
	}
	return true
}
