package mdns

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/link/frame"
	"github.com/shakedown-test/shakedown/world/clock"
)

// answerWithin is how long after a query a response about the same name counts as its answer. RFC 6762 delays answers by up to 0.5 s;
// the rest is for a machine that is busy while device time runs faster.
const answerWithin = 5 * time.Second

// maxAsked bounds how many questions are remembered.
const maxAsked = 256

// Observer watches the multicast DNS of a network.
type Observer struct {
	o Options

	mu    sync.Mutex
	ours  map[netip.Addr]bool
	asked []asked // the last questions, oldest first
}

// asked is a question that was heard.
type asked struct {
	name string
	by   netip.Addr
	at   time.Duration
}

// Options is what Observers and Responders are made of.
type Options struct {
	Part  string // as events are signed; empty: "mdns"
	Clock *clock.Clock
	Log   *evidence.Log
}

func (o Options) part() string {
	if o.Part == "" {
		return "mdns"
	}
	return o.Part
}

// Watch makes the near end of a link an Observer: a station that only listens. The network floods multicast to it. What comes from one
// of the addresses ours is left out of the log, because who sends it reports it.
func Watch(l *frame.Link, o Options, ours ...netip.Addr) *Observer {
	w := &Observer{o: o, ours: map[netip.Addr]bool{}}
	for _, a := range ours {
		w.ours[a] = true
	}
	l.Near(w.look)
	return w
}

// look reads one frame.
func (w *Observer) look(f []byte) {
	from, to, ttl, body, ok := datagram(f)
	if !ok || from.Port() != Group.Port() && to.Port() != Group.Port() {
		return
	}
	if w.ours[from.Addr()] {
		if p, err := Decode(body); err == nil {
			p.From = from
			w.note(p)
		}
		return
	}
	p, err := Decode(body)
	if err != nil {
		w.o.Log.Add(evidence.Event{
			Part: w.o.part(), Kind: evidence.Bad, Size: len(body), Hex: fmt.Sprintf("%x", body[:min(len(body), 64)]),
			Text: fmt.Sprintf("%s: %v", from, err),
		})
		return
	}
	p.From, p.To, p.IPTTL = from, to, ttl
	w.note(p)
	w.o.Log.Add(evidence.Event{Part: w.o.part(), Kind: evidence.In, Text: p.String(), Size: len(body), Data: p})
}

// note remembers what is asked for, and tells answers from announcements: nobody answers a question of their own.
func (w *Observer) note(p *Packet) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.o.Clock.Passed()
	for _, q := range p.Questions {
		w.asked = append(w.asked, asked{q.Name, p.From.Addr(), now})
	}
	w.asked = slices.Clone(w.asked[max(len(w.asked)-maxAsked, 0):])
	if p.Sort != Announcement {
		return
	}
	for _, r := range p.Answers {
		if slices.ContainsFunc(w.asked, func(a asked) bool {
			return a.name == r.Name && a.by != p.From.Addr() && now-a.at <= answerWithin
		}) {
			p.Sort = Answer
		}
	}
}

// datagram reads the UDP datagram of an Ethernet frame over IPv4; fragments are left out.
func datagram(f []byte) (from, to netip.AddrPort, ttl int, body []byte, ok bool) {
	if len(f) < 14+20+8 || binary.BigEndian.Uint16(f[12:]) != 0x0800 {
		return from, to, 0, nil, false
	}
	ip := f[14:]
	header, length := int(ip[0]&0xf)*4, int(binary.BigEndian.Uint16(ip[2:]))
	if ip[0]>>4 != 4 || ip[9] != 17 || header < 20 || length > len(ip) || length < header+8 || binary.BigEndian.Uint16(ip[6:])&0x3fff != 0 {
		return from, to, 0, nil, false
	}
	udp := ip[header:length]
	size := int(binary.BigEndian.Uint16(udp[4:]))
	if size < 8 || size > len(udp) {
		return from, to, 0, nil, false
	}
	from = netip.AddrPortFrom(netip.AddrFrom4([4]byte(ip[12:16])), binary.BigEndian.Uint16(udp))
	to = netip.AddrPortFrom(netip.AddrFrom4([4]byte(ip[16:20])), binary.BigEndian.Uint16(udp[2:]))
	return from, to, int(ip[8]), udp[8:size], true
}
