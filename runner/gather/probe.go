package gather

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/labctl/labctl/runner/apply"
	"github.com/labctl/labctl/runner/engine"
	"github.com/labctl/labctl/runner/progress"
	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/lab"
)

// The probes of traffic: this many requests, each with this many header lines
// of padding. A line, and all lines together, stay below what small servers take.
const (
	trafficRequests = 4
	trafficLines    = 4
	trafficPadding  = 1000 // bytes of a line
)

// away reports whether an error means that the engine cannot be asked at all,
// so that there is no point in asking for the rest.
func away(err error) bool {
	var u *engine.Unavailable
	return errors.As(err, &u)
}

// ask puts one request to every live container of a service, or to its
// address where one publishes it.
func (s *session) ask(ctx context.Context, service *evidence.Service, request evidence.Request) error {
	for _, c := range service.Live {
		if !s.first("ask " + key(service) + " " + c.ID + " " + request.Get) {
			continue
		}
		address, err := s.where(service, c.ID)
		e := evidence.Exchange{Request: request, Error: errorText(err)}
		if err == nil {
			e = s.Engine.Get(ctx, address, request, nil)
		}
		e.Container = c.ID
		service.Exchanges = append(service.Exchanges, e)
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) where(service *evidence.Service, id string) (string, error) {
	if service.Address != "" {
		return service.Address, nil
	}
	for _, c := range s.all {
		if c.ID == id && c.Networks[service.Network] != "" {
			return net.JoinHostPort(c.Networks[service.Network], strconv.Itoa(service.Port)), nil
		}
	}
	return "", fmt.Errorf("the container has no address on network %s", service.Network)
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// traffic sends a known number of bytes to the address and reads how many more
// the live container received meanwhile.
func (s *session) traffic(ctx context.Context, service *evidence.Service) {
	if len(service.Live) != 1 {
		return
	}
	t := &evidence.Traffic{Container: service.Live[0].ID}
	service.Traffic = t
	address, err := s.where(service, t.Container)
	if err != nil {
		t.Error = err.Error()
		return
	}
	before, err := s.Engine.Received(ctx, t.Container)
	if err != nil {
		t.Error = err.Error()
		return
	}
	path := "/"
	if declared := s.Lab.Service(service.Name, service.Environment); declared != nil {
		path = readyPath(*declared)
	}
	header := map[string]string{}
	for line := range trafficLines {
		header[fmt.Sprintf("X-Labctl-Padding-%d", line)] = strings.Repeat("x", trafficPadding)
	}
	for range trafficRequests {
		e := s.Engine.Get(ctx, address, evidence.Request{Get: path}, header)
		if e.Error != "" || e.Failed != "" {
			t.Error = "the address did not take the probes: " + e.Error + e.Failed
			return
		}
		t.Sent += trafficLines * trafficPadding
	}
	after, err := s.Engine.Received(ctx, t.Container)
	if err != nil {
		t.Error = err.Error()
		return
	}
	t.Received = after - before
}

// fresh runs a container of each live image exactly as the service declares,
// and asks it what the live ones are asked.
func (s *session) fresh(ctx context.Context, service *evidence.Service, requests []evidence.Request) error {
	done := map[string]bool{}
	for _, c := range service.Live {
		if done[c.Image] {
			continue
		}
		done[c.Image] = true
		step := "run a fresh container as declared"
		s.Progress.Send(progress.Event{State: progress.Begun, Step: step})
		f, err := s.knownFresh(ctx, service, c.Image, requests)
		if err != nil {
			if ctx.Err() != nil || away(err) {
				return errors.Join(ctx.Err(), err)
			}
			f.Error = err.Error()
		}
		s.Progress.Send(progress.Event{State: progress.Done, Step: step})
		service.Fresh = append(service.Fresh, f)
	}
	return nil
}

// knownFresh tries a fresh container, unless an earlier look did and it got
// ready.
func (s *session) knownFresh(ctx context.Context, service *evidence.Service, image string, requests []evidence.Request) (evidence.Fresh, error) {
	if s.Fresh == nil {
		return s.tryFresh(ctx, service, image, requests)
	}
	asked := fmt.Sprintf("%s %s %q", key(service), image, requests)
	if known, is := s.Fresh.Load(asked); is {
		return known.(evidence.Fresh), nil
	}
	f, err := s.tryFresh(ctx, service, image, requests)
	if err == nil && f.Failed == "" {
		s.Fresh.Store(asked, f)
	}
	return f, err
}

func (s *session) tryFresh(ctx context.Context, service *evidence.Service, image string, requests []evidence.Request) (f evidence.Fresh, err error) {
	f = evidence.Fresh{Image: image}
	declared := s.Lab.Service(service.Name, service.Environment)
	spec := engine.ContainerSpec{
		Name: s.Record.Instance + "-fresh-" + random(), Image: image, Network: service.Network,
		Run: declared.Run, Labels: map[string]string{},
	}
	for k, v := range s.Labels {
		spec.Labels[k] = v
	}
	spec.Labels[engine.LabelRole] = engine.RoleFresh
	if declared.Publish == lab.PublishPort {
		spec.Publish, spec.HostIP = declared.Port, "127.0.0.1"
	}
	// Created or not, it is removed: a call that was cut off may have done its work.
	defer func() {
		clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
		defer cancel()
		err = errors.Join(err, s.Engine.RemoveContainer(clean, spec.Name))
	}()
	id, err := s.Engine.CreateContainer(ctx, spec)
	if err != nil {
		return f, err
	}
	startErr := s.Engine.StartContainer(ctx, id)
	if away(startErr) || ctx.Err() != nil {
		return f, startErr
	}
	if f.Container, err = s.Engine.Inspect(ctx, id); err != nil {
		return f, err
	}
	if startErr != nil {
		f.Failed = startErr.Error()
		return f, nil
	}
	address, err := s.freshAddress(ctx, id, declared)
	if err != nil {
		if f.Container, err = s.Engine.Inspect(ctx, id); err != nil {
			return f, err
		}
		if f.Container.State != "running" {
			f.Failed = "it stopped at once"
			return f, nil
		}
		return f, fmt.Errorf("finding the fresh container's address on %s", service.Network)
	}
	if declared.Ready.Get != "" {
		within, err := time.ParseDuration(declared.Ready.Within)
		if err != nil {
			return f, fmt.Errorf("reading how long %s may take: %w", declared.Address(), err)
		}
		if err := s.Engine.Ready(ctx, id, address, declared.Ready.Get, within); err != nil {
			if away(err) || ctx.Err() != nil {
				return f, err
			}
			f.Failed = err.Error()
			return f, nil
		}
	}
	asked := map[string]bool{}
	for _, request := range requests {
		if asked[request.Get] {
			continue
		}
		asked[request.Get] = true
		e := s.Engine.Get(ctx, address, request, nil)
		e.Container = id
		f.Exchanges = append(f.Exchanges, e)
	}
	return f, nil
}

// freshAddress is where a fresh container is asked: the port that the engine
// chose for it, or its own address on the network.
func (s *session) freshAddress(ctx context.Context, id string, declared *lab.Service) (string, error) {
	if lab.OnNetwork(declared.Publish) {
		return apply.NetworkAddress(ctx, s.Engine, id, s.Names.Network(declared.Environment), declared.Port)
	}
	all, err := s.Engine.Containers(ctx)
	if err != nil {
		return "", err
	}
	for _, c := range all {
		for _, p := range c.Ports {
			if c.ID == id && p.Container == declared.Port && p.Host != 0 {
				return net.JoinHostPort("127.0.0.1", strconv.Itoa(p.Host)), nil
			}
		}
	}
	return "", fmt.Errorf("finding the port of container %.12s: %w", id, engine.ErrNotFound)
}

func random() string {
	b := make([]byte, 4)
	_, _ = rand.Read(b) // never fails: crypto/rand aborts the program instead
	return hex.EncodeToString(b)
}
