package runner_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/labctl/labctl/runner"
	"github.com/labctl/labctl/runner/engine"
	"github.com/labctl/labctl/runner/engine/fake"
	"github.com/labctl/labctl/runner/plan"
	"github.com/labctl/labctl/scenarios/lab"
)

// relayed is an instance of the fixture relays, on the machine's engine.
type relayed struct {
	*testing.T
	*runner.Runner
	runner.Instance
	options runner.StartOptions
}

func startRelays(t *testing.T) *relayed {
	t.Helper()
	r := newRunner(t)
	in := &relayed{T: t, Runner: r, options: runner.StartOptions{Lab: fixture(t, "relays"), Learner: r.User, Dir: filepath.Join(t.TempDir(), "ws"), Cwd: "/"}}
	in.start()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		p, err := r.PlanStop(ctx, in.Instance, true)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Stop(ctx, p); err != nil {
			t.Error(err)
		}
	})
	return in
}

// One instance for all, one after the other: each changes what the next finds.
func TestRelays(t *testing.T) {
	t.Parallel()
	in := startRelays(t)
	for _, part := range []struct {
		name string
		test func(*relayed)
	}{
		{"every replica is reached", (*relayed).reachesEveryReplica},
		{"what does not answer is not met", (*relayed).passesOver},
		{"all of a connection is passed on", (*relayed).passesAll},
		{"nothing is left of a connection", (*relayed).leavesNothing},
		{"a service of an internal network is reached, and nobody gets out", (*relayed).internal},
		{"whoever speaks HTTP is told that nobody serves", (*relayed).nobody},
		{"a relay that was removed comes back", (*relayed).comesBack},
	} {
		t.Run(part.name, func(t *testing.T) {
			in.T = t
			part.test(in)
		})
	}
}

func (in *relayed) start() {
	in.Helper()
	started, err := in.Start(in.Context(), in.options)
	if err != nil {
		in.Fatal(err)
	}
	in.Instance = started.Instance
}

// service is a service as status shows it now.
func (in *relayed) service(name string) runner.ServiceStatus {
	in.Helper()
	found, err := in.Find(in.Context(), runner.Selector{Lab: in.Instance.Instance})
	if err != nil {
		in.Fatal(err)
	}
	i := slices.IndexFunc(found.Services, func(s runner.ServiceStatus) bool { return s.Name == name })
	return found.Services[i]
}

// relay is the container of a service's relay.
func (in *relayed) relay(name string) engine.Summary {
	in.Helper()
	all, err := in.Engine.Containers(in.Context())
	if err != nil {
		in.Fatal(err)
	}
	called := in.service(name).Relay
	i := slices.IndexFunc(all, func(c engine.Summary) bool { return c.Name == called })
	if i < 0 {
		in.Fatalf("no relay of %s runs", name)
	}
	return all[i]
}

// client makes a connection of its own for each request, as curl does.
var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}

func (in *relayed) get(service, path string) (int, string) {
	in.Helper()
	answer, err := client.Get("http://" + in.service(service).Address + path)
	if err != nil {
		in.Fatal(err)
	}
	return in.read(answer)
}

func (in *relayed) read(answer *http.Response) (int, string) {
	in.Helper()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		in.Fatal(err)
	}
	if err := answer.Body.Close(); err != nil {
		in.Error(err)
	}
	return answer.StatusCode, strings.TrimSpace(string(body))
}

func (in *relayed) reachesEveryReplica() {
	answered := map[string]int{}
	for range 100 {
		if len(answered) == 4 {
			break
		}
		_, who := in.get("herd", "/cgi-bin/who")
		answered[who]++
	}
	if len(answered) != 4 {
		in.Errorf("these alone answered: %v", answered)
	}
	for _, c := range in.service("herd").Live {
		if answered[c.ID[:12]] == 0 {
			in.Errorf("%s never answered: %v", c.Name, answered)
		}
	}
}

