package check

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/lab"
)

// assertValues are the values that a condition refers to. It is an error when
// something that the condition refers to could not be looked at.
func assertValues(set *evidence.Set, e Expression, refs assertRefs) (map[string]cty.Value, error) {
	values, err := captured(e)
	if err != nil {
		return nil, err
	}
	var services []lab.Service
	for _, s := range set.Services {
		services = append(services, lab.Service{Name: s.Name, Environment: s.Environment})
	}
	live, liveErr := listed(set, services, refs.live, refs, func(s lab.Service) ([]evidence.Container, error) {
		return liveOf(set, s)
	})
	start, startErr := listed(set, services, refs.start, refs, func(s lab.Service) ([]evidence.Container, error) {
		return startOf(set, e, s)
	})
	head, headErr := headValue(set.Head, refs.head)
	if err := errors.Join(liveErr, startErr, headErr); err != nil {
		return nil, err
	}
	values[RootLive], values[RootStart], values[RootHead] = live, start, head
	return values, nil
}

// listed makes the object of live or start. Services that the condition does
// not refer to have unknown lists: nobody needs to have looked at them.
func listed(set *evidence.Set, services []lab.Service, wanted []hcl.Traversal, refs assertRefs, containers func(lab.Service) ([]evidence.Container, error)) (cty.Value, error) {
	var failed error
	object := byService(services, func(s lab.Service) cty.Value {
		unknown := cty.UnknownVal(cty.List(ContainerType))
		if !slices.ContainsFunc(wanted, func(t hcl.Traversal) bool { return mayMean(t, s) }) {
			return unknown
		}
		found, err := containers(s)
		if err != nil {
			failed = errors.Join(failed, err)
			return unknown
		}
		var elements []cty.Value
		for _, c := range found {
			v, err := containerValue(set, c, refs)
			if err != nil {
				failed = errors.Join(failed, err)
				return unknown
			}
			elements = append(elements, v)
		}
		if len(elements) == 0 {
			return cty.ListValEmpty(ContainerType)
		}
		return cty.ListVal(elements)
	})
	return object, failed
}

// mayMean says whether a reference can reach a service: live.booking.prod
// reaches that of prod, live.booking all of them.
func mayMean(t hcl.Traversal, s lab.Service) bool {
	for i, name := range []string{s.Name, s.Environment} {
		if name == "" || len(t) < i+2 {
			return true
		}
		if attr, ok := t[i+1].(hcl.TraverseAttr); ok && attr.Name != name {
			return false
		}
	}
	return true
}

func liveOf(set *evidence.Set, want lab.Service) ([]evidence.Container, error) {
	for _, s := range set.Services {
		if s.Name == want.Name && s.Environment == want.Environment {
			if s.Error != "" {
				return nil, errors.New(s.Error)
			}
			return s.Live, nil
		}
	}
	return nil, nil
}

// startOf are the containers that a service had at the start, by the lab's
// names of them.
func startOf(set *evidence.Set, e Expression, s lab.Service) ([]evidence.Container, error) {
	if set.Start.Lost != "" {
		return nil, fmt.Errorf("what was there at the start is not known: %s", set.Start.Lost)
	}
	key := s.Name
	if s.Environment != "" {
		key += "." + s.Environment
	}
	var found []evidence.Container
	for _, c := range set.Start.Containers {
		if slices.Contains(e.Start[key], c.Called) {
			found = append(found, c)
		}
	}
	return found, nil
}

// engineConfig is what conditions see of the engine's Config and HostConfig.
type engineConfig struct {
	User           string
	Env            []string
	Labels         map[string]string
	Memory         int64
	ReadonlyRootfs bool
}

