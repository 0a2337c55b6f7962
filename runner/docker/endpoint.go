package docker

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/docker/cli/cli/context/store"
	"github.com/docker/docker/client"

	"github.com/labctl/labctl/runner/engine"
)

// endpoint resolves the address of the engine from the environment and the
// Docker configuration in home. Only local sockets are accepted: labctl probes
// addresses on this machine.
func endpoint(getenv func(string) string, home string) (string, error) {
	host := getenv("DOCKER_HOST")
	from := "DOCKER_HOST"
	if host == "" {
		dir := getenv("DOCKER_CONFIG")
		if dir == "" {
			dir = filepath.Join(home, ".docker")
		}
		name := getenv("DOCKER_CONTEXT")
		if name == "" {
			var err error
			if name, err = currentContext(dir); err != nil {
				return "", err
			}
		}
		if name == "" || name == "default" {
			return client.DefaultDockerHost, nil
		}
		var err error
		if host, err = contextHost(dir, name); err != nil {
			return "", err
		}
		from = fmt.Sprintf("the Docker context %q", name)
	}

	scheme, _, _ := strings.Cut(host, "://")
	switch scheme {
	case "unix":
		return host, nil
	case "npipe":
		return "", &engine.Unavailable{Host: host, Why: "named pipes are not supported",
			Mend: "run labctl on Linux or in WSL, next to a Docker Engine with a Unix socket"}
	}
	return "", &engine.Unavailable{Host: host,
		Why:  from + " leads to an engine on another machine, and labctl asks services at addresses of this one",
		Mend: "run labctl on the engine's machine, or choose a local engine: DOCKER_HOST=" + client.DefaultDockerHost}
}

// currentContext reads which context the docker command uses; "" for none.
func currentContext(dir string) (string, error) {
	path := filepath.Join(dir, "config.json")
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	var config struct {
		CurrentContext string `json:"currentContext"`
	}
	if err == nil {
		err = json.Unmarshal(data, &config)
	}
	if err != nil {
		return "", &engine.Unavailable{Host: path, Why: "the Docker configuration cannot be read",
			Mend: "mend the file, or set DOCKER_HOST", Err: err}
	}
	return config.CurrentContext, nil
}

// contextHost reads the address that a Docker context leads to.
func contextHost(dir, name string) (string, error) {
	type dockerEndpoint struct{ Host string }
	contexts := store.New(filepath.Join(dir, "contexts"), store.NewConfig(
		func() any { return &map[string]any{} },
		store.EndpointTypeGetter("docker", func() any { return &dockerEndpoint{} }),
	))
	mend := "choose another: docker context ls, docker context use NAME"
	meta, err := contexts.GetMetadata(name)
	if err != nil {
		return "", &engine.Unavailable{Host: name, Why: fmt.Sprintf("the Docker context %q cannot be read", name), Mend: mend, Err: err}
	}
	ep, ok := meta.Endpoints["docker"].(dockerEndpoint)
	if !ok || ep.Host == "" {
		return "", &engine.Unavailable{Host: name, Why: fmt.Sprintf("the Docker context %q names no engine", name), Mend: mend}
	}
	return ep.Host, nil
}
