package check

// behaviours are the kinds that ask how a service behaves; survives asks the
// same of a fresh container.
var behaviours = []Kind{HTTP}

//go:generate go generate ../config

// Kinds are all kinds of checks, in the order in which they are documented.
var Kinds = append(behaviours[:len(behaviours):len(behaviours)],
	Assert,
	Replaced,
	RunAsDeclared,
	NoDrift,
	Source,
	BuiltFromRepo,
	ServedBy,
	Survives,
	SameImage,
	Promoted,
	Demonstrated,
	BasedOn,
)

// Find returns the kind with the name that check blocks use.
func Find(name string) (Kind, bool) {
	for _, k := range Kinds {
		if k.Type == name {
			return k, true
		}
	}
	return Kind{}, false
}
