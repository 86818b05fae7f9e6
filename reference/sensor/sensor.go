package sensor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/shakedown-test/shakedown/wire/coap"
)

// never is later than any uptime.
const never = time.Duration(1<<63 - 1)

// Sensor is one sensor. New makes it, Run is its life under power; it runs once.
type Sensor struct {
	cfg    Config
	power  context.Context // ends with Cut
	unplug context.CancelFunc
	off    atomic.Bool

	// What follows belongs to the goroutine of Run.
	set     settings
	rng     *rand.Rand
	start   time.Duration
	up      time.Duration // uptime at the start of this turn
	fate    error
	deaf    bool // looks at nothing any more: only by defect
	mid     uint16
	backlog []reading
	sample  time.Duration // when the next reading is due

	link     *link
	dial     chan dialled
	hangUp   context.CancelFunc
	retryAt  time.Duration
	failures int

	flight   []*request
	seen     []came
	holdTill time.Duration // no request before
	fetch    *fetch        // the configuration, under way
	fetchAt  time.Duration // when to get it; never: it is there
	more     *fetch        // the rest of a notification, under way
	obs      observation

	answers  []answered
	watchers []watcher
	actions  int
	local    *local
	delayed  []delayed
}

// settings outlive restarts.
type settings struct {
	Boots  int    `json:"boots"`
	Seq    int    `json:"seq"`
	Alarm  int    `json:"alarm_tenths"`
	Config string `json:"config"` // CRC-32 of the configuration in force
}

// reading is one measurement.
type reading struct {
	seq     int
	celsius float64
}

// New returns a sensor that is switched off.
func New(cfg Config) *Sensor {
	s := &Sensor{cfg: cfg}
	s.power, s.unplug = context.WithCancel(context.Background())
	return s
}

// Cut takes the power away: nothing more is sent, stored or printed.
func (s *Sensor) Cut() {
	s.off.Store(true)
	s.unplug()
}

func (s *Sensor) say(format string, args ...any) {
	if s.cfg.Out != nil && !s.off.Load() {
		s.cfg.Out(fmt.Sprintf(format, args...))
	}
}

// Run switches the sensor on. When ctx ends it says goodbye and returns nil; it returns nil after Cut too, and ErrCrashed when the
// firmware crashed.
func (s *Sensor) Run(ctx context.Context) error {
	s.boot()
	defer s.end()
	if s.cfg.Local != nil {
		var err error
		if s.local, err = s.listen(); err != nil {
			return fmt.Errorf("start sensor %s: %w", s.cfg.ID, err)
		}
	}
	wake := make(chan struct{}, 1)
	for {
		s.up = s.cfg.Clock.Passed() - s.start
		s.advance()
		if s.fate != nil {
			return s.fate
		}
		timer := s.cfg.Clock.AfterFunc(max(s.next()-s.up, 0), func() {
			select {
			case wake <- struct{}{}:
			default:
			}
		})
		over := s.wait(ctx, wake)
		timer.Stop()
		if over {
			return nil
		}
	}
}

// wait is one turn: until something happens, and what that leads to. It reports true when the sensor is to stop.
func (s *Sensor) wait(ctx context.Context, wake <-chan struct{}) bool {
	var in <-chan []byte
	if s.link != nil && !s.deaf {
		in = s.link.in
	}
	var near <-chan heard
	if s.local != nil && !s.deaf {
		near = s.local.in
	}
	select {
	case <-s.power.Done():
		return true
	case <-ctx.Done():
		s.goodbye()
		return true
	case d := <-s.dial:
		s.up = s.cfg.Clock.Passed() - s.start
		s.dialled(d)
	case raw, ok := <-in:
		s.up = s.cfg.Clock.Passed() - s.start
		if !ok {
			s.lost("the link ended")
			break
		}
		s.receive(raw)
	case h := <-near:
		s.up = s.cfg.Clock.Passed() - s.start
		s.near(h)
	case <-wake:
	}
	return false
}

func (s *Sensor) boot() {
	s.start = s.cfg.Clock.Passed()
	s.load()
	s.set.Boots++
	s.rng = rand.New(rand.NewPCG(s.cfg.Seed, uint64(s.set.Boots)))
	s.mid = uint16(s.rng.Uint32())
	s.sample, s.retryAt = sampleEvery/2, bootTime
	s.fetchAt, s.obs.registerAt = 0, 0
	s.save()
	s.say("boot %d firmware %s", s.set.Boots, s.cfg.Firmware)
}

func (s *Sensor) file() string { return filepath.Join(s.cfg.State, "sensor.json") }

func (s *Sensor) load() {
	s.set = settings{Alarm: 300}
	data, err := os.ReadFile(s.file())
	if err == nil {
		err = json.Unmarshal(data, &s.set)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		s.say("settings not read: %v", err)
		s.set = settings{Alarm: 300}
	}
}

