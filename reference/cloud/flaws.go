package cloud

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/broker"
)

// flaws are the planted defects that are rules of the broker. A clean cloud plants none.
var flaws = map[string]func(*Cloud) broker.Rule{
	"cloud-keepalive-early": onConnect(func(p *mqtt.Packet) { p.Connect.KeepAlive /= 2 }), // 1.5 × 0.5
	"cloud-keepalive-never": onConnect(func(p *mqtt.Packet) { p.Connect.KeepAlive = 0 }),
	"cloud-will-lost":       onConnect(func(p *mqtt.Packet) { p.Connect.Will = nil }),
	"cloud-will-late": onConnect(func(p *mqtt.Packet) {
		if w := p.Connect.Will; w != nil {
			late := *w
			late.Props = set(w.Props, mqtt.WillDelay, w.Props.Int(mqtt.WillDelay, 0)+5)
			p.Connect.Will = &late
		}
	}),
	"cloud-session-lost":    onConnect(func(p *mqtt.Packet) { p.Connect.Clean = true }),
	"cloud-session-endless": onConnect(func(p *mqtt.Packet) { p.Props = set(p.Props, mqtt.SessionExpiry, 0xFFFFFFFF) }),

	"cloud-will-after-goodbye": func(*Cloud) broker.Rule {
		return broker.Rule{Dir: broker.In, Type: mqtt.DISCONNECT, Do: func(ex *broker.Exchange) { ex.Packet.Code = 0x04 }}
	},
	"cloud-takeover-missing": func(c *Cloud) broker.Rule {
		return broker.Rule{
			Dir: broker.In, Type: mqtt.CONNECT,
			Match: func(_ *broker.Conn, p *mqtt.Packet) bool { return c.broker.Conn(p.Connect.ClientID) != nil },
			Do:    broker.Answer(&mqtt.Packet{Type: mqtt.CONNACK}),
		}
	},
	"cloud-takeover-unexplained": func(*Cloud) broker.Rule {
		return broker.Rule{
			Dir: broker.Out, Type: mqtt.DISCONNECT,
			Match: func(_ *broker.Conn, p *mqtt.Packet) bool { return p.Code == 0x8E }, Do: broker.Drop(),
		}
	},
	"cloud-retained-stays": onPublish(func(p *mqtt.Packet) bool { return p.Retain && len(p.Payload) == 0 },
		func(ex *broker.Exchange) { ex.Packet.Retain = false }),
	"cloud-retained-first": func(c *Cloud) broker.Rule {
		return broker.Rule{Dir: broker.In, Type: mqtt.PUBLISH, Match: func(_ *broker.Conn, p *mqtt.Packet) bool {
			_, there := c.broker.Retained(p.Topic)
			return p.Retain && len(p.Payload) > 0 && there
		}, Do: func(ex *broker.Exchange) { ex.Packet.Retain = false }}
	},
	"cloud-retained-qos": func(*Cloud) broker.Rule {
		return broker.Rule{
			Dir: broker.Out, Type: mqtt.PUBLISH,
			Match: func(_ *broker.Conn, p *mqtt.Packet) bool { return p.Retain && p.QoS == 0 },
			Do:    func(ex *broker.Exchange) { ex.Packet.QoS, ex.Packet.ID = 1, 60000 },
		}
	},
	"cloud-dollar-leaks": func(c *Cloud) broker.Rule {
		return broker.Rule{Dir: broker.Out, Type: mqtt.SUBACK, Do: broker.Then(func(conn *broker.Conn) {
			go func() { // asks the broker, which may wait for this connection
				m, _ := c.broker.Retained("$SYS/broker/uptime")
				if slices.ContainsFunc(conn.Subscriptions(), func(s mqtt.Subscription) bool { return s.Filter == "#" }) {
					_ = conn.Send(&mqtt.Packet{Type: mqtt.PUBLISH, Topic: m.Topic, Payload: m.Payload})
				}
			}()
		})}
	},
	"cloud-overlap-thrice":   copies(func(subs []mqtt.Subscription) bool { return len(subs) > 1 }, 2),
	"cloud-shared-to-all":    copies(func(subs []mqtt.Subscription) bool { return strings.HasPrefix(subs[0].Filter, "$share/") }, 1),
	"cloud-user-props-lost":  userProps(func(*Cloud) bool { return true }),
	"cloud-drift-user-props": userProps(func(c *Cloud) bool { return c.cfg.Next }),
	"cloud-qos2-twice": func(c *Cloud) broker.Rule {
		return broker.Rule{
			Dir: broker.In, Type: mqtt.PUBLISH,
			Match: func(_ *broker.Conn, p *mqtt.Packet) bool { return p.QoS == 2 && p.Dup },
			Do: func(ex *broker.Exchange) {
				p := ex.Packet
				c.broker.Publish(broker.Message{Topic: p.Topic, Payload: p.Payload, QoS: p.QoS, Props: p.Props})
			},
		}
	},
	"cloud-order-broken": func(*Cloud) broker.Rule {
		var mu sync.Mutex
		first := map[*broker.Conn]bool{}
		return broker.Rule{Dir: broker.Out, Type: mqtt.PUBLISH, Match: func(c *broker.Conn, p *mqtt.Packet) bool {
			mu.Lock()
			defer mu.Unlock()
			if p.QoS == 0 || first[c] {
				return false
			}
			first[c] = true
			return true
		}, Do: broker.Delay(500 * time.Millisecond)}
	},
	"cloud-receive-maximum-ignored": func(*Cloud) broker.Rule {
		return broker.Rule{Dir: broker.Out, Type: mqtt.CONNACK, Do: func(ex *broker.Exchange) {
			ex.Packet.Props = set(ex.Packet.Props, mqtt.ReceiveMaximum, receiveMaximum)
		}}
	},
	"cloud-long-topic-hurts": func(c *Cloud) broker.Rule {
		return broker.Rule{
			Dir: broker.In, Type: mqtt.PUBLISH,
			Match: func(_ *broker.Conn, p *mqtt.Packet) bool { return len(p.Topic) > 32<<10 }, Do: broker.Then(func(*broker.Conn) {
				go c.dropAll()
			}),
		}
	},
}

