package internet

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"slices"
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
