package internet

import (
	"encoding/binary"
	"net"
	"net/netip"
	"slices"
	"sync"
)

// watchers look at the TCP connection attempts that reach a host, whether anybody listens or not.
type watchers struct {
	mu  sync.Mutex
	all []*watcher
}

type watcher struct {
	port uint16
	seen func(from net.Addr)
}

func (w *watchers) watch(port uint16, seen func(net.Addr)) (stop func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	mine := &watcher{port, seen}
	w.all = append(w.all, mine)
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.all = slices.DeleteFunc(w.all, func(o *watcher) bool { return o == mine })
	}
}

// look tells the watchers when frame is a SYN.
func (w *watchers) look(frame []byte) {
	w.mu.Lock()
	if len(w.all) == 0 {
		w.mu.Unlock()
		return
	}
	all := slices.Clone(w.all)
	w.mu.Unlock()
	from, to, ok := synOf(frame)
	if !ok {
		return
	}
	for _, one := range all {
		if one.port == to {
			one.seen(net.TCPAddrFromAddrPort(from))
		}
	}
}

// synOf is the sender and the port of a first SYN over IPv4 or IPv6.
func synOf(frame []byte) (from netip.AddrPort, port uint16, ok bool) {
	if len(frame) < 14+20+20 {
		return from, 0, false
	}
	ip := frame[14:]
	var segment []byte
	var source netip.Addr
	switch kind := binary.BigEndian.Uint16(frame[12:]); {
	case kind == 0x0800 && ip[9] == 6:
		header := int(ip[0]&0xf) * 4
		if header < 20 || len(ip) < header+20 {
			return from, 0, false
		}
		source, segment = netip.AddrFrom4([4]byte(ip[12:16])), ip[header:]
	case kind == 0x86DD && len(ip) >= 60 && ip[6] == 6:
		source, segment = netip.AddrFrom16([16]byte(ip[8:24])), ip[40:]
	default:
		return from, 0, false
	}
	const syn, ack = 0x02, 0x10
	if segment[13]&(syn|ack) != syn {
		return from, 0, false
	}
	return netip.AddrPortFrom(source, binary.BigEndian.Uint16(segment)), binary.BigEndian.Uint16(segment[2:]), true
}
