package environment

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/link/internet"
)

// closedPort is discard, which no device has had open for decades. One that has is judged by environment.open-ports.
const closedPort = 9

// segment is what a port answered to a SYN.
type segment struct {
	flags       byte
	asked, says uint32 // sequence number of the SYN, and what the answer acknowledges
}

// knock sends three SYNs to a closed port of the device, from another station of its home network. At tells where it is.
func knock(ctx context.Context, t *check.T, at func() (netip.Addr, [6]byte)) ([]segment, error) {
	target, mac := at()
	if !target.IsValid() {
		return nil, check.NotRun("", "it sent nothing from an address of its home network")
	}
	host, _, err := t.World.Home().Host("stranger")
	if err != nil {
		return nil, err
	}
	from := netip.AddrPortFrom(host.Addresses()[0].Addr(), 40001)
	const first = 0x5ada0000
	var mu sync.Mutex
	var all []segment
	defer host.Tap(func(f []byte) {
		if a, ok := source(f); !ok || a != target || f[23] != 6 {
			return
		}
		at := 14 + int(f[14]&0xf)*4
		if len(f) < at+20 || binary.BigEndian.Uint16(f[at:]) != closedPort || binary.BigEndian.Uint16(f[at+2:]) < from.Port() {
			return
		}
		n := uint32(binary.BigEndian.Uint16(f[at+2:]) - from.Port())
		mu.Lock()
		defer mu.Unlock()
		if n < 3 && len(all) < 64 {
			all = append(all, segment{flags: f[at+13], asked: first + n, says: binary.BigEndian.Uint32(f[at+8:])})
		}
	})()
	for n := range uint16(3) {
		own := netip.AddrPortFrom(from.Addr(), from.Port()+n)
		host.Send(internet.SYNFrame(host.MAC, mac[:], own, netip.AddrPortFrom(target, closedPort), first+uint32(n)))
	}
	err = t.Clock.Sleep(ctx, max(2*time.Second, lag(t)))
	mu.Lock()
	defer mu.Unlock()
	return slices.Clone(all), err
}

// judgeClosed judges the answers of a port. None is in order: a firewall says nothing.
func judgeClosed(answers []segment) []check.Finding {
	const syn, rst, ack = 0x02, 0x04, 0x10
	for _, a := range answers {
		f := check.Finding{Expected: fmt.Sprintf("RST and ACK of %d, or no answer", a.asked+1)}
		switch {
		case a.flags&(syn|ack) == syn|ack:
			continue // it is open
		case a.flags&rst == 0:
			f.Title = "Answers a SYN to a closed port with something else than a RST"
			f.Seen = fmt.Sprintf("a segment with flags %#02x", a.flags)
		case a.flags&ack == 0 || a.says != a.asked+1:
			f.Title = "Refuses connections with a RST that does not count"
			f.Seen = fmt.Sprintf("flags %#02x, acknowledging %d: who asked goes on waiting", a.flags, a.says)
		default:
			continue
		}
		return []check.Finding{f}
	}
	return nil
}
