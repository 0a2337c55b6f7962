// Package runner does what the commands promise: it starts, shows, grades,
// proves and stops labs on a real engine. The packages below it each know one
// part of the world; this one puts them together.
package runner

import (
	"context"
	"io"
	"sync"
	"time"

	"github.com/labctl/labctl/runner/engine"
	"github.com/labctl/labctl/runner/plan"
	"github.com/labctl/labctl/runner/progress"
	"github.com/labctl/labctl/runner/state"
	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/report"
)

// Runner is labctl on one engine, for one user of the host.
type Runner struct {
	Engine   engine.Engine
	State    *state.Store
	Library  *Library
	User     string // the host user, so that --all means their instances
	Version  string // labctl's
	Progress progress.Func
	Now      func() time.Time
	Program  string // path of labctl itself, for scripts of Test to call; "" leaves them what is in PATH

	// parent is the state that locks of what all instances share lie in, where
	// State is that of one instance alone; nil when it is State.
	parent *state.Store

	// fresh is what fresh containers of a lab with one seed did, for Test, which
	// looks many times; nil has every look try its own.
	fresh *sync.Map

	// ownBase gives instances that are started bases with tags of their own.
	ownBase bool
}

func (r *Runner) shared() *state.Store {
	if r.parent != nil {
		return r.parent
	}
	return r.State
}

// StartOptions says what to start.
type StartOptions struct {
	Lab     string // a shipped lab's name or a folder
	Learner string
	Seed    *int64 // nil draws from the learner's name
	Dir     string // workspace; "" is ./LAB
	Cwd     string // absolute; relative folders are relative to it
}

// Started is an instance that runs.
type Started struct {
	Instance Instance
	Brief    string // Markdown
	Lesson   bool   // there is one to read
	Already  bool   // it ran before this call, which changed nothing
}

// Instance is one learner's running lab, as labctl status shows it. Its JSON
// is part of labctl/status/v1.
type Instance struct {
	Lab       string          `json:"lab"`
	Learner   string          `json:"learner"`
	Instance  string          `json:"instance"`
	Workspace string          `json:"workspace"`
	Started   time.Time       `json:"started"`
	Services  []ServiceStatus `json:"services"`

	// Unfinished is why the instance is not complete; "" when it is.
	Unfinished string `json:"-"`
}

// ServiceStatus is one service and what is live there.
type ServiceStatus struct {
	Name        string          `json:"name"`
	Environment string          `json:"environment"`
	Publish     string          `json:"publish"` // "port", "relay" or "none"
	Address     string          `json:"address"` // 127.0.0.1:8080; "" when nothing is published
	Relay       string          `json:"relay"`   // the container that passes on what comes to the address; "" for none
	Live        []LiveContainer `json:"live"`

	// Unreached is why nothing that comes to the address is passed on; "" when
	// it is, or when that is no relay's to do.
	Unreached string `json:"-"`
}

// LiveContainer is a container that answers at a service's address.
type LiveContainer struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Image string `json:"image"` // as it was named to run, else its ID
}

// Selector says which instance a command means.
type Selector struct {
	Lab     string // "" for the instance of the folder, else the only one running
	Learner string // "" for any
	Cwd     string
	Stopped bool // stopped ones count, too
}

// Demonstrated is an image that was recorded to behave.
type Demonstrated struct {
	Environment string
	Image       string // as it was named to run, else its ID
}

// StopPlan is what stop would do, for asking first.
type StopPlan struct {
	Instance   Instance
	Containers []string // names that will be removed: the lab's and the learner's
	Networks   []string
	Images     []string // only when purging
	Workspace  string   // only when purging: the folder to delete
	Unsaved    []string // only when purging: what the folder has that no commit has
	Left       []string // what is left alone, with the reason

	present plan.Present // the same, as it is planned on
	ran     []string     // images of the containers that will be removed
}

