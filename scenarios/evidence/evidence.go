// Package evidence is what a grade is computed from, as plain data: what was
// there when the instance started, what is there now, and what a clean room
// makes of the repository. It can be saved, and graded again elsewhere without
// an engine.
package evidence

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/labctl/labctl/scenarios/lab"
)

// Schema names the format of a saved Set.
const Schema = "labctl/evidence/v1"

// Set is everything one grade is computed from.
//
// What could not be looked at carries an error in its place: absent evidence
// is never evidence of absence.
type Set struct {
	Schema     string    `json:"schema"`
	Labctl     string    `json:"labctl"` // version that gathered
	Time       time.Time `json:"time"`   // of gathering, UTC, whole seconds
	Lab        string    `json:"lab"`
	Learner    string    `json:"learner"`
	Instance   string    `json:"instance"`
	Definition string    `json:"definition"`
	Seed       int64     `json:"seed"`

	Checks   []lab.Check       `json:"checks"`
	Services []Service         `json:"services"`
	Start    Start             `json:"start"`
	Head     Head              `json:"head"`
	Builds   []Build           `json:"builds"`
	Pinned   []Pinned          `json:"pinned,omitempty"` // the lab's images, in an order in which they can be made
	Images   map[string]Image  `json:"images"`           // by image ID
	Layers   map[string]Layer  `json:"layers"`           // by diff ID
	Trees    map[string]Tree   `json:"trees"`            // by "sha256:" and the digest of their JSON
	Quiz     *Quiz             `json:"quiz,omitempty"`   // of a lab that has one; apart from the points
	Texts    map[string]string `json:"texts,omitempty"`  // of small files that differ, by SHA-256: for reports to show, never for grading

	Demonstrations []Demonstration `json:"demonstrations,omitzero"` // the oldest first; absent when no check asks for them

	Unstable string `json:"unstable,omitempty"` // what changed while it was gathered, twice
}

// Service is one service in one environment, as declared and as found.
type Service struct {
	Name         string   `json:"name"`
	Environment  string   `json:"environment"`
	Port         int      `json:"port"`              // in the container
	Publish      string   `json:"publish"`           // lab.PublishPort, lab.PublishRelay or lab.PublishNone
	Address      string   `json:"address,omitempty"` // host:port on the host, where a container publishes it
	Network      string   `json:"network"`
	Replicas     int      `json:"replicas"`
	RuntimePaths []string `json:"runtime_paths,omitempty"`
	Run          lab.Run  `json:"run"`

	Live      []Container `json:"live"`               // what answers at the address, by creation
	Sharers   []Sharer    `json:"sharers,omitempty"`  // what else shares its way there
	Answered  string      `json:"answered,omitempty"` // what answered although no container is live: "HTTP 200"
	Exchanges []Exchange  `json:"exchanges,omitempty"`
	Traffic   *Traffic    `json:"traffic,omitempty"`
	Fresh     []Fresh     `json:"fresh,omitempty"` // one for each live image
	Error     string      `json:"error,omitempty"` // why the service could not be looked at
}

// Container is a container as the engine reports it.
type Container struct {
	ID            string          `json:"id"`
	Name          string          `json:"name"`             // without the leading slash
	Called        string          `json:"called,omitempty"` // the lab's name of a start container: pet-01
	Start         bool            `json:"start,omitempty"`  // made by start: labelled, and not through its image's labels
	Image         string          `json:"image"`            // ID
	ImageName     string          `json:"image_name"`       // as it was given to run
	Created       time.Time       `json:"created"`
	Started       time.Time       `json:"started"`
	State         string          `json:"state"` // running, paused, exited, created, …
	RestartPolicy string          `json:"restart_policy,omitempty"`
	Path          string          `json:"path"`
	Args          []string        `json:"args"`
	Config        json.RawMessage `json:"config"`      // the engine's Config
	HostConfig    json.RawMessage `json:"host_config"` // the engine's HostConfig
	Mounts        []Mount         `json:"mounts,omitempty"`
	Networks      []string        `json:"networks,omitempty"` // names, sorted
	Aliases       []string        `json:"aliases,omitempty"`  // names by which its networks know it, sorted
	Serves        string          `json:"serves,omitempty"`   // of a start container: "booking" or "booking.prod"
	Tree          string          `json:"tree,omitempty"`     // digest of its filesystem in trees
	TreeError     string          `json:"tree_error,omitempty"`
}

