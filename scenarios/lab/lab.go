// Package lab is the model of a lab: what a folder of HCL says, once one
// learner's parameters are drawn. It is plain data; package config makes it,
// everything else reads it.
package lab

import (
	"encoding/json"
	"slices"
	"strings"
)

// Lab is one lab, resolved for one learner.
type Lab struct {
	Name    string
	Title   string
	Level   string // beginner, intermediate, advanced
	Minutes int
	Teaches []string
	After   []string // labs to do first

	Definition string // "sha256:…" over every file of the lab's folder
	Learner    string
	Seed       int64

	// Params are the drawn values as shell variables for scripts:
	// param.city_tax.today is PARAM_CITY_TAX_TODAY.
	Params map[string]string

	Environments []Environment // at least one; a lab without any has one with the name ""
	Commits      []Commit      // the workspace's, oldest first
	BuildNetwork bool          // Dockerfiles may reach the network, in clean rooms and at the start
	Images       []Image       // in an order in which they can be made
	Services     []Service     // one for each service and environment, in order of declaration
	Scenarios    []Scenario    // Scenarios[0] is not special: see Start
	Checks       []Check       // sets expanded; one for each check and environment

	Cheats        []Cheat         // the lab's own, besides those that labctl test derives
	NotApplicable []NotApplicable // of those that it derives

	Lesson  string     // lesson.md; "" when the folder has none
	Brief   Text       // brief.md; nil when the folder has none
	Hints   []Text     // in the order in which they are given
	Quiz    []Question // in the order in which they are asked
	Debrief Text       // debrief.md, for who has passed; nil when the folder has none
}

// Start is the scenario that learners start in.
func (l *Lab) Start() *Scenario {
	for i := range l.Scenarios {
		if l.Scenarios[i].Start {
			return &l.Scenarios[i]
		}
	}
	return nil
}

// Scenario finds a scenario by name; nil when there is none.
func (l *Lab) Scenario(name string) *Scenario {
	for i := range l.Scenarios {
		if l.Scenarios[i].Name == name {
			return &l.Scenarios[i]
		}
	}
	return nil
}

// Service finds a service in an environment; nil when there is none.
func (l *Lab) Service(name, environment string) *Service {
	for i := range l.Services {
		if s := &l.Services[i]; s.Name == name && s.Environment == environment {
			return s
		}
	}
	return nil
}

// Environment is a network and the services in it.
type Environment struct {
	Name     string
	Internal bool // no way out to other networks
}

// File is one file of a workspace commit or of an image's context.
type File struct {
	Path       string // slash-separated, relative
	Content    []byte
	Executable bool
	Link       string // target of a symbolic link, which has no content; "" for a file
}

// Commit is one commit that the workspace starts with. Files are laid over
// those of the commit before.
type Commit struct {
	Name    string
	Files   []File
	Message string
	Author  string // "name <address>"
	Date    string // RFC 3339; "" is a fixed default
}

// Image is an image that a lab's world needs. Exactly one of Rootfs, Context,
// Commit and Pull says where it comes from.
type Image struct {
	Name    string
	Tag     string // the name that Dockerfiles use for it; "" when only the lab refers to it
	Rootfs  string // "busybox": made on the spot from the host's static busybox
	Context []File // a build context with a Dockerfile
	Commit  string // built from the workspace as it is at this commit
	Pull    string // a reference to pull
}

// Run says how a service's container is run: at most these resources, exactly
// the rest.
type Run struct {
	Memory   string            `json:"memory,omitempty"` // docker's notation: 64m
	CPUs     string            `json:"cpus,omitempty"`   // 0.5
	Pids     int64             `json:"pids,omitempty"`
	Env      map[string]string `json:"env,omitempty"`
	User     string            `json:"user,omitempty"`
	ReadOnly bool              `json:"read_only,omitempty"`
	Tmpfs    []string          `json:"tmpfs,omitempty"`
	CapDrop  []string          `json:"cap_drop,omitempty"`
	Command  []string          `json:"command,omitempty"`
	Init     bool              `json:"init,omitempty"`
}

// Ready says when a container of a service can be asked.
type Ready struct {
	Get    string // path; "" when a service declares no readiness
	Within string // Go duration
}

