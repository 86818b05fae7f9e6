package cli

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/shakedown-test/shakedown/campaign"
	"github.com/shakedown-test/shakedown/evidence"
)

// watch shows how a campaign goes: in a live area on a terminal, in a line for every ended job elsewhere.
type watch struct {
	app    *app
	ctx    context.Context // ends when the campaign is to end
	person *person
	screen *screen // nil: plain lines
	end    chan struct{}
	drawn  sync.WaitGroup

	mu      sync.Mutex
	pace    campaign.Pace
	total   int
	done    int
	every   int                            // plain lines: every so many ended jobs
	planted bool                           // failures are what is hoped for
	left    map[evidence.Job]time.Duration // not started, with their typical wall time
	running []running                      // oldest first
	begun   time.Time
	took    time.Duration // of all that ended
	typical time.Duration // of the same
	found   map[evidence.Severity]int
	told    map[string]bool // findings that were said
	notRun  int
}

// running is a job that has not ended.
type running struct {
	job   evidence.Job
	step  string
	begun time.Time
}

// watchRun begins to show the progress of these jobs.
func (a *app) watchRun(ctx context.Context, jobs []evidence.Job, pace campaign.Pace) *watch {
	w := a.newWatch(ctx, len(jobs), pace)
	for _, j := range jobs {
		w.left[key(j)] = pace.Typical(j.Check)
	}
	w.start()
	return w
}

// watchMatrix begins to show the progress of a planted-defect matrix with so many jobs.
func (a *app) watchMatrix(ctx context.Context, total int, pace campaign.Pace) *watch {
	w := a.newWatch(ctx, total, pace)
	w.planted, w.every = true, 100
	w.start()
	return w
}

func (a *app) newWatch(ctx context.Context, total int, pace campaign.Pace) *watch {
	return &watch{
		app: a, ctx: ctx, person: a.person(), pace: pace, total: total, every: 1, begun: a.Now(), end: make(chan struct{}),
		left: map[evidence.Job]time.Duration{}, found: map[evidence.Severity]int{}, told: map[string]bool{},
	}
}

// start puts up the live area where there is a terminal.
func (w *watch) start() {
	if !w.app.ErrTerminal || w.app.dumb() {
		return
	}
	w.screen = newScreen(w.app.Stderr, w.app.Size, w.app.colours(true))
	w.app.mu.Lock()
	w.app.screen = w.screen
	w.app.mu.Unlock()
	w.drawn.Go(func() {
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for {
			w.draw()
			select {
			case <-tick.C:
			case <-w.end:
				return
			}
		}
	})
}

func (w *watch) draw() {
	columns, lines := w.app.Size()
	w.mu.Lock()
	rows := w.rows(columns, lines)
	w.mu.Unlock()
	w.screen.draw(rows)
}

// close takes the live area down.
func (w *watch) close() {
	close(w.end)
	w.drawn.Wait()
	w.app.restore()
}

// key is the job without what the plan knows about it.
func key(j evidence.Job) evidence.Job {
	return evidence.Job{Check: j.Check, Variant: j.Variant, Repeat: j.Repeat}
}

// Started implements campaign.Watcher.
func (w *watch) Started(j evidence.Job) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.left, key(j))
	if !w.planted { // a job that is repeated
		w.running = slices.DeleteFunc(w.running, func(r running) bool { return r.job == key(j) })
	}
	w.running = append(w.running, running{job: key(j), begun: w.app.Now()})
}

// Step implements campaign.Watcher.
func (w *watch) Step(j evidence.Job, text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if i := w.index(j); i >= 0 {
		w.running[i].step = text
	}
}

func (w *watch) index(j evidence.Job) int {
	return slices.IndexFunc(w.running, func(r running) bool { return r.job == key(j) })
}

// Ended implements campaign.Watcher.
func (w *watch) Ended(r evidence.Result) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.done++
	w.total = max(w.total, w.done)
	if r.Outcome == evidence.Pass || r.Outcome == evidence.Fail { // others end before they have done anything
		w.took += time.Duration(r.Seconds * float64(time.Second))
		w.typical += w.pace.Typical(r.Check)
	}
	if i := w.index(evidence.Job{Check: r.Check, Variant: r.Variant, Repeat: r.Repeat}); i >= 0 {
		w.running = slices.Delete(w.running, i, i+1)
	}
	if r.Outcome == evidence.NotRun {
		w.notRun++
	}
	if w.screen == nil && (w.done%w.every == 0 || w.done == w.total) {
		fmt.Fprintln(w.app.Stderr, w.ended(r))
	}
	if w.planted {
		return
	}
	for _, f := range r.Findings {
		w.found[f.Severity]++
		if once := r.Check + "\n" + f.Title; !w.told[once] { // not again for each variant
			w.told[once] = true
			w.say(row{fmt.Sprintf("%-8s %s", f.Severity, plain(f.Title)), string(f.Severity)})
			w.say(row{"         " + plain(r.Check), ""})
		}
	}
}

// say writes a line that stays.
func (w *watch) say(r row) {
	if w.screen == nil {
		fmt.Fprintln(w.app.Stderr, "    "+r.text)
		return
	}
	w.screen.above(r)
}

// Tell implements campaign.Watcher.
func (w *watch) Tell(line string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.say(row{plain(line), ""})
}

// Ask implements campaign.Watcher.
func (w *watch) Ask(ctx context.Context, question string) (string, error) {
	if w.screen == nil || !w.app.InTerminal {
		return "", errNobody
	}
	w.screen.pause()
	defer w.screen.resume()
	return w.person.ask(ctx, plain(question)+" ")
}
