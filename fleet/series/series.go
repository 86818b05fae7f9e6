// Package series is what a fleet measures over time: counters, latencies and states, a point each second, and how those of several shares
// become one.
package series

import (
	"fmt"
	"strings"
)

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
	Unanswered // what was still waiting for its answer when the run ended; see Meter.Unanswered
	Skewed     // latencies below zero, taken as zero: two clocks do not agree
	Doubled    // devices that provisioning gave the identity of another
	Renamed    // devices that provisioning gave another identity when they asked again
	Noticed    // messages for all devices, once for each device that got it, however often it did; see fleet.Job.Notice
	Resumed    // TLS handshakes that resumed a session
	counters
)

var counterNames = [counters]string{
	"attempts", "accepted", "refused", "broken", "dropped", "sent", "acked", "rejected", "withheld", "received", "bytes_out", "bytes_in",
	"unanswered", "skewed", "doubled", "renamed", "noticed", "resumed",
}

// String is the word for it in tables and exports.
func (c Counter) String() string { return counterNames[c] }

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

var timingNames = [timings]string{"connect", "tls", "ack", "delivery", "command", "answer", "lag"}

// String is the word for it in limits, tables and exports.
func (t Timing) String() string { return timingNames[t] }

// MarshalText is its word.
func (t Timing) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads its word.
func (t *Timing) UnmarshalText(word []byte) error {
	i, err := named(timingNames[:], word, "timing")
	*t = Timing(i)
	return err
}

// Timings are all, in order.
func Timings() []Timing {
	all := make([]Timing, timings)
	for i := range all {
		all[i] = Timing(i)
	}
	return all
}

// Gauge is a number that goes up and down.
type Gauge int

// The gauges.
const (
	Connected   Gauge = iota // devices with an accepted session
	Devices                  // devices that are meant to have one: their time to connect first has come, and they do not sleep
	Outstanding              // messages and commands that wait for their answer
	Held                     // bytes of memory that a process has taken since it prepared its devices; one of its loops tells it
	gauges
)

var gaugeNames = [gauges]string{"connected", "devices", "outstanding", "held"}

// String is the word for it in tables and exports.
func (g Gauge) String() string { return gaugeNames[g] }

// named is the place of a word in a list.
func named(list []string, word []byte, what string) (int, error) {
	for i, name := range list {
		if name == string(word) {
			return i, nil
		}
	}
	return 0, fmt.Errorf("read a series: unknown %s %q, want one of %s", what, clip(string(word)), strings.Join(list, ", "))
}
