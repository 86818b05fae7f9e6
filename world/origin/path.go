package origin

import (
	"net"
	"net/netip"
	"sync"
)

// Path is the way between the server and its peers, at the level of datagrams: between it and the peers stands a NAT, so to speak, that
// keeps their addresses until it is told to forget them. It is safe for concurrent use.
type Path struct {
	net.PacketConn

	mu      sync.Mutex
	silent  int
	mtu     []int // limits in force
	outside map[string]net.Addr
	inside  map[string]net.Addr
	next    netip.AddrPort
	watch   func(from net.Addr, b []byte)
}

// maxMappings bounds what a peer can make a NAT remember that knows no time.
const maxMappings = 1024

func newPath(conn net.PacketConn) *Path {
	return &Path{
		PacketConn: conn, outside: map[string]net.Addr{}, inside: map[string]net.Addr{},
		next: netip.MustParseAddrPort("198.51.100.1:20000"),
	}
}

// Rebind gives every peer another address from now on, as a NAT does that has lost its mappings: what is sent to the old ones is lost.
func (p *Path) Rebind() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, at := range p.outside {
		if at != nil {
			p.inside[at.String()] = nil
		}
	}
	for from := range p.outside {
		p.outside[from] = nil
	}
	if len(p.inside) > maxMappings {
		p.inside = map[string]net.Addr{}
	}
	p.next = netip.AddrPortFrom(p.next.Addr().Next(), p.next.Port()+100)
	p.outside["*"] = nil // from now on every peer is behind it
}

// Silence loses all datagrams, both ways.
func (p *Path) Silence() (undo func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.silent++
	return sync.OnceFunc(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.silent--
	})
}

// MTU loses datagrams whose IP packet would be longer than so many bytes, both ways and without a word.
func (p *Path) MTU(bytes int) (undo func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mtu = append(p.mtu, bytes-28) // headers of IPv4 and UDP
	i := len(p.mtu) - 1
	return sync.OnceFunc(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.mtu[i] = 1 << 16
	})
}

func (p *Path) lost(size int) bool {
	for _, m := range p.mtu {
		if size > m {
			return true
		}
	}
	return p.silent > 0
}

// ReadFrom is that of net.PacketConn, with the address that the NAT shows.
func (p *Path) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, from, err := p.PacketConn.ReadFrom(b)
		if err != nil {
			return n, from, err
		}
		p.mu.Lock()
		lost, watch := p.lost(n), p.watch
		from = p.public(from)
		p.mu.Unlock()
		if watch != nil {
			watch(from, b[:n])
		}
		if !lost {
			return n, from, nil
		}
	}
}

// public is the address that a peer has outside, made if need be.
func (p *Path) public(from net.Addr) net.Addr {
	if _, behind := p.outside["*"]; !behind {
		return from
	}
	if at := p.outside[from.String()]; at != nil {
		return at
	}
	at := net.UDPAddrFromAddrPort(p.next)
	p.next = netip.AddrPortFrom(p.next.Addr(), p.next.Port()+1)
	p.outside[from.String()], p.inside[at.String()] = at, from
	return at
}

// WriteTo is that of net.PacketConn, to an address that the NAT shows.
func (p *Path) WriteTo(b []byte, to net.Addr) (int, error) {
	p.mu.Lock()
	lost := p.lost(len(b))
	if _, behind := p.outside["*"]; behind {
		if to = p.inside[to.String()]; to == nil {
			lost = true
		}
	}
	p.mu.Unlock()
	if lost {
		return len(b), nil
	}
	return p.PacketConn.WriteTo(b, to)
}
