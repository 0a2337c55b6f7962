package engine

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// special are the characters that a shell does not take as they are. A flag
// with one cannot both be typed from the brief and come out of an unquoted
// $BOOKING_RUN, which splits at spaces and knows no quotes.
const special = " \t\r\n\"'`$\\&|;<>()*?[]!"

// RunFlags are the docker run flags that make a container as the spec says:
// where it is reached and how it is run. Its name, labels, image and command
// are left to whoever runs it. Each element is one word for a shell; a value
// that cannot be is an error.
func RunFlags(spec ContainerSpec) ([]string, error) {
	var flags []string
	add := func(flag, value string) {
		if value != "" {
			flags = append(flags, flag, value)
		}
	}
	run := spec.Run
	add("--network", spec.Network)
	add("--network-alias", spec.Alias)
	if spec.Publish != 0 {
		host := spec.HostIP + ":"
		if spec.HostPort != 0 {
			host += strconv.Itoa(spec.HostPort)
		}
		add("--publish", host+":"+strconv.Itoa(spec.Publish))
	}
	for _, server := range spec.DNS {
		add("--dns", server)
	}
	for _, name := range slices.Sorted(maps.Keys(spec.Sysctls)) {
		add("--sysctl", name+"="+spec.Sysctls[name])
	}
	add("--memory", run.Memory)
	add("--cpus", run.CPUs)
	if run.Pids != 0 {
		add("--pids-limit", strconv.FormatInt(run.Pids, 10))
	}
	for _, name := range slices.Sorted(maps.Keys(run.Env)) {
		add("--env", name+"="+run.Env[name])
	}
	add("--user", run.User)
	if run.ReadOnly {
		flags = append(flags, "--read-only")
	}
	for _, mount := range run.Tmpfs {
		add("--tmpfs", mount)
	}
	for _, capability := range run.CapDrop {
		add("--cap-drop", capability)
	}
	if run.Init {
		flags = append(flags, "--init")
	}
	for i, word := range flags {
		if strings.ContainsAny(word, special) {
			return nil, fmt.Errorf("%s %q: spaces, quotes and other characters that a shell treats specially cannot be given as docker run flags", flags[i-1], word)
		}
	}
	return flags, nil
}