// passesOver is about a replica that is gone, and one that does not listen. That
// one is live, however the name is written and whatever its labels say.
func (in *relayed) passesOver() {
	gone := in.service("herd").Live
	if err := in.Engine.RemoveContainer(in.Context(), gone[0].ID); err != nil {
		in.Fatal(err)
	}
	deaf, err := in.Engine.CreateContainer(in.Context(), engine.ContainerSpec{
		Name: in.Instance.Instance + "-deaf", Image: gone[1].Image, Network: in.Instance.Instance + "-open", Alias: "HERD",
		Labels: map[string]string{engine.LabelRole: engine.RoleFresh},
		Run:    lab.Run{Command: []string{"sleep", "1000000"}},
	})
	if err != nil {
		in.Fatal(err)
	}
	if err := in.Engine.StartContainer(in.Context(), deaf); err != nil {
		in.Fatal(err)
	}
	if live := in.service("herd").Live; !slices.ContainsFunc(live, func(c runner.LiveContainer) bool { return c.ID == deaf }) {
		in.Errorf("live are %+v", live)
	}
	for range 20 {
		if status, who := in.get("herd", "/cgi-bin/who"); status != http.StatusOK || gone[0].ID[:12] == who {
			in.Fatalf("answered %d %s", status, who)
		}
	}
}

func (in *relayed) passesAll() {
	const size = 1 << 20
	sent, err := client.Post("http://"+in.service("herd").Address+"/cgi-bin/size", "text/plain", strings.NewReader(strings.Repeat("x", size)))
	if err != nil {
		in.Fatal(err)
	}
	if status, body := in.read(sent); status != http.StatusOK || body != "1048576" {
		in.Errorf("of %d bytes the answer is %d %s", size, status, body)
	}

	// Who has said all that it has to say can still listen.
	conn, err := net.Dial("tcp", in.service("herd").Address)
	if err != nil {
		in.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.Write([]byte("GET /cgi-bin/who HTTP/1.0\r\n\r\n")); err != nil {
		in.Fatal(err)
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		in.Fatal(err)
	}
	heard, err := io.ReadAll(conn)
	if err != nil || !strings.HasPrefix(string(heard), "HTTP/1.") || !slices.ContainsFunc(in.service("herd").Live, func(c runner.LiveContainer) bool {
		return strings.Contains(string(heard), c.ID[:12])
	}) {
		in.Errorf("heard %q (%v)", heard, err)
	}
}

// connections are the processes with which a relay passes connections on, without
// those that listen and the script's own.
func (in *relayed) connections(service string) string {
	in.Helper()
	ended, err := in.Engine.Exec(in.Context(), in.relay(service).ID, "", `for p in /proc/[0-9]*/cmdline; do tr '\0' ' ' <$p && echo; done 2>/dev/null |
		grep -e --pass -e 'nc -w' -e nslookup | grep -v -e grep -e 'nc -ll'`, nil)
	if err != nil {
		in.Fatal(err)
	}
	return ended.Output
}

// eventually waits until something is so.
func (in *relayed) eventually(what string, is func() bool) {
	in.Helper()
	for deadline := time.Now().Add(time.Minute); !is(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			in.Fatalf("not within a minute: %s", what)
		}
	}
}

// leavesNothing is about a connection that says nothing, and its end.
func (in *relayed) leavesNothing() {
	conn, err := net.Dial("tcp", in.service("herd").Address)
	if err != nil {
		in.Fatal(err)
	}
	in.eventually("it is passed on", func() bool { return strings.Contains(in.connections("herd"), "nc -w") })
	if err := conn.Close(); err != nil {
		in.Fatal(err)
	}
	in.eventually("no process is left of it", func() bool { return in.connections("herd") == "" })
}

