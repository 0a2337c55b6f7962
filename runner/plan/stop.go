package plan

// Present is what there is of an instance when it is to be stopped.
type Present struct {
	Containers []Object // the lab's own, and those that the learner made
	Networks   []Object
	Images     []Object // to be removed; none unless purging
	Workspace  string   // to be removed; "" unless purging
	Instance   string
	Purge      bool // nothing is to be left
}

// Object is something on the engine, with why it belongs to the instance.
type Object struct {
	ID   string
	Name string
	Why  string
}

// StopInstance plans the removal of everything present. The record goes last,
// so that a stop that was cut off can be repeated.
//
// Containers go one after the other: Docker 20.10 can lock up for good when two
// of one network end at once. Its libnetwork locks the network and then the
// controller (getSvcRecords), and the controller and then the network
// (processEndpointDelete). So do images, which stand on each other.
func StopInstance(o Present) Plan {
	var p Plan
	var all, last []int
	next := func(op Op) {
		op.After = last
		last = []int{p.add(op)}
		all = append(all, last...)
	}
	for _, c := range o.Containers {
		next(Op{Kind: RemoveContainer, Name: c.ID, Reason: c.Why})
	}
	emptied := last
	for _, n := range o.Networks {
		all = append(all, p.add(Op{Kind: RemoveNetwork, Name: n.ID, Reason: n.Why, After: emptied}))
	}
	for _, image := range o.Images {
		next(Op{Kind: RemoveImage, Name: image.ID, Reason: image.Why})
	}
	if o.Workspace != "" {
		all = append(all, p.add(Op{Kind: RemoveWorkspace, Name: o.Workspace, Reason: "purging was asked for", After: emptied}))
	}
	end := Op{Kind: Halt, Name: o.Instance, Reason: "its images and workspace can be purged later", After: all}
	if o.Purge {
		end = Op{Kind: Forget, Name: o.Instance, Reason: "nothing of it is left", After: all}
	}
	p.add(end)
	return p
}