// Mount is one mount of a container, tmpfs not included (HostConfig has those).
type Mount struct {
	Type        string `json:"type"` // bind, volume
	Name        string `json:"name,omitempty"`
	Source      string `json:"source,omitempty"`
	Destination string `json:"destination"`
	RW          bool   `json:"rw"`
}

// Sharer is a container that shares a live container's network namespace, or
// the host's while it answers at the address.
type Sharer struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Why  string `json:"why"` // "shares the network namespace of web-001"
}

// Request is one HTTP request that a check asks.
type Request struct {
	Get string `json:"get"` // path and query
}

// Exchange is a request and what came back.
type Exchange struct {
	Request   Request `json:"request"`
	Container string  `json:"container"`        // ID of the container asked; "" when an address was asked that nobody is known to serve
	Status    int     `json:"status,omitempty"` // 0 when nothing answered
	Body      string  `json:"body,omitempty"`   // at most MaxBody bytes, valid UTF-8
	Truncated bool    `json:"truncated,omitempty"`
	Failed    string  `json:"failed,omitempty"` // why nothing answered: the service's fault
	Error     string  `json:"error,omitempty"`  // why it could not be asked: not the service's fault
}

// MaxBody is how many bytes of an answer are kept.
const MaxBody = 64 << 10

// Traffic compares what was sent to the address with what the container's
// network received meanwhile, in bytes.
type Traffic struct {
	Container string `json:"container"`
	Sent      uint64 `json:"sent"`
	Received  uint64 `json:"received"`
	Error     string `json:"error,omitempty"`
}

// Fresh is a container made by the grader of a live image, run exactly as the
// service declares: how such a container looks to this engine, and whether it
// behaves. It never serves and is removed afterwards.
type Fresh struct {
	Image     string     `json:"image"` // ID
	Container Container  `json:"container"`
	Exchanges []Exchange `json:"exchanges,omitempty"`
	Failed    string     `json:"failed,omitempty"` // why it did not become ready: the image's fault
	Error     string     `json:"error,omitempty"`  // why it could not be tried
}

// Start is what is known of the containers that start made.
type Start struct {
	Containers []Container `json:"containers"`      // when start was done
	Now        []Container `json:"now"`             // those that still exist, by whatever name
	HandMade   []Content   `json:"hand_made"`       // what they had by hand then; null when it was not asked for
	Files      []RepoFile  `json:"files"`           // of the last commit that start made; null when it was not asked for
	Lost       string      `json:"lost,omitempty"`  // why Containers and HandMade are not known
	Error      string      `json:"error,omitempty"` // why Now could not be had
}

// Content is a file that a start container had by hand: not as in its image.
type Content struct {
	Container string `json:"container"` // the lab's name: pet-01
	Path      string `json:"path"`
	SHA256    string `json:"sha256"`
	Size      int64  `json:"size"`
	Committed bool   `json:"committed"` // a commit that HEAD descends from holds the same bytes
}

// Head is the repository's last commit and what the working tree has besides.
type Head struct {
	Commit  string     `json:"commit"`
	Tree    string     `json:"tree"`
	Subject string     `json:"subject"`
	Branch  string     `json:"branch,omitempty"`
	Files   []RepoFile `json:"files,omitempty"`
	Dirty   []Change   `json:"dirty,omitempty"`
	Error   string     `json:"error,omitempty"` // why it could not be read
}

// RepoFile is one file of a commit.
type RepoFile struct {
	Path   string   `json:"path"`
	Mode   string   `json:"mode"` // git's: 100644, 100755, 120000; 160000 is a submodule, which has no content
	SHA256 string   `json:"sha256"`
	Size   int64    `json:"size"`
	Kind   string   `json:"kind"`             // of its content, as KindOf names it
	Packed []string `json:"packed,omitempty"` // SHA-256 of what an archive holds, as PackedIn lists it
}

// Change is one path that differs between HEAD and the working tree.
type Change struct {
	Path string `json:"path"`
	Sign string `json:"sign"` // "+" untracked, "-" deleted, "~" changed
}

// What a clean room built.
const (
	OfHead     = "head"
	OfWorktree = "worktree" // the working tree, uncommitted changes included
	OfOlder    = "older"    // a commit that HEAD descends from
)

