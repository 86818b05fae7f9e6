package device

import (
	"context"
	"testing"
	"time"

	wire "github.com/shakedown-test/shakedown/wire/ntp"
	"github.com/shakedown-test/shakedown/world/ntp"
)

// keeper is a device that is on, has no broker, and asks ntp.test for the time.
func (n *network) keeper(t *testing.T) *Device {
	t.Helper()
	n.cfg.TimeServers = []string{"ntp.test"}
	n.cfg.Host, n.cfg.Port = "none.test", "1"
	d := New(n.cfg)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return d
}

func (n *network) requests() (all []ntp.Request) {
	for _, e := range n.log.Since(0) {
		if q, ok := ntp.Asked(e); ok {
			all = append(all, q)
		}
	}
	return all
}

// exchange is one exchange with the server, by a device that is off.
func (n *network) exchange(t *testing.T) timeResult {
	t.Helper()
	d := New(n.cfg)
	d.src = newSource(n.clk, n.cfg.Built)
	d.src.lost(n.cfg.Built)
	d.names = n.resolver()
	return d.askTime(t.Context(), "ntp.test", 0x0123456789abcdef)
}

func TestTimeOfReplies(t *testing.T) {
	day := 24 * time.Hour
	for _, tt := range []struct {
		name string
		do   ntp.Behaviour
		off  time.Duration
		bad  bool
	}{
		{"right", ntp.Right(), 0, false},
		{"a year ahead", ntp.Offset(365 * day), 365 * day, false},
		{"era 1", ntp.Offset(13 * 365 * day), 13 * 365 * day, false},
		{"before the build", ntp.Offset(-100 * day), 0, true},
		{"week rollover", ntp.WeekRollover(), 0, true},
		{"kiss", ntp.Kiss("RATE"), 0, true},
		{"leap second", ntp.Leap(wire.Leap61), 0, false},
		{"originate", ntp.Faulty(ntp.WrongOriginate, day), 0, true},
		{"mode", ntp.Faulty(ntp.ClientMode, day), 0, true},
		{"stratum", ntp.Faulty(ntp.StratumZero, day), 0, true},
		{"transmit", ntp.Faulty(ntp.NoTransmit, day), 0, true},
		{"short", ntp.Faulty(ntp.Short, day), 0, true},
		{"unsynchronised", ntp.Faulty(ntp.Unsynchronised, day), 0, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			n := newNetwork(t)
			n.time.Do(tt.do)
			r := n.exchange(t)
			if (r.err != nil) != tt.bad {
				t.Fatalf("got %+v", r)
			}
			if want := n.clk.Now().Add(tt.off); r.err == nil && want.Sub(r.now).Abs() > 30*time.Second {
				t.Errorf("time %s, want %s", r.now, want)
			}
		})
	}
}

// A silent server is asked less and less often; every request has another nonce.
func TestSilentServerIsLeftAlone(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	n.time.Do(ntp.Silent())
	n.keeper(t)
	_ = n.clk.Sleep(t.Context(), 150*time.Second)
	got := n.requests()
	if len(got) < 2 || len(got) > 5 {
		t.Errorf("%d requests in 150 s", len(got))
	}
	nonces := map[wire.Timestamp]bool{}
	for _, r := range got {
		nonces[r.Packet.Transmit] = true
		if r.Packet.Mode != wire.Client {
			t.Errorf("mode %d", r.Packet.Mode)
		}
	}
	if len(nonces) != len(got) {
		t.Errorf("%d transmit timestamps in %d requests", len(nonces), len(got))
	}
}

func TestKissIsObeyed(t *testing.T) {
	t.Parallel()
	for code, wait := range map[string]time.Duration{"RATE": 100 * time.Second, "DENY": 200 * time.Second} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			n := newNetwork(t)
			n.time.Do(ntp.Kiss(code))
			n.keeper(t)
			_ = n.clk.Sleep(t.Context(), wait)
			if got := n.requests(); len(got) != 1 {
				t.Errorf("%d requests in %s", len(got), wait)
			}
		})
	}
}
