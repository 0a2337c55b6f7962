package check_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/labctl/labctl/scenarios/check"
	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/internal/sample"
	"github.com/labctl/labctl/scenarios/lab"
)

const anonymous = "4444444444444444444444444444444444444444444444444444444444444444"

const path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

func mount(m evidence.Mount) func(*evidence.Set) {
	return live(func(c *evidence.Container) { c.Mounts = append(c.Mounts, m) })
}

// volumeInImage declares a volume on /data in the image, as the fresh
// container shows it.
var volumeInImage = service(func(s *evidence.Service) {
	s.Fresh[0].Container.Mounts = []evidence.Mount{{Type: "volume", Name: strings.Repeat("5", 64), Destination: "/data", RW: true}}
})

func run(edit func(*lab.Run)) func(*evidence.Set) {
	return service(func(s *evidence.Service) { edit(&s.Run) })
}

// bindings are port bindings as the engine has them.
func bindings(ports map[string]string) any {
	out := map[string]any{}
	for port, on := range ports {
		ip, hostPort, _ := strings.Cut(on, ":")
		out[port] = []any{map[string]string{"HostIp": ip, "HostPort": hostPort}}
	}
	return out
}

func TestRunAsDeclared(t *testing.T) {
	t.Parallel()
	data := evidence.Mount{Type: "volume", Name: anonymous, Source: "/var/lib/docker/volumes/4/_data", Destination: "/data", RW: true}
	drops := func(has ...string) func(*evidence.Set) {
		return all(declared("CapDrop", []string{"NET_RAW"}), host("CapDrop", has))
	}
	for _, group := range []struct {
		name string
		rows []runRow
	}{
		{"mounts", []runRow{
			{"bind", mount(evidence.Mount{Type: "bind", Source: "/home/ann/conf", Destination: "/etc/booking.conf"}), []string{"mount of /home/ann/conf on /etc/booking.conf"}},
			{"read-only bind", mount(evidence.Mount{Type: "bind", Source: "/x", Destination: "/y", RW: false}), []string{"mount of /x on /y"}},
			{"named volume", mount(evidence.Mount{Type: "volume", Name: "conf", Destination: "/etc"}), []string{"volume conf on /etc"}},
			{"anonymous volume", mount(data), []string{"volume " + anonymous + " on /data"}},
			{"anonymous volume of the image", all(volumeInImage, mount(data)), nil},
			{"named volume where the image has an anonymous one", all(volumeInImage, mount(evidence.Mount{Type: "volume", Name: "kept", Destination: "/data"})), []string{"volume kept on /data"}},
			{"volume with the name of an anonymous one, by -v", all(volumeInImage, mount(data), host("Binds", []string{anonymous + ":/data:z"})), []string{"volume " + anonymous + " on /data"}},
			{"volume with the name of an anonymous one, by --mount", all(volumeInImage, mount(data), host("Mounts", []any{map[string]any{"Type": "volume", "Source": anonymous, "Target": "/data"}})), []string{"volume " + anonymous + " on /data"}},
			{"anonymous volume that leads to the host", all(volumeInImage, mount(data), host("Mounts", []any{map[string]any{
				"Type": "volume", "Target": "/data", "VolumeOptions": map[string]any{"DriverConfig": map[string]any{"Options": map[string]string{"o": "bind"}}},
			}})), []string{"volume " + anonymous + " on /data"}},
			{"anonymous volume of the image, by --mount", all(volumeInImage, mount(data), host("Mounts", []any{map[string]any{"Type": "volume", "Target": "/data"}})), nil},
			{"bind where the image has a volume", all(volumeInImage, mount(evidence.Mount{Type: "bind", Source: "/x", Destination: "/data"})), []string{"mount of /x on /data"}},
			{"image's volume missing", volumeInImage, []string{"no volume on /data"}},
			{"volumes of another container", host("VolumesFrom", []string{"pet-01"}), []string{`VolumesFrom ["pet-01"]`}},
		}},
		{"tmpfs", []runRow{
			{"on a runtime path", host("Tmpfs", map[string]string{"/run/booking": ""}), nil},
			{"on a runtime path, with a slash at the end", host("Tmpfs", map[string]string{"/run/booking/": "size=1m"}), nil},
			{"on a runtime path, by --mount", host("Mounts", []any{map[string]string{"Type": "tmpfs", "Target": "/run/booking"}}), nil},
			{"elsewhere", host("Tmpfs", map[string]string{"/srv/www": ""}), []string{"tmpfs on /srv/www"}},
			{"elsewhere, by --mount", host("Mounts", []any{map[string]string{"Type": "tmpfs", "Target": "/srv/www"}}), []string{"tmpfs on /srv/www"}},
			{"beside a runtime path", host("Tmpfs", map[string]string{"/run": ""}), []string{"tmpfs on /run"}},
			{"declared", all(declared("Tmpfs", map[string]string{"/tmp": ""}), host("Tmpfs", map[string]string{"/tmp": ""})), nil},
			{"declared, by --mount", all(declared("Tmpfs", map[string]string{"/tmp": ""}), host("Mounts", []any{map[string]string{"Type": "tmpfs", "Target": "/tmp"}})), nil},
			{"declared and missing", declared("Tmpfs", map[string]string{"/tmp": ""}), []string{"no tmpfs on /tmp"}},
		}},
		{"environment", []runRow{
			{"added", config("Env", []string{path, "TZ=UTC", "CITY_TAX=240"}), []string{"environment CITY_TAX=240"}},
			{"missing", config("Env", []string{path}), []string{"environment TZ missing"}},
			{"changed", config("Env", []string{path, "TZ=CET"}), []string{"environment TZ=CET"}},
			{"given twice, differently", config("Env", []string{path, "TZ=CET", "TZ=UTC"}), []string{"environment TZ=CET"}},
			{"in another order", config("Env", []string{"TZ=UTC", path}), nil},
		}},
		{"command", []runRow{
			{"entrypoint", config("Entrypoint", []string{"/bin/sh", "-c"}), []string{"entrypoint /bin/sh -c"}},
			{"command", config("Cmd", []string{"sh", "-c", "fix; httpd -f"}), []string{`command sh -c "fix; httpd -f"`}},
			{"no command", config("Cmd", nil), []string{"command none"}},
			{"path and arguments alone", live(func(c *evidence.Container) { c.Path, c.Args = "sh", []string{"-c"} }), []string{"command sh -c"}},
			{"user", config("User", "1000"), []string{`User "1000"`}},
			{"working directory", config("WorkingDir", "/root"), []string{`WorkingDir "/root"`}},
			{"stop signal", config("StopSignal", "SIGKILL"), []string{`StopSignal "SIGKILL"`}},
			{"health command", config("Healthcheck", map[string]any{"Test": []string{"CMD-SHELL", "fix"}}), []string{"health command CMD-SHELL fix"}},
			{"health command off", all(
				service(func(s *evidence.Service) {
					c := &s.Fresh[0].Container
					c.Config = sample.Edit(c.Config, "Healthcheck", map[string]any{"Test": []string{"CMD", "true"}})
				}),
				config("Healthcheck", map[string]any{"Test": []string{"NONE"}}),
			), []string{"health command NONE"}},
			{"health interval", config("Healthcheck", map[string]any{"Interval": 1e9}), []string{`health check {"Interval":1000000000}`}},
		}},
		{"namespaces and privileges", []runRow{
			{"pid", host("PidMode", "host"), []string{`PidMode "host"`}},
			{"ipc", host("IpcMode", "host"), []string{`IpcMode "host"`}},
			{"ipc of another", host("IpcMode", "container:"+sample.PetID), []string{`IpcMode "container:` + sample.PetID + `"`}},
			{"uts", host("UTSMode", "host"), []string{`UTSMode "host"`}},
			{"user", host("UsernsMode", "host"), []string{`UsernsMode "host"`}},
			{"cgroup", host("CgroupParent", "/free"), []string{`CgroupParent "/free"`}},
			{"privileged", host("Privileged", true), []string{"Privileged true"}},
			{"devices", host("Devices", []any{map[string]string{"PathOnHost": "/dev/sda"}}), []string{`Devices [{"PathOnHost":"/dev/sda"}]`}},
			{"device requests", host("DeviceRequests", []any{map[string]any{"Count": -1}}), []string{`DeviceRequests [{"Count":-1}]`}},
			{"device rules", host("DeviceCgroupRules", []string{"c 1:3 rwm"}), []string{`DeviceCgroupRules ["c 1:3 rwm"]`}},
			{"cap_add", host("CapAdd", []string{"SYS_ADMIN"}), []string{`CapAdd ["SYS_ADMIN"]`}},
			{"cap_drop", host("CapDrop", []string{"NET_RAW"}), nil},
			{"cap_drop as declared", drops("NET_RAW"), nil},
			{"cap_drop as declared, in full", drops("CAP_NET_RAW"), nil},
			{"cap_drop more", drops("NET_RAW", "CHOWN"), nil},
			{"cap_drop all", drops("ALL"), nil},
			{"cap_drop less", drops("CHOWN"), []string{"capability NET_RAW not dropped"}},
			{"unmasked", host("MaskedPaths", []string{}), []string{"MaskedPaths is not set"}},
			{"unconfined", host("SecurityOpt", []string{"seccomp=unconfined"}), []string{"security option seccomp=unconfined"}},
			{"no-new-privileges", host("SecurityOpt", []string{"no-new-privileges"}), nil},
			{"no-new-privileges:true", host("SecurityOpt", []string{"no-new-privileges:true"}), nil},
			{"no-new-privileges=true", host("SecurityOpt", []string{"no-new-privileges=true"}), nil},
			{"no-new-privileges:false", host("SecurityOpt", []string{"no-new-privileges:false"}), []string{"security option no-new-privileges:false"}},
			{"no-new-privileges besides", host("SecurityOpt", []string{"no-new-privileges", "apparmor=unconfined"}), []string{"security option apparmor=unconfined"}},
			{"read-only", host("ReadonlyRootfs", true), nil},
			{"read-only as declared", all(declared("ReadonlyRootfs", true), host("ReadonlyRootfs", true)), nil},
			{"not read-only", declared("ReadonlyRootfs", true), []string{"a root filesystem that can be written (declared read-only)"}},
			{"kernel settings", host("Sysctls", map[string]string{"net.ipv4.ip_forward": "1"}), []string{`Sysctls {"net.ipv4.ip_forward":"1"}`}},
			{"hosts", host("ExtraHosts", []string{"tax:10.0.0.1"}), []string{`ExtraHosts ["tax:10.0.0.1"]`}},
			{"links", host("Links", []string{"/pet-01:/web-001/pet"}), []string{`Links ["/pet-01:/web-001/pet"]`}},
		}},
		{"limits", []runRow{
			{"memory less", all(host("Memory", 32<<20), host("MemorySwap", 64<<20)), nil},
			{"memory more", host("Memory", 128<<20), []string{"memory 128MiB (at most 64m)"}},
			{"memory none", all(host("Memory", 0), host("MemorySwap", 0)), []string{"no memory limit (at most 64m)"}},
			{"memory not declared", all(run(func(r *lab.Run) { r.Memory = "" }), host("Memory", 1<<40)), nil},
			{"memory that cannot be read", run(func(r *lab.Run) { r.Memory = "much" }), []string{"a memory limit that cannot be compared: invalid size: 'much'"}},
			{"swap without limit", host("MemorySwap", -1), []string{"swap without the limit that memory 64m brings"}},
			{"cpus as declared", all(run(func(r *lab.Run) { r.CPUs = "0.5" }), host("NanoCpus", 500000000)), nil},
			{"cpus less", all(run(func(r *lab.Run) { r.CPUs = "0.5" }), host("NanoCpus", 250000000)), nil},
			{"cpus more", all(run(func(r *lab.Run) { r.CPUs = "0.5" }), host("NanoCpus", 2000000000)), []string{"CPU 2 (at most 0.5)"}},
			{"cpus none", run(func(r *lab.Run) { r.CPUs = "0.5" }), []string{"no CPU limit (at most 0.5)"}},
			{"cpus not declared", host("NanoCpus", 1), nil},
			{"pids as declared", all(run(func(r *lab.Run) { r.Pids = 50 }), host("PidsLimit", 50)), nil},
			{"pids less", all(run(func(r *lab.Run) { r.Pids = 50 }), host("PidsLimit", 49)), nil},
			{"pids more", all(run(func(r *lab.Run) { r.Pids = 50 }), host("PidsLimit", 51)), []string{"process 51 (at most 50)"}},
			{"pids without limit", all(run(func(r *lab.Run) { r.Pids = 50 }), host("PidsLimit", -1)), []string{"no process limit (at most 50)"}},
			{"pids not given", run(func(r *lab.Run) { r.Pids = 50 }), []string{"no process limit (at most 50)"}},
		}},
		{"free", []runRow{
			{"name", live(func(c *evidence.Container) { c.Name = "lovely_turing" }), nil},
			{"labels", config("Labels", map[string]string{"a": "b"}), nil},
			{"restart policy", host("RestartPolicy", map[string]any{"Name": "always"}), nil},
			{"log driver", host("LogConfig", map[string]any{"Type": "none"}), nil},
			{"terminal", all(config("Tty", true), config("OpenStdin", true), config("AttachStdout", true)), nil},
			{"--rm", host("AutoRemove", true), nil},
			{"--init", host("Init", true), nil},
			{"hostname", all(config("Hostname", "web"), config("Domainname", "hotel")), nil},
			{"name of the image", config("Image", "sha256:1"), nil},
			{"stop timeout", config("StopTimeout", 1), nil},
		}},
		{"the address", []runRow{
			{"on every host address", host("PortBindings", bindings(map[string]string{"8080/tcp": "0.0.0.0:8080"})), nil},
			{"on localhost", host("PortBindings", bindings(map[string]string{"8080/tcp": "127.0.0.1:8080"})), nil},
			{"another host port", host("PortBindings", bindings(map[string]string{"8080/tcp": ":9090"})), []string{"published port 9090:8080/tcp"}},
			{"another container port", host("PortBindings", bindings(map[string]string{"9000/tcp": ":8080"})), []string{"published port 8080:9000/tcp"}},
			{"the same port over UDP", host("PortBindings", bindings(map[string]string{"8080/tcp": ":8080", "8080/udp": ":8080"})), []string{"published port 8080:8080/udp"}},
			{"a second published port", all(
				host("PortBindings", bindings(map[string]string{"8080/tcp": ":8080", "22/tcp": ":2222"})),
				config("ExposedPorts", map[string]any{"8080/tcp": map[string]any{}, "22/tcp": map[string]any{}}),
			), []string{"exposed port 22/tcp", "published port 2222:22/tcp"}},
			{"all ports", host("PublishAllPorts", true), []string{"PublishAllPorts true"}},
			{"a port of a service that publishes none", all(service(func(s *evidence.Service) { s.Publish, s.Address = lab.PublishNone, "" }), live(func(c *evidence.Container) { c.Networks = []string{"drift-lab-ann"} })), []string{"published port 8080:8080/tcp"}},
			{"a port of a service behind a relay", all(service(func(s *evidence.Service) { s.Publish, s.Address = lab.PublishRelay, "" }), live(func(c *evidence.Container) { c.Networks = []string{"drift-lab-ann"} })), []string{"published port 8080:8080/tcp"}},
			{"another network", host("NetworkMode", "bridge"), nil},
			{"no network told", host("NetworkMode", nil), []string{"no network mode"}},
			{"--network host", host("NetworkMode", "host"), []string{"network mode host"}},
			{"--network none", host("NetworkMode", "none"), []string{"network mode none"}},
			{"the network of another", host("NetworkMode", "container:"+sample.PetID), []string{"network mode container:" + sample.PetID}},
			{"the network of a service that publishes none", onNetwork(lab.PublishNone, "drift-lab-ann"), nil},
			{"the network of a service behind a relay", onNetwork(lab.PublishRelay, "drift-lab-ann"), nil},
			{"the network by its ID", all(onNetwork(lab.PublishRelay, "drift-lab-ann"), host("NetworkMode", sample.PetID)), nil},
			{"another network of a service that publishes none", onNetwork(lab.PublishNone, "bridge"), []string{"no network drift-lab-ann", "network bridge (declared drift-lab-ann)"}},
			{"one more network of a service that publishes none", onNetwork(lab.PublishNone, "bridge", "drift-lab-ann"), []string{"network bridge (declared drift-lab-ann)"}},
			{"one more network of a service behind a relay", onNetwork(lab.PublishRelay, "drift-lab-ann", "out"), []string{"network out (declared drift-lab-ann)"}},
			{"one more network of a service that is published", live(func(c *evidence.Container) { c.Networks = []string{"drift-lab-ann", "out"} }), nil},
		}},
		{"notations", []runRow{
			{"null for a list", host("Dns", nil), nil},
			{"an empty list for null", host("CapAdd", []string{}), nil},
			{"an empty object for null", all(config("Volumes", map[string]any{}), config("Healthcheck", map[string]any{})), nil},
			{"an empty list for an entrypoint", config("Entrypoint", []string{}), nil},
			{"empty text for null", host("Runtime2", ""), nil},
			{"-1 for not set", host("MemorySwappiness", -1), nil},
			{"fields left out", live(func(c *evidence.Container) { c.HostConfig = sample.Drop(c.HostConfig, "Devices") }), nil},
			{"unknown field, equal", all(host("Quantum", map[string]any{"a": 1}), declared("Quantum", map[string]any{"a": 1})), nil},
			{"unknown field, different", all(host("Quantum", 2), declared("Quantum", 1)), []string{"Quantum 2"}},
			{"unknown field in what is live alone", host("Quantum", []int{1}), []string{"Quantum [1]"}},
			{"unknown field in what is declared alone", declared("Quantum", "on"), []string{"Quantum is not set"}},
			{"unknown field of Config", config("Quantum", true), []string{"Quantum true"}},
		}},
	} {
		t.Run(group.name, func(t *testing.T) {
			t.Parallel()
			var rows []verdict
			for _, r := range group.rows {
				row := verdict{name: r.name, edit: r.edit, status: check.Pass, observed: "so it is"}
				if len(r.wrong) > 0 {
					row.status, row.observed, row.details = check.Fail, "web-001 has "+strings.Join(r.wrong, ", "), r.wrong
				}
				rows = append(rows, row)
			}
			evaluate(t, check.RunAsDeclared, rows)
		})
	}
}

