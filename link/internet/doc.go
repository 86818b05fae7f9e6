// Package internet is an internet of its own for one part under test, in user space: networks behind routers with NAT, joined by a
// backbone, and the hosts on it, which are IP stacks (gVisor's) in this process. Nothing of it touches the machine's network.
//
//	w, err := internet.Open(internet.Config{Clock: clk, Networks: []internet.Network{{NAT: internet.NAT{UDP: 30 * time.Second}}}})
//	w.Home().Uplink.Latency(frame.Both, frame.Latency{Delay: 100 * time.Millisecond})
//	w.Home().Uplink.Loss(frame.Both, 0.02)
//	device, err := w.Home().Host("device") // dials and listens
//	broker, err := w.Name("broker.example")  // an address on w.Servers, for a stand-in
//
// A station that is no host of this process, such as a program in a network namespace or a virtual machine, takes the near end of a
// link from Segment.Station and moves Ethernet frames.
//
// Addresses are those that are reserved for documentation and for private use (RFC 5737, RFC 3849, RFC 1918), so that what escapes by
// mistake goes nowhere.
package internet