func containerValue(set *evidence.Set, c evidence.Container, refs assertRefs) (cty.Value, error) {
	var config engineConfig
	for _, raw := range []json.RawMessage{c.Config, c.HostConfig} {
		if err := json.Unmarshal(raw, &config); err != nil {
			return cty.NilVal, fmt.Errorf("reading the configuration of %s: %w", c.Name, err)
		}
	}
	env := map[string]string{}
	for _, variable := range config.Env {
		name, value, _ := strings.Cut(variable, "=")
		env[name] = value
	}
	layers, err := layersValue(set, c, refs.layers)
	if err != nil {
		return cty.NilVal, err
	}
	files, err := filesValue(set, c, refs.files)
	if err != nil {
		return cty.NilVal, err
	}
	return cty.ObjectVal(map[string]cty.Value{
		"id":        cty.StringVal(c.ID),
		"name":      cty.StringVal(c.Name),
		"image":     cty.StringVal(c.Image),
		"created":   cty.StringVal(c.Created.UTC().Format(time.RFC3339Nano)),
		"state":     cty.StringVal(c.State),
		"user":      cty.StringVal(config.User),
		"env":       stringMap(env),
		"memory":    cty.NumberIntVal(config.Memory),
		"read_only": cty.BoolVal(config.ReadonlyRootfs),
		"labels":    stringMap(config.Labels),
		"layers":    layers,
		"files":     files,
	}), nil
}

func stringMap(m map[string]string) cty.Value {
	values := map[string]cty.Value{}
	for k, v := range m {
		values[k] = cty.StringVal(v)
	}
	return mapOf(values, cty.String)
}

// mapOf is a map that may be empty.
func mapOf(values map[string]cty.Value, element cty.Type) cty.Value {
	if len(values) == 0 {
		return cty.MapValEmpty(element)
	}
	return cty.MapVal(values)
}

func layersValue(set *evidence.Set, c evidence.Container, wanted bool) (cty.Value, error) {
	image, ok := set.Images[c.Image]
	switch {
	case !wanted:
		return cty.UnknownVal(cty.List(cty.String)), nil
	case !ok:
		return cty.NilVal, fmt.Errorf("the image of %s was not looked at", c.Name)
	case image.Error != "":
		return cty.NilVal, fmt.Errorf("the image of %s: %s", c.Name, image.Error)
	case len(image.Layers) == 0:
		return cty.ListValEmpty(cty.String), nil
	}
	var layers []cty.Value
	for _, id := range image.Layers {
		layers = append(layers, cty.StringVal(id))
	}
	return cty.ListVal(layers), nil
}

func filesValue(set *evidence.Set, c evidence.Container, wanted bool) (cty.Value, error) {
	if !wanted {
		return cty.UnknownVal(cty.Map(FileType)), nil
	}
	if c.TreeError != "" {
		return cty.NilVal, fmt.Errorf("the files of %s: %s", c.Name, c.TreeError)
	}
	tree, ok := set.Trees[c.Tree]
	if !ok {
		return cty.NilVal, fmt.Errorf("the files of %s were not looked at", c.Name)
	}
	files := map[string]cty.Value{}
	for _, f := range tree {
		files[f.Path] = cty.ObjectVal(map[string]cty.Value{
			"type":   cty.StringVal(f.Type),
			"mode":   cty.StringVal(fmt.Sprintf("%04o", f.Mode)),
			"sha256": cty.StringVal(f.SHA256),
			"size":   cty.NumberIntVal(f.Size),
		})
	}
	return mapOf(files, FileType), nil
}

func headValue(h evidence.Head, wanted bool) (cty.Value, error) {
	if !wanted {
		return cty.UnknownVal(HeadType), nil
	}
	if h.Error != "" {
		return cty.NilVal, fmt.Errorf("the repository: %s", h.Error)
	}
	if h.Commit == "" {
		return cty.NilVal, errors.New("the repository was not looked at")
	}
	files := map[string]cty.Value{}
	for _, f := range h.Files {
		files[f.Path] = cty.ObjectVal(map[string]cty.Value{
			"mode":   cty.StringVal(f.Mode),
			"sha256": cty.StringVal(f.SHA256),
			"size":   cty.NumberIntVal(f.Size),
		})
	}
	return cty.ObjectVal(map[string]cty.Value{
		"commit":  cty.StringVal(h.Commit),
		"tree":    cty.StringVal(h.Tree),
		"subject": cty.StringVal(h.Subject),
		"branch":  cty.StringVal(h.Branch),
		"dirty":   cty.BoolVal(len(h.Dirty) > 0),
		"files":   mapOf(files, RepoFileType),
	}), nil
}
