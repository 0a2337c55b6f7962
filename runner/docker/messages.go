package docker

import (
	"encoding/json"
	"errors"
	"io"
)

// message is one line of the engine's answer to long work: a build, a pull, an
// import.
type message struct {
	Stream string          `json:"stream"`
	Status string          `json:"status"`
	ID     string          `json:"id"`
	Error  string          `json:"error"`
	Aux    json.RawMessage `json:"aux"`
}

// reported is the error of work that the engine took on and could not do.
type reported struct{ text string }

func (r *reported) Error() string { return r.text }

// readMessages hands every message of an answer to handle. A message that
// tells of an error ends the reading and is returned as *reported.
func readMessages(answer io.Reader, handle func(message) error) error {
	lines := json.NewDecoder(answer)
	for {
		var m message
		err := lines.Decode(&m)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if m.Error != "" {
			return &reported{m.Error}
		}
		if err := handle(m); err != nil {
			return err
		}
	}
}
