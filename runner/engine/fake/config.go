package fake

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

func emptyConfig() config {
	return config{"User": "", "Env": []any(nil), "Cmd": nil, "Entrypoint": nil, "WorkingDir": "", "Volumes": nil, "OnBuild": nil, "Labels": nil}
}

// apply changes a configuration by lines of a Dockerfile.
func (c config) apply(changes string) error {
	if changes == "" {
		return nil
	}
	steps, err := instructions(changes)
	if err != nil {
		return err
	}
	for _, step := range steps {
		if err := c.set(step); err != nil {
			return err
		}
	}
	return nil
}

// set changes a configuration by one instruction.
func (c config) set(step *parser.Node) error {
	words := arguments(step)
	switch strings.ToUpper(step.Value) {
	case "CMD":
		c["Cmd"] = command(step, words)
	case "ENTRYPOINT":
		c["Entrypoint"] = command(step, words)
	case "USER":
		c["User"] = words[0]
	case "WORKDIR":
		c["WorkingDir"] = words[0]
	case "STOPSIGNAL":
		c["StopSignal"] = words[0]
	case "EXPOSE":
		for _, port := range words {
			if !strings.Contains(port, "/") {
				port += "/tcp"
			}
			c.put("ExposedPorts", port, map[string]any{})
		}
	case "LABEL":
		for i := 0; i+1 < len(words); i += 3 { // name, value and the sign between them
			c.put("Labels", strings.Trim(words[i], `"`), strings.Trim(words[i+1], `"`))
		}
	case "ENV":
		for i := 0; i+1 < len(words); i += 3 {
			c.env(words[i], strings.Trim(words[i+1], `"`))
		}
	default:
		return fmt.Errorf("the fake engine does not know %s", step.Value)
	}
	return nil
}

// command is a command in either of its forms.
func command(step *parser.Node, words []string) []string {
	if step.Attributes["json"] {
		return words
	}
	return []string{"/bin/sh", "-c", strings.Join(words, " ")}
}

// put sets a key of a field that is a map.
func (c config) put(field, key string, value any) {
	m, _ := c[field].(map[string]any)
	m = maps.Clone(m)
	if m == nil {
		m = map[string]any{}
	}
	m[key] = value
	c[field] = m
}

// env sets a variable, over one that is there.
func (c config) env(name, value string) {
	list, _ := c["Env"].([]any)
	list = slices.DeleteFunc(slices.Clone(list), func(v any) bool { return strings.HasPrefix(v.(string), name+"=") })
	c["Env"] = append(list, name+"="+value)
}

// containerConfig is a container's Config, as the engine would report it.
func (s *state) containerConfig(c *record) config {
	out := maps.Clone(s.Images[c.Image].Config)
	out["Hostname"], out["Image"] = c.ID[:12], c.Spec.Image
	for _, stream := range []string{"AttachStdin", "AttachStdout", "AttachStderr", "Tty", "OpenStdin", "StdinOnce"} {
		out[stream] = false
	}
	run := c.Spec.Run
	if run.User != "" {
		out["User"] = run.User
	}
	if len(run.Command) > 0 {
		out["Cmd"] = run.Command
	}
	for _, name := range slices.Sorted(maps.Keys(run.Env)) {
		out.env(name, run.Env[name])
	}
	for label, value := range c.Spec.Labels {
		out.put("Labels", label, value)
	}
	if c.Spec.Publish != 0 {
		out.put("ExposedPorts", fmt.Sprintf("%d/tcp", c.Spec.Publish), map[string]any{})
	}
	return out
}