// save stores the settings so that a power cut leaves the old or the new ones.
func (s *Sensor) save() {
	if s.off.Load() {
		return
	}
	data, err := json.Marshal(s.set)
	if err == nil {
		err = os.WriteFile(s.file()+".new", data, 0o600)
	}
	if err == nil {
		err = os.Rename(s.file()+".new", s.file())
	}
	if err != nil {
		s.say("settings not stored: %v", err)
	}
}

// advance does what is due by the time alone.
func (s *Sensor) advance() {
	if s.deaf {
		return
	}
	for s.up >= s.sample {
		s.measure()
	}
	if s.link == nil && s.dial == nil && s.up >= s.retryAt {
		s.startDial()
	}
	s.release()
	if s.link != nil {
		s.retransmit()
	}
	if s.link != nil {
		s.begin()
	}
}

// next is the uptime at which advance has something to do.
func (s *Sensor) next() time.Duration {
	if s.deaf {
		return never
	}
	at := s.sample
	for _, d := range s.delayed {
		at = min(at, d.at)
	}
	if s.link == nil {
		if s.dial == nil {
			at = min(at, s.retryAt)
		}
		return at
	}
	for _, r := range s.flight {
		at = min(at, r.due)
	}
	for _, due := range []time.Duration{s.holdTill, s.fetchAt, s.obs.registerAt} {
		if due > s.up {
			at = min(at, due)
		}
	}
	return at
}

// measure takes a reading.
func (s *Sensor) measure() {
	s.sample += s.every()
	s.set.Seq++
	s.save()
	s.backlog = append(s.backlog, reading{seq: s.set.Seq, celsius: 20 + 2*s.rng.Float64()})
	if len(s.backlog) > backlogMax {
		s.backlog = s.backlog[1:]
	}
	s.notifyWatchers()
}

func (s *Sensor) startDial() {
	ctx, cancel := s.cfg.Clock.Timeout(s.power, handshakeWait)
	s.hangUp = cancel
	s.dial = make(chan dialled, 1)
	result := s.dial
	go func() {
		l, err := s.connect(ctx)
		result <- dialled{l, err}
	}()
}

func (s *Sensor) dialled(d dialled) {
	s.hangUp()
	s.dial = nil
	if d.err != nil {
		s.again(d.err.Error())
		return
	}
	s.say("online")
	s.link = d.link
	s.obs = observation{registerAt: s.up}
	if s.has("dtls-observe-not-restored") && s.set.Config != "" && s.failures > 0 {
		s.obs.registerAt = never
	}
}

// again sets the time of the next attempt: ever later, and by chance (RFC 7252 section 4.7 leaves it to the application).
func (s *Sensor) again(why string) {
	s.failures++
	wait := min(reconnectMin<<min(s.failures-1, 5), reconnectMax)
	wait = wait/2 + time.Duration(s.rng.Int64N(int64(wait)))
	s.retryAt = s.up + wait
	s.say("offline: %s; next attempt in %.1f s", why, wait.Seconds())
}

// lost gives the link up. What was not answered is asked again on the next.
func (s *Sensor) lost(why string) {
	s.link.close()
	s.link, s.flight, s.fetch, s.more = nil, nil, nil, nil
	if s.fetchAt != never {
		s.fetchAt = 0
	}
	if s.has("dtls-readings-dropped") {
		s.backlog = nil
	}
	s.again(why)
}

func (s *Sensor) crash(why string) {
	s.say("panic: %s", why)
	s.fate = fmt.Errorf("%w: %s", ErrCrashed, why)
}

// goodbye tells the server that the settings are not observed any more.
func (s *Sensor) goodbye() {
	if s.link != nil && s.obs.registered {
		m := (&coap.Message{Type: coap.NON, Code: coap.GET, ID: s.nextID(), Token: s.obs.token}).SetPath(settingsPath).AddUint(coap.Observe, 1)
		s.put(m)
	}
	s.say("offline: stopped")
}

// end leaves nothing behind.
func (s *Sensor) end() {
	if s.dial != nil {
		s.hangUp()
		if d := <-s.dial; d.link != nil {
			d.link.close()
		}
	}
	if s.link != nil {
		s.link.close()
	}
	if s.local != nil {
		s.local.close()
	}
}

func (s *Sensor) nextID() uint16 {
	s.mid++
	return s.mid
}

func (s *Sensor) put(m *coap.Message) {
	if !s.off.Load() {
		_, _ = s.link.conn.Write(m.Bytes()) // what cannot be sent is lost, as any datagram may be
	}
}

// heard is a datagram from the sensor's own network.
type heard struct {
	raw   []byte
	from  net.Addr
	group bool
}
