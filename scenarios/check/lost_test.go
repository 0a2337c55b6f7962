package check_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/labctl/labctl/scenarios/check"
	"github.com/labctl/labctl/scenarios/evidence"
)

func TestInMemory(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		host   string
		mounts []evidence.Mount
		want   []string
	}{
		"as run":           {`{"IpcMode":"private"}`, nil, []string{"/dev/shm"}},
		"both notations":   {`{"IpcMode":"shareable","Tmpfs":{"/tmp/":"size=1m"},"Mounts":[{"Type":"tmpfs","Target":"/cache"}]}`, nil, []string{"/cache", "/dev/shm", "/tmp"}},
		"the host's":       {`{"IpcMode":"host","Tmpfs":{"/run":""}}`, nil, []string{"/run"}},
		"another's":        {`{"IpcMode":"container:abc"}`, nil, nil},
		"none":             {`{"IpcMode":"none"}`, nil, nil},
		"tmpfs there":      {`{"IpcMode":"none","Tmpfs":{"/dev/shm":""}}`, nil, []string{"/dev/shm"}},
		"a volume instead": {`{"IpcMode":"private"}`, []evidence.Mount{{Type: "volume", Name: "kept", Destination: "/dev/shm"}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := check.InMemory(evidence.Container{HostConfig: json.RawMessage(tt.host), Mounts: tt.mounts})
			if err != nil || !slices.Equal(got, tt.want) {
				t.Errorf("got %q, %v, want %q", got, err, tt.want)
			}
		})
	}
	if got, err := check.InMemory(evidence.Container{}); err == nil {
		t.Errorf("of a container that is not told: %q", got)
	}
}

func TestAnonymousVolumes(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		host  string
		mount evidence.Mount
		want  bool
	}{
		"made for the image":    {`{}`, evidence.Mount{Type: "volume", Name: anonymous, Destination: "/data"}, true},
		"made for a flag":       {`{"Mounts":[{"Type":"volume","Target":"/data"}]}`, evidence.Mount{Type: "volume", Name: anonymous, Destination: "/data"}, true},
		"named":                 {`{"Binds":["kept:/data"]}`, evidence.Mount{Type: "volume", Name: "kept", Destination: "/data"}, false},
		"named like an unnamed": {`{"Binds":["` + anonymous + `:/data"]}`, evidence.Mount{Type: "volume", Name: anonymous, Destination: "/data"}, false},
		"a folder of the host":  {`{}`, evidence.Mount{Type: "bind", Source: "/srv", Destination: "/data"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := check.Anonymous(evidence.Container{HostConfig: json.RawMessage(tt.host)}, tt.mount)
			if err != nil || got != tt.want {
				t.Errorf("got %t, %v, want %t", got, err, tt.want)
			}
		})
	}
}
