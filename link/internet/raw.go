package internet

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/shakedown-test/shakedown/link/frame"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

// probing is how a host looks for others with an address that it wants: sooner than RFC 5227 asks of a host that has no hurry.
var probing = stack.DADConfigurations{DupAddrDetectTransmits: 2, RetransmitTimer: 500 * time.Millisecond}

// Send puts an Ethernet frame on the host's link, past its IP stack.
func (h *Host) Send(frame []byte) { h.nic.send(frame) }

// SYNFrame is an Ethernet frame with the first segment of a TCP connection, for a scan that leaves no connections behind.
func SYNFrame(fromMAC, toMAC net.HardwareAddr, from, to netip.AddrPort, sequence uint32) []byte {
	b := binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(nil, from.Port()), to.Port())
	b = append(binary.BigEndian.AppendUint32(b, sequence), 0, 0, 0, 0, 0x50, syn, 0xff, 0xff, 0, 0, 0, 0)
	if to.Addr().Is6() {
		binary.BigEndian.PutUint16(b[16:], checksum6(from.Addr(), to.Addr(), TCP, b))
		ip := []byte{0x60, 0, 0, 0, 0, byte(len(b)), byte(TCP), 64}
		return slices.Concat(toMAC, fromMAC, []byte{0x86, 0xDD}, ip, from.Addr().AsSlice(), to.Addr().AsSlice(), b)
	}
	checksum4(from.Addr(), to.Addr(), TCP, b, 16)
	ip := []byte{0x45, 0, 0, byte(20 + len(b)), 0, 0, 0x40, 0, 64, byte(TCP), 0, 0}
	ip = slices.Concat(ip, from.Addr().AsSlice(), to.Addr().AsSlice())
	frame.ChecksumIPv4(ip)
	return slices.Concat(toMAC, fromMAC, []byte{0x08, 0x00}, ip, b)
}

// Tap calls f for every frame that reaches the host's interface, whomever it is for, until stop. F must neither keep nor change it, nor
// wait.
func (h *Host) Tap(f func(frame []byte)) (stop func()) {
	mine := &f
	h.taps.mu.Lock()
	defer h.taps.mu.Unlock()
	h.taps.all = append(slices.Clone(h.taps.all), mine)
	return func() {
		h.taps.mu.Lock()
		defer h.taps.mu.Unlock()
		h.taps.all = slices.DeleteFunc(slices.Clone(h.taps.all), func(o *func([]byte)) bool { return o == mine })
	}
}

type taps struct {
	mu  sync.RWMutex
	all []*func([]byte)
}

func (t *taps) look(frame []byte) {
	t.mu.RLock()
	all := t.all
	t.mu.RUnlock()
	for _, f := range all {
		(*f)(frame)
	}
}

// Datagram is the UDP payload of an Ethernet frame with an IPv4 packet that is no fragment; false: it holds none, or a corrupted one.
func Datagram(frame []byte) (from, to netip.AddrPort, payload []byte, ok bool) {
	p, ok := parse(frame)
	if !ok || !p.whole || p.proto != UDP {
		return from, to, nil, false
	}
	b := p.body()
	length := int(binary.BigEndian.Uint16(b[4:]))
	if length < 8 || length > len(b) || b[6]|b[7] != 0 && !p.sound() {
		return from, to, nil, false
	}
	src, dst, _ := p.ports()
	return netip.AddrPortFrom(p.src, src), netip.AddrPortFrom(p.dst, dst), b[8:length], true
}

// remac gives the host another Ethernet address.
func (h *Host) remac(mac [6]byte) {
	_ = h.stack.SetNICAddress(only, tcpip.LinkAddress(mac[:])) // the interface is there as long as the host
}

// SetMTU changes the size of the IP packets that the host sends.
func (h *Host) SetMTU(bytes int) {
	h.nic.SetMTU(uint32(max(bytes, 68)))
}

// Probe asks by ARP whether another station has an address that the host does not have yet (RFC 5227, section 2.1.1). It takes a second
// when none answers.
func (h *Host) Probe(ctx context.Context, a netip.Addr) (taken bool, err error) {
	done := make(chan stack.DADResult, 1)
	if _, terr := h.stack.CheckDuplicateAddress(only, ipv4.ProtocolNumber, tcpip.AddrFromSlice(a.AsSlice()), func(r stack.DADResult) { done <- r }); terr != nil {
		return false, fmt.Errorf("probe for %s: %s", a, terr)
	}
	select {
	case r := <-done:
		_, taken = r.(*stack.DADDupAddrDetected)
		return taken, nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// Pin has the host believe for ever that an address is at an Ethernet address.
func (h *Host) Pin(a netip.Addr, mac net.HardwareAddr) {
	_ = h.stack.AddStaticNeighbor(only, number(a), tcpip.AddrFromSlice(a.AsSlice()), tcpip.LinkAddress(mac)) // the interface has ARP
}

// Announce tells the link who has an address now (RFC 5227, section 2.3).
func (h *Host) Announce(a netip.Addr) {
	h.Send(arpMessage(1, [6]byte(h.MAC), a, [6]byte{}, a))
}

// UDPFrame is an Ethernet frame with an IPv4 packet with a UDP datagram, for receivers that a stack would not find by ARP: a DHCP client
// has no address yet.
func UDPFrame(fromMAC, toMAC net.HardwareAddr, from, to netip.AddrPort, payload []byte) []byte {
	n := 8 + len(payload)
	udp := slices.Concat(binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(nil, from.Port()), to.Port()), []byte{byte(n >> 8), byte(n), 0, 0}, payload)
	checksum4(from.Addr(), to.Addr(), UDP, udp, 6)
	ip := []byte{0x45, 0, byte((20 + n) >> 8), byte(20 + n), 0, 0, 0, 0, 64, byte(UDP), 0, 0}
	ip = slices.Concat(ip, from.Addr().AsSlice(), to.Addr().AsSlice())
	frame.ChecksumIPv4(ip)
	return slices.Concat(toMAC, fromMAC, []byte{0x08, 0x00}, ip, udp)
}
