package enginetest

import (
	"encoding/json"
	"net"
	"slices"
	"strconv"
	"time"

	"github.com/labctl/labctl/runner/engine"
	"github.com/labctl/labctl/scenarios/lab"
)

func notFound(w *world) {
	nothing := w.name + "-nothing"
	_, err := w.Inspect(w.ctx, nothing)
	w.is(err, engine.ErrNotFound)
	_, err = w.Image(w.ctx, nothing)
	w.is(err, engine.ErrNotFound)
	_, err = w.Layers(w.ctx, nothing)
	w.is(err, engine.ErrNotFound)
	_, err = w.Tree(w.ctx, nothing)
	w.is(err, engine.ErrNotFound)
	_, err = w.Contents(w.ctx, engine.Source{Container: nothing}, nil)
	w.is(err, engine.ErrNotFound)
	_, err = w.Contents(w.ctx, engine.Source{Image: nothing}, nil)
	w.is(err, engine.ErrNotFound)
	_, err = w.Received(w.ctx, nothing)
	w.is(err, engine.ErrNotFound)
	_, err = w.Exec(w.ctx, nothing, "", "true", nil)
	w.is(err, engine.ErrNotFound)
	_, err = w.Files(w.ctx, nothing, []string{"/dev/shm"})
	w.is(err, engine.ErrNotFound)
	_, err = w.CreateContainer(w.ctx, engine.ContainerSpec{Name: nothing, Image: nothing})
	w.is(err, engine.ErrNotFound)
	w.is(w.StartContainer(w.ctx, nothing), engine.ErrNotFound)
	w.is(w.RenameContainer(w.ctx, nothing, nothing+"-2"), engine.ErrNotFound)
	w.is(w.RemoveNetwork(w.ctx, nothing), engine.ErrNotFound)
	w.is(w.ConnectNetwork(w.ctx, nothing, nothing), engine.ErrNotFound)
	w.is(w.RemoveImage(w.ctx, nothing), engine.ErrNotFound)
	w.is(w.TagImage(w.ctx, nothing, nothing+":1"), engine.ErrNotFound)
	w.must(w.RemoveContainer(w.ctx, nothing)) // its absence is what was wanted
}

func nameTaken(w *world) {
	w.network()
	w.is(w.CreateNetwork(w.ctx, w.name, false, w.labels), engine.ErrNameTaken)
	image := w.base()
	w.create(engine.ContainerSpec{Name: w.name + "-a", Image: image})
	other := w.create(engine.ContainerSpec{Name: w.name + "-b", Image: image})
	_, err := w.CreateContainer(w.ctx, engine.ContainerSpec{Name: w.name + "-a", Image: image})
	w.is(err, engine.ErrNameTaken)
	w.is(w.RenameContainer(w.ctx, other, w.name+"-a"), engine.ErrNameTaken)
	w.must(w.RenameContainer(w.ctx, other, w.name+"-c"))
	c, err := w.Inspect(w.ctx, w.name+"-c")
	w.must(err)
	if c.ID != other {
		w.Errorf("the renamed container is %s, want %s", c.ID, other)
	}
}

func portTaken(w *world) {
	spec := engine.ContainerSpec{Name: w.name + "-a", Image: w.base(), Network: w.network(), Publish: 8080, HostIP: "127.0.0.1"}
	first := w.start(spec)
	spec.Name, spec.HostPort = w.name+"-b", w.port(first)
	second := w.create(spec) // creating takes nothing yet
	w.is(w.StartContainer(w.ctx, second), engine.ErrPortTaken)
	w.must(w.RemoveContainer(w.ctx, first))
	w.must(w.StartContainer(w.ctx, second))
}

func portChosen(w *world) {
	spec := engine.ContainerSpec{Image: w.base(), Network: w.network(), Publish: 8080, HostIP: "127.0.0.1"}
	var ports []int
	for _, name := range []string{w.name + "-a", w.name + "-b"} {
		spec.Name = name
		ports = append(ports, w.port(w.start(spec)))
	}
	if ports[0] == 0 || ports[0] == ports[1] {
		w.Errorf("chosen ports are %v", ports)
	}
}