// TestOptions says what to prove.
type TestOptions struct {
	Labs      []string // shipped labs' names or folders
	Cwd       string
	Scenarios []string // names, in a single lab; none means all, and all that is derived
	Derived   []string // names of the cheats and honest ways to try in a single lab, and nothing else; none means all
	Parallel  int      // instances at once, of all labs
	Seed      *int64   // that parameters are drawn with; nil for one that is always the same
	Trust     bool
	Keep      bool              // keep the instances that came out wrong
	KeepAll   bool              // keep the instances of cheats and honest ways, however they come out
	Report    func(TestResult)  // called as each scenario ends; not concurrently
	Tried     func(TestOutcome) // called as all of a lab was tried; not concurrently, nor beside Report
}

// TestOutcome is all that a test found about one lab.
type TestOutcome struct {
	Lab       string // its name
	Scenarios []TestResult
	Proofs    []ProofResult // in the order of their lists: cheats, then honest ways
}

// TestResult is how one scenario came out.
type TestResult struct {
	Lab         string         `json:"lab"`
	Scenario    string         `json:"scenario"`
	OK          bool           `json:"ok"`
	Differences []string       `json:"differences"`     // from what it expects, or why it could not be brought about
	Error       string         `json:"error,omitempty"` // could not be brought about or graded
	Seconds     float64        `json:"seconds"`
	Report      *report.Report `json:"report,omitempty"`
	Kept        string         `json:"kept,omitempty"` // instance that was kept for a look
}

// Hint is one hint of a lab.
type Hint struct {
	Number int    `json:"number"` // from 1
	Total  int    `json:"total"`
	Text   string `json:"text"` // Markdown
}

// API is what the commands call. Runner implements it.
type API interface {
	Start(ctx context.Context, o StartOptions) (*Started, error)
	// Instances lists this user's instances, unfinished ones included; stopped
	// ones, of which only images and the workspace are left, when asked to.
	Instances(ctx context.Context, stopped bool) ([]Instance, error)
	// Find picks one; its errors say which there are.
	Find(ctx context.Context, s Selector) (Instance, error)
	// Gather looks at an instance; report.Grade makes a report of it.
	Gather(ctx context.Context, in Instance) (*evidence.Set, error)
	// Demonstrate records on the engine which images a set of Gather's shows to
	// behave where its checks want that demonstrated, as far as there is no record
	// yet. It changes nothing about the set.
	Demonstrate(ctx context.Context, in Instance, set *evidence.Set) ([]Demonstrated, error)
	// Hint returns hint n (from 1) of an instance's lab; 0 is the one after
	// those that were shown, or the last again.
	Hint(ctx context.Context, in Instance, n int) (*Hint, error)
	// Shell opens a shell in a container of the instance: by the lab's name
	// or the engine's; "" is what is live, when that is one container.
	Shell(ctx context.Context, in Instance, container string, stdin io.Reader, stdout, stderr io.Writer) (exit int, err error)
	// Drift tells how a container of the instance, named as for Shell and
	// stopped or not, differs from its image and from what HEAD makes; "" is
	// all that is live.
	Drift(ctx context.Context, in Instance, container string) (*Drift, error)
	// Containers names the containers that Shell takes, or with the stopped
	// ones those that Drift takes, for completion.
	Containers(ctx context.Context, in Instance, stopped bool) ([]string, error)
	// PlanShoot picks a container to shoot, of those that are live and those that
	// start made, and looks what its death would cost. It is named as for Shell,
	// or by the beginning of its ID; "" is the one that is live, or at random one
	// of them.
	PlanShoot(ctx context.Context, in Instance, container string, random bool) (*Shot, error)
	// Shoot kills and removes a container that PlanShoot picked.
	Shoot(ctx context.Context, in Instance, shot *Shot) error
	// Follow completes a shot with what comes back, until the service is whole
	// again, the time is over or the context ends.
	Follow(ctx context.Context, shot *Shot, within time.Duration) error
	// Targets names the containers that PlanShoot takes, for completion.
	Targets(ctx context.Context, in Instance) ([]string, error)
	PlanStop(ctx context.Context, in Instance, purge bool) (*StopPlan, error)
	Stop(ctx context.Context, plan *StopPlan) error
	// Test proves labs. Its outcomes are those of the labs of which all was tried,
	// in the order asked for; an error beside all of them is one of cleaning up.
	Test(ctx context.Context, o TestOptions) ([]TestOutcome, error)
}
