package device

import (
	"net"
	"time"

	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/clock"
)

// link is one connection to the server, from CONNECT to its end.
type link struct {
	conn    net.Conn
	version mqtt.Version
	out     []byte // encoded and not yet written
	in      chan inbound
	quit    chan struct{} // closed to end the reader
	ended   chan struct{} // closed by the reader at its end

	serving   bool          // CONNACK accepted the device
	announced bool          // said on the status topic that the device is online
	greetTill time.Duration // CONNACK is due before
	since     time.Duration // uptime of that CONNACK
	sentAt    time.Duration // uptime of the last packet out
	heardAt   time.Duration // uptime of the last whole packet in
	pinged    time.Duration // uptime of the first PINGREQ without an answer; 0: none
	keepAlive time.Duration // 0: off
	subID     uint16        // of the SUBSCRIBE that waits for its SUBACK; 0: none
	subTill   time.Duration // SUBACK is due before

	at  int  // number of the IPv4 address that it is from
	six bool // it is over IPv6

	window  int               // QoS 1 messages that may be in flight
	largest int               // bytes of the largest packet that the server takes; 0: any
	qos     byte              // highest that the server takes
	retain  bool              // the server keeps retained messages
	aliases map[uint16]string // topic aliases that the server set
}

// inbound is what the reader got: a raw packet, or the error that ended it.
type inbound struct {
	raw []byte
	err error
}

func newLink(conn net.Conn, v mqtt.Version, up time.Duration) *link {
	return &link{
		conn: conn, version: v,
		in: make(chan inbound, 32), quit: make(chan struct{}), ended: make(chan struct{}),
		greetTill: up + connackWait, sentAt: up, heardAt: up, keepAlive: keepAlive,
		window: sendWindow, qos: 2, retain: true, aliases: map[uint16]string{},
	}
}

// read passes packets to in until the connection ends.
func (l *link) read(limit int) {
	defer close(l.ended)
	r := mqtt.NewReader(l.conn, limit)
	for {
		raw, err := r.Next()
		select {
		case l.in <- inbound{raw, err}:
		case <-l.quit:
			return
		}
		if err != nil {
			return
		}
	}
}

// queue encodes a packet for the next flush.
func (l *link) queue(p *mqtt.Packet) {
	p.Version = l.version
	l.out = p.Append(l.out)
}

// lingerWait is how long the device waits for the server to close after a last word. A connection that is closed with unread data
// in it is reset, and the reset can overtake the last word.
const lingerWait = 2 * time.Second

// linger ends the device's half of the connection and passes what still comes to take until the server ends its half.
func (l *link) linger(clk *clock.Clock, take func(inbound)) {
	half, ok := l.conn.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	over := make(chan struct{})
	timer := clk.AfterFunc(lingerWait, func() { close(over) })
	defer timer.Stop()
	for {
		select {
		case in := <-l.in:
			take(in)
		case <-l.ended:
			return
		case <-over:
			return
		}
	}
}

// close ends the connection and waits for the reader.
func (l *link) close() {
	close(l.quit)
	_ = l.conn.Close() // whatever it says, the connection is over
	<-l.ended
}
