package docker

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// trace reads BuildKit's progress: base64 of the protocol buffer message
// StatusResponse of its control API, of which the steps' names and their
// output are wanted. Its generated code would bring gRPC along for that.
type trace struct {
	named map[string]bool // steps that were told of, by digest
}

// Field numbers of StatusResponse and of the messages in it.
const (
	statusVertex, statusLog                   = 1, 3
	vertexDigest, vertexName, vertexStartTime = 1, 3, 5
	logText                                   = 4
)

// read returns the lines that a message of the trace adds.
func (t *trace) read(aux json.RawMessage) ([]string, error) {
	var data []byte
	if err := json.Unmarshal(aux, &data); err != nil {
		return nil, fmt.Errorf("reading BuildKit's progress: %w", err)
	}
	var lines []string
	err := eachField(data, func(number protowire.Number, value []byte) error {
		switch number {
		case statusVertex:
			var digest, name string
			var started bool
			err := eachField(value, func(number protowire.Number, value []byte) error {
				switch number {
				case vertexDigest:
					digest = string(value)
				case vertexName:
					name = string(value)
				case vertexStartTime:
					started = true
				}
				return nil
			})
			if started && !t.named[digest] {
				if t.named == nil {
					t.named = map[string]bool{}
				}
				t.named[digest] = true
				lines = append(lines, name)
			}
			return err
		case statusLog:
			return eachField(value, func(number protowire.Number, value []byte) error {
				if number == logText {
					lines = append(lines, strings.Split(strings.TrimRight(string(value), "\n"), "\n")...)
				}
				return nil
			})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading BuildKit's progress: %w", err)
	}
	return lines, nil
}

// eachField visits the length-delimited fields of a message and skips others.
func eachField(data []byte, visit func(protowire.Number, []byte) error) error {
	for len(data) > 0 {
		number, kind, n := protowire.ConsumeTag(data)
		if n < 0 {
			return protowire.ParseError(n)
		}
		data = data[n:]
		if kind == protowire.BytesType {
			value, n := protowire.ConsumeBytes(data)
			if n < 0 {
				return protowire.ParseError(n)
			}
			if err := visit(number, value); err != nil {
				return err
			}
			data = data[n:]
			continue
		}
		if n = protowire.ConsumeFieldValue(number, kind, data); n < 0 {
			return errors.New("not a protocol buffer")
		}
		data = data[n:]
	}
	return nil
}
