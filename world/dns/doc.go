// Package dns is a DNS server that can misbehave (RFC 1035, over UDP and TCP). Any number of servers answer from one zone; each can be
// told to do so badly, in one way or another, until the undo of that is called:
//
//	z := dns.NewZone()
//	z.Set("broker.example", dns.Records{TTL: time.Minute, A: []netip.Addr{broker}})
//	s := dns.New(dns.Options{Part: "router dns", Zone: z, Clock: clk, Log: log, UDP: packets, TCP: listener})
//	heal := s.Do(dns.Silent())
//
// Every query is an In event whose Data is a Query, every answer an Out event whose Data is an Answer.
package dns