// summary is a container as it is listed.
func (w *world) summary(id string) engine.Summary {
	w.Helper()
	list, err := w.Containers(w.ctx)
	w.must(err)
	for _, s := range list {
		if s.ID == id {
			return s
		}
	}
	w.Fatalf("container %s is not listed", id)
	return engine.Summary{}
}

// port is where a container's one published port is on the host.
func (w *world) port(id string) int {
	w.Helper()
	s := w.summary(id)
	if len(s.Ports) != 1 {
		w.Fatalf("%s publishes %v, want one port", s.Name, s.Ports)
	}
	return s.Ports[0].Host
}

func inUse(w *world) {
	image, network := w.base(), w.network()
	id := w.start(engine.ContainerSpec{Name: w.name, Image: image, Network: network})
	w.is(w.RemoveNetwork(w.ctx, network), engine.ErrInUse)
	w.is(w.RemoveImage(w.ctx, image), engine.ErrInUse)
	w.must(w.RemoveContainer(w.ctx, id))
	w.must(w.RemoveNetwork(w.ctx, network))
	w.must(w.RemoveImage(w.ctx, image))
}

func neverStarted(w *world) {
	image := w.base()
	id := w.create(engine.ContainerSpec{Name: w.name, Image: image, Network: "none", Labels: map[string]string{"said": "so", LabelTest: w.labels[LabelTest]}})
	s := w.summary(id)
	if s.State != "created" || len(s.Ports) > 0 || s.NetworkMode != "none" || s.Labels["said"] != "so" {
		w.Errorf("listed as %+v", s)
	}
	for name, address := range s.Networks {
		if name != "none" || address != "" {
			w.Errorf("it has the address %q on network %s", address, name)
		}
	}
	c, err := w.Inspect(w.ctx, id)
	w.must(err)
	if c.State != "created" || c.Image != s.Image || c.Created.IsZero() || c.Start {
		w.Errorf("inspected as %+v", c)
	}
	var config struct{ Labels map[string]string }
	w.must(json.Unmarshal(c.Config, &config))
	if config.Labels["said"] != "so" {
		w.Errorf("Config is %s", c.Config)
	}
	w.is(w.RemoveImage(w.ctx, image), engine.ErrInUse)
	again, err := w.Inspect(w.ctx, id)
	w.must(err)
	if !again.Created.Equal(c.Created) || again.Image != c.Image {
		w.Errorf("it was %s of %s, and is %s of %s", c.Created, c.Image, again.Created, again.Image)
	}
}

func observed(w *world) {
	spec := engine.ContainerSpec{
		Name: w.name, Image: w.base(), Network: w.network(), Alias: "booking",
		Publish: 8080, HostIP: "127.0.0.1",
		Labels: map[string]string{engine.LabelRole: engine.RoleStart, engine.LabelContainer: "pet-01",
			engine.LabelServes: "booking", LabelTest: w.labels[LabelTest]},
		Run: lab.Run{Memory: "64m", CPUs: "0.5", Pids: 50, Env: map[string]string{"B": "2", "A": "1"}, User: "0",
			ReadOnly: true, Tmpfs: []string{"/tmp:size=1m"}, Init: true},
	}
	id := w.start(spec)

	s := w.summary(id)
	port := engine.Port{HostIP: "127.0.0.1", Host: w.port(id), Container: 8080, Protocol: "tcp"}
	if s.Name != w.name || s.ImageName != spec.Image || s.State != "running" || !slices.Equal(s.Ports, []engine.Port{port}) ||
		s.Labels[engine.LabelContainer] != "pet-01" || s.Networks[w.name] == "" || s.NetworkMode != w.name {
		w.Errorf("listed as %+v", s)
	}

	c, err := w.Inspect(w.ctx, id)
	w.must(err)
	if c.ID != id || c.Name != w.name || c.ImageName != spec.Image || c.Image != s.Image || c.State != "running" ||
		!c.Start || c.Called != "pet-01" || c.Serves != "booking" ||
		!slices.Contains(c.Aliases, "booking") || !slices.Contains(c.Aliases, w.name) || !slices.Equal(c.Networks, []string{w.name}) || c.Path != "busybox" || len(c.Args) != 6 {
		w.Errorf("inspected as %+v", c)
	}
	var config struct {
		Env  []string
		User string
	}
	w.must(json.Unmarshal(c.Config, &config))
	slices.Sort(config.Env)
	if !slices.Equal(config.Env, []string{"A=1", "B=2", "PATH=/bin"}) || config.User != "0" {
		w.Errorf("Config is %s", c.Config)
	}
	var host struct {
		Memory, NanoCpus, PidsLimit int64
		ReadonlyRootfs, Init        bool
		NetworkMode                 string
		Tmpfs                       map[string]string
	}
	w.must(json.Unmarshal(c.HostConfig, &host))
	if host.Memory != 64<<20 || host.NanoCpus != 5e8 || host.PidsLimit != 50 || !host.ReadonlyRootfs || !host.Init ||
		host.NetworkMode != w.name || host.Tmpfs["/tmp"] != "size=1m" {
		w.Errorf("HostConfig is %s", c.HostConfig)
	}

	networks, err := w.Networks(w.ctx)
	w.must(err)
	at := slices.IndexFunc(networks, func(n engine.Network) bool { return n.Name == w.name })
	if at < 0 || networks[at].Labels[engine.LabelInstance] != w.name {
		w.Errorf("networks are %+v", networks)
	}
}

