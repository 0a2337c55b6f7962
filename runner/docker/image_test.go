package docker_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/labctl/labctl/runner/docker"
)

// An engine takes an image's nameless parents along. When somebody else's
// removal took one meanwhile, it says so as an error of its own making.
func TestRemoveImageBesideOthers(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		stumbles int32
		asked    int32
		ok       bool
	}{"once": {1, 2, true}, "ever": {100, 3, false}, "never": {0, 1, true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked atomic.Int32
			socket := serve(t, "1.41", func(w http.ResponseWriter, r *http.Request) {
				if r.Method != http.MethodDelete || !strings.Contains(r.URL.Path, "/images/x:1") {
					t.Errorf("asked %s %s", r.Method, r.URL)
				}
				w.Header().Set("Content-Type", "application/json")
				answer := "[]"
				if asked.Add(1) <= tt.stumbles {
					w.WriteHeader(http.StatusInternalServerError)
					answer = `{"message":"unrecognized image ID sha256:0123"}`
				}
				if _, err := w.Write([]byte(answer)); err != nil {
					t.Error(err)
				}
			})
			e, err := docker.ConnectTo(t.Context(), "unix://"+socket, time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			if err := e.RemoveImage(t.Context(), "x:1"); (err == nil) != tt.ok || asked.Load() != tt.asked {
				t.Errorf("asked %d times, error %v", asked.Load(), err)
			}
		})
	}
}
