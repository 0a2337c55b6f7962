package proof

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/labctl/labctl/scenarios/lab"
)

// composeFile is how a place is run, in the Compose file format (Compose
// Specification, services), and how its image is built in the first. JSON is YAML.
func composeFile(w *World, p Place, tag string, build bool) ([]byte, error) {
	run := p.Service.Run
	network := map[string]any{}
	service := map[string]any{
		"image": tag, "networks": map[string]any{"place": network},
	}
	if build {
		service["build"] = map[string]any{"context": w.Workspace}
	}
	if p.Service.Publish == lab.PublishPort {
		service["ports"] = []string{fmt.Sprintf("%s:%d", p.Address, p.Service.Port)}
	} else {
		network["aliases"] = []string{p.Service.Name}
	}
	for key, value := range map[string]string{"mem_limit": run.Memory, "user": run.User} {
		if value != "" {
			service[key] = value
		}
	}
	if run.CPUs != "" {
		service["cpus"] = json.Number(run.CPUs)
	}
	if run.Pids != 0 {
		service["pids_limit"] = run.Pids
	}
	if len(run.Env) > 0 {
		service["environment"] = run.Env
	}
	for key, value := range map[string][]string{"tmpfs": run.Tmpfs, "cap_drop": run.CapDrop, "command": run.Command} {
		if len(value) > 0 {
			service[key] = value
		}
	}
	for key, value := range map[string]bool{"read_only": run.ReadOnly, "init": run.Init} {
		if value {
			service[key] = value
		}
	}
	file, err := json.Marshal(map[string]any{
		"version":  "2.4", // for Compose 1; later ones do not look at it
		"services": map[string]any{"service": service},
		"networks": map[string]any{"place": map[string]any{"external": true, "name": p.Network}},
	})
	if err != nil {
		return nil, fmt.Errorf("writing a Compose file: %w", err)
	}
	return file, nil
}

// compose is how Compose can be called on this host.
func compose() ([]string, error) {
	if exec.Command("docker", "compose", "version").Run() == nil {
		return []string{"docker", "compose"}, nil
	}
	if _, err := exec.LookPath("docker-compose"); err == nil {
		return []string{"docker-compose"}, nil
	}
	return nil, errors.New("there is no Compose on this host: install it to try this (Debian, Ubuntu: apt-get install docker-compose)")
}

// byCompose builds and runs what a compose.yaml outside the repository says. What
// is built once runs everywhere.
func byCompose(ctx context.Context, w *World) error {
	command, err := compose()
	if err != nil {
		return err
	}
	return w.eachPlace(ctx, func(i int, p Place) error {
		if err := w.shoot(ctx, p); err != nil {
			return err
		}
		file := filepath.Join(w.Tmp, fmt.Sprintf("compose-%d.yaml", i))
		tag := w.Instance + "-compose:1"
		yaml, err := composeFile(w, p, tag, i == 0)
		if err != nil {
			return err
		}
		if err := os.WriteFile(file, yaml, 0o644); err != nil {
			return err
		}
		project := strings.ReplaceAll(fmt.Sprintf("%s-%d", w.Instance, i), ".", "-")
		up := []string{"--file", file, "--project-name", project, "up", "--detach", "--build", "--scale", fmt.Sprintf("service=%d", p.Service.Replicas)}
		if err := w.command(ctx, nil, nil, command[0], append(slices.Clone(command[1:]), up...)...); err != nil {
			return err
		}
		if _, err := w.made(w.docker(ctx, "image", "inspect", "--format", "{{.Id}}", tag)); err != nil {
			return err
		}
		return nil
	})
}
