package rootfs

import (
	"context"
	_ "embed" // of the script
	"strconv"
)

// RelayPort is where a relay listens in its container.
const RelayPort = 8080

const relayPath = "/bin/relay"

//go:embed relay.sh
var relayScript []byte

// Relay is Busybox with the program of relays, which RelayCommand calls. Labels
// are of its image.
func Relay(ctx context.Context, labels map[string]string) (Rootfs, error) {
	return packed(ctx, []string{relayPath}, labels, entry{path: relayPath, mode: 0o755, content: relayScript})
}

// RelayCommand listens on RelayPort and passes each connection on to that port
// of one of the containers that carry the service's name on the relay's network,
// which is named for who is told that there is none.
func RelayCommand(service, network string, port int) []string {
	return []string{relayPath, service, strconv.Itoa(port), network}
}
