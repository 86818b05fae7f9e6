package internet

import (
	"fmt"
	"net"
	"net/netip"
	"sync"

	"github.com/shakedown-test/shakedown/evidence"
)

// Ruling is what becomes of a packet that is on its way from a network to the internet.
type Ruling int

// The rulings.
const (
	Pass   Ruling = iota
	Drop          // nobody is told
	Refuse        // TCP is reset, of other packets ICMP tells that they are prohibited (RFC 1812, section 5.2.7.1)
	Take          // the guard itself is whom a TCP connection reaches; other packets are dropped
)

// Guard stands between a network and the internet, as the firewall of a company or a captive portal does. It looks at what goes out over
// IPv4; over IPv6 it lets nothing through.
type Guard struct {
	Name string // the part of its events
	Rule func(p Protocol, to netip.AddrPort) Ruling

	// Serve speaks with who is taken, and closes the connection. Its local address is the one that the client meant. Nil where Rule takes
	// nothing.
	Serve func(net.Conn)
}

// guard is a Guard in force.
type guard struct {
	Guard
	log   *evidence.Log
	stand *anybody // nil without Serve

	mu   sync.Mutex
	told map[told]bool
}

// told is what a guard has told of once.
type told struct {
	ruling   Ruling
	protocol Protocol
	to       netip.AddrPort
}

// maxTold bounds what a guard or an uplink remembers.
const maxTold = 512

// once reports whether k was not told yet, and notes it. When told is full, nothing is new any more.
func once[K comparable](told map[K]bool, k K) bool {
	if told[k] || len(told) >= maxTold {
		return false
	}
	told[k] = true
	return true
}

// Guard puts a guard between a network on the backbone and the internet, until undo. Of several the latest counts. Connections that are
// open are judged like new ones.
func (w *World) Guard(s *Segment, g Guard) (undo func(), err error) {
	at := w.backbone.station(s.Uplink)
	if at == nil {
		return nil, fmt.Errorf("guard network %s: it is not on the backbone", s.Name)
	}
	in := &guard{Guard: g, log: w.cfg.Log, told: map[told]bool{}}
	if g.Serve != nil {
		if in.stand, err = w.anybody(g.Name); err != nil {
			return nil, fmt.Errorf("guard network %s: %w", s.Name, err)
		}
		in.stand.takeTCP(func(r *request) {
			if c := r.accept(); c != nil {
				g.Serve(c)
			}
		})
	}
	leave := at.guard.Push(in)
	return sync.OnceFunc(func() {
		leave()
		if in.stand != nil {
			in.stand.close()
		}
	}), nil
}

// decide says who gets a packet: nil is whom it is for. False: nobody does.
func (g *guard) decide(from *attached, f []byte) (to *attached, ok bool) {
	p, ok := parse(f)
	if !ok {
		return nil, false
	}
	var port uint16
	if p.first && (p.proto == TCP || p.proto == UDP) {
		_, port, _ = p.ports()
	}
	target := netip.AddrPortFrom(p.dst, port)
	ruling := g.Rule(p.proto, target)
	if ruling == Pass {
		return nil, true
	}
	g.tell(p, told{ruling, p.proto, target})
	switch {
	case ruling == Take && p.proto == TCP && g.stand != nil:
		return g.stand.at, true
	case ruling != Refuse || !p.first:
	case p.proto != TCP:
		if back := p.icmpError(BackboneV4, 3, 13); back != nil {
			from.link.SendDown(back)
		}
	case p.flags()&rst == 0:
		from.link.SendDown(p.reset())
	}
	return nil, false
}

// tell notes once for each target what became of packets for it.
func (g *guard) tell(p packet, t told) {
	if g.log == nil || !p.first || p.proto == TCP && p.flags()&(syn|ack) != syn {
		return
	}
	g.mu.Lock()
	first := once(g.told, t)
	g.mu.Unlock()
	if !first {
		return
	}
	verb := map[Ruling]string{Drop: "drops", Refuse: "refuses", Take: "takes"}[t.ruling]
	g.log.Add(evidence.Event{Part: g.Name, Kind: evidence.Seen, Text: fmt.Sprintf("%s %s to %s", verb, t.protocol, t.to)})
}
