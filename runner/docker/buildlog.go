package docker

import (
	"encoding/json"
	"regexp"
	"strings"

	"github.com/docker/docker/api/types/build"
)

// logLines is how much of a failed build's log is kept, lineLength how long a
// line may be: a step can print for ever without an end of line.
const (
	logLines   = 20
	lineLength = 8 << 10 // bytes
)

// buildLog reads what a builder says.
type buildLog struct {
	progress   func(string)
	image      string   // the result's ID
	containers []string // of the classic builder's RUN steps, short IDs
	images     []string // made by the classic builder's steps, short IDs, in order

	trace   trace
	last    []string // the last lines
	partial string   // a line whose end was not sent yet
	existed bool     // the next image named was there before
}

func (l *buildLog) read(m message) error {
	switch {
	case m.ID == "moby.buildkit.trace":
		lines, err := l.trace.read(m.Aux)
		if err != nil {
			return err
		}
		for _, line := range lines {
			l.say(line)
		}
	case len(m.Aux) > 0:
		var result build.Result
		if err := json.Unmarshal(m.Aux, &result); err != nil {
			return err
		}
		l.image = result.ID
	default:
		lines := strings.Split(l.partial+m.Stream, "\n")
		l.partial = lines[len(lines)-1]
		for _, line := range lines[:len(lines)-1] {
			l.say(line)
			l.note(line)
		}
		if len(l.partial) > lineLength {
			l.say(l.partial)
			l.partial = ""
		}
	}
	return nil
}

// say passes a line on and keeps the last ones.
func (l *buildLog) say(line string) {
	line = strings.TrimRight(line, "\r")
	if line == "" {
		return
	}
	if l.last = append(l.last, line); len(l.last) > logLines {
		l.last = l.last[1:]
	}
	if l.progress != nil {
		l.progress(line)
	}
}

// What the classic builder says of its steps.
var (
	stepLine    = regexp.MustCompile(`^Step \d+/\d+ : (\w+)`)
	runningLine = regexp.MustCompile(`^ ---> Running in ([0-9a-f]{12})$`)
	imageLine   = regexp.MustCompile(`^ ---> ([0-9a-f]{12})$`)
)

// note keeps what a step of the classic builder made.
func (l *buildLog) note(line string) {
	if m := stepLine.FindStringSubmatch(line); m != nil {
		l.existed = strings.EqualFold(m[1], "FROM")
	} else if line == " ---> Using cache" {
		l.existed = true
	} else if m := runningLine.FindStringSubmatch(line); m != nil {
		l.containers = append(l.containers, m[1])
	} else if m := imageLine.FindStringSubmatch(line); m != nil && !l.existed {
		l.images = append(l.images, m[1])
	}
}

// end is the end of the log.
func (l *buildLog) end() string {
	l.say(l.partial)
	l.partial = ""
	return strings.Join(l.last, "\n")
}
