package fault

import (
	"net"
	"sync/atomic"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/broker"
)

// acceptsAndCloses ends every connection right after it was accepted.
func acceptsAndCloses(t *check.T) (undo func(), err error) { return t.Link.CloseOnAccept(false), nil }

// refuses closes the port.
func refuses(t *check.T) (undo func(), err error) { return t.Link.Refuse() }

// unseen is why attempts on a closed port may go unseen.
func unseen(t *check.T) string {
	if t.Link.SeesRefused() {
		return "see in its console whether it tries at all"
	}
	return "attempts on a closed port are seen with CAP_NET_RAW only: run as root, or setcap cap_net_raw+ep on the program"
}

// onConnect makes a world in which CONNECT is answered in the broker's place: the nth one, from 1, with what do says.
func onConnect(do func(t *check.T, n int, ex *broker.Exchange)) func(*check.T) (func(), error) {
	return func(t *check.T) (func(), error) {
		var n atomic.Int32
		return t.Broker.When(broker.Rule{Dir: broker.In, Type: mqtt.CONNECT, Do: func(ex *broker.Exchange) {
			ex.Answer()
			do(t, int(n.Add(1)), ex)
		}}), nil
	}
}

// afterConnack makes a world in which sessions are accepted and then ended by do.
func afterConnack(do broker.Action) func(*check.T) (func(), error) {
	return func(t *check.T) (func(), error) {
		return t.Broker.When(broker.Rule{Dir: broker.Out, Type: mqtt.CONNACK, Match: accepting, Do: do}), nil
	}
}

func accepting(_ *broker.Conn, p *mqtt.Packet) bool { return p.Code == 0 }

// refusing makes a world in which CONNECT is refused with the codes in turn: reason codes of 5.0, mapped for 3.1.1.
func refusing(codes ...byte) func(*check.T) (func(), error) {
	return func(t *check.T) (func(), error) {
		var n atomic.Int32
		t.Broker.Set(func(o *broker.Options) {
			o.Authenticate = func(*mqtt.Connect, net.Conn) byte { return codes[int(n.Add(1)-1)%len(codes)] }
		})
		return func() { t.Broker.Set(func(o *broker.Options) { o.Authenticate = nil }) }, nil
	}
}

// closedAfter ends a session d of device time after CONNACK.
func closedAfter(t *check.T, d time.Duration) broker.Action {
	return broker.Then(func(c *broker.Conn) { t.Clock.AfterFunc(d, c.Close) })
}