// twoNetworks is how something of an internal network is reached from the host:
// through a container that is on another one, too, and publishes there.
func twoNetworks(w *world) {
	w.must(w.CreateNetwork(w.ctx, w.name, true, w.labels))
	w.Cleanup(func() { w.cleared(w.RemoveNetwork(w.ctx, w.name)) })
	id := w.create(engine.ContainerSpec{Name: w.name, Image: w.base(), Publish: 8080, HostIP: "127.0.0.1",
		DNS: []string{"127.0.0.1"}, Sysctls: map[string]string{"net.ipv4.ip_forward": "0"}})
	w.must(w.ConnectNetwork(w.ctx, w.name, id))
	w.must(w.StartContainer(w.ctx, id))

	s := w.summary(id)
	if s.Networks[w.name] == "" || s.Networks["bridge"] == "" || s.NetworkMode != "default" {
		w.Errorf("listed on %v, mode %s", s.Networks, s.NetworkMode)
	}
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(w.port(id)))
	w.must(w.Ready(w.ctx, id, address, "/hello", time.Minute))
	c, err := w.Inspect(w.ctx, id)
	w.must(err)
	if !slices.Equal(c.Networks, slices.Sorted(slices.Values([]string{"bridge", w.name}))) {
		w.Errorf("inspected on %v", c.Networks)
	}
	var host struct {
		Dns     []string
		Sysctls map[string]string
	}
	w.must(json.Unmarshal(c.HostConfig, &host))
	if !slices.Equal(host.Dns, []string{"127.0.0.1"}) || host.Sysctls["net.ipv4.ip_forward"] != "0" {
		w.Errorf("HostConfig is %s", c.HostConfig)
	}
	w.is(w.RemoveNetwork(w.ctx, w.name), engine.ErrInUse)
}

func internalNetwork(w *world) {
	w.must(w.CreateNetwork(w.ctx, w.name, true, w.labels))
	w.Cleanup(func() { w.cleared(w.RemoveNetwork(w.ctx, w.name)) })
	id := w.start(engine.ContainerSpec{Name: w.name, Image: w.base(), Network: w.name, Publish: 8080, HostIP: "127.0.0.1"})
	for _, p := range w.summary(id).Ports {
		if p.Host != 0 {
			w.Errorf("port %+v is published", p)
		}
	}
}

func order(w *world) {
	image := w.base()
	var last time.Time
	for _, name := range []string{"a", "b", "c"} {
		id := w.start(engine.ContainerSpec{Name: w.name + "-" + name, Image: image})
		c, err := w.Inspect(w.ctx, id)
		w.must(err)
		if !c.Created.After(last) || !c.Started.After(c.Created) {
			w.Errorf("%s: created %v, started %v, the last event was %v", name, c.Created, c.Started, last)
		}
		last = c.Started
	}
}
