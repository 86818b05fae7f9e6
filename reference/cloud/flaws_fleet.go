package cloud

import (
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/broker"
)

// fleetFlaws are the planted defects that show in what becomes of a fleet's messages, as rules of the broker.
var fleetFlaws = map[string]func(*Cloud) broker.Rule{
	"cloud-acks-before-store": func(c *Cloud) broker.Rule {
		return c.late(func(*broker.Conn) (time.Duration, bool) { return 500 * time.Millisecond, true }, true)
	},
	"cloud-order-under-load": func(c *Cloud) broker.Rule {
		each := newBursts(c)
		n := 0
		return c.late(func(conn *broker.Conn) (time.Duration, bool) {
			busy := each.more(conn.ClientID(), 3, time.Second)
			each.mu.Lock()
			defer each.mu.Unlock()
			n++
			return time.Second, busy && n%3 == 0
		}, false)
	},
	"cloud-duplicates": func(c *Cloud) broker.Rule {
		return c.again(1, func(n int, _ string) bool { return n%10 == 0 })
	},
	"cloud-qos2-again-at-reconnect": func(c *Cloud) broker.Rule {
		var mu sync.Mutex
		last := map[string]broker.Message{}
		return broker.Rule{Dir: broker.In, Match: func(conn *broker.Conn, p *mqtt.Packet) bool {
			mu.Lock()
			defer mu.Unlock()
			m, known := last[conn.ClientID()]
			switch {
			case p.Type == mqtt.PUBLISH && p.QoS == 2:
				last[conn.ClientID()] = broker.Message{Topic: p.Topic, Payload: p.Payload, QoS: 2}
			case p.Type == mqtt.CONNECT && known:
				delete(last, conn.ClientID())
				c.broker.Publish(m)
			}
			return false
		}}
	},
	"cloud-key-mixed-at-reconnect": func(c *Cloud) broker.Rule {
		var herd burst
		return c.mixed(func(times int) bool { return times > 1 && herd.more(c, 5, time.Second) }, false)
	},
	"cloud-session-swapped": func(c *Cloud) broker.Rule {
		return c.mixed(func(times int) bool { return times == 2 }, true)
	},
	"cloud-hub-capped": func(c *Cloud) broker.Rule {
		each := newBursts(c)
		return c.loses(func(conn *broker.Conn, _ *mqtt.Packet) bool { return each.more(conn.ClientID(), 60, 10*time.Second) })
	},
	"cloud-backlog-stalls": func(c *Cloud) broker.Rule {
		each := newBursts(c)
		return broker.Rule{Dir: broker.Out, Type: mqtt.PUBACK, Match: func(conn *broker.Conn, _ *mqtt.Packet) bool {
			return each.more(conn.ClientID(), 8, time.Second)
		}, Do: broker.Drop()}
	},
	"cloud-throttles-silently":    throttles(broker.Drop()),
	"cloud-throttles-unexplained": throttles(broker.Answer(&mqtt.Packet{Type: mqtt.PUBACK, Code: 0x80})),
	"cloud-sessions-left": func(*Cloud) broker.Rule {
		var n atomic.Int64
		return broker.Rule{Dir: broker.In, Type: mqtt.CONNECT, Do: func(ex *broker.Exchange) {
			if n.Add(1)%10 == 0 {
				ex.Packet.Props = set(ex.Packet.Props, mqtt.SessionExpiry, 3600)
			}
		}}
	},
	"cloud-takeovers-counted": func(c *Cloud) broker.Rule {
		return c.takeovers(func(n int64) bool { return n > 20 }, broker.All(broker.Answer(&mqtt.Packet{Type: mqtt.CONNACK, Code: quotaExceeded}), broker.ThenClose()))
	},
	"cloud-takeover-hurts": func(c *Cloud) broker.Rule {
		return c.takeovers(func(n int64) bool { return n == 10 }, broker.Then(func(*broker.Conn) { go c.dropAll() }))
	},
	"cloud-topics-capped": func(c *Cloud) broker.Rule {
		var mu sync.Mutex
		used := map[string]bool{}
		return c.loses(func(_ *broker.Conn, p *mqtt.Packet) bool {
			mu.Lock()
			defer mu.Unlock()
			if !used[p.Topic] && len(used) >= 300 {
				return true
			}
			used[p.Topic] = true
			return false
		})
	},
	"cloud-restart-mixes-tenants": func(c *Cloud) broker.Rule {
		return c.mixed(func(int) bool { return c.store.restored }, false)
	},
}

