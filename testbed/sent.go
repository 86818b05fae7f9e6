package testbed

import (
	"encoding/binary"
	"net/netip"
	"sync"
	"time"

	"github.com/shakedown-test/shakedown/link/frame"
)

// maxSent is how many packets a Watch keeps.
const maxSent = 4096

// Sent is a packet of the device that begins something: a UDP datagram, or a SYN.
type Sent struct {
	At       time.Time // device time
	TCP      bool
	From, To netip.AddrPort
	Sequence uint32 // of a SYN
}

// Watched is what the device sends on its own link, whether anybody is there to get it or not.
type Watched struct {
	bed *Bed
	mu  sync.Mutex
	all []Sent
}

// Watch looks at what the device sends from now on, until the testbed is closed. It needs a world.
func (b *Bed) Watch() *Watched {
	w := &Watched{bed: b}
	b.Impair(b.Access.Watch(func(f []byte, way frame.Way) {
		if way == frame.Up {
			w.look(f)
		}
	}))
	return w
}

// Block swallows what the device sends and match holds for, on its own link; what says which that is, as in "UDP to port 123".
func (b *Bed) Block(what string, match func(Sent) bool) (undo func()) {
	return b.Access.Filter(frame.Up, what, func(f []byte) bool {
		s, ok := begins(f)
		return !ok || !match(s)
	})
}

// Sent is what was sent so far to a port; TCP says whether SYNs or datagrams are meant.
func (w *Watched) Sent(tcp bool, port uint16) (all []Sent) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.all {
		if s.TCP == tcp && s.To.Port() == port {
			all = append(all, s)
		}
	}
	return all
}

// SYNs are those that were sent so far, to whatever port.
func (w *Watched) SYNs() (all []Sent) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.all {
		if s.TCP {
			all = append(all, s)
		}
	}
	return all
}

func (w *Watched) look(f []byte) {
	s, ok := begins(f)
	if !ok {
		return
	}
	s.At = w.bed.Clock.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.all) < maxSent {
		w.all = append(w.all, s)
	}
}

// begins reads an Ethernet frame of IPv4, or of IPv6 without extension headers.
func begins(f []byte) (s Sent, ok bool) {
	const tcp, udp, syn, ack = 6, 17, 2, 16
	if len(f) < 14 {
		return s, false
	}
	ip := f[14:]
	var proto byte
	var src, dst netip.Addr
	var payload []byte
	switch binary.BigEndian.Uint16(f[12:]) {
	case 0x0800:
		if len(ip) < 20 {
			return s, false
		}
		head := int(ip[0]&15) * 4
		if head < 20 || len(ip) < head || binary.BigEndian.Uint16(ip[6:])&0x1fff != 0 {
			return s, false
		}
		proto, src, dst, payload = ip[9], netip.AddrFrom4([4]byte(ip[12:16])), netip.AddrFrom4([4]byte(ip[16:20])), ip[head:]
	case 0x86DD:
		if len(ip) < 40 {
			return s, false
		}
		proto, src, dst, payload = ip[6], netip.AddrFrom16([16]byte(ip[8:24])), netip.AddrFrom16([16]byte(ip[24:40])), ip[40:]
	default:
		return s, false
	}
	if len(payload) < 8 || proto != tcp && proto != udp || proto == tcp && (len(payload) < 20 || payload[13]&(syn|ack) != syn) {
		return s, false
	}
	s.TCP = proto == tcp
	s.From = netip.AddrPortFrom(src, binary.BigEndian.Uint16(payload))
	s.To = netip.AddrPortFrom(dst, binary.BigEndian.Uint16(payload[2:]))
	if s.TCP {
		s.Sequence = binary.BigEndian.Uint32(payload[4:])
	}
	return s, true
}
