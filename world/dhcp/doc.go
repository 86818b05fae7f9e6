// Package dhcp is the DHCP server of a home router (RFC 2131) as a stand-in: it leases addresses, and can be silent, slow, refuse to
// renew, change what it says, or offer an address that someone has.
//
//	s := dhcp.New(dhcp.Options{Part: "home router", Clock: clk, Log: log, Conn: conn, Raw: raw, Leases: dhcp.Leases{Router: lan}})
//	undo := s.Set(func(l *dhcp.Leases) { l.Lease = 2 * time.Minute })
//	heal := s.Set(func(l *dhcp.Leases) { l.Silent = dhcp.Everything })
//
// Every message that comes is an In event, every answer an Out event; the Data of both is a Message. What does not decode is Bad.
package dhcp