// late acknowledges QoS 1 messages at once, and hands them on later where it is told so; with connected, only if their sender is still there.
func (c *Cloud) late(by func(*broker.Conn) (time.Duration, bool), connected bool) broker.Rule {
	return broker.Rule{Dir: broker.In, Type: mqtt.PUBLISH, Do: func(ex *broker.Exchange) {
		p, conn := ex.Packet, ex.Conn
		if p.QoS != 1 || !c.authorize(conn, true, p.Topic) {
			return
		}
		after, is := by(conn)
		if !is {
			return
		}
		ex.Answer(&mqtt.Packet{Type: mqtt.PUBACK})
		m := broker.Message{Topic: p.Topic, Payload: p.Payload, QoS: p.QoS, Retain: p.Retain}
		c.tasks.Go(func() {
			wait := time.NewTimer(c.cfg.Clock.Wall(after))
			defer wait.Stop()
			select {
			case <-c.closing:
			case <-wait.C:
				if !connected || c.broker.Conn(conn.ClientID()) == conn {
					c.broker.Publish(m)
				}
			}
		})
	}}
}

// again hands messages of a QoS on once more, where it is told so by their number.
func (c *Cloud) again(qos byte, which func(n int, topic string) bool) broker.Rule {
	var mu sync.Mutex
	n := 0
	return broker.Rule{Dir: broker.In, Type: mqtt.PUBLISH, Match: func(_ *broker.Conn, p *mqtt.Packet) bool {
		mu.Lock()
		defer mu.Unlock()
		n++
		return p.QoS == qos && which(n, p.Topic)
	}, Do: func(ex *broker.Exchange) {
		p := ex.Packet
		c.broker.Publish(broker.Message{Topic: p.Topic, Payload: p.Payload, QoS: p.QoS})
	}}
}

// mixed sends the commands to a device to its neighbour, too or instead, once the device connected so that it gets mixed up; is is told how
// often it connected.
func (c *Cloud) mixed(is func(times int) bool, instead bool) broker.Rule {
	var mu sync.Mutex
	times, up := map[string]int{}, map[string]bool{}
	return broker.Rule{Dir: broker.In, Match: func(conn *broker.Conn, p *mqtt.Packet) bool {
		mu.Lock()
		defer mu.Unlock()
		switch p.Type {
		case mqtt.CONNECT:
			id := p.Connect.ClientID
			times[id]++
			up[id] = up[id] || is(times[id])
		case mqtt.PUBLISH:
			id, command := strings.CutSuffix(strings.TrimPrefix(p.Topic, "thermostat/"), "/command")
			return command && up[id]
		}
		return false
	}, Do: func(ex *broker.Exchange) {
		p := ex.Packet
		for _, conn := range c.broker.Conns() {
			if a, ok := c.store.account(conn.ClientID()); ok && a.Role == "device" && !strings.Contains(p.Topic, conn.ClientID()) {
				_ = conn.Send(&mqtt.Packet{Type: mqtt.PUBLISH, Topic: p.Topic, Payload: p.Payload})
				break
			}
		}
		if instead {
			ex.Answer(&mqtt.Packet{Type: mqtt.PUBACK})
		}
	}}
}

// bursts are those of several clients.
type bursts struct {
	c  *Cloud
	mu sync.Mutex
	of map[string]*burst
}

func newBursts(c *Cloud) *bursts { return &bursts{c: c, of: map[string]*burst{}} }

// throttles does something to QoS 1 messages of a client that sends more than 50 within a second.
func throttles(do broker.Action) func(*Cloud) broker.Rule {
	return func(c *Cloud) broker.Rule {
		each := newBursts(c)
		return broker.Rule{Dir: broker.In, Type: mqtt.PUBLISH, Match: func(conn *broker.Conn, p *mqtt.Packet) bool {
			return p.QoS == 1 && each.more(conn.ClientID(), 50, time.Second)
		}, Do: do}
	}
}

// takeovers does something to a CONNECT by the number of those that took another connection's place.
func (c *Cloud) takeovers(at func(n int64) bool, do broker.Action) broker.Rule {
	var n atomic.Int64
	return broker.Rule{Dir: broker.In, Type: mqtt.CONNECT, Match: func(_ *broker.Conn, p *mqtt.Packet) bool {
		if c.broker.Conn(p.Connect.ClientID) != nil {
			n.Add(1)
		}
		return at(n.Load()) && p.Connect.ClientID != consumerID
	}, Do: do}
}

func (b *bursts) more(id string, n int, span time.Duration) bool {
	b.mu.Lock()
	one := b.of[id]
	if one == nil {
		one = &burst{}
		b.of[id] = one
	}
	b.mu.Unlock()
	return one.more(b.c, n, span)
}
