package main

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/labctl/labctl/runner/progress"
)

// progressView shows on standard error what is going on: a bar with the
// current step on a terminal, a line for each finished step elsewhere. Until
// Show is called it shows notices only.
type progressView struct {
	io *Streams

	mu      sync.Mutex
	shown   bool
	total   int
	done    int
	running []step // in the order in which they began
	bars    *mpb.Progress
	bar     *mpb.Bar

	// drawn is what the bar shows. The bar draws itself, and waits for nobody
	// then: who holds mu may be waiting for the bar.
	drawn atomic.Pointer[drawing]
}

// drawing is the text before and behind the bar.
type drawing struct{ count, current string }

type step struct {
	name, detail string
	begun        time.Time
}

func newProgressView(io *Streams) *progressView { return &progressView{io: io} }

// Show makes steps visible from now on. Close ends it.
func (v *progressView) Show() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.shown = true
}

// Send is a progress.Func.
func (v *progressView) Send(e progress.Event) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if e.State == progress.Notice {
		v.println(v.io.ErrColors.Yellow("!") + " " + Clean(e.Detail))
		return
	}
	if !v.shown {
		return
	}
	v.total = max(v.total, e.Total)
	at := slices.IndexFunc(v.running, func(s step) bool { return s.name == e.Step })
	switch e.State {
	case progress.Begun:
		if at < 0 {
			v.running = append(v.running, step{name: e.Step, begun: time.Now()})
		}
		v.draw()
	case progress.Detail:
		if at >= 0 {
			v.running[at].detail = e.Detail
			v.draw()
		}
	case progress.Done, progress.Failed:
		if at < 0 {
			return
		}
		ended := v.running[at]
		v.running = slices.Delete(v.running, at, at+1)
		v.done++
		v.ended(ended, e.State)
	}
}

// ended tells that a step came to its end. On a terminal the bar says it, and
// an error speaks for itself.
func (v *progressView) ended(s step, state progress.State) {
	if v.io.ErrTerminal {
		v.draw()
		return
	}
	how := "done"
	if state == progress.Failed {
		how = "failed"
	}
	v.println(fmt.Sprintf("· %s … %s (%.1fs)", Clean(s.name), how, time.Since(s.begun).Seconds()))
}

// draw brings the bar up to date, and makes it when there is none yet.
func (v *progressView) draw() {
	if !v.io.ErrTerminal {
		return
	}
	v.drawn.Store(&drawing{fmt.Sprintf("%d/%d ", v.done, max(v.total, v.done)), v.current()})
	if v.bars == nil {
		v.bars = mpb.New(mpb.WithOutput(v.io.Err), mpb.WithWidth(24), mpb.WithAutoRefresh())
		v.bar = v.bars.AddBar(0,
			mpb.PrependDecorators(decor.Any(func(decor.Statistics) string { return v.drawn.Load().count })),
			mpb.AppendDecorators(decor.Any(func(s decor.Statistics) string { return shorten(v.drawn.Load().current, s.AvailableWidth) })),
		)
	}
	v.bar.SetTotal(int64(max(v.total, v.done+1)), false) // never complete before Close
	v.bar.SetCurrent(int64(v.done))
}

// current is the step that began last, with what it said last.
func (v *progressView) current() string {
	if len(v.running) == 0 {
		return ""
	}
	s := v.running[len(v.running)-1]
	text := " " + Clean(s.name)
	if s.detail != "" {
		text += ": " + Clean(s.detail)
	}
	return text
}

// shorten cuts a text that is longer than so many columns.
func shorten(text string, width int) string {
	if r := []rune(text); len(r) > width && width > 1 {
		return string(r[:width-1]) + "…"
	}
	return text
}

// println writes a line above the bar, if there is one.
func (v *progressView) println(line string) {
	if v.bars != nil {
		fmt.Fprintln(v.bars, line)
		return
	}
	fmt.Fprintln(v.io.Err, line)
}

// Aside has something else written to the terminal, and takes the bar away for
// as long.
func (v *progressView) Aside(write func()) {
	v.mu.Lock()
	defer v.mu.Unlock()
	bars, bar := v.bars, v.bar
	v.bars, v.bar = nil, nil
	if bars == nil {
		write()
		return
	}
	bar.Abort(true)
	bars.Wait()
	write()
	v.draw()
}

// Close removes the bar. It must come before anything else is written to the
// terminal, and may be called more than once.
func (v *progressView) Close() {
	v.mu.Lock()
	bars, bar := v.bars, v.bar
	v.shown, v.bars, v.bar = false, nil, nil
	v.mu.Unlock()
	if bars == nil {
		return
	}
	bar.Abort(true)
	bars.Wait()
}