// runRow is one way of running the live container, and what is wrong with it.
// onNetwork is a service that is reached on its network, with a live container on
// some networks.
func onNetwork(publish string, networks ...string) func(*evidence.Set) {
	return all(
		service(func(s *evidence.Service) { s.Publish, s.Address = publish, "" }),
		host("PortBindings", nil), live(func(c *evidence.Container) { c.Networks = networks }),
	)
}

type runRow struct {
	name  string
	edit  func(*evidence.Set)
	wrong []string // nothing when it is as declared
}

func TestRunAsDeclaredCouldNotLook(t *testing.T) {
	t.Parallel()
	evaluate(t, check.RunAsDeclared, []verdict{
		{"no fresh container", service(func(s *evidence.Service) { s.Fresh = nil }), check.Error, "no container was run as declared to compare web-001 with", nil, nil},
		{"one of another image", service(func(s *evidence.Service) { s.Fresh[0].Image = sample.ImageOther }), check.Error, "no container was run as declared to compare web-001 with", nil, nil},
		{"one that could not be made", service(func(s *evidence.Service) {
			s.Fresh[0] = evidence.Fresh{Image: sample.ImageLive, Error: "no space left"}
		}), check.Error, "no container could be run as declared to compare web-001 with: no space left", nil, nil},
		{"one that does not get ready is comparable", service(func(s *evidence.Service) { s.Fresh[0].Failed = "no answer" }), check.Pass, "so it is", nil, nil},
		{"config that is no JSON", live(func(c *evidence.Container) { c.Config = json.RawMessage(`{`) }), check.Error, "reading the Config of web-001: unexpected end of JSON input", nil, nil},
		{"config not told", live(func(c *evidence.Container) { c.Config = json.RawMessage(`null`) }), check.Error, "reading the Config of web-001: the engine told nothing", nil, nil},
		{"config empty", live(func(c *evidence.Container) { c.Config = json.RawMessage(`{}`) }), check.Error, "the engine told no Config of web-001", nil, nil},
		{"host config of the wrong type", live(func(c *evidence.Container) { c.HostConfig = json.RawMessage(`[]`) }), check.Error,
			"reading the HostConfig of web-001: json: cannot unmarshal array into Go value of type map[string]interface {}", nil, nil},
		{"mounts of the wrong type", host("Binds", 1), check.Error,
			"reading the mounts of web-001: json: cannot unmarshal number into Go struct field requested.Binds of type []string", nil, nil},
		{"fresh config that is no JSON", service(func(s *evidence.Service) { s.Fresh[0].Container.HostConfig = nil }), check.Error,
			"reading the HostConfig of the fresh container: the engine told nothing", nil, nil},
	})
}

func TestRunAsDeclaredLooksAtEveryReplica(t *testing.T) {
	t.Parallel()
	set := sample.Right()
	second := set.Services[0].Live[0]
	second.ID, second.Name = "4", "web-002"
	second.HostConfig = sample.Edit(second.HostConfig, "Privileged", true)
	set.Services[0].Live = append(set.Services[0].Live, second)
	v := check.RunAsDeclared.Eval(asking(set, "run_as_declared"), set)
	if v.Status != check.Fail || v.Container != "web-002" || v.Observed != "web-002 has Privileged true" {
		t.Errorf("%+v", v)
	}
}