// How a service is reached from the host.
const (
	PublishPort  = "port"  // a container publishes a port on 127.0.0.1
	PublishRelay = "relay" // a relay of labctl's does, and passes on to those on its network
	PublishNone  = "none"  // on its network only
)

// RelayRepository is the repository of labctl's own image, which relays run. No
// lab can make, pull or build on it.
const RelayRepository = "labctl/relay"

// OnNetwork reports of a way of publishing whether containers serve by carrying
// the service's name on its network, and publish nothing themselves.
func OnNetwork(publish string) bool { return publish == PublishRelay || publish == PublishNone }

// Service is an address that traffic reaches, in one environment.
type Service struct {
	Name         string
	Environment  string
	Port         int    // in the container, and first choice on the host
	Publish      string // PublishPort, PublishRelay or PublishNone
	Replicas     int
	RuntimePaths []string // what the service itself writes while it runs
	Ready        Ready
	Run          Run
}

// Address names the service and environment as the language does:
// service.booking or service.booking.prod.
func (s Service) Address() string {
	if s.Environment == "" {
		return "service." + s.Name
	}
	return "service." + s.Name + "." + s.Environment
}

// Scenario is a named state of the lab's world and how it is reached.
type Scenario struct {
	Name       string
	Start      bool
	From       string // the scenario whose state it continues; "" is the start
	Script     string // run on the host, in the workspace; "" when nothing is to be done
	Containers []Container
	Expect     Expect
}

// Container is one container of the start scenario.
type Container struct {
	Name        string // the name that the lab uses: pet-01
	Image       string // name of an Image
	Service     string // "" when it serves nothing
	Environment string
	Run         Run
	Drift       string // a shell script run inside, "" for none
	DriftUser   string
}

// Cheat is a way of faking a rebuild that is this lab's own.
type Cheat struct {
	Name       string
	Script     string // run on the host, in the workspace
	KilledBy   string // the name of the check that must fail
	Provenance string
}

// NotApplicable says of a derived cheat, or of an honest way, that this lab
// has no place for it.
type NotApplicable struct {
	Name   string
	Reason string
}

// Question is one question of a lab's quiz. Its texts are Markdown.
type Question struct {
	Name     string
	Question string
	Choices  []Choice // two or more, at least one of them correct and one not
}

// Choice is one answer that a question offers.
type Choice struct {
	Letter  string // "a" to "z": what learners type
	Text    string
	Explain string // why it is right or wrong
	Correct bool
}

// Correct are the letters of the right answer, sorted, without anything between
// them: "b", or "ac" where several are to be picked.
func (q Question) Correct() string {
	var letters []string
	for _, c := range q.Choices {
		if c.Correct {
			letters = append(letters, c.Letter)
		}
	}
	slices.Sort(letters)
	return strings.Join(letters, "")
}

// Multiple says whether several choices are to be picked.
func (q Question) Multiple() bool { return len(q.Correct()) > 1 }

// Expect is the report that a scenario must get.
type Expect struct {
	Passed     bool
	Failing    []string // names of checks; every other passes, or is skipped because of one of these
	Provenance string   // "" when any will do
	Says       []string // each must occur in the report
}

// Check is one question, resolved for one environment. It is embedded in the
// evidence, so that grading needs nothing else.
type Check struct {
	Name        string          `json:"name"`
	Kind        string          `json:"kind"`
	Title       string          `json:"title"`
	Service     string          `json:"service,omitempty"`
	Environment string          `json:"environment,omitempty"`
	Points      int             `json:"points"`
	Required    bool            `json:"required"`
	Requires    []string        `json:"requires,omitempty"` // names of checks
	Why         string          `json:"why,omitempty"`
	Next        string          `json:"next,omitempty"`
	Spec        json.RawMessage `json:"spec,omitempty"` // the kind's own attributes
}

// Text is prose with references that can be told only once an instance has
// its addresses.
type Text func(Told) (string, error)

// Told is what prose and host scripts can refer to.
type Told struct {
	Instance   string
	Workspace  string            // path
	Services   []ToldService     // in the lab's order
	Containers map[string]string // the lab's name of a start container → its real name
}

// ToldService is where one service is, and how a container of it is run.
type ToldService struct {
	Name        string
	Environment string
	URL         string // http://127.0.0.1:8080; "" when nothing is published
	Port        int    // on the host; 0 when nothing is published
	Network     string
	Run         string // docker run flags: network, alias or publish, limits
}
