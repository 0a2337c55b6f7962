package workspace

import (
	"bufio"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"os/exec"
	"strconv"
	"strings"
)

// objects reads objects of a repository, many with one process.
type objects struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	stderr *limited
	ctx    context.Context
}

func (g git) objects(ctx context.Context) (*objects, error) {
	cmd := g.command(ctx, "cat-file", "--batch")
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	stderr := &limited{left: maxSmall}
	cmd.Stderr = stderr
	if err := cmd.Start(); err != nil {
		return nil, gitError(ctx, "cat-file", err, nil)
	}
	return &objects{cmd: cmd, in: in, out: bufio.NewReaderSize(out, 64<<10), stderr: stderr, ctx: ctx}, nil
}

// close ends the process. How it ends does not matter: every object asked for
// was read, or reading it failed.
func (o *objects) close() {
	_ = o.cmd.Process.Kill()
	_ = o.cmd.Wait()
}

// open asks for one object of that type. The content must be read to its end
// before the next one is asked for; it fails there when it is not what its
// name says.
func (o *objects) open(id, kind string) (size int64, content io.Reader, err error) {
	if _, err := fmt.Fprintln(o.in, id); err != nil {
		return 0, nil, o.damaged(id, err)
	}
	header, err := o.out.ReadString('\n')
	if err != nil {
		return 0, nil, o.damaged(id, err)
	}
	fields := strings.Fields(header)
	if len(fields) != 3 {
		return 0, nil, fmt.Errorf("object %s: %s: %w", id, strings.TrimSpace(header), ErrDamaged)
	}
	size, err = strconv.ParseInt(fields[2], 10, 64)
	if err != nil || size < 0 {
		return 0, nil, fmt.Errorf("object %s: its size %q is no number: %w", id, fields[2], ErrDamaged)
	}
	if fields[1] != kind {
		return 0, nil, fmt.Errorf("object %s is a %s where a %s should be: %w", id, fields[1], kind, ErrDamaged)
	}
	return size, newVerified(o, id, kind, size), nil
}

// read is open for objects that are kept in memory.
func (o *objects) read(id, kind string, most int64) ([]byte, error) {
	size, content, err := o.open(id, kind)
	if err != nil {
		return nil, err
	}
	if size > most {
		return nil, fmt.Errorf("object %s has %d bytes, more than the %d that are read: %w", id, size, most, errTooLarge)
	}
	return io.ReadAll(content)
}

func (o *objects) damaged(id string, err error) error {
	if o.ctx.Err() != nil {
		return fmt.Errorf("reading object %s: %w", id, context.Cause(o.ctx))
	}
	if said := strings.TrimSpace(o.stderr.String()); said != "" {
		return fmt.Errorf("reading object %s: %s: %w", id, said, ErrDamaged)
	}
	return fmt.Errorf("reading object %s: %w: %w", id, err, ErrDamaged)
}

// verified is an object's content, checked against its name at the end: git
// itself believes what a pack says.
type verified struct {
	o    *objects
	id   string
	left int64
	sum  hash.Hash
	done bool
}

func newVerified(o *objects, id, kind string, size int64) *verified {
	sum := sha1.New() // git's name for an object, not a protection
	if len(id) == hex.EncodedLen(sha256.Size) {
		sum = sha256.New()
	}
	fmt.Fprintf(sum, "%s %d\x00", kind, size)
	return &verified{o: o, id: id, left: size, sum: sum}
}

func (v *verified) Read(p []byte) (int, error) {
	if v.left == 0 {
		return 0, v.finish()
	}
	if int64(len(p)) > v.left {
		p = p[:v.left]
	}
	n, err := v.o.out.Read(p)
	v.sum.Write(p[:n])
	v.left -= int64(n)
	if err != nil {
		return n, v.o.damaged(v.id, err)
	}
	return n, nil
}

func (v *verified) finish() error {
	if v.done {
		return io.EOF
	}
	v.done = true
	if _, err := v.o.out.Discard(1); err != nil { // the newline after each object
		return v.o.damaged(v.id, err)
	}
	if got := hex.EncodeToString(v.sum.Sum(nil)); got != v.id {
		return fmt.Errorf("object %s holds the content of %s: %w", v.id, got, ErrDamaged)
	}
	return io.EOF
}
