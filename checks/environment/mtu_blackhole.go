package environment

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/link/frame"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
)

// blackholeWithin is how long the way through a path that loses large packets in silence may take.
const blackholeWithin = 30 * time.Second

// MtuBlackhole makes a path that loses large packets and does not say so.
var MtuBlackhole = &check.Check{
	ID:    "environment.mtu-blackhole",
	Title: "Gets through a path that loses large packets without a word",
	Why: "Tunnels, mobile networks and strict firewalls lose large packets, and the message that would say so too. " +
		"Connections open and then hang in the handshake, and nobody finds out why.",
	Pass: "with an MTU of 1400, and then of 1280, on the uplink and no ICMP, the device has an accepted connection " +
		"within 30 s of its first attempt",
	Fix:          "announce a smaller segment size from the beginning (TCP_MAXSEG 1220), or try again with one after a handshake that hangs, or switch packetization layer path MTU discovery on (net.ipv4.tcp_mtu_probing=1)",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2h", "EN303645:5.9-1"},
	Rows:         []string{"net.mtu.blackhole"},
	Sources:      []string{"RFC 2923, section 2.1", "RFC 4821", "RFC 8899", "limit of 30 s: a proposal"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTTS, World: true},
	Impact:       check.Restarts,
	Typical:      60 * time.Second,
	Limit:        30 * time.Minute,
	Run:          mtuBlackhole,
}

// swallowed is how a device got through a path that loses large packets.
type swallowed struct {
	mtu      int
	attempts []testbed.Attempt // since the start
	took     time.Duration     // from the first attempt to the accepted connection; 0: none was accepted
	first    int
	last     int
}

func mtuBlackhole(ctx context.Context, t *check.T) error {
	if _, err := t.Online(ctx); err != nil {
		return err
	}
	for _, mtu := range []int{1400, 1280} {
		t.Step("lose packets above %d bytes without a word, and start it anew", mtu)
		if err := t.Device.Fresh(ctx); err != nil {
			return err
		}
		f := swallowed{mtu: mtu, first: t.Log.Len()}
		heal := t.Impair(t.World.Home().Uplink.MTU(frame.Both, mtu))
		if err := t.Device.Start(ctx); err != nil {
			return err
		}
		s, err := t.Device.NextSession(ctx, f.first, t.Device.ConnectWithin()+blackholeWithin+slack(t))
		if err != nil && !errors.Is(err, testbed.ErrOffline) {
			return err
		}
		f.attempts, f.last = testbed.Attempts(t.Log.Since(f.first)), t.Log.Len()-1
		if s != nil && len(f.attempts) > 0 {
			f.took = s.Since.Sub(f.attempts[0].Opened)
			t.MeasureTime(fmt.Sprintf("first attempt to accepted connection with an MTU of %d", mtu), f.took, "<= 30 s")
		}
		if s == nil {
			if err := bringBack(ctx, t, heal); err != nil { // the control
				return err
			}
		}
		heal()
		t.Find(judgeSwallowed(f)...)
	}
	return nil
}

func judgeSwallowed(f swallowed) []check.Finding {
	limit := blackholeWithin + 3*time.Second // a busy machine counts ten times
	if f.took > 0 && f.took <= limit {
		return nil
	}
	seen := fmt.Sprintf("none; %s", check.Endings(f.attempts))
	if f.took > 0 {
		seen = fmt.Sprintf("after %.1f s and %d attempts", f.took.Seconds(), len(f.attempts))
	}
	return []check.Finding{{
		Title:    fmt.Sprintf("Does not get through a path that loses packets above %d bytes", f.mtu),
		Expected: "an accepted connection within 30 s of the first attempt",
		Seen:     seen,
		Evidence: check.Range(f.first, f.last, "since the start"),
	}}
}
