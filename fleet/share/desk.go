package share

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/shakedown-test/shakedown/fleet"
	"github.com/shakedown-test/shakedown/fleet/series"
)

// Desk deals fleets out to agents.
type Desk struct {
	Conn   *nats.Conn
	Agents int           // how many are needed; 0: all that answer at once, and one at least
	Wait   time.Duration // how long they may take to come
	Note   func(string)  // is told in a line what happens; may be nil
	Local  bool          // the agents are this program's own, and open the files of identities themselves

	machine string
}

func (d *Desk) note(format string, args ...any) {
	if d.Note != nil {
		d.Note(fmt.Sprintf(format, args...))
	}
}

// worker is an agent as the desk sees it.
type worker struct {
	hello
	place int
	first offset    // of its clock, at the beginning
	heard time.Time // when it said something last
	n     uint64    // number of its newest word
	lost  bool
	drift string // why one-way latencies with it cannot be believed
	taken done   // the most that it took of its machine
}

// look asks who is there until enough have answered, or the time is over.
func (d *Desk) look(ctx context.Context) ([]*worker, error) {
	inbox := d.Conn.NewInbox()
	answers := make(chan *nats.Msg, 1024)
	sub, err := d.Conn.ChanSubscribe(inbox, answers)
	if err != nil {
		return nil, fmt.Errorf("look for agents: %w", err)
	}
	defer func() { _ = sub.Unsubscribe() }()
	found := map[string]*worker{}
	busy := map[string]bool{}
	over := time.After(d.Wait)
	again := time.NewTicker(250 * time.Millisecond)
	defer again.Stop()
	for err := d.Conn.PublishRequest(lobby, inbox, nil); ; {
		if err != nil {
			return nil, fmt.Errorf("look for agents: %w", err)
		}
		if d.Agents > 0 && len(found) >= d.Agents {
			break
		}
		select {
		case m := <-answers:
			var h hello
			if read(m.Data, &h) != nil || h.Version != version || !named(h.Agent) {
				continue
			}
			if delete(busy, h.Agent); !h.Free {
				busy[h.Agent] = true
			} else if found[h.Agent] == nil {
				found[h.Agent] = &worker{hello: h}
			}
			continue
		case <-again.C:
			err = d.Conn.PublishRequest(lobby, inbox, nil)
			continue
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-over:
		}
		break
	}
	if len(found) < max(1, d.Agents) {
		return nil, fmt.Errorf("%d agents are free after %v, and %d are needed; %d are busy\nhint: shakedown agent --nats URL on each machine",
			len(found), d.Wait, max(1, d.Agents), len(busy))
	}
	var list []*worker
	for _, w := range found {
		list = append(list, w)
	}
	slices.SortFunc(list, func(a, b *worker) int { return strings.Compare(a.Name+a.Agent, b.Name+b.Agent) })
	return list, nil
}

// ask asks an agent directly.
func (d *Desk) ask(ctx context.Context, w *worker, c call) (reply, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	text, err := json.Marshal(c)
	if err != nil {
		return reply{}, err
	}
	var r reply
	m, err := d.Conn.RequestWithContext(ctx, private+w.Agent, text)
	if err == nil {
		err = read(m.Data, &r)
	}
	return r, err
}

// clock compares clocks with an agent; on one machine there is nothing to compare.
func (d *Desk) clock(ctx context.Context, mine clock, w *worker, times int) (offset, error) {
	if w.Machine == d.machine {
		return offset{}, nil
	}
	return mine.compare(ctx, times, func(ctx context.Context) (int64, error) {
		r, err := d.ask(ctx, w, call{Clock: true})
		return r.Clock, err
	})
}

// Play has agents play a fleet and gives the record of it, as fleet.Do does. The subscriber runs in this process.
func (d *Desk) Play(ctx context.Context, job fleet.Job, watch func(*series.Collector)) (*series.Record, error) {
	ctx, giveUp := context.WithCancel(ctx)
	defer giveUp()
	begun := make(chan struct{})
	go func() { // what is stopped before it begins is given up
		select {
		case <-job.Stop:
			giveUp()
		case <-ctx.Done():
		case <-begun:
		}
	}()
	r, err := d.open(ctx, job)
	if err != nil {
		return nil, fmt.Errorf("share the fleet: %w", err)
	}
	defer r.close()
	if err := r.ready(); err != nil {
		return nil, fmt.Errorf("share the fleet: %w", err)
	}
	close(begun)
	r.begin(watch)
	if err := r.supervise(); err != nil {
		return nil, fmt.Errorf("share the fleet: %w", err)
	}
	return r.record()
}

// open finds agents and wins them for a run.
func (d *Desk) open(ctx context.Context, job fleet.Job) (*run, error) {
	if d.machine == "" {
		d.machine = machine()
	}
	workers, err := d.look(ctx)
	if err != nil {
		return nil, err
	}
	workers = workers[:min(len(workers), job.Fleet.Devices)]
	js, err := jetstream.New(d.Conn)
	if err != nil {
		return nil, err
	}
	name := rand.Text()
	if job.Run == 0 {
		job.Run = number()
	}
	text, err := encode(job, !d.Local)
	if err != nil {
		return nil, err
	}
	if err := makeStream(ctx, js, name); err != nil {
		return nil, err
	}
	r := d.newRun(ctx, js, name, job)
	r.listen()
	if err := r.win(workers); err != nil {
		r.close()
		return nil, err
	}
	for _, p := range parts(text) {
		r.out.put(order{Part: p})
	}
	r.deal()
	return r, nil
}

// number is one that hardly any other run has.
func number() uint32 {
	var b [4]byte
	_, _ = rand.Read(b[:])
	return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3]) | 1
}

// win has the agents join, and compares clocks with them.
func (r *run) win(workers []*worker) error {
	for _, w := range workers {
		answer, err := r.ask(r.ctx, w, call{Join: r.name})
		if err != nil || !answer.Joined {
			r.note("agent %s does not take part: it is in another run, or gone", w.Name)
			continue
		}
		if w.first, err = r.clock(r.ctx, r.mine, w, 12); err != nil {
			return fmt.Errorf("agent %s: %w", w.Name, err)
		}
		w.place, w.heard = len(r.workers), time.Now()
		r.workers = append(r.workers, w)
	}
	if len(r.workers) < max(1, min(r.Agents, r.job.Fleet.Devices)) {
		return errors.New("too few agents take part\nhint: try again when the other run is over")
	}
	return nil
}

// deal gives each agent its share, as large as it has processors.
func (r *run) deal() {
	machines := map[string]int{}
	for _, w := range r.workers {
		machines[w.Machine]++
	}
	weight := func(w *worker) float64 { return math.Max(1, float64(w.Cores)) / float64(machines[w.Machine]) }
	whole, dealt := 0.0, 0.0
	for _, w := range r.workers {
		whole += weight(w)
	}
	n, from := r.job.Fleet.Devices, 0
	for i, w := range r.workers {
		dealt += weight(w)
		to := max(from+1, min(n-(len(r.workers)-1-i), int(math.Round(float64(n)*dealt/whole))))
		if i == len(r.workers)-1 {
			to = n
		}
		r.give(w, from, to, 0, 0)
		from = to
	}
}
