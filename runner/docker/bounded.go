package docker

import "bytes"

// bounded keeps the first limit bytes that are written to it and takes the
// rest without keeping them, so that whoever writes goes on.
type bounded struct {
	limit int
	kept  bytes.Buffer
}

func (b *bounded) Write(p []byte) (int, error) {
	b.kept.Write(p[:min(len(p), b.limit-b.kept.Len())])
	return len(p), nil
}

func (b *bounded) String() string { return b.kept.String() }
