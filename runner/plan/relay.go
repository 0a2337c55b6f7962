package plan

import "github.com/labctl/labctl/scenarios/lab"

// RelayImage is the engine's name of the image that relays run.
const RelayImage = lab.RelayRepository + ":1"

// Relay is the engine's name of a service's relay. No container of the lab's
// can have it: their names have no dot.
func (n Names) Relay(s lab.Service) string {
	name := n.Instance + "-relay." + s.Name
	if s.Environment != "" {
		name += "." + s.Environment
	}
	return name
}

// FoundRelay is a relay that is there.
type FoundRelay struct {
	ID, Name string
	Service  string // its address: service.booking.prod
	Passes   bool   // it runs between the service's address and network
}

// relays plans those that a lab needs and that are not there. A relay has no
// history, so one that does not pass anything on, half-made, stopped or cut off
// from its network, is made again. Its image is needed after some operations,
// and it needs those that make its network.
func (p *Plan) relays(l *lab.Lab, names Names, o Observed, after []int, networks map[string][]int) {
	image := -1
	for i := range l.Services {
		s := &l.Services[i]
		if s.Publish != lab.PublishRelay {
			continue
		}
		var removed []int
		passes := false
		for _, r := range o.Relays {
			if r.Service != s.Address() {
				continue
			}
			if passes = passes || r.Passes; !r.Passes {
				removed = append(removed, p.add(Op{Kind: RemoveContainer, Name: r.ID, Reason: r.Name + " passes nothing on"}))
			}
		}
		if passes {
			continue
		}
		if image < 0 {
			image = p.add(Op{Kind: MakeRelayImage, Name: RelayImage, Reason: "relays run it", After: after})
		}
		needs := append(append(removed, networks[s.Environment]...), image)
		made := p.add(Op{Kind: CreateRelay, Name: names.Relay(*s), Reason: s.Address() + " is reached through it", Service: s, After: needs})
		p.add(Op{Kind: StartRelay, Name: names.Relay(*s), Reason: "it runs", Service: s, After: []int{made}})
	}
}
