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
func StopInstance(o Present) Plan {
	var p Plan
	var containers, all []int
	for _, c := range o.Containers {
		containers = append(containers, p.add(Op{Kind: RemoveContainer, Name: c.ID, Reason: c.Why}))
	}
	all = append(all, containers...)
	for _, n := range o.Networks {
		all = append(all, p.add(Op{Kind: RemoveNetwork, Name: n.ID, Reason: n.Why, After: containers}))
	}
	// One after the other: images stand on each other.
	last := containers
	for _, image := range o.Images {
		i := p.add(Op{Kind: RemoveImage, Name: image.ID, Reason: image.Why, After: last})
		last = []int{i}
		all = append(all, i)
	}
	if o.Workspace != "" {
		all = append(all, p.add(Op{Kind: RemoveWorkspace, Name: o.Workspace, Reason: "purging was asked for", After: append([]int(nil), containers...)}))
	}
	end := Op{Kind: Halt, Name: o.Instance, Reason: "its images and workspace can be purged later", After: all}
	if o.Purge {
		end = Op{Kind: Forget, Name: o.Instance, Reason: "nothing of it is left", After: all}
	}
	p.add(end)
	return p
}