func (in *relayed) internal() {
	if status, who := in.get("vault", "/cgi-bin/who"); status != http.StatusOK || who != in.service("vault").Live[0].ID[:12] {
		in.Errorf("answered %d %s", status, who)
	}
	// It is on another network, too, and must lead nobody there.
	ended, err := in.Engine.Exec(in.Context(), in.relay("vault").ID, "", "cat /proc/sys/net/ipv4/ip_forward", nil)
	if err != nil || strings.TrimSpace(ended.Output) != "0" {
		in.Errorf("forwarding is %s (%v)", ended.Output, err)
	}
}

// nobody is asked with a body that nobody reads, too.
func (in *relayed) nobody() {
	if err := in.Engine.RemoveContainer(in.Context(), in.service("vault").Live[0].ID); err != nil {
		in.Fatal(err)
	}
	sent, err := client.Post("http://"+in.service("vault").Address+"/", "text/plain", strings.NewReader(strings.Repeat("x", 1<<20)))
	if err != nil {
		in.Fatal(err)
	}
	if status, body := in.read(sent); status != http.StatusServiceUnavailable || !strings.Contains(body, "nobody serves vault") {
		in.Errorf("nobody answered with %d %s", status, body)
	}
}

func (in *relayed) comesBack() {
	before := in.relay("herd")
	if err := in.Engine.RemoveContainer(in.Context(), before.ID); err != nil {
		in.Fatal(err)
	}
	if s := in.service("herd"); s.Relay != "" || !strings.Contains(s.Unreached, "labctl start") || len(s.Live) != 4 {
		in.Errorf("without its relay the service is %+v", s)
	}
	in.start()
	after := in.relay("herd")
	if after.ID == before.ID || after.Name != before.Name {
		in.Errorf("the relay was %s %s and is %s %s", before.Name, before.ID, after.Name, after.ID)
	}
	if status, _ := in.get("herd", "/cgi-bin/who"); status != http.StatusOK {
		in.Errorf("answered with %d", status)
	}
}

// On an engine that runs nothing, since others may have relays on the real one.
func TestRelaysShareAnImage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e := fake.Open(filepath.Join(dir, "engine.json"))
	r := runnerOn(e, dir)
	images := func() []string {
		t.Helper()
		ids, err := e.ImagesLabelled(t.Context(), engine.LabelRole, engine.RoleRelay)
		if err != nil {
			t.Fatal(err)
		}
		return ids
	}
	var started []runner.Instance
	for _, learner := range []string{"ada", "eve"} {
		s, err := r.Start(t.Context(), runner.StartOptions{Lab: fixture(t, "relays"), Learner: learner, Dir: filepath.Join(dir, learner), Cwd: dir})
		if err != nil {
			t.Fatal(err)
		}
		started = append(started, s.Instance)
		for _, service := range s.Instance.Services {
			if service.Relay == "" {
				t.Errorf("%s has no relay for %s", learner, service.Name)
			}
		}
	}
	if ids := images(); len(ids) != 1 {
		t.Errorf("the relays of two instances run %v", ids)
	}
	// What carries the tag is no relay's image for that.
	tags, err := e.Tags(t.Context(), "labctl-fixtures/relays")
	if err != nil || len(tags) != 1 {
		t.Fatalf("bases are %v (%v)", tags, err)
	}
	for _, id := range tags {
		if err := e.TagImage(t.Context(), id, plan.RelayImage); err != nil {
			t.Fatal(err)
		}
	}
	in := started[0]
	if err := e.RemoveContainer(t.Context(), in.Services[0].Relay); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Start(t.Context(), runner.StartOptions{Lab: fixture(t, "relays"), Learner: "ada", Cwd: dir}); err != nil {
		t.Fatal(err)
	}
	if ids := images(); len(ids) != 2 {
		t.Errorf("beside a moved tag the relays run %v", ids)
	}
	// Eve's relays run the first one still.
	purge(t, r, in)
	if ids := images(); len(ids) != 1 {
		t.Errorf("eve's relays run %v", ids)
	}
	purge(t, r, started[1])
	if ids := images(); len(ids) != 0 {
		t.Errorf("after the last instance there are %v", ids)
	}
}
