package config

// shape is what a block of the language may hold. It is stated with its
// documentation, which `go generate` writes into labs/LANGUAGE.md.
type shape struct {
	doc    string
	labels []string // what each label is
	attrs  map[string]attribute
	blocks map[string]nested
	free   bool // any attributes: somebody else knows which
}

// attribute is one attribute of a block: its type, default and unit are in doc.
type attribute struct {
	need need
	doc  string
}

func must(doc string) attribute { return attribute{required, doc} }
func may(doc string) attribute  { return attribute{optional, doc} }

// need says whether something must be there.
type need bool

const (
	required need = true
	optional need = false
)

// nested is how a block may occur in another.
type nested struct {
	shape *shape
	need  need
	once  bool
}

//go:generate go test . -run ^TestLanguageReference$ -update

var runShape = &shape{
	doc: "How a container is run. An environment's holds for its services. A service's is laid over it: what it says replaces what is there, and `env` adds to it. A start container's stands instead of both.",
	attrs: map[string]attribute{
		"memory":    may("text: at most so much, `\"64m\"` (b, k, m, g; at least 6m). Default: no limit"),
		"cpus":      may("text: at most so many processors, `\"0.5\"`. Default: no limit"),
		"pids":      may("number: at most so many processes. Default: no limit"),
		"env":       may("map of texts: variables besides the image's. Default: none"),
		"user":      may("text: `\"name\"`, `\"1000\"` or `\"1000:1000\"`. Default: the image's"),
		"read_only": may("true or false: nothing can be written but tmpfs. Default: false"),
		"tmpfs":     may("list of texts: absolute paths that are kept in memory. Default: none"),
		"cap_drop":  may("list of texts: capabilities to drop, `\"NET_RAW\"` or `\"ALL\"`. Default: none"),
		"command":   may("list of texts: program and arguments. Default: the image's"),
		"init":      may("true or false: a small init is process 1. Default: false"),
	},
}

