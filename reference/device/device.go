package device

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// errReboot ends one life of the device because it was told to reboot.
var errReboot = errors.New("reboot")

// bootTime is how long the device takes from power-on or reboot to its first attempt to connect.
const bootTime = 2 * time.Second

// Device is one thermostat. New makes it, Run is its life under power.
type Device struct {
	cfg   Config
	src   *source
	con   console
	sto   store
	trust *trust // nil without TLS

	power  context.Context // ends with Cut
	unplug context.CancelFunc
	mu     sync.Mutex
	raw    net.Conn // the present TCP connection, for Cut
	rawAPI net.Conn // that to the API, for Cut
	net    *port    // nil: the network is there

	// What follows belongs to the goroutine of Run, and is new at every boot.
	set       settings
	dirty     bool // set is not on the disk
	rng       *rand.Rand
	back      backoff
	up        time.Duration // uptime at the start of this turn
	fate      error         // why this life ends
	wedged    bool          // stopped looking at the connection, but keeps it: only by defect
	rebooting bool          // as soon as what is to be sent is sent

	warmth   float64       // of the room, degrees
	sampleAt time.Duration // of the next reading
	stateDue bool          // state is to be published
	statusIs string        // to be published as status; empty: it was
	holdTill time.Duration // nothing is published before
	drainAt  time.Duration // no reading is sent before
	resubAt  time.Duration // 0, or when to ask again for refused subscriptions
	resubs   int           // how often in a row they were refused

	api      *api      // nil: the device has none
	dial     *dialling // nil when none is under way
	link     *link     // nil without a connection
	retryAt  time.Duration
	hops     int            // followed server references since the last session
	referred string         // host:port of a server reference to try next; empty: the configured one
	plain    bool           // next attempt is in the clear: only by defect
	home     *household     // nil: no home network
	address  netip.Addr     // in it
	outer    netip.AddrPort // where the router lets others in; port 0: nowhere
	localDue bool           // where it can be reached is to be published
	names    *resolver      // nil: Dial is given names
	clock    timekeeper
	flaw     flaws
	doomed   chan string // why a goroutine of the firmware crashed: only by defect
}

// New returns a device that is switched off.
func New(cfg Config) *Device {
	d := &Device{cfg: cfg}
	d.power, d.unplug = context.WithCancel(context.Background())
	d.con.out = cfg.Out
	return d
}

func (d *Device) has(defect string) bool { return d.cfg.Defects[defect] }

// Run switches the device on. When ctx ends it says goodbye and returns nil. It returns nil after Cut too, ErrCrashed when the firmware
// crashed, and another error when it cannot start. A Device runs once.
func (d *Device) Run(ctx context.Context) error {
	d.src = newSource(d.cfg.Clock, d.cfg.Built)
	d.sto.dir = d.cfg.State
	if d.cfg.TLS {
		var err error
		if d.trust, err = newTrust(&d.cfg); err != nil {
			return fmt.Errorf("start device %s: %w", d.cfg.ID, err)
		}
	}
	defer d.plug()()
	for powered := true; ; powered = false {
		err := d.live(ctx, powered)
		if d.power.Err() != nil {
			return nil
		}
		if !errors.Is(err, errReboot) {
			return err
		}
		d.con.say("rebooting")
	}
}

// plug configures the network port until unplug.
func (d *Device) plug() (unplug func()) {
	if d.cfg.Net == nil {
		return func() {}
	}
	d.net = newPort(&d.cfg, &d.con, d.src)
	d.cfg.IPv6, d.cfg.IPv4 = func() bool { return len(d.cfg.Net.Auto()) > 0 }, d.net.four
	d.cfg.Resolvers = func() []netip.Addr {
		dns, _ := d.net.told()
		return dns
	}
	ctx, cancel := context.WithCancel(d.power)
	done := make(chan struct{})
	go func() {
		defer close(done)
		d.net.run(ctx)
	}()
	return func() {
		cancel()
		<-done
	}
}

// Cut takes the power away: everything stops at once, nothing more is sent, stored or printed, and the connection is reset.
func (d *Device) Cut() {
	d.con.off.Store(true)
	d.unplug()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, conn := range []net.Conn{d.raw, d.rawAPI} {
		if conn != nil {
			reset(conn)
		}
	}
}

// track makes conn the connection that Cut resets.
func (d *Device) track(conn net.Conn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.raw = conn
	if conn != nil && d.power.Err() != nil {
		reset(conn)
	}
}

// trackAPI is track for the connection to the API.
func (d *Device) trackAPI(conn net.Conn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.rawAPI = conn
	if conn != nil && d.power.Err() != nil {
		reset(conn)
	}
}

// reset closes a connection with a RST in place of a FIN, where the connection can do that.
func reset(conn net.Conn) {
	if tcp, ok := conn.(interface{ SetLinger(int) error }); ok {
		_ = tcp.SetLinger(0) // a closed connection is reset already
	}
	_ = conn.Close()
}

