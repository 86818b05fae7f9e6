package dhcp

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
)

// Message is what was said, as far as it is looked at.
type Message struct {
	Type      string        `json:"type"` // "DISCOVER", "OFFER", "REQUEST", "ACK", "NAK", "DECLINE", "RELEASE", "INFORM"
	XID       uint32        `json:"xid"`
	MAC       string        `json:"mac"`
	Client    netip.Addr    `json:"client"`    // ciaddr: the address that the client has
	Requested netip.Addr    `json:"requested"` // option 50
	Server    netip.Addr    `json:"server"`    // option 54
	Yours     netip.Addr    `json:"yours"`     // yiaddr
	Lease     time.Duration `json:"lease"`     // option 51
	Asked     []uint8       `json:"asked,omitempty"`
	Host      string        `json:"host,omitempty"` // option 12
	Unicast   bool          `json:"unicast"`        // from the client: it was sent to the server alone
	Broadcast bool          `json:"broadcast"`      // the client asks for answers to everybody
}

// Renews reports whether a REQUEST is for an address that the client has: to its server alone in RENEWING, to all in REBINDING (RFC
// 2131, section 4.3.2).
func (m Message) Renews() bool { return m.Type == "REQUEST" && m.Client.IsValid() }

// Kind is the type, but "RENEW" and "REBIND" for a REQUEST of whom has an address; it is what Leases.Silent names.
func (m Message) Kind() string {
	switch {
	case m.Renews() && m.Unicast:
		return "RENEW"
	case m.Renews():
		return "REBIND"
	}
	return m.Type
}

func (m Message) String() string {
	var s strings.Builder
	fmt.Fprintf(&s, "%s xid %08x", m.Type, m.XID)
	for _, a := range []struct {
		what string
		addr netip.Addr
	}{{"has", m.Client}, {"wants", m.Requested}, {"gets", m.Yours}, {"server", m.Server}} {
		if a.addr.IsValid() {
			fmt.Fprintf(&s, ", %s %s", a.what, a.addr)
		}
	}
	if m.Lease > 0 {
		fmt.Fprintf(&s, ", lease %s", m.Lease)
	}
	if m.Unicast {
		s.WriteString(", unicast")
	}
	return s.String()
}

// largest is how many bytes of a datagram are looked at: clients need to send no more (RFC 2131, section 2).
const largest = 1500

// decode reads a message.
func decode(b []byte) (*dhcpv4.DHCPv4, Message, error) {
	if len(b) > largest {
		return nil, Message{}, fmt.Errorf("decode DHCP message: %d bytes are too many", len(b))
	}
	p, err := dhcpv4.FromBytes(b)
	if err != nil {
		return nil, Message{}, fmt.Errorf("decode DHCP message: %w", err)
	}
	if len(p.ClientHWAddr) != 6 {
		return nil, Message{}, fmt.Errorf("decode DHCP message: a hardware address of %d bytes", len(p.ClientHWAddr))
	}
	return p, messageOf(p), nil
}

func messageOf(p *dhcpv4.DHCPv4) Message {
	m := Message{
		Type: strings.ToUpper(p.MessageType().String()), XID: binary.BigEndian.Uint32(p.TransactionID[:]), MAC: p.ClientHWAddr.String(),
		Client: addrOf(p.ClientIPAddr), Requested: addrOf(p.RequestedIPAddress()), Server: addrOf(p.ServerIdentifier()), Yours: addrOf(p.YourIPAddr),
		Lease: p.IPAddressLeaseTime(0), Host: p.HostName(), Broadcast: p.IsBroadcast(),
	}
	for _, o := range p.ParameterRequestList() {
		m.Asked = append(m.Asked, o.Code())
	}
	return m
}

// addrOf is an IPv4 address; none is invalid.
func addrOf(ip net.IP) netip.Addr {
	a, ok := netip.AddrFromSlice(ip.To4())
	if !ok || a.IsUnspecified() {
		return netip.Addr{}
	}
	return a
}