// plant makes the rules of the flaws that are asked for.
func (c *Cloud) plant() {
	for id := range c.cfg.Flaws {
		for _, list := range []map[string]func(*Cloud) broker.Rule{flaws, loadFlaws, fleetFlaws} {
			if rule, ok := list[id]; ok {
				c.broker.When(rule(c))
			}
		}
	}
	c.broker.Set(func(o *broker.Options) {
		if c.cfg.Flaws["cloud-receive-maximum-ignored"] {
			o.ReceiveMaximum = 0
		}
		c.open(o)
	})
}

// dropAll resets every connection.
func (c *Cloud) dropAll() {
	for _, conn := range c.broker.Conns() {
		if conn.ClientID() != consumerID {
			conn.Reset()
		}
	}
}

func onConnect(change func(*mqtt.Packet)) func(*Cloud) broker.Rule {
	return func(*Cloud) broker.Rule {
		return broker.Rule{Dir: broker.In, Type: mqtt.CONNECT, Do: func(ex *broker.Exchange) {
			own := *ex.Packet.Connect
			ex.Packet.Connect = &own
			change(ex.Packet)
		}}
	}
}

func onPublish(match func(*mqtt.Packet) bool, do broker.Action) func(*Cloud) broker.Rule {
	return func(*Cloud) broker.Rule {
		return broker.Rule{Dir: broker.In, Type: mqtt.PUBLISH, Match: func(_ *broker.Conn, p *mqtt.Packet) bool { return match(p) }, Do: do}
	}
}

func userProps(where func(*Cloud) bool) func(*Cloud) broker.Rule {
	return func(c *Cloud) broker.Rule {
		return broker.Rule{
			Dir: broker.In, Type: mqtt.PUBLISH, Match: func(*broker.Conn, *mqtt.Packet) bool { return where(c) },
			Do: func(ex *broker.Exchange) {
				ex.Packet.Props = slices.DeleteFunc(slices.Clone(ex.Packet.Props), func(p mqtt.Property) bool { return p.ID == mqtt.UserProperty })
			},
		}
	}
}

// copies sends every message n more times to the clients whose matching subscriptions fit.
func copies(fit func([]mqtt.Subscription) bool, n int) func(*Cloud) broker.Rule {
	return func(c *Cloud) broker.Rule {
		return broker.Rule{Dir: broker.In, Type: mqtt.PUBLISH, Do: func(ex *broker.Exchange) {
			p := ex.Packet
			for _, conn := range c.broker.Conns() {
				subs := slices.DeleteFunc(conn.Subscriptions(), func(s mqtt.Subscription) bool {
					_, filter, _ := mqtt.SplitShare(s.Filter)
					return !mqtt.Match(filter, p.Topic)
				})
				if len(subs) == 0 || !fit(subs) {
					continue
				}
				for range n {
					_ = conn.Send(&mqtt.Packet{Type: mqtt.PUBLISH, Topic: p.Topic, Payload: p.Payload})
				}
			}
		}}
	}
}

func set(ps mqtt.Properties, id mqtt.PropID, n uint32) mqtt.Properties {
	ps = slices.DeleteFunc(slices.Clone(ps), func(p mqtt.Property) bool { return p.ID == id })
	return append(ps, mqtt.Property{ID: id, Int: n})
}
