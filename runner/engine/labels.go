package engine

// Labels that every object of an instance carries. State lives in them: an
// instance can be found and removed with nothing else. The facts of an
// instance are labels of its networks, which cannot be changed once made.
const (
	LabelInstance    = "labctl.instance"   // identity: lab and learner
	LabelLab         = "labctl.lab"        // name
	LabelLearner     = "labctl.learner"    // as given
	LabelUser        = "labctl.user"       // the host user who started it
	LabelRole        = "labctl.role"       // one of the roles below
	LabelContainer   = "labctl.container"  // the lab's name of a start container: pet-01
	LabelServes      = "labctl.serves"     // the service it was made for, or relays: booking or booking.prod
	LabelDefinition  = "labctl.definition" // digest of the lab's folder
	LabelSeed        = "labctl.seed"
	LabelStarted     = "labctl.started"   // RFC 3339
	LabelImages      = "labctl.images"    // JSON: tag → pinned image ID
	LabelAddresses   = "labctl.addresses" // JSON: "booking" or "booking.prod" → 127.0.0.1:8080
	LabelWorkspace   = "labctl.workspace" // path at the start
	LabelSource      = "labctl.source"    // where the lab's definition came from
	LabelEnvironment = "labctl.environment"

	// LabelDemonstration is on a record of what a check saw, and says what: JSON,
	// evidence.Demonstration without what the engine says of the container. It
	// names containers of the image, so that no image can have the same label.
	LabelDemonstration = "labctl.demonstration"

	// LabelCleanRoom is on what a clean room of the instance it names makes on
	// the way, and on nothing else: the containers of steps, and images.
	LabelCleanRoom = "labctl.cleanroom"
)

// Roles.
const (
	RoleStart         = "start"         // a container that start made. A learner's commit of it inherits the label through the image, which therefore does not count
	RoleFresh         = "fresh"         // a grader's throwaway container
	RoleCage          = "cage"          // what a clean room's steps are kept in
	RoleDemonstration = "demonstration" // a record: a container that is never started, of an image that was seen to behave
	RoleNetwork       = "network"
	RoleRelay         = "relay" // what publishes a service's address and passes on to its containers; also of the image that it runs
)
