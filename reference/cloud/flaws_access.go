package cloud

import (
	"net"
	"time"

	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/broker"
)

const (
	serverBusy    = 0x89
	quotaExceeded = 0x97
)

// open plants the flaws of access: it loosens what authenticate and authorize would refuse.
func (c *Cloud) open(o *broker.Options) {
	f := c.cfg.Flaws
	o.Authenticate = func(k *mqtt.Connect, nc net.Conn) byte {
		code := c.authenticate(k, nc)
		switch {
		case f["cloud-anonymous"] && !k.HasUser, f["cloud-any-password"] && k.HasUser && code == badPassword, f["cloud-id-unbound"] && code == badID:
			return 0
		case code == 0 && f["cloud-herd-rejected"] && !isInner(nc) && c.arrivals.more(c, 2, time.Second):
			return serverBusy
		case code == 0 && !isInner(nc) && f["cloud-connections-capped"] && len(c.broker.Conns()) > 30:
			return quotaExceeded
		case code == 0 && !isInner(nc) && f["cloud-refuses-for-ever"] && c.exhausted(c.arrivals.more(c, 30, 2*time.Second)):
			return serverBusy
		case code == 0 && !isInner(nc) && f["cloud-refused-count"] && c.arrivals.more(c, 10, 3*time.Second):
			return serverBusy
		case code == 0 && !isInner(nc) && f["cloud-session-leak"] && c.sessions.Add(1) > 100:
			return quotaExceeded
		}
		return code
	}
	o.Authorize = func(conn *broker.Conn, write bool, topic string) bool {
		return c.authorize(conn, write, topic) || f["cloud-acl-write"] && write || f["cloud-acl-read"] && !write
	}
}

// exhausted is an overload from which the cloud does not recover.
func (c *Cloud) exhausted(now bool) bool {
	if now {
		c.spent.Store(true)
	}
	return c.spent.Load()
}