// Build is what a clean room made of one state of the repository.
type Build struct {
	Of      string `json:"of"` // "head", "worktree" or "older"
	Commit  string `json:"commit,omitempty"`
	Image   string `json:"image,omitempty"`   // ID in images
	Refused string `json:"refused,omitempty"` // why the Dockerfile was not run
	Failed  string `json:"failed,omitempty"`  // how the build failed
	Error   string `json:"error,omitempty"`   // why it could not be tried

	Lineage *Lineage `json:"lineage,omitempty"` // of an image: on which of the lab's images it stands
}

// Lineage is on which of the lab's images the last stage of a Dockerfile
// stands, by ID in pinned. Where both are empty it stands on none.
type Lineage struct {
	From  string   `json:"from,omitempty"`  // the image below the stage: its FROM, or that of the stage that it continues
	Taken []string `json:"taken,omitempty"` // of a stage on scratch: the images below what is copied or mounted into it, sorted
}

// Images are those that a stage stands on, whichever way.
func (l Lineage) Images() []string {
	if l.From != "" {
		return []string{l.From}
	}
	return l.Taken
}

// Pinned is one of the lab's images, as it was when the instance was started.
type Pinned struct {
	Name string `json:"name"`          // the lab's: base_2
	Tag  string `json:"tag,omitempty"` // by which Dockerfiles build FROM it
	ID   string `json:"id"`            // in images where it was looked at
}

// Demonstration is a record on the engine of a labctl check that saw an image
// behave right: a container of that image which was never started. When it was
// created, and of which image, is the engine's to say.
type Demonstration struct {
	ID          string    `json:"id"`
	Name        string    `json:"name"`
	Created     time.Time `json:"created"`
	Image       string    `json:"image"` // ID in images
	Service     string    `json:"service"`
	Environment string    `json:"environment"`
	Check       string    `json:"check"`      // the check that asked for it
	Containers  []string  `json:"containers"` // IDs of those that were seen to behave
}

// Quiz is how a lab's questions were answered when the evidence was gathered.
type Quiz struct {
	Questions int    `json:"questions"`       // there are
	Answered  int    `json:"answered"`        // so many of them
	Right     int    `json:"right"`           // in some try
	FirstTry  int    `json:"first_try"`       // right in the first one
	Error     string `json:"error,omitempty"` // why it is not known
}

// Image is what of an image cannot be forged.
type Image struct {
	ID     string          `json:"id"`
	Layers []string        `json:"layers"` // diff IDs, lowest first
	Config json.RawMessage `json:"config"` // the engine's Config of the image
	Error  string          `json:"error,omitempty"`
}

// StandsOn reports whether an image begins with all layers of another, which
// says nothing where that one has none.
func (i Image) StandsOn(below Image) bool {
	return len(below.Layers) <= len(i.Layers) && slices.Equal(below.Layers, i.Layers[:len(below.Layers)])
}

// Layer is what one layer of an image changes.
type Layer []Entry

// Tree is a whole filesystem, sorted by path.
type Tree []Entry

// Types of an Entry.
const (
	TypeFile     = "file"
	TypeDir      = "dir"
	TypeSymlink  = "symlink"
	TypeHardlink = "hardlink" // in layers only: Link is the path of the same layer or below it
	TypeDevice   = "device"
	TypeFIFO     = "fifo"
	TypeWhiteout = "whiteout" // in layers only: the path is removed
	TypeOpaque   = "opaque"   // in layers only: everything below the directory in lower layers is removed
)

// Entry is one path of a layer or a tree. Times are left out on purpose: they
// differ between honest builds.
type Entry struct {
	Path       string `json:"path"`           // absolute, clean: /etc/booking.conf; a byte that is no UTF-8 is \xNN, as in Link
	Type       string `json:"type"`           // "file", "dir", "symlink", "hardlink", "device", "fifo"; in a layer "whiteout" or "opaque", too
	Mode       uint32 `json:"mode,omitempty"` // permission bits with setuid 04000, setgid 02000, sticky 01000
	UID        int    `json:"uid,omitempty"`
	GID        int    `json:"gid,omitempty"`
	Size       int64  `json:"size,omitempty"`
	SHA256     string `json:"sha256,omitempty"` // of a file's content, hex
	Link       string `json:"link,omitempty"`
	Device     string `json:"device,omitempty"`     // "c 1:3"
	Capability string `json:"capability,omitempty"` // security.capability, hex
}
