package evidence

import (
	"strings"
	"time"
)

// Kind says what sort of thing an Event tells.
type Kind string

// The kinds. Open..Out are written by the links and stand-ins, Console..Exit by drivers, Step..Note by checks.
const (
	Refused  Kind = "refused"  // a connection attempt that a closed port or an impairment turned away
	Open     Kind = "open"     // a TCP connection was accepted
	Close    Kind = "close"    // it ended; Text says by whom and how: "peer fin", "peer reset", "peer close_notify", "we fin", "we reset", "we close_notify", "error: …"
	Hello    Kind = "hello"    // a TLS ClientHello came; Data is an endpoint.Hello
	Secure   Kind = "secure"   // the TLS handshake was completed by both sides
	Alert    Kind = "alert"    // the peer sent a TLS alert, or the handshake failed otherwise; Text is its name
	Bytes    Kind = "bytes"    // the first application bytes on a connection, before anything decodes them; Size is their count
	In       Kind = "in"       // a packet from the part under test; Data is a *mqtt.Packet
	Out      Kind = "out"      // a packet to the part under test; Data is a *mqtt.Packet, or nil for raw bytes
	Bad      Kind = "bad"      // bytes from the part that do not decode; Text says why and at which offset
	Impair   Kind = "impair"   // an impairment began; Text names it
	Heal     Kind = "heal"     // an impairment ended
	Contents Kind = "contents" // an artefact was opened; Text says what it is, Size how many bytes it has
	Console  Kind = "console"  // a line the part printed
	Power    Kind = "power"    // a driver acted on the part: "start", "stop", "kill", "cut"
	Exit     Kind = "exit"     // the part's process ended by itself; Text is its exit status
	Step     Kind = "step"     // what the check does now
	Seen     Kind = "seen"     // a fact that the check notes for the report
	Overflow Kind = "overflow" // the log is full; later events are counted, not kept
)

// Event is one thing that happened in a testbed.
type Event struct {
	N    int       `json:"n"`              // place in the log, from 0
	At   time.Time `json:"at"`             // device time
	Part string    `json:"part,omitempty"` // the part or stand-in that it concerns
	Conn int       `json:"conn,omitempty"` // connection number, from 1; 0 when none is concerned
	Kind Kind      `json:"kind"`
	Text string    `json:"text,omitempty"` // one line for people
	Size int       `json:"size,omitempty"` // bytes on the wire
	Hex  string    `json:"hex,omitempty"`  // the first bytes on the wire; left out where a secret is among them
	Data any       `json:"data,omitempty"` // decoded fields; Kind says of which type

	// Frame is how many frames were in the capture of the part's link by then; 0 where none is made.
	Frame int `json:"frame,omitempty"`
}

// PartEnded reports whether e tells that the part under test ended a connection of its.
func (e Event) PartEnded() bool { return e.Kind == Close && strings.HasPrefix(e.Text, "peer ") }
