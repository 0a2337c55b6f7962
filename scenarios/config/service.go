package config

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/labctl/labctl/scenarios/lab"
)

// environments reads the environments in order; a lab without any has one
// without a name.
func (r *resolver) environments() {
	blocks := r.def.root.blocks["environment"]
	if len(blocks) == 0 {
		r.lab.Environments = []lab.Environment{{}}
		r.each[""] = cty.EmptyObjectVal
		return
	}
	r.likenesses()
	for _, b := range blocks {
		e := lab.Environment{Name: b.name}
		if v, ok := r.value(b, "values", cty.DynamicPseudoType, scope{}); ok {
			if !v.Type().IsObjectType() {
				r.fail(b.attrAt("values"), sumType, "\"values\" must be an object: { name = value }.")
			} else {
				r.each[b.name] = v
			}
		} else if _, given := b.attrs["values"]; given {
			r.each[b.name] = cty.DynamicVal
		}
		if source := r.alike(b, func(b *block) bool { _, ok := b.attrs["internal"]; return ok }); source != nil {
			e.Internal, _ = get[bool](r, source, "internal", cty.Bool, scope{})
		}
		r.lab.Environments = append(r.lab.Environments, e)
	}
}

// environmentRun is the run specification that an environment gives to all its
// services.
func (r *resolver) environmentRun(name string) lab.Run {
	b := r.def.root.named("environment", name)
	if b == nil {
		return lab.Run{}
	}
	source := r.alike(b, func(b *block) bool { return b.one("run") != nil })
	if source == nil {
		return lab.Run{}
	}
	return r.run(lab.Run{}, source.one("run"), r.eachScope(name))
}

// alike follows like = environment.NAME from an environment to the first that
// has something of its own; nil when none has, or all are like each other.
func (r *resolver) alike(b *block, has func(*block) bool) *block {
	for range r.def.root.blocks["environment"] {
		if has(b) {
			return b
		}
		if b = r.like(b); b == nil {
			return nil
		}
	}
	return nil
}

// like is the environment that one says it is like; nil for none.
func (r *resolver) like(b *block) *block {
	a, ok := b.attrs["like"]
	if !ok {
		return nil
	}
	name, _, ok := r.reference(a.Expr, "environment")
	if !ok {
		return nil
	}
	return r.def.root.named("environment", name)
}

// likenesses reports environments that are like themselves.
func (r *resolver) likenesses() {
	blocks := r.def.root.blocks["environment"]
	var names []string
	for _, b := range blocks {
		names = append(names, b.name)
	}
	sortByNeed(names, func(name string) []string {
		if other := r.like(r.def.root.named("environment", name)); other != nil {
			return []string{other.name}
		}
		return nil
	}, func(cycle []string) {
		r.fail(r.def.root.named("environment", cycle[0]).attrAt("like"), sumCycle, "environment.%s is like itself: %s. Break the circle.", cycle[0], strings.Join(append(cycle, cycle[0]), " → "))
	})
}

// environmentsOf names the environments of a service; none when the lab has
// none or the service is unknown.
func (r *resolver) environmentsOf(service string) []string {
	var names []string
	for _, s := range r.lab.Services {
		if s.Name == service && s.Environment != "" {
			names = append(names, s.Environment)
		}
	}
	return names
}

// servicesOf are a service's rows, one for each environment, or the one row of
// an environment.
func (r *resolver) servicesOf(name, environment string) []lab.Service {
	var rows []lab.Service
	for _, s := range r.lab.Services {
		if s.Name == name && (environment == "" || s.Environment == environment) {
			rows = append(rows, s)
		}
	}
	return rows
}

func (r *resolver) services() {
	for _, b := range r.def.root.blocks["service"] {
		base := r.service(b)
		names, _ := r.references(b, "environments", "environment")
		for _, e := range r.lab.Environments {
			if _, some := b.attrs["environments"]; some && !slices.Contains(names, e.Name) {
				continue
			}
			s := base
			s.Environment = e.Name
			if e.Internal && s.Publish == lab.PublishPort {
				r.fail(b.nameAt, sumValue, "environment.%s is internal, and the engine publishes nothing of an internal network. Say publish = \"relay\" here, or \"none\", or internal = false there.", e.Name)
			}
			s.Run = r.environmentRun(e.Name)
			if run := b.one("run"); run != nil {
				s.Run = r.run(s.Run, run, r.eachScope(e.Name))
			}
			r.lab.Services = append(r.lab.Services, s)
			r.variables(s, b.nameAt)
		}
	}
}

