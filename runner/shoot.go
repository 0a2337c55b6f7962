package runner

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/labctl/labctl/runner/apply"
	"github.com/labctl/labctl/runner/engine"
	"github.com/labctl/labctl/runner/plan"
	"github.com/labctl/labctl/runner/problem"
	"github.com/labctl/labctl/runner/progress"
	"github.com/labctl/labctl/runner/state"
	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/lab"
)

// ShootSchema names the format of Shot's JSON.
const ShootSchema = "labctl/shoot/v1"

// Shot is a container that was shot: what was lost with it, and what came back.
// Until it is shot, it is what that would cost.
type Shot struct {
	Schema      string        `json:"schema"`
	Lab         string        `json:"lab"`
	Learner     string        `json:"learner"`
	Instance    string        `json:"instance"`
	Service     string        `json:"service"`     // that it answered for, or was made for; "" for none
	Environment string        `json:"environment"` // of the service
	Address     string        `json:"address"`     // of the service: 127.0.0.1:8080; "" when nothing is published
	Replicas    int           `json:"replicas"`    // that the service declares; 0 without one
	Container   ShotContainer `json:"container"`
	Lost        Lost          `json:"lost"` // as it was before it was shot

	LiveBefore []string `json:"live_before"` // names of what answered for the service, this one included
	LiveAfter  []string `json:"live_after"`  // when labctl looked last
	Answers    bool     `json:"answers"`     // the service answered then
	// AnsweredAfter is when the service first answered after the shot, in
	// seconds; null when it did not. Where others went on answering that is at
	// once.
	AnsweredAfter *float64 `json:"answered_after_seconds" jsonschema:"nullable"`
	Followed      float64  `json:"followed_seconds"` // how long after the shot labctl looked last; 0 when it did not
	FollowError   string   `json:"follow_error"`     // why labctl could not look what came back; "" when it could

	BringBack []string `json:"bring_back"` // commands for a shell, in order: from the repository, as the service is run

	live    bool
	service *lab.Service  // nil for none
	rec     *state.Record // where it is
	killed  time.Time
}

// ShotContainer is which container was shot.
type ShotContainer struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Called    string `json:"called"`     // the lab's name of a start container: pet-01
	Image     string `json:"image"`      // ID
	ImageName string `json:"image_name"` // as it was given to run
}

// Live reports whether the container answered for its service.
func (s *Shot) Live() bool { return s.live }

// PlanShoot implements API.
func (r *Runner) PlanShoot(ctx context.Context, in Instance, name string, random bool) (*Shot, error) {
	unlock, err := r.lock(ctx, in.Instance)
	if err != nil {
		return nil, err
	}
	defer unlock()
	g, err := r.gatherer(ctx, in)
	if err != nil {
		return nil, err
	}
	a, err := r.aim(ctx, in)
	if err != nil {
		return nil, err
	}
	t, err := a.choose(name, random)
	if err != nil {
		return nil, err
	}
	shot := &Shot{
		Schema: ShootSchema, Lab: in.Lab, Learner: in.Learner, Instance: in.Instance,
		Container:  ShotContainer{ID: t.ID, Name: t.Name, Called: t.called, Image: t.Image, ImageName: t.ImageName},
		LiveBefore: []string{}, LiveAfter: []string{}, BringBack: []string{},
		live: t.live, service: t.service, rec: a.rec,
	}
	if s := t.service; s != nil {
		shot.Service, shot.Environment, shot.Replicas = s.Name, s.Environment, s.Replicas
		shot.Address = a.rec.Addresses[apply.Key(s.Name, s.Environment)]
		live, err := r.serve(ctx, a.w, a.rec, *s)
		if err != nil {
			return nil, err
		}
		shot.LiveBefore = append(shot.LiveBefore, names(live)...)
	}
	if shot.Lost, err = r.lost(ctx, g, t); err != nil {
		return nil, err
	}
	shot.BringBack, err = a.bringBack(ctx, g, t)
	return shot, err
}

