package cloud

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/broker"
)

// loadFlaws are the planted defects that show under load, as rules of the broker.
var loadFlaws = map[string]func(*Cloud) broker.Rule{
	"cloud-drops-under-pressure": func(c *Cloud) broker.Rule {
		var recent burst
		return c.loses(func(*broker.Conn, *mqtt.Packet) bool { return recent.more(c, 30, time.Second) })
	},
	"cloud-memory-leak": onPublishOf(func(c *Cloud) { c.leaked.Add(2 << 10) }),
	"cloud-slow-subscriber-loses": func(c *Cloud) broker.Rule {
		return c.loses(func(conn *broker.Conn, p *mqtt.Packet) bool {
			slow, ok := c.broker.Session("operator") // who looks on while the fleet has an operator of its own
			return ok && slow.Queued > 0
		})
	},
	"cloud-window-overrun": onConnect(func(p *mqtt.Packet) { p.Props = set(p.Props, mqtt.ReceiveMaximum, 0xFFFF) }),
	"cloud-big-starves-small": func(c *Cloud) broker.Rule {
		var big atomic.Int64 // when the last one came
		return c.loses(func(_ *broker.Conn, p *mqtt.Packet) bool {
			now := c.cfg.Clock.Now().UnixNano()
			if len(p.Payload) >= 64<<10 {
				big.Store(now)
				return false
			}
			return now-big.Load() < int64(time.Second)
		})
	},
	"cloud-half-open-refused": func(c *Cloud) broker.Rule {
		return broker.Rule{
			Dir: broker.In, Type: mqtt.CONNECT,
			Match: func(_ *broker.Conn, p *mqtt.Packet) bool { return c.broker.Conn(p.Connect.ClientID) != nil },
			Do:    broker.All(broker.Answer(&mqtt.Packet{Type: mqtt.CONNACK, Code: serverBusy}), broker.ThenClose()),
		}
	},
	"cloud-pings-lost": func(c *Cloud) broker.Rule {
		var recent burst
		return broker.Rule{
			Dir: broker.In, Type: mqtt.PINGREQ,
			Match: func(*broker.Conn, *mqtt.Packet) bool { return recent.more(c, 20, 5*time.Second) }, Do: broker.Drop(),
		}
	},
	"cloud-wills-capped": func(c *Cloud) broker.Rule {
		return broker.Rule{
			Dir: broker.In, Type: mqtt.CONNECT,
			Match: func(*broker.Conn, *mqtt.Packet) bool { return len(c.broker.Conns()) > 20 },
			Do: func(ex *broker.Exchange) {
				own := *ex.Packet.Connect
				own.Will = nil
				ex.Packet.Connect = &own
			},
		}
	},
	"cloud-retained-cut-short": func(*Cloud) broker.Rule {
		var seen tally
		return broker.Rule{
			Dir: broker.Out, Type: mqtt.PUBLISH,
			Match: func(conn *broker.Conn, p *mqtt.Packet) bool { return p.Retain && seen.add(conn.Number()) > 100 }, Do: broker.Drop(),
		}
	},
	"cloud-fan-out-short": func(*Cloud) broker.Rule {
		var seen tally
		return broker.Rule{
			Dir: broker.Out, Type: mqtt.PUBLISH, Match: func(conn *broker.Conn, p *mqtt.Packet) bool {
				return p.Topic == notices && seen.add(0)%2 == 0
			},
			Do: broker.Drop(),
		}
	},
	"cloud-fan-out-uneven": func(*Cloud) broker.Rule {
		var seen tally
		return broker.Rule{
			Dir: broker.Out, Type: mqtt.PUBLISH, Match: func(_ *broker.Conn, p *mqtt.Packet) bool { return p.Topic == notices }, Do: func(ex *broker.Exchange) {
				if seen.add(0)%2 == 0 {
					ex.Drop()
				} else {
					ex.Repeat(1, 0)
				}
			},
		}
	},
	"cloud-subscribe-quadratic": func(*Cloud) broker.Rule {
		return broker.Rule{Dir: broker.Out, Type: mqtt.SUBACK, Do: func(ex *broker.Exchange) {
			n := time.Duration(len(ex.Conn.Subscriptions()))
			ex.DelayInOrder(n * n * 40 * time.Microsecond)
		}}
	},
}

// onPublishOf does something whenever a client publishes.
func onPublishOf(do func(*Cloud)) func(*Cloud) broker.Rule {
	return func(c *Cloud) broker.Rule {
		return broker.Rule{Dir: broker.In, Type: mqtt.PUBLISH, Do: func(*broker.Exchange) { do(c) }}
	}
}

// loses acknowledges QoS 1 messages from clients and loses them, where lost says so.
func (c *Cloud) loses(lost func(*broker.Conn, *mqtt.Packet) bool) broker.Rule {
	return broker.Rule{
		Dir: broker.In, Type: mqtt.PUBLISH,
		Match: func(conn *broker.Conn, p *mqtt.Packet) bool { return p.QoS == 1 && lost(conn, p) },
		Do:    broker.Answer(&mqtt.Packet{Type: mqtt.PUBACK}),
	}
}

// burst counts what comes within a span of time.
type burst struct {
	mu    sync.Mutex
	times []time.Time
}

// more notes one, and reports whether more than n came within the span that ends now.
func (b *burst) more(c *Cloud, n int, span time.Duration) bool {
	now := c.cfg.Clock.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.times) > 0 && now.Sub(b.times[0]) > span {
		b.times = b.times[1:]
	}
	b.times = append(b.times, now)
	return len(b.times) > n
}

// tally counts by number.
type tally struct {
	mu sync.Mutex
	of map[int]int
}

// add counts one more, and gives how many there are.
func (t *tally) add(k int) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.of == nil {
		t.of = map[int]int{}
	}
	t.of[k]++
	return t.of[k]
}