// boot loads the settings and starts the timers. Powered says that there was no power before.
func (d *Device) boot(powered bool) {
	d.set = settings{Target: 200}
	known := d.sto.load(&d.set)
	d.set.Boots++
	d.set.Session.reconnected()
	d.rng = rand.New(rand.NewPCG(d.cfg.Seed, uint64(d.set.Boots)))
	d.back = backoff{cfg: &d.cfg, rng: d.rng}
	d.up = d.src.uptime()
	d.fate, d.wedged, d.rebooting = nil, false, false
	d.warmth = float64(d.set.Target) / 10
	d.sampleAt = d.up + d.sampleEvery()
	d.stateDue, d.statusIs = true, ""
	d.address, d.outer, d.localDue = netip.Addr{}, netip.AddrPort{}, false
	d.holdTill, d.drainAt, d.resubAt, d.resubs = 0, 0, 0, 0
	d.retryAt = d.up + bootTime
	d.hops, d.referred, d.plain, d.flaw = 0, "", false, flaws{}
	d.dirty = true
	d.api, d.doomed = d.newAPI(), make(chan string, 1)
	if d.cfg.Resolvers != nil {
		d.names = newResolver(&d.cfg, d.rng.Uint64(), d.src.uptime)
	}
	d.bootTimekeeper(powered)
	d.con.say("boot %d firmware %s, settings known: %t", d.set.Boots, d.cfg.Firmware, known)
	d.bootFlawed()
}

// live is one life from boot to reboot, crash, orderly end or power cut.
func (d *Device) live(ctx context.Context, powered bool) error {
	d.boot(powered)
	defer d.endAPI()
	defer d.hangUp()
	d.home = d.joinHome()
	defer func() { d.home.leave(d.power.Err() == nil && (d.fate == nil || errors.Is(d.fate, errReboot))) }()
	defer d.unsync()
	wake := make(chan struct{}, 1)
	for {
		d.up = d.src.uptime()
		d.advance()
		d.commit()
		if d.fate != nil {
			return d.fate
		}
		timer := d.cfg.Clock.AfterFunc(max(d.next()-d.up, 0), func() {
			select {
			case wake <- struct{}{}:
			default:
			}
		})
		err := d.wait(ctx, wake)
		timer.Stop()
		if err != nil {
			return nil
		}
	}
}

// wait is one turn: until something happens, and what that leads to. It returns an error when the device is to stop.
func (d *Device) wait(ctx context.Context, wake <-chan struct{}) error {
	if d.wedged {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-d.power.Done():
			return d.power.Err()
		}
	}
	var attempt <-chan dialResult
	if d.dial != nil {
		attempt = d.dial.done
	}
	var in <-chan inbound
	if d.link != nil {
		in = d.link.in
	}
	select {
	case <-d.power.Done():
		return d.power.Err()
	case <-ctx.Done():
		d.goodbye()
		return ctx.Err()
	case o := <-d.apiDone():
		d.up = d.src.uptime()
		d.turned(o)
	case why := <-d.doomed:
		d.crash(why)
	case r := <-d.clock.done:
		d.up = d.src.uptime()
		d.timed(r)
	case r := <-attempt:
		d.up = d.src.uptime()
		d.dialled(r)
	case first := <-in:
		d.up = d.src.uptime()
		d.receive(first)
	case <-d.net.watch():
		d.up = d.src.uptime()
		if d.net.ready() && !d.clock.tried && d.clock.done == nil {
			d.clock.at = min(max(d.clock.at, d.up), d.up+firstSync)
		}
	case call := <-d.home.inbox():
		d.up = d.src.uptime()
		call()
	case <-wake:
	}
	return nil
}

// commit publishes what is due, stores what changed and only then sends: no acknowledgement leaves before what it stands for is on
// the disk.
func (d *Device) commit() {
	if d.wedged || d.fate != nil || d.power.Err() != nil {
		return
	}
	d.pump()
	if d.dirty {
		if err := d.sto.save(&d.set); err != nil {
			d.con.say("settings not stored: %v", err)
		}
		d.dirty = false
	}
	d.flush()
	if d.rebooting && d.fate == nil {
		d.goodbye()
		d.fate = errReboot
	}
}

// crash ends this life as a fault of the firmware would.
func (d *Device) crash(why string) {
	if d.fate == nil {
		d.con.say("panic: %s", why)
		d.fate = fmt.Errorf("%w: %s", ErrCrashed, why)
	}
}

// crashLater is crash for goroutines beside that of Run.
func (d *Device) crashLater(why string) {
	select {
	case d.doomed <- why:
	default: // it is to crash already
	}
}

// version is the protocol version of the present connection, or else of the next.
func (d *Device) version() mqtt.Version {
	if d.link != nil {
		return d.link.version
	}
	return d.set.version(d.cfg.Version)
}