// Shoot implements API. The container is removed as it is killed: a server that
// dies does not come back with its disk.
func (r *Runner) Shoot(ctx context.Context, in Instance, shot *Shot) error {
	unlock, err := r.lock(ctx, in.Instance)
	if err != nil {
		return err
	}
	defer unlock()
	a, err := r.aim(ctx, in)
	if err != nil {
		return err
	}
	// Whoever was asked may have thought about it for long.
	if !slices.ContainsFunc(a.targets, func(t target) bool { return t.ID == shot.Container.ID }) {
		return thereAre(&problem.Problem{
			What: shot.Container.Name + " was not shot", Why: "since labctl looked it was removed, or is live no more",
		}, a.summaries())
	}
	shot.killed = time.Now()
	return r.Engine.RemoveContainer(ctx, shot.Container.ID)
}

const (
	// followEvery is how often labctl looks for what came back.
	followEvery = 200 * time.Millisecond
	// followAsks is how long one question to a service takes at the most.
	followAsks = 2 * time.Second
)

// Follow implements API.
func (r *Runner) Follow(ctx context.Context, shot *Shot, within time.Duration) error {
	if !shot.live {
		return nil
	}
	step := "follow " + shot.Service
	r.Progress.Send(progress.Event{State: progress.Begun, Step: step})
	defer r.Progress.Send(progress.Event{State: progress.Done, Step: step})
	for end := time.Now().Add(within); ; {
		whole, err := r.cameBack(ctx, shot)
		if ctx.Err() != nil {
			return nil // whoever waited has seen enough
		}
		if err != nil {
			shot.FollowError = err.Error()
			return err
		}
		left := time.Until(end)
		if whole || left <= 0 {
			return nil
		}
		r.Progress.Send(progress.Event{State: progress.Detail, Step: step, Detail: fmt.Sprintf(
			"%d of %d live, %.0fs left", len(shot.LiveAfter), max(shot.Replicas, 1), left.Seconds())})
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(min(followEvery, left)):
		}
	}
}

// cameBack looks once what is live for the service, asks it, and reports
// whether it is all that there should be.
func (r *Runner) cameBack(ctx context.Context, shot *Shot) (whole bool, err error) {
	w := world{}
	if w.containers, err = r.Engine.Containers(ctx); err != nil {
		return false, err
	}
	live, err := r.serve(ctx, w, shot.rec, *shot.service)
	if err != nil {
		return false, err
	}
	asked, cancel := context.WithTimeout(ctx, followAsks)
	defer cancel()
	var all sync.WaitGroup
	var answering atomic.Int64
	for _, c := range live {
		all.Go(func() {
			if r.answers(asked, c, shot.rec, *shot.service) {
				answering.Add(1)
			}
		})
	}
	all.Wait()
	if err := ctx.Err(); err != nil {
		return false, err
	}
	n := int(answering.Load())
	shot.LiveAfter, shot.Answers = append([]string{}, names(live)...), n > 0
	shot.Followed = time.Since(shot.killed).Seconds()
	if shot.Answers && shot.AnsweredAfter == nil {
		after := shot.Followed
		shot.AnsweredAfter = &after
	}
	return n == len(live) && n >= max(shot.Replicas, 1), nil
}

// answers asks a live container of a service whether it is ready.
func (r *Runner) answers(ctx context.Context, c engine.Summary, rec *state.Record, s lab.Service) bool {
	address := rec.Addresses[apply.Key(s.Name, s.Environment)]
	if lab.OnNetwork(s.Publish) {
		at := c.Networks[plan.Names{Instance: rec.Instance}.Network(s.Environment)]
		if at == "" {
			return false
		}
		address = net.JoinHostPort(at, strconv.Itoa(s.Port))
	}
	if s.Ready.Get == "" {
		return r.Engine.Get(ctx, address, evidence.Request{Get: "/"}, nil).Status != 0
	}
	return r.Engine.Get(ctx, address, evidence.Request{Get: s.Ready.Get}, nil).Status == http.StatusOK
}