// rootShape is the whole grammar.
var rootShape = &shape{blocks: map[string]nested{
	"lab": {need: required, once: true, shape: &shape{
		doc:    "What the lab is.",
		labels: []string{"name"},
		attrs: map[string]attribute{
			"title":   must("text: what `labctl list` shows"),
			"level":   must("text: `\"beginner\"`, `\"intermediate\"` or `\"advanced\"`"),
			"minutes": must("number: how long it takes, in minutes, at least 1"),
			"teaches": must("list of texts: what is learned"),
			"after":   may("list of texts: labs to do before. Default: none"),
		},
	}},
	"parameter": {shape: &shape{
		doc:    "A value that is drawn for each learner from the seed. Exactly one of `pick` and `between`; neither may refer to anything.",
		labels: []string{"name"},
		attrs: map[string]attribute{
			"description": may("text: what it is, for instructors"),
			"pick":        may("list of 2 to 64 values of one type; the attributes of objects are drawn together"),
			"between":     may("list of two whole numbers: [lowest, highest], both included"),
		},
	}},
	"locals": {shape: &shape{
		doc:  "Values with a name, any attributes, referred to as `local.NAME`. They may refer to each other, but not in a circle.",
		free: true,
	}},
	"environment": {shape: &shape{
		doc:    "A network with its services. The order of the blocks is the order of promotion. A lab without any has one, without a name.",
		labels: []string{"name"},
		attrs: map[string]attribute{
			"values":   may("object: what differs between environments, referred to as `each.values.NAME`. Default: {}"),
			"like":     may("reference to an environment: what this one does not say itself of `internal` and `run` is as there"),
			"internal": may("true or false: no way out of the network; no container in it can be published: `publish = \"relay\"` or `\"none\"`. Default: false"),
		},
		blocks: map[string]nested{"run": {once: true, shape: runShape}},
	}},
	"workspace": {once: true, shape: &shape{
		doc: "The learner's git repository. `labctl start` makes it, commit by commit.",
		attrs: map[string]attribute{
			"build_network": may("true or false: Dockerfiles may reach the network, to install packages or ADD an address, in the clean room and in images of this lab. What a build then gives depends on more than the repository, so leave it out where you can. Default: false"),
		},
		blocks: map[string]nested{"commit": {need: required, shape: &shape{
			doc:    "One commit. Its files are laid over those of the commit before.",
			labels: []string{"name"},
			attrs: map[string]attribute{
				"files":   must("text: a folder of the lab. A file named `*.tmpl` is a template, and loses that ending; a file that begins with `#!` is executable"),
				"message": must("text: the commit's message"),
				"author":  may("text: `\"name <address@example>\"`. Default: labctl"),
				"date":    may("text: `\"2023-03-06T10:12:00Z\"`. Default: a fixed date"),
			},
		}}},
	}},
	"image": {shape: &shape{
		doc:    "An image of the lab's world, pinned by its ID at the start. Exactly one of `rootfs`, `context`, `commit` and `pull`. A Dockerfile can build FROM these images alone, by `tag`.",
		labels: []string{"name"},
		attrs: map[string]attribute{
			"tag":     may("text: the name that Dockerfiles use for it, `\"my-lab/base:1\"`. Tags are the engine's, so begin them with the lab's name"),
			"rootfs":  may("text: `\"busybox\"`, a root filesystem made of the host's static busybox"),
			"context": may("text: a folder of the lab with a Dockerfile; `*.tmpl` as in commits"),
			"commit":  may("reference to a commit: built from the workspace as it is then"),
			"pull":    may("text: an image to pull, `\"debian:12\"`"),
		},
	}},
	"service": {shape: &shape{
		doc:    "An address that traffic reaches, one in each environment. Whatever container answers there is live.",
		labels: []string{"name"},
		attrs: map[string]attribute{
			"port":          must("number: 1 to 65535, the port in the container, and the first choice on the host"),
			"publish":       may("text: `\"port\"`, a container publishes it on 127.0.0.1; `\"relay\"`, labctl does, and passes each connection on to one of the containers that carry the service's name on its network, or tells HTTP that there is none; or `\"none\"`, it is reached there alone. Default: `\"port\"`"),
			"replicas":      may("number: 1 to 100 containers that must be live; more than one needs `publish = \"relay\"` or `\"none\"`. Default: 1"),
			"environments":  may("list of references to environments. Default: all"),
			"runtime_paths": may("list of texts: absolute paths that the service itself writes while it runs; no drift. Default: none"),
		},
		blocks: map[string]nested{
			"ready": {once: true, shape: &shape{
				doc: "When a container of the service can be asked: as soon as it answers with 200.",
				attrs: map[string]attribute{
					"get":    must("text: a path, `\"/health\"`"),
					"within": may("text: how long it may take, `\"1m30s\"`. Default: `\"10s\"`"),
				},
			}},
			"run": {once: true, shape: runShape},
		},
	}},
	"scenario": {need: required, shape: &shape{
		doc:    "A state of the lab's world, and the report that it must get. One is the start, with containers; every other is brought about by a script.",
		labels: []string{"name"},
		attrs: map[string]attribute{
			"start": may("true or false: learners start here. Default: false; exactly one has it"),
			"from":  may("reference to a scenario: its state is gone on from. Default: the start"),
			"run":   may("text: a shell script for the host (`sh -eu`, in the workspace, at most 5 minutes), mostly `file(\"…\")`. Required but at the start"),
		},
		blocks: map[string]nested{
			"container": {shape: &shape{
				doc:    "A container of the start. One that serves a service in several environments is one in each, named NAME-ENVIRONMENT.",
				labels: []string{"name"},
				attrs: map[string]attribute{
					"image":  must("reference to an image"),
					"serves": may("reference to a service, `service.web` or `service.web.prod`. Default: it serves nothing"),
				},
				blocks: map[string]nested{
					"run": {once: true, shape: runShape},
					"drift": {once: true, shape: &shape{
						doc: "What somebody changed by hand.",
						attrs: map[string]attribute{
							"script": must("text: a shell script for the inside of the container; it gets $PARAM_… alone"),
							"user":   may("text: who runs it. Default: the container's user"),
						},
					}},
				},
			}},
			"expect": {need: required, once: true, shape: &shape{
				doc: "The report. It is closed: a check that is not in `failing` must pass, or be skipped because of one that is. `passed = true` or `failing` must be there.",
				attrs: map[string]attribute{
					"passed":     may("true or false: the report passes. Default: false"),
					"failing":    may("list of references to checks that fail. Default: none"),
					"provenance": may("text: the worst word of the services whose provenance checks ask about. Default: any will do"),
					"says":       may("list of texts that must occur in the report. Default: none"),
				},
			}},
		},
	}},
	"check": {need: required, shape: &shape{
		doc:    "A question with points. Its first label is its kind, which has attributes of its own; or `provenance`, the standard set.",
		labels: []string{"kind", "name"},
		free:   true,
		blocks: map[string]nested{"member": {shape: &shape{
			doc:    "In a check \"provenance\": what differs for one member of the set.",
			labels: []string{"kind"},
			attrs: map[string]attribute{
				"title":    may("text: as for every check"),
				"points":   may("number: as for every check. Default: its part of the set's"),
				"why":      may("text: as for every check"),
				"next":     may("text: as for every check"),
				"required": may("true or false: as for every check"),
			},
		}}},
	}},
	"cheat": {shape: &shape{
		doc:    "A way of faking a rebuild that is this lab's own: the service behaves right, and the report must say no. `labctl test` tries it among those that it derives; one with the name of a derived cheat stands in its place.",
		labels: []string{"name"},
		attrs: map[string]attribute{
			"run":        must("text: a shell script for the host, as a scenario's; it begins at the start"),
			"killed_by":  must("reference to the check that must fail"),
			"provenance": must("text: the word that it must get"),
		},
	}},
	"not_applicable": {shape: &shape{
		doc:    "Says of a derived cheat, or of an honest way, that this lab has no place for it. It is tried all the same: what is said must be so.",
		labels: []string{"name"},
		attrs: map[string]attribute{
			"reason": must("text: why"),
		},
	}},
	"hint": {shape: &shape{
		doc:   "What `labctl hint` tells, one after the other.",
		attrs: map[string]attribute{"text": must("text: Markdown; addresses and names are known in it")},
	}},
	"quiz": {shape: &shape{
		doc:    "A question that `labctl quiz` asks, in the order of the blocks. With one correct choice the learner picks one; with several, all of them. The result stands in the report, apart from the points.",
		labels: []string{"name"},
		attrs:  map[string]attribute{"question": must("text: Markdown")},
		blocks: map[string]nested{"choice": {need: required, shape: &shape{
			doc:    "One of two or more answers, shown in the order of the blocks. At least one is correct, and at least one is not.",
			labels: []string{"letter"},
			attrs: map[string]attribute{
				"text":    must("text: Markdown, the answer"),
				"explain": must("text: Markdown, why it is right or wrong; shown once the question was answered"),
				"correct": may("true or false. Default: false"),
			},
		}}},
	}},
}}

// boundaries are words that people look for in vain on purpose.
var boundaries = map[string]string{
	"privileged":   "Privileged containers",
	"cap_add":      "Additional capabilities",
	"devices":      "Host devices",
	"device":       "Host devices",
	"security_opt": "Weaker confinement",
	"mount":        "Host mounts",
	"mounts":       "Host mounts",
	"volume":       "Host mounts",
	"volumes":      "Host mounts",
	"bind":         "Host mounts",
	"binds":        "Host mounts",
	"network":      "Host namespaces",
	"network_mode": "Host namespaces",
	"pid":          "Host namespaces",
	"pid_mode":     "Host namespaces",
	"ipc":          "Host namespaces",
	"ipc_mode":     "Host namespaces",
	"uts":          "Host namespaces",
	"userns":       "Host namespaces",
	"userns_mode":  "Host namespaces",
	"namespaces":   "Host namespaces",
}
