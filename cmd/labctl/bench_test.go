package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// benchRuns is how many interleaved runs the medians are of.
const benchRuns = 7

// BenchmarkMainJob holds labctl's main job against a replay of the very
// requests that it makes of the engine, in the same run, one after the other.
// It reports medians in milliseconds, their ratio, and the number of requests.
//
//	make bench
func BenchmarkMainJob(b *testing.B) {
	bin := filepath.Join(b.TempDir(), "labctl")
	if out, err := exec.Command("go", "build", "-o", bin, ".").CombinedOutput(); err != nil {
		b.Fatalf("building labctl: %v\n%s", err, out)
	}
	m := newMainJob(b, bin, "drift-lab")
	for b.Loop() {
		m.startAndStop(b)
		m.check(b)
	}
}

// BenchmarkStart holds the start and the stop of every shipped lab against the
// same replay, as BenchmarkMainJob does for drift-lab.
//
//	make bench
func BenchmarkStart(b *testing.B) {
	bin := filepath.Join(b.TempDir(), "labctl")
	if out, err := exec.Command("go", "build", "-o", bin, ".").CombinedOutput(); err != nil {
		b.Fatalf("building labctl: %v\n%s", err, out)
	}
	for _, name := range shippedLabs(b) {
		b.Run(name, func(b *testing.B) {
			m := newMainJob(b, bin, name)
			for b.Loop() {
				m.startAndStop(b)
			}
		})
	}
}

// BenchmarkProof proves drift-lab as a whole, and holds the time that it takes
// to that in which the engine was answering one of its requests.
//
//	make bench
func BenchmarkProof(b *testing.B) {
	bin := filepath.Join(b.TempDir(), "labctl")
	if out, err := exec.Command("go", "build", "-o", bin, ".").CombinedOutput(); err != nil {
		b.Fatalf("building labctl: %v\n%s", err, out)
	}
	m := newMainJob(b, bin, "drift-lab")
	for b.Loop() {
		tr, host := newTrace(b)
		took := m.must(b, host, []string{"test", "drift-lab"})
		busy, requests := tr.atWork(), len(tr.take())
		b.Logf("test drift-lab  %.0f s, the engine at work %.0f s on %d requests, ratio %.2f", took.Seconds(), busy.Seconds(), requests, float64(took)/float64(busy))
		b.ReportMetric(took.Seconds(), "proof-s")
		b.ReportMetric(float64(took)/float64(busy), "proof-ratio")
		b.ReportMetric(float64(requests), "proof-requests")
	}
}

// mainJob drives a labctl binary through a lab, in folders of its own.
type mainJob struct {
	bin, lab, learner, dir string
	env                    []string
}

func newMainJob(tb testing.TB, bin, lab string) *mainJob {
	tb.Helper()
	m := &mainJob{bin: bin, lab: lab, learner: fmt.Sprintf("bench-%d", os.Getpid()), dir: tb.TempDir()}
	m.env = append(os.Environ(), "XDG_STATE_HOME="+filepath.Join(m.dir, "state"))
	tb.Cleanup(func() {
		_ = m.labctl("", "stop", m.lab, "--learner", m.learner, "--yes", "--purge").Run()
	})
	return m
}

// labctl is a call of the binary; host is the DOCKER_HOST, "" for the usual.
func (m *mainJob) labctl(host string, args ...string) *exec.Cmd {
	cmd := exec.Command(m.bin, args...)
	cmd.Dir, cmd.Env = m.dir, m.env
	if host != "" {
		cmd.Env = append(slices.Clip(m.env), "DOCKER_HOST="+host)
	}
	return cmd
}

func (m *mainJob) start() []string {
	return []string{"start", m.lab, "--learner", m.learner, "--dir", filepath.Join(m.dir, "work space")}
}

func (m *mainJob) stop() []string {
	return []string{"stop", m.lab, "--learner", m.learner, "--yes"}
}

func (m *mainJob) graded() []string {
	return []string{"check", m.lab, "--learner", m.learner}
}