// service reads what is the same in all environments of a service.
func (r *resolver) service(b *block) lab.Service {
	s := lab.Service{Name: b.name, Publish: lab.PublishPort, Replicas: 1}
	if port, ok := get[int](r, b, "port", cty.Number, scope{}); ok {
		if s.Port = port; port < 1 || port > 65535 {
			r.invalid(b, "port", fmt.Sprintf("%d is no port; ports are from 1 to 65535", port))
		}
	}
	published := true
	if publish, ok := get[string](r, b, "publish", cty.String, scope{}); ok {
		if published = r.oneOf(b, "publish", publish, []string{lab.PublishPort, lab.PublishRelay, lab.PublishNone}); published {
			s.Publish = publish
		}
	}
	if n, ok := get[int](r, b, "replicas", cty.Number, scope{}); ok {
		if s.Replicas = n; n < 1 || n > maxReplicas {
			r.invalid(b, "replicas", fmt.Sprintf("a service has from 1 to %d replicas", maxReplicas))
		}
	}
	if s.Replicas > 1 && published && s.Publish == lab.PublishPort {
		r.fail(b.attrAt("replicas"), sumReplicas, "One published port cannot serve several replicas: only one container can have it. Use publish = \"relay\", and labctl passes on what comes to it, or \"none\": they are then reached on their network.")
	}
	s.RuntimePaths = r.paths(b, "runtime_paths", scope{})
	if ready := b.one("ready"); ready != nil {
		s.Ready.Get = r.text(ready, "get", scope{})
		if s.Ready.Get != "" && !strings.HasPrefix(s.Ready.Get, "/") {
			r.invalid(ready, "get", "a path begins with /")
		}
		s.Ready.Within = defaultWithin
		if within, ok := get[string](r, ready, "within", cty.String, scope{}); ok {
			s.Ready.Within = within
			if d, err := time.ParseDuration(within); err != nil || d <= 0 {
				r.invalid(ready, "within", fmt.Sprintf("%q is no duration; write one like \"10s\" or \"1m30s\"", within))
			}
		}
	}
	return s
}

const (
	maxReplicas   = 100
	defaultWithin = "10s"
)

// variables enters the names of the shell variables that tell scripts of a
// service.
func (r *resolver) variables(s lab.Service, at hcl.Range) {
	name := shellName(s.Name)
	if s.Environment != "" {
		name += "_" + shellName(s.Environment)
	}
	for _, fact := range []string{"URL", "PORT", "NETWORK", "RUN"} {
		if !r.variable(name+"_"+fact, at) {
			return
		}
	}
}

// variable enters the name of a shell variable that scripts get.
func (r *resolver) variable(v string, at hcl.Range) bool {
	if slices.Contains(reservedVariables, v) || strings.HasPrefix(v, "PARAM_") || strings.HasPrefix(v, "GIT_") {
		r.fail(at, sumName, "Scripts would find this as $%s, which means something else to them. Choose another name.", v)
		return false
	}
	if r.names["$"] == nil {
		r.names["$"] = map[string]hcl.Range{}
	}
	if before, taken := r.names["$"][v]; taken {
		r.fail(at, sumDuplicate, "Scripts find both this and what is declared at %s as $%s: to a shell, names that differ in - and _ alone are one. Rename one of them.", place(before), v)
		return false
	}
	r.names["$"][v] = at
	return true
}

// reservedVariables are what scripts need for other things.
var reservedVariables = []string{
	"TMP", "INSTANCE", "WORKSPACE",
	"PATH", "HOME", "IFS", "PWD", "USER", "SHELL", "LANG", "TERM", "ENV",
	"DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG",
}

// paths reads a list of absolute paths in containers.
func (r *resolver) paths(b *block, attr string, sc scope) []string {
	list, _ := get[[]string](r, b, attr, cty.List(cty.String), sc)
	for _, p := range list {
		if !path.IsAbs(p) || path.Clean(p) != p || p == "/" {
			r.invalid(b, attr, fmt.Sprintf("%q is no absolute path below /, like \"/srv/data\"", p))
		}
	}
	return list
}
