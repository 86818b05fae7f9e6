package cli

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/link/frame"
	"github.com/shakedown-test/shakedown/testbed"
)

// Bounds of what is shown.
const (
	latest    = 4                // events in the block
	countsGap = 10 * time.Second // between two lines with counts, where there is no block
)

// netWatch shows what passes in a network and what is done to it: in a live block on a terminal, in lines elsewhere.
type netWatch struct {
	app    *app
	about  string
	access *frame.Link
	uplink *frame.Link
	screen *screen // nil: plain lines
	silent bool
	cancel context.CancelFunc
	tasks  sync.WaitGroup
	begun  time.Time
	lines  []*above // what the program writes above the block

	mu      sync.Mutex
	inForce []string
	events  []string // the latest
	shown   [2]frame.Count
}

// watchNet begins to show the network.
func (a *app) watchNet(f netFlags, b *testbed.Bed, access *frame.Link) *netWatch {
	ctx, cancel := context.WithCancel(context.Background())
	w := &netWatch{
		app: a, about: cmp.Or(f.profile, "nothing wrong with it"), access: access, uplink: b.World.Home().Uplink, silent: f.quiet,
		cancel: cancel, begun: b.Clock.Now(),
	}
	if f.quiet {
		return w
	}
	if a.ErrTerminal && !a.dumb() {
		w.screen = newScreen(a.Stderr, a.Size, a.colours(true))
		a.mu.Lock()
		a.screen = w.screen
		a.mu.Unlock()
	} else {
		fmt.Fprintf(a.Stderr, "network: %s, seed %d\n", w.about, f.seed)
	}
	w.tasks.Go(func() { w.follow(ctx, b.Log) })
	w.tasks.Go(func() { w.refresh(ctx) })
	return w
}

// follow takes in the events of the log.
func (w *netWatch) follow(ctx context.Context, log *evidence.Log) {
	for mark := 0; ; {
		e, err := log.Await(ctx, mark, func(evidence.Event) bool { return true })
		if err != nil {
			for _, e := range log.Since(mark) { // what came at the very end
				w.take(e)
			}
			return
		}
		w.take(e)
		mark = e.N + 1
	}
}

// take shows one event.
func (w *netWatch) take(e evidence.Event) {
	text := plain(e.Text)
	if (e.Kind == evidence.Impair || e.Kind == evidence.Heal) && e.Part != "" && !strings.HasPrefix(text, e.Part) {
		text = e.Part + ": " + text
	}
	switch e.Kind {
	case evidence.Impair:
		w.force(text, true)
		text = "begins: " + text
	case evidence.Heal:
		w.force(text, false)
		text = "ends: " + text
	case evidence.Bytes, evidence.Power, evidence.Console, evidence.Step:
		return
	case evidence.In:
		text = e.Part + " gets " + text
	case evidence.Out:
		text = e.Part + " sends " + text
	default:
		text = strings.TrimPrefix(e.Part+": "+text, ": ")
	}
	line := fmt.Sprintf("%7.1f s  %s", max(0, e.At.Sub(w.begun).Seconds()), text)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.screen == nil {
		fmt.Fprintln(w.app.Stderr, line)
		return
	}
	w.events = append(w.events, line)
	w.events = w.events[max(0, len(w.events)-latest):]
}

// force notes that an impairment began or ended.
func (w *netWatch) force(text string, begins bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if begins {
		w.inForce = append(w.inForce, text)
	} else if i := slices.Index(w.inForce, text); i >= 0 {
		w.inForce = slices.Delete(w.inForce, i, i+1)
	}
}

// refresh draws the block, or writes a line with counts now and then.
func (w *netWatch) refresh(ctx context.Context) {
	gap := countsGap
	if w.screen != nil {
		gap = 250 * time.Millisecond
	}
	tick := time.NewTicker(gap)
	defer tick.Stop()
	for {
		if w.screen != nil {
			columns, _ := w.app.Size()
			w.screen.draw(w.rows(columns))
		}
		select {
		case <-tick.C:
			if w.screen == nil {
				w.count()
			}
		case <-ctx.Done():
			return
		}
	}
}

// count writes the counts where they changed.
func (w *netWatch) count() {
	up, down := w.access.Counts()
	w.mu.Lock()
	defer w.mu.Unlock()
	if now := [2]frame.Count{up, down}; now != w.shown {
		w.shown = now
		fmt.Fprintln(w.app.Stderr, w.counts())
	}
}

// counts is what passed so far, in a line.
func (w *netWatch) counts() string {
	up, down := w.access.Counts()
	upFar, downFar := w.uplink.Counts()
	return fmt.Sprintf("from the device %s, to it %s", passed(up.Sent, up.Bytes, up.Lost+upFar.Lost), passed(down.Delivered, down.Bytes, down.Lost+downFar.Lost))
}

func passed(packets, bytes, lost int64) string {
	text := fmt.Sprintf("%d packets (%s)", packets, volume(bytes))
	if lost > 0 {
		text += fmt.Sprintf(", %d lost", lost)
	}
	return text
}

// volume is a number of bytes for people.
func volume(n int64) string {
	switch {
	case n >= 10e6:
		return fmt.Sprintf("%.0f MB", float64(n)/1e6)
	case n >= 10e3:
		return fmt.Sprintf("%.0f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%d B", n)
}

// rows is the live block.
func (w *netWatch) rows(columns int) []row {
	w.mu.Lock()
	defer w.mu.Unlock()
	rows := []row{{cut("network: "+w.about+"; "+w.counts(), columns-1), "bold"}}
	for _, text := range w.inForce {
		rows = append(rows, row{cut("  "+text, columns-1), ""})
	}
	for _, text := range w.events {
		rows = append(rows, row{cut("  "+text, columns-1), "dim"})
	}
	return rows
}

// close takes the block down and says what passed in all.
func (w *netWatch) close() {
	w.cancel()
	w.tasks.Wait()
	for _, o := range w.lines {
		o.flush()
	}
	w.app.restore()
	if !w.silent {
		fmt.Fprintln(w.app.Stderr, w.counts())
	}
}

// over is where a program writes to: the stream itself, or, where the block is on the same terminal, lines above it.
func (w *netWatch) over(out io.Writer, terminal bool) io.Writer {
	if w.screen == nil || !terminal {
		return out
	}
	o := &above{screen: w.screen}
	w.lines = append(w.lines, o)
	return o
}

// above writes whole lines above the live area.
type above struct {
	screen *screen
	rest   []byte
}

// Write implements io.Writer.
func (a *above) Write(p []byte) (int, error) {
	a.rest = append(a.rest, p...)
	for {
		i := bytes.IndexByte(a.rest, '\n')
		if i < 0 && len(a.rest) < 4096 {
			return len(p), nil
		}
		if i < 0 {
			i = len(a.rest) - 1
		}
		a.show(a.rest[:i])
		a.rest = a.rest[i+1:]
	}
}

// flush writes what is left without the end of a line.
func (a *above) flush() {
	if len(a.rest) > 0 {
		a.show(a.rest)
		a.rest = nil
	}
}

func (a *above) show(line []byte) {
	a.screen.above(row{plain(strings.TrimRight(string(line), "\r")), ""})
}
