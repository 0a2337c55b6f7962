package engine_test

import (
	"strings"
	"testing"

	"github.com/labctl/labctl/runner/engine"
	"github.com/labctl/labctl/scenarios/lab"
)

func TestRunFlags(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		spec engine.ContainerSpec
		want string
	}{
		"nothing": {engine.ContainerSpec{Name: "web-001", Image: "app", Labels: map[string]string{"a": "b"}}, ""},
		"everything": {
			engine.ContainerSpec{
				Network: "drift-lab-ada", Alias: "booking",
				Publish: 8080, HostIP: "127.0.0.1", HostPort: 8081,
				DNS: []string{"127.0.0.1"}, Sysctls: map[string]string{"net.ipv4.ip_forward": "0"},
				Run: lab.Run{
					Memory: "64m", CPUs: "0.5", Pids: 50, User: "1000:1000", ReadOnly: true, Init: true,
					Env:     map[string]string{"TZ": "UTC", "EMPTY": ""},
					Tmpfs:   []string{"/run", "/tmp:size=1m"},
					CapDrop: []string{"ALL"},
					Command: []string{"not", "a", "flag"},
				},
			},
			"--network drift-lab-ada --network-alias booking --publish 127.0.0.1:8081:8080 --dns 127.0.0.1 --sysctl net.ipv4.ip_forward=0 --memory 64m --cpus 0.5" +
				" --pids-limit 50 --env EMPTY= --env TZ=UTC --user 1000:1000 --read-only --tmpfs /run" +
				" --tmpfs /tmp:size=1m --cap-drop ALL --init",
		},
		"any host port": {engine.ContainerSpec{Publish: 80, HostIP: "127.0.0.1"}, "--publish 127.0.0.1::80"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			flags, err := engine.RunFlags(tt.spec)
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(flags, " "); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestRunFlagsRefusesWhatAShellChanges(t *testing.T) {
	t.Parallel()
	for _, value := range []string{"two words", "$HOME", "a;b", "it's", `"`, "*", "line\nbreak"} {
		spec := engine.ContainerSpec{Run: lab.Run{Env: map[string]string{"GREETING": value}}}
		flags, err := engine.RunFlags(spec)
		if err == nil {
			t.Errorf("%q became %q", value, flags)
		} else if !strings.Contains(err.Error(), "--env") {
			t.Errorf("%q: the error does not name the flag: %v", value, err)
		}
	}
}