// must runs labctl and returns how long the whole process took. Exit code 1
// is a grade.
func (m *mainJob) must(tb testing.TB, host string, args []string) time.Duration {
	tb.Helper()
	cmd := m.labctl(host, args...)
	begun := time.Now()
	out, err := cmd.CombinedOutput()
	took := time.Since(begun)
	if err != nil && cmd.ProcessState.ExitCode() != 1 {
		tb.Fatalf("labctl %v: %v\n%s", args, err, out)
	}
	return took
}

// rebuild does what the script of drift-lab's right scenario does.
func (m *mainJob) rebuild(tb testing.TB) {
	tb.Helper()
	script := `
pet=$(docker ps --all --quiet --filter label=labctl.learner=` + m.learner + ` --filter label=labctl.role=start)
network=$(docker network ls --quiet --filter label=labctl.learner=` + m.learner + `)
port=$(docker port "$pet" 8080 | head -n 1)
docker cp "$pet:/srv/www/cgi-bin/quote" www/cgi-bin/quote
docker cp "$pet:/etc/booking.conf" booking.conf
git -c user.name=bench -c user.email=bench@test.invalid commit --quiet --all --message "Bring Friday home"
image=$(docker build --quiet .)
docker rm --force "$pet"
docker run --detach --network "$network" --publish "$port:8080" --memory 64m "$image"
`
	cmd := exec.Command("sh", "-eu", "-c", script)
	cmd.Dir, cmd.Env = filepath.Join(m.dir, "work space"), m.env
	if out, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("rebuilding: %v\n%s", err, out)
	}
}

func (m *mainJob) startAndStop(b *testing.B) {
	tr, host := newTrace(b)
	m.must(b, "", m.start()) // images are there from now on
	m.must(b, "", m.stop())
	m.must(b, host, m.start())
	starting := tr.take()
	m.must(b, host, m.stop())
	stopping := tr.take()

	var start, rawStart, stop, rawStop []time.Duration
	for range benchRuns {
		start = append(start, m.must(b, "", m.start()))
		stop = append(stop, m.must(b, "", m.stop()))
		again := &replayer{ids: map[string]string{}}
		rawStart = append(rawStart, timed(b, func() error { return again.replay(context.Background(), starting) }))
		rawStop = append(rawStop, timed(b, func() error { return again.replay(context.Background(), stopping) }))
	}
	tell(b, "start", start, rawStart, len(starting))
	tell(b, "stop", stop, rawStop, len(stopping))
}

func (m *mainJob) check(b *testing.B) {
	tr, host := newTrace(b)
	m.must(b, "", m.start())
	m.rebuild(b)
	m.must(b, "", m.graded()) // the clean room of this HEAD is built from now on
	m.must(b, host, m.graded())
	checking := tr.take()

	var check, rawCheck []time.Duration
	for range benchRuns {
		check = append(check, m.must(b, "", m.graded()))
		again := &replayer{ids: map[string]string{}}
		rawCheck = append(rawCheck, timed(b, func() error { return again.replay(context.Background(), checking) }))
	}
	tell(b, "check", check, rawCheck, len(checking))
	m.must(b, "", m.stop())
}

func timed(b *testing.B, do func() error) time.Duration {
	b.Helper()
	begun := time.Now()
	if err := do(); err != nil {
		b.Fatal(err)
	}
	return time.Since(begun)
}

func tell(b *testing.B, what string, labctl, raw []time.Duration, requests int) {
	b.Helper()
	a, z := median(labctl), median(raw)
	b.Logf("%-5s  labctl %6.0f ms (%.0f to %.0f)   the same %d engine requests raw %6.0f ms (%.0f to %.0f)   ratio %.2f",
		what, ms(a), ms(slices.Min(labctl)), ms(slices.Max(labctl)), requests, ms(z), ms(slices.Min(raw)), ms(slices.Max(raw)), float64(a)/float64(z))
	b.ReportMetric(ms(a), what+"-ms")
	b.ReportMetric(float64(a)/float64(z), what+"-ratio")
	b.ReportMetric(float64(requests), what+"-requests")
}

func median(d []time.Duration) time.Duration {
	s := slices.Sorted(slices.Values(d))
	return s[len(s)/2]
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
