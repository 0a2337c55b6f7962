package docker_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/labctl/labctl/runner/docker"
)

// field appends a length-delimited field to a message.
func field(message []byte, number protowire.Number, value string) []byte {
	return protowire.AppendString(protowire.AppendTag(message, number, protowire.BytesType), value)
}

func TestTrace(t *testing.T) {
	t.Parallel()
	vertex := field(field(nil, 1, "sha256:1"), 3, "[2/2] RUN make")
	vertex = protowire.AppendVarint(protowire.AppendTag(vertex, 4, protowire.VarintType), 1) // cached: skipped
	waiting := field(nil, 1, string(vertex))
	started := field(nil, 1, string(field(vertex, 5, time.Now().String())))
	said := field(nil, 3, string(field(field(nil, 1, "sha256:1"), 4, "one\ntwo\n")))
	var trace docker.Trace
	var lines []string
	for _, message := range [][]byte{waiting, started, said, started} {
		aux, err := json.Marshal(message)
		if err != nil {
			t.Fatal(err)
		}
		more, err := trace.Read(aux)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, more...)
	}
	if want := []string{"[2/2] RUN make", "one", "two"}; !slices.Equal(lines, want) {
		t.Errorf("got %q, want %q", lines, want)
	}
}

func FuzzTrace(f *testing.F) {
	f.Add(field(nil, 1, string(field(field(nil, 1, "a"), 3, "b"))))
	f.Add(field(nil, 3, string(field(nil, 4, "c\n"))))
	f.Add([]byte{0xff})
	f.Fuzz(func(t *testing.T, message []byte) {
		aux, err := json.Marshal(message)
		if err != nil {
			t.Fatal(err)
		}
		var trace docker.Trace
		_, _ = trace.Read(aux) // an error or not, but no panic
	})
}
