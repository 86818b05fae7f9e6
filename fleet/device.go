package fleet

import (
	"time"

	"github.com/shakedown-test/shakedown/fleet/record"
)

// state is what a device is about.
type state uint8

const (
	waiting    state = iota // for its time to connect
	preparing               // HTTP calls before the connection
	connecting              // TCP
	shaking                 // TLS
	greeting                // WebSocket and CONNECT are sent
	up
	ended // it comes no more
)

// device is all that an idle connected device costs beside its timers and streams. Times are nanoseconds since the run began.
type device struct {
	due     int64 // when the connection was meant to be begun
	wrote   int64 // when something was sent last
	doze    int64 // when it goes to sleep; 0: it does not
	x       *extra
	fd      int32  // -1: none, or one of goroutines
	turn    int32  // counts its connections, so that what is late of an old one is known
	id      uint16 // packet identifier used last
	state   state
	tries   uint8 // since it was up
	unheard uint8 // its SUBSCRIBE packets without a good answer
	pinging bool  // a PINGREQ is not answered yet
	met     bool  // it is meant to be connected: its time to connect first has come, and it does not sleep
	was     bool  // it was up before
	here    bool  // it counts as connected: up, or HTTP between two connections
	lost    bool  // it was cut off by the course of the run, and is not back yet
}

// extra is what a device has only while it needs it.
type extra struct {
	flights []flight        // messages of QoS 1 and 2 that are not acknowledged
	backlog []pending       // messages that are due and not sent
	in      []byte          // an incomplete packet or record
	out     []byte          // what the socket did not take
	clear   []byte          // an incomplete packet or WebSocket frame under TLS
	packet  []byte          // an incomplete packet in WebSocket frames
	tls     *record.Session // nil: no TLS, or a connection of goroutines
	carrier *carrier        // a connection of goroutines
	framed  bool            // the WebSocket is open
	key     string          // of the opening handshake that is under way
	window  int             // the other side's receive maximum; 0: not told
	web     *web            // HTTP: the answer that is under way
	ticket  *record.Ticket  // of the TLS session, where the class resumes
	hold    int64           // nothing is sent before: the other side asked for it
}

// flight is a message that was sent and is not acknowledged.
type flight struct {
	due    int64
	stream int32 // of the shard; below 0 it is an order: -1 is the first
	seq    uint32
	id     uint16
	qos    uint8
	rel    bool  // PUBREL is sent; CoAP: it is acknowledged, and its response is to come
	tries  uint8 // CoAP: how often it was sent again
	again  int64 // CoAP: when it is sent again, or given up
}

// pending is a message that waits.
type pending struct {
	due    int64
	stream int32
	seq    uint32
	sent   bool // on a connection before
}

// waits reports whether an answer is owed to a message: none is to a non-confirmable request of CoAP.
func (f flight) waits() bool { return f.qos > 0 }

// waits counts the messages that wait for their answer.
func (x *extra) waits() (n int) {
	for k := range x.flights {
		if x.flights[k].waits() {
			n++
		}
	}
	return n
}

// stream is one telemetry of one device, or of one child of a hub.
type stream struct {
	next int64 // when the next message is due
	seq  uint32
	on   bool // its timer runs
}

// attempt is how long a connection may take to come about.
const attempt = 30 * time.Second

func (d *device) more() *extra {
	if d.x == nil {
		d.x = &extra{}
	}
	return d.x
}
