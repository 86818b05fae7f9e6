// Package series is what a fleet measures over time: counters, latencies and states, a point each second, and how those of several shares
// become one.
package series

import "time"

// Counter is a number that only grows.
type Counter int

// The counters.
const (
	Attempts Counter = iota // connections that were begun
	Accepted                // CONNACK 0, or the first answer of CoAP and HTTP
	Refused                 // answered with a refusal; the code is an Answer
	Broken                  // attempts that ended otherwise; why is an Error
	Dropped                 // connections that the other side ended after they were accepted
	Sent                    // messages written
	Acked                   // PUBACK or PUBCOMP, ACK of CoAP, status 2xx of HTTP
	Rejected                // messages answered with an error code
	Withheld                // messages that were due and could not be sent: away, or no room in the window
	Received                // messages that devices and the operator got
	BytesOut                // payload of sockets, with TLS
	BytesIn
	counters
)

// Timing is a kind of latency.
type Timing int

// The timings, all from the moment that was intended.
const (
	Connect  Timing = iota // to the accepted session, TLS and provisioning included
	TLS                    // the handshake alone
	Ack                    // from when a message was due to its acknowledgement
	Delivery               // from when a message was due to its arrival at the operator
	Command                // from when a command was due to its arrival at the device
	Answer                 // from when a command was due to the arrival of its answer
	Lag                    // from when something was due to when this program did it: its own error
	timings
)

// String is the word for it in limits, tables and exports.
func (t Timing) String() string {
	return [...]string{"connect", "tls", "ack", "delivery", "command", "answer", "lag"}[t]
}

// Meter collects what one event loop sees. It is for one goroutine.
type Meter struct{}

// Count adds to a counter.
func (m *Meter) Count(c Counter, n int) {}

// Time notes a latency.
func (m *Meter) Time(t Timing, d time.Duration) {}

// Error notes a failure by its class, such as "connection refused"; more than 64 classes become "other".
func (m *Meter) Error(class string) {}

// Answer notes how the other side answered, such as "CONNACK 0x97 quota exceeded".
func (m *Meter) Answer(what string) {}

// Cut ends the current interval: it gives what was collected in it, and begins the next.
func (m *Meter) Cut() *Slice { return nil }

// Slice is what was collected in one interval. Slices of several meters can be added up.
type Slice struct{}
