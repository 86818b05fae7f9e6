package cloud

import (
	"sync"
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
