//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"time"
)

// setup is what a child process is told, as JSON in its second argument.
type setup struct {
	Port  int    // of a far end: 0 for any. Far ends with the same port share it
	To    string // of a floor: host:port
	Conns int    // of a floor: how many connections it holds
	Rate  int    // of a floor: messages or connections a second
	For   time.Duration
	QoS   int

	Delay      time.Duration // of a far end: before each answer
	FreezeFor  time.Duration // of a far end: how long it does nothing …
	FreezeEach time.Duration // … in each such span, from the first message on
	Log        bool          // of an MQTT far end: the latency of each message, from the time that it was due by its stamp

	Up   string // of the relay: host:port of the broker
	Lose int    // of the relay: one PUBLISH in so many towards the broker
}

// figures is what a child process has seen, as JSON in one line.
type figures struct {
	Addr     string `json:",omitempty"`
	CA       string `json:",omitempty"` // of a TLS far end: PEM
	Open     int64  // connections that are open
	Accepted int64
	Sessions int64    // CONNECTs
	Messages [3]int64 // PUBLISHes by QoS; of CoAP and HTTP requests the first
	Again    int64    // messages whose number had been seen
	Lost     int64    // by the relay, on purpose
	Bad      int64    // packets that could not be read, messages without a number where numbers are counted
	Acked    int64
	Pings    int64
	Bytes    int64
	Freezes  [][2]int64 `json:",omitempty"` // µs since 1970
	Late     [3]float64 // seconds: p50, p95 and p99 of latency at a far end, or of a floor's own lateness
	Failed   string     `json:",omitempty"`
}

// add sums up what far ends that share a port have seen.
func (f *figures) add(o figures) {
	f.Open += o.Open
	f.Accepted += o.Accepted
	f.Sessions += o.Sessions
	for i := range f.Messages {
		f.Messages[i] += o.Messages[i]
	}
	f.Again += o.Again
	f.Lost += o.Lost
	f.Bad += o.Bad
	f.Acked += o.Acked
	f.Pings += o.Pings
	f.Bytes += o.Bytes
	f.Freezes = append(f.Freezes, o.Freezes...)
	f.Late = o.Late
	if o.Failed != "" {
		f.Failed = o.Failed
	}
}

// all is the messages of any QoS.
func (f *figures) all() int64 { return f.Messages[0] + f.Messages[1] + f.Messages[2] }

// roles are what a child process of this program can be.
var roles = map[string]func(setup) error{
	"mqtt":       mqttSink,
	"mqtts":      tlsSink,
	"coap":       coapSink,
	"http":       httpSink,
	"relay":      relay,
	"publishing": publishing,
	"connecting": connecting,
	"requesting": requesting,
	"posting":    posting,
	"go-coap":    goCoAP,
}

// play is the life of a child process.
func play(role, arg string) {
	var s setup
	err := json.Unmarshal([]byte(arg), &s)
	if err == nil {
		err = roles[role](s)
	}
	if err != nil {
		say(figures{Failed: fmt.Sprintf("%s: %v", role, err)})
		os.Exit(1)
	}
}

func say(f figures) {
	line, _ := json.Marshal(f) // always can be
	os.Stdout.Write(append(line, '\n'))
}
