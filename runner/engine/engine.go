// Package engine is the seam to the Docker Engine: the few questions and acts
// that labctl has for it, in labctl's words. Package docker implements them,
// package fake stands in for them in tests of the command line.
package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"time"

	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/lab"
)

// Errors that callers tell apart.
var (
	ErrNotFound  = errors.New("no such object on the engine")
	ErrPortTaken = errors.New("the port is already taken")
	ErrInUse     = errors.New("still in use on the engine")
	ErrNameTaken = errors.New("the name is already taken on the engine")
)

// ImageGone reports whether that is why a build failed, by the end of what its
// builder says: somebody removed an image without a name that a step stands on, or
// that the cache led to. The same build can be done again.
func ImageGone(said string) bool { return imageGone.MatchString(said) }

var imageGone = regexp.MustCompile(`(No such image: sha256:[0-9a-f]{64}|failed to get digest sha256:[0-9a-f]{64}: .*: no such file or directory)$`)

// Unavailable is the error of an engine that cannot be used at all: away,
// remote, too old. It says what to do.
type Unavailable struct {
	Host string // where it was looked for
	Why  string
	Mend string
	Err  error // may be nil
}

func (e *Unavailable) Error() string {
	return fmt.Sprintf("%s (%s): %s", e.Why, e.Host, e.Mend)
}
func (e *Unavailable) Unwrap() error { return e.Err }

// Info is what is known about an engine.
type Info struct {
	Version string
	API     string
	Driver  string
	Builder string // BuilderClassic or BuilderBuildKit: what it prefers
	Root    string // the folder of its data, by its own account
	CPUs    int    // processors that it may use
	NoCage  string // why Build cannot cage what steps start; "" when it can
}

// Summary is one container of a list.
type Summary struct {
	ID, Name    string
	Image       string // ID
	ImageName   string
	State       string
	Created     time.Time
	Labels      map[string]string
	Ports       []Port
	Networks    map[string]string // name → the container's IP address on it, "" when stopped
	NetworkMode string            // "host", "container:ID", "bridge", a network's name
}

// Port is one published port of a container.
type Port struct {
	HostIP    string
	Host      int // 0 when only exposed
	Container int
	Protocol  string // tcp
}

// Network is a network with its labels.
type Network struct {
	ID, Name string
	Labels   map[string]string
	Internal bool
	Created  time.Time
}

// Source is where contents are read from: one of the two.
type Source struct {
	Container string // ID or name, running or not
	Image     string // ID or reference
}

// Observer reads. Nothing it does changes anything on the engine.
type Observer interface {
	Info(ctx context.Context) (Info, error)
	// Containers lists all containers, stopped ones included.
	Containers(ctx context.Context) ([]Summary, error)
	// Inspect reads one container. Start and Called are decided from its
	// labels and its image's, as Labels documents.
	Inspect(ctx context.Context, id string) (evidence.Container, error)
	// Networks lists networks that carry the label LabelInstance.
	Networks(ctx context.Context) ([]Network, error)
	// Image reads an image by ID or reference.
	Image(ctx context.Context, ref string) (evidence.Image, error)
	// ImageIDs lists the IDs of images whose label has the value.
	ImagesLabelled(ctx context.Context, label, value string) ([]string, error)
	// Unnamed lists the IDs of images that have no tag and on which no other
	// image stands.
	Unnamed(ctx context.Context) ([]string, error)
	// Tags are the tags of images that start with the prefix, as
	// "repository:tag", with the image's ID.
	Tags(ctx context.Context, prefix string) (map[string]string, error)
	// Layers reads what an image's layers hold, by diff ID.
	Layers(ctx context.Context, image string) (map[string]evidence.Layer, error)
	// Tree reads a container's whole filesystem, running or not.
	Tree(ctx context.Context, container string) (evidence.Tree, error)
	// Contents reads files of a container's filesystem or of an image's layers
	// whose contents are wanted: by SHA-256, with their sizes in bytes. It holds
	// them in memory. What is not there is left out.
	Contents(ctx context.Context, from Source, wanted map[string]int64) (map[string]string, error)
	// Received is how many bytes a container's networks have received.
	Received(ctx context.Context, container string) (uint64, error)
}

// ContainerSpec is a container to create.
type ContainerSpec struct {
	Name     string
	Image    string // ID or reference
	Network  string // name; "" for the engine's default
	Alias    string // the name by which others on the network find it
	Run      lab.Run
	Labels   map[string]string
	Publish  int    // container port to publish; 0 for none
	HostIP   string // "127.0.0.1"
	HostPort int    // 0 lets the engine choose

	DNS     []string          // servers for names that are no container's; none for the host's
	Sysctls map[string]string // kernel parameters of its own namespaces
}

