// Package ntp is a time server (RFC 5905, as simple clients by RFC 4330 see it) that tells the device time of its clock, or lies about
// it until the undo of that is called:
//
//	s := ntp.New(ntp.Options{Part: "ntp", Clock: clk, Log: log, UDP: packets})
//	heal := s.Do(ntp.Offset(365 * 24 * time.Hour))
//
// Every request is an In event whose Data is a Request, every reply an Out event whose Data is a Reply.
package ntp
