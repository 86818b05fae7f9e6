package ntp

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/wire/ntp"
	"github.com/shakedown-test/shakedown/world/clock"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type rig struct {
	*Server
	clk *clock.Clock
	log *evidence.Log
	at  net.Addr
}

func newRig(t *testing.T) *rig {
	t.Helper()
	clk := clock.New(1)
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{clk: clk, log: evidence.NewLog(clk.Now, nil, false), at: udp.LocalAddr()}
	r.Server = New(Options{Part: "ntp", Clock: clk, Log: r.log, UDP: udp})
	t.Cleanup(func() { r.Close() })
	return r
}

// ask sends one request and returns the bytes of the reply; none when there is no reply within wait.
func (r *rig) ask(t *testing.T, wait time.Duration) []byte {
	t.Helper()
	c, err := net.Dial("udp", r.at.String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	request := ntp.Packet{Version: 4, Mode: ntp.Client, Transmit: 0x1122334455667788}
	if _, err := c.Write(request.Append(nil)); err != nil {
		t.Fatal(err)
	}
	c.SetReadDeadline(time.Now().Add(wait))
	buf := make([]byte, 100)
	n, err := c.Read(buf)
	if err != nil {
		return nil
	}
	return buf[:n]
}

func TestBehaviours(t *testing.T) {
	year := 365 * 24 * time.Hour
	for _, tt := range []struct {
		name    string
		do      Behaviour
		off     time.Duration
		strange func(ntp.Packet) bool // what is wrong with it; nil: nothing
	}{
		{"right", Right(), 0, nil},
		{"offset", Offset(-90 * time.Minute), -90 * time.Minute, nil},
		{"era 1", Offset(12 * year), 12 * year, nil},
		{"weeks", WeekRollover(), -1024 * 7 * 24 * time.Hour, nil},
		{"late", Late(30 * time.Millisecond), 0, nil},
		{"rate", Kiss("RATE"), 0, func(p ntp.Packet) bool { return p.Kiss() == "RATE" && p.Leap == ntp.Alarm }},
		{"leap", Leap(ntp.Leap61), 0, func(p ntp.Packet) bool { return p.Leap == ntp.Leap61 }},
		{"originate", Faulty(WrongOriginate, year), year, func(p ntp.Packet) bool { return p.Originate != 0x1122334455667788 }},
		{"mode", Faulty(ClientMode, year), year, func(p ntp.Packet) bool { return p.Mode == ntp.Client }},
		{"stratum", Faulty(StratumZero, year), year, func(p ntp.Packet) bool { return p.Stratum == 0 && p.Kiss() == "" }},
		{"unsynchronised", Faulty(Unsynchronised, year), year, func(p ntp.Packet) bool { return p.Leap == ntp.Alarm && p.Stratum == 16 }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			undo := r.Do(tt.do)
			p, err := ntp.Decode(r.ask(t, 5*time.Second))
			if err != nil {
				t.Fatal(err)
			}
			want := r.clk.Now().Add(tt.off)
			if off := p.Transmit.Near(want).Sub(want); off.Abs() > 2*time.Second {
				t.Errorf("it tells %s, want %s", p.Transmit.Near(want), want)
			}
			right := p.Mode == ntp.Server && p.Stratum == 1 && p.Originate == 0x1122334455667788 && p.Leap == ntp.NoWarning && p.Version == 4
			if right != (tt.strange == nil) || tt.strange != nil && !tt.strange(p) {
				t.Errorf("reply %+v", p)
			}
			undo()
			if p, err := ntp.Decode(r.ask(t, 5*time.Second)); err != nil || p.Stratum != 1 || p.Transmit.Near(r.clk.Now()).Sub(r.clk.Now()).Abs() > time.Second {
				t.Errorf("after the undo: %+v, %v", p, err)
			}
		})
	}
}

func TestNoReplyAndShortOnes(t *testing.T) {
	r := newRig(t)
	undo := r.Do(Silent())
	if b := r.ask(t, 50*time.Millisecond); b != nil {
		t.Errorf("a silent server sent % x", b)
	}
	undo()
	r.Do(Faulty(Short, 0))
	if b := r.ask(t, 5*time.Second); len(b) != 40 {
		t.Errorf("%d bytes", len(b))
	}
	r.Do(Faulty(NoTransmit, 0))
	if p, err := ntp.Decode(r.ask(t, 5*time.Second)); err != nil || p.Transmit != 0 {
		t.Errorf("%+v, %v", p, err)
	}
	n := 0
	for _, e := range r.log.Since(0) {
		if q, ok := Asked(e); ok && q.Packet.Transmit == 0x1122334455667788 && q.From.Addr().IsLoopback() {
			n++
		}
	}
	if n != 3 {
		t.Errorf("%d requests were noted", n)
	}
}

func FuzzHandle(f *testing.F) {
	request := ntp.Packet{Version: 4, Mode: ntp.Client, Transmit: 1}
	f.Add(request.Append(nil), 0)
	f.Add([]byte{0x1b}, 3)
	f.Add(make([]byte, 2000), 7)
	clk := clock.New(1)
	f.Fuzz(func(t *testing.T, b []byte, how int) {
		s := &Server{o: Options{Clock: clk, Log: evidence.NewLog(clk.Now, nil, false)}, ctx: t.Context()}
		all := []Behaviour{Right(), Kiss("RATE"), WeekRollover(), Silent(), Leap(ntp.Leap59)}
		for _, fault := range Faults() {
			all = append(all, Faulty(fault, time.Hour))
		}
		s.behaviours.Push(all[uint(how)%uint(len(all))])
		s.handle(b, netip.MustParseAddrPort("192.0.2.1:123"), func(reply []byte) error {
			if len(reply) > ntp.Size || len(reply) > len(b) {
				t.Errorf("a reply of %d bytes to %d", len(reply), len(b))
			}
			return nil
		})
	})
}