// Actuator changes things on the engine.
type Actuator interface {
	CreateNetwork(ctx context.Context, name string, internal bool, labels map[string]string) error
	RemoveNetwork(ctx context.Context, name string) error
	// ConnectNetwork puts a container that was not started yet on one more
	// network.
	ConnectNetwork(ctx context.Context, network, container string) error
	CreateContainer(ctx context.Context, spec ContainerSpec) (id string, err error)
	StartContainer(ctx context.Context, id string) error // ErrPortTaken
	RenameContainer(ctx context.Context, id, name string) error
	RemoveContainer(ctx context.Context, id string) error // force, with anonymous volumes; not there is no error
	// Exec runs a shell script inside a container to its end.
	Exec(ctx context.Context, id, user, script string, env []string) (ExecResult, error)
	// Files lists what lies below folders of a running container, mounts
	// included, which Tree does not have. The container's own shell and find do
	// it, so that what it says is what they say.
	Files(ctx context.Context, id string, folders []string) (Listing, error)
	// ImportImage makes an image of a root filesystem in a tar.
	ImportImage(ctx context.Context, rootfs io.Reader, tag string, changes []string) (id string, err error)
	PullImage(ctx context.Context, ref string, progress func(string)) error
	TagImage(ctx context.Context, id, tag string) error
	RemoveImage(ctx context.Context, ref string) error // ErrInUse; untagged parents go too
}

// ExecResult is how a script inside a container ended.
type ExecResult struct {
	ExitCode int
	Output   string // both streams, at most 64 KiB
}

// Listing is what lies below some folders of a container.
type Listing struct {
	Files   []ListedFile // regular files, sorted by path
	More    int          // that are there besides; at least so many when Partial
	Partial bool         // not all could be read
}

// ListedFile is one file of a Listing.
type ListedFile struct {
	Path string
	Size int64  // in bytes
	Text string // what is in it, when that is at most MaxListedText bytes
}

// MaxListedText is how long a file may be whose content a Listing has, in bytes.
const MaxListedText = 200

// BuildRequest is one build.
type BuildRequest struct {
	Context    io.Reader // a tar with a Dockerfile
	Dockerfile string    // its path in the context
	Tag        string    // "" for none
	Labels     map[string]string
	NoCache    bool
	NoNetwork  bool
	Builder    string // BuilderClassic or BuilderBuildKit; "" is what the engine prefers
	Limits     Limits
	Progress   func(line string)
	Notice     func(text string) // told what could not be done as asked; may be nil
}

// The builders of an engine. Only the classic one keeps limits; BuildKit is
// several times faster, and knows more of the Dockerfile language.
const (
	BuilderClassic  = "1"
	BuilderBuildKit = "2"
)

// Limits hold for each step of a build by the classic builder. What is 0 is
// without limit.
type Limits struct {
	Memory   int64   // bytes, swap included
	CPUs     float64 // processors at once
	FileSize int64   // bytes in any file that a step writes
	Cage     *Cage   // nil for none
}

// Cage limits the processes of a build's steps together. It is a container in
// whose control group those of the steps are, so it is made of an image with a
// shell. It ends with the build, and with the process that asked for it.
type Cage struct {
	Pids   int64
	Images []string // IDs; the first that has a shell is taken
	Labels map[string]string
}

// BuildFailed is the error of a build that ran and failed, one that went beyond
// its limits included, with the end of what it said.
type BuildFailed struct {
	Message string
	Log     string // the last lines
}

func (e *BuildFailed) Error() string { return e.Message }

// Builder builds images.
type Builder interface {
	Build(ctx context.Context, req BuildRequest) (imageID string, err error)
}

// Prober asks a service questions from the host, over addresses that the
// engine published or gave out.
type Prober interface {
	// Ready waits until GET path answers with 200 at host:port, or fails when
	// within is over or the container stopped.
	Ready(ctx context.Context, container, address, path string, within time.Duration) error
	// Get asks once; what answers is evidence, whatever it is. header is sent along.
	Get(ctx context.Context, address string, req evidence.Request, header map[string]string) evidence.Exchange
}

// Engine is all of it.
type Engine interface {
	Observer
	Actuator
	Builder
	Prober
	// Shell runs an interactive shell in a container until it ends and
	// returns its exit code.
	Shell(ctx context.Context, id string, stdin io.Reader, stdout, stderr io.Writer) (int, error)
	Close() error
}
