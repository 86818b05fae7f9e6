package environment

import (
	"context"
	"encoding/binary"
	"errors"
	"net/netip"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/link/frame"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/dhcp"
)

// spoken is a DHCP message, and when it was sent.
type spoken struct {
	dhcp.Message
	at time.Time
	n  int // of the event
}

// lag is what timers of devices and the machine's lag may add to a time.
func lag(t *check.T) time.Duration {
	return max(time.Second, t.Clock.Device(250*time.Millisecond))
}

// heard are the DHCP messages of the device (In) or to it (Out) from mark on for which match holds.
func heard(t *check.T, mark int, kind evidence.Kind, match func(dhcp.Message) bool) (all []spoken) {
	for _, e := range t.Log.Since(mark) {
		if m, ok := e.Data.(dhcp.Message); ok && e.Kind == kind && match(m) {
			all = append(all, spoken{m, e.At, e.N})
		}
	}
	return all
}

// awaitHeard waits up to within (device time) for such a message; false: none came. The error is that of ctx.
func awaitHeard(ctx context.Context, t *check.T, mark int, within time.Duration, kind evidence.Kind, match func(dhcp.Message) bool) (spoken, bool, error) {
	wait, cancel := t.Clock.Timeout(ctx, within)
	defer cancel()
	e, err := t.Log.Await(wait, mark, func(e evidence.Event) bool {
		m, ok := e.Data.(dhcp.Message)
		return ok && e.Kind == kind && match(m)
	})
	if err != nil {
		return spoken{}, false, ctx.Err()
	}
	return spoken{e.Data.(dhcp.Message), e.At, e.N}, true, nil
}

func asks(m dhcp.Message) bool    { return m.Type == "DISCOVER" || m.Type == "REQUEST" }
func renews(m dhcp.Message) bool  { return m.Renews() }
func granted(m dhcp.Message) bool { return m.Type == "ACK" && m.Yours.IsValid() }

// static is the outcome for a device that needs no DHCP.
func static(t *check.T) error {
	p := t.Device.Part
	if p.Network == product.InWorld && (p.Local == nil || !p.Local.DHCP) {
		return check.NotApplicable("it was given a static address; one that runs a DHCP client of its own says dhcp: true under local: in the product file")
	}
	return check.NotApplicable("it came online without a word of DHCP")
}

// leased starts the device in a network whose leases are changed, and returns its session and the lease that it got: the positive
// control.
func leased(ctx context.Context, t *check.T, change func(*dhcp.Leases)) (*testbed.Session, spoken, error) {
	t.Impair(t.DHCP.Set(change))
	mark := t.Log.Len()
	s, err := t.Online(ctx)
	if err != nil {
		return nil, spoken{}, err
	}
	acks := heard(t, mark, evidence.Out, granted)
	if len(acks) == 0 {
		return nil, spoken{}, static(t)
	}
	return s, acks[len(acks)-1], nil
}

// started starts the device and waits for its first word of DHCP.
func started(ctx context.Context, t *check.T) (spoken, error) {
	mark := t.Log.Len()
	if err := t.Device.Start(ctx); err != nil {
		return spoken{}, err
	}
	wait, cancel := t.Clock.Timeout(ctx, t.Device.ConnectWithin()*3/2)
	defer cancel()
	e, err := t.Log.Await(wait, mark, func(e evidence.Event) bool {
		m, ok := e.Data.(dhcp.Message)
		return ok && e.Kind == evidence.In && asks(m) || accepts(e)
	})
	switch {
	case ctx.Err() != nil:
		return spoken{}, ctx.Err()
	case err != nil:
		return spoken{}, check.NotRun("see its console in the evidence", "it neither asked for an address nor came online within %s", t.Device.ConnectWithin()*3/2)
	case accepts(e):
		return spoken{}, static(t)
	}
	return spoken{e.Data.(dhcp.Message), e.At, e.N}, nil
}

// accepts reports whether e is a CONNACK that accepts the device.
func accepts(e evidence.Event) bool {
	p, ok := e.Data.(*mqtt.Packet)
	return ok && e.Kind == evidence.Out && p.Type == mqtt.CONNACK && p.Code == 0
}

// returned waits up to within for a session that is accepted after mark; nil: none was.
func returned(ctx context.Context, t *check.T, mark int, within time.Duration) (*testbed.Session, error) {
	s, err := t.Device.NextSession(ctx, mark, within)
	if errors.Is(err, testbed.ErrOffline) {
		return nil, nil
	}
	return s, err
}

// watch calls look for every frame that the device sends, until the check ends.
func watch(t *check.T, look func(frame []byte)) {
	t.Impair(t.Access.Filter(frame.Up, "nothing, and looks on", func(f []byte) bool {
		look(f)
		return true
	}))
}

// source is where an Ethernet frame of IPv4 comes from.
func source(f []byte) (netip.Addr, bool) {
	if len(f) < 34 || binary.BigEndian.Uint16(f[12:]) != 0x0800 {
		return netip.Addr{}, false
	}
	return netip.AddrFrom4([4]byte(f[26:30])), true
}

// source6 is where an Ethernet frame of IPv6 comes from.
func source6(f []byte) (netip.Addr, bool) {
	if len(f) < 54 || binary.BigEndian.Uint16(f[12:]) != 0x86DD {
		return netip.Addr{}, false
	}
	return netip.AddrFrom16([16]byte(f[22:38])), true
}

// segmentSize is the maximum segment size that a SYN over IPv4 tells (RFC 9293, section 3.7.1).
func segmentSize(f []byte) (size int, ok bool) {
	const syn, ack, tcp = 0x02, 0x10, 6
	if _, ok := source(f); !ok || f[23] != tcp {
		return 0, false
	}
	head := 14 + int(f[14]&0xf)*4
	if len(f) < head+20 || f[head+13]&(syn|ack) != syn {
		return 0, false
	}
	options := f[head+20 : min(head+int(f[head+12]>>4)*4, len(f))]
	for len(options) > 1 {
		switch kind, length := options[0], int(options[1]); {
		case kind == 0:
			return 0, false
		case kind == 1:
			options = options[1:]
			continue
		case kind == 2 && length == 4 && len(options) >= 4:
			return int(binary.BigEndian.Uint16(options[2:])), true
		case length < 2 || length > len(options):
			return 0, false
		default:
			options = options[length:]
		}
	}
	return 0, false
}
