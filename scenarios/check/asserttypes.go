package check

import (
	"github.com/zclconf/go-cty/cty"

	"github.com/labctl/labctl/scenarios/lab"
)

// What conditions over evidence can refer to. The types are stated once, here:
// config evaluates conditions with unknown values of them, so that a misspelt
// attribute is found when the lab is read, and Assert with what was gathered.
var (
	// FileType is one path of a container's filesystem; size is in bytes,
	// mode is octal, as in "0644".
	FileType = cty.Object(map[string]cty.Type{
		"type":   cty.String,
		"mode":   cty.String,
		"sha256": cty.String,
		"size":   cty.Number,
	})

	// ContainerType is one container of live.SERVICE or start.SERVICE. memory
	// is the limit in bytes, 0 for none; layers are the image's diff IDs,
	// lowest first; files is by absolute path.
	ContainerType = cty.Object(map[string]cty.Type{
		"id":        cty.String,
		"name":      cty.String,
		"image":     cty.String,
		"created":   cty.String,
		"state":     cty.String,
		"user":      cty.String,
		"env":       cty.Map(cty.String),
		"memory":    cty.Number,
		"read_only": cty.Bool,
		"labels":    cty.Map(cty.String),
		"layers":    cty.List(cty.String),
		"files":     cty.Map(FileType),
	})

	// RepoFileType is one file of HEAD; mode is git's, as in "100644".
	RepoFileType = cty.Object(map[string]cty.Type{
		"mode":   cty.String,
		"sha256": cty.String,
		"size":   cty.Number,
	})

	// HeadType is the workspace's last commit; dirty says that the working
	// tree differs from it; files is by path in the repository.
	HeadType = cty.Object(map[string]cty.Type{
		"commit":  cty.String,
		"tree":    cty.String,
		"subject": cty.String,
		"branch":  cty.String,
		"dirty":   cty.Bool,
		"files":   cty.Map(RepoFileType),
	})
)

// Roots of references to evidence.
const (
	RootLive  = "live"
	RootStart = "start"
	RootHead  = "head"
)

// UnknownLists asks AssertUnknown for lists of unknown length.
const UnknownLists = -1

// AssertUnknown are the values that conditions refer to before there is
// evidence: of the right types, unknown. The lists of live and of start have as
// many elements as said, each unknown, so that the body of a for expression is
// evaluated too; with UnknownLists they are unknown themselves.
func AssertUnknown(services []lab.Service, live, start int) map[string]cty.Value {
	return map[string]cty.Value{
		RootLive:  byService(services, func(lab.Service) cty.Value { return unknownContainers(live) }),
		RootStart: byService(services, func(lab.Service) cty.Value { return unknownContainers(start) }),
		RootHead:  cty.UnknownVal(HeadType),
	}
}

func unknownContainers(count int) cty.Value {
	switch count {
	case UnknownLists:
		return cty.UnknownVal(cty.List(ContainerType))
	case 0:
		return cty.ListValEmpty(ContainerType)
	}
	elements := make([]cty.Value, count)
	for i := range elements {
		elements[i] = cty.UnknownVal(ContainerType)
	}
	return cty.ListVal(elements)
}

// byService makes the object of live or start: an attribute for each service,
// its environments below it when the lab has any.
func byService(services []lab.Service, containers func(lab.Service) cty.Value) cty.Value {
	attrs := map[string]cty.Value{}
	environments := map[string]map[string]cty.Value{}
	for _, s := range services {
		if s.Environment == "" {
			attrs[s.Name] = containers(s)
			continue
		}
		if environments[s.Name] == nil {
			environments[s.Name] = map[string]cty.Value{}
		}
		environments[s.Name][s.Environment] = containers(s)
	}
	for name, lists := range environments {
		attrs[name] = cty.ObjectVal(lists)
	}
	return cty.ObjectVal(attrs)
}
