package broker

import (
	"slices"
	"strings"

	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// handleSubscribe makes subscriptions, answers, and sends the retained messages they ask for (section 3.8.4).
func (c *Conn) handleSubscribe(p *mqtt.Packet) {
	o, v5 := c.b.options(), c.Version() == mqtt.V5
	permitted := make([]bool, len(p.Filters))
	for i, f := range p.Filters {
		permitted[i] = o.Authorize == nil || o.Authorize(c, false, f.Filter)
	}
	b := c.b
	b.mu.Lock()
	defer b.mu.Unlock()
	if !c.live() {
		return
	}
	ack := &mqtt.Packet{Type: mqtt.SUBACK, ID: p.ID}
	id := p.Props.Int(mqtt.SubscriptionIdentifier, 0)
	var made []*subscription
	for i, f := range p.Filters {
		code := c.refusal(f, id, permitted[i])
		if code == 0 {
			f.QoS = min(f.QoS, c.limits.maximumQoS())
			sub, isNew := c.session.subscribe(f, id)
			code = f.QoS
			if isNew {
				b.filters += len(f.Filter)
			}
			if sub.share == "" && (f.RetainHandling == 0 || f.RetainHandling == 1 && isNew) {
				made = append(made, sub)
			}
		} else if !v5 {
			code = 0x80
		}
		ack.Codes = append(ack.Codes, code)
	}
	c.send(ack)
	for _, sub := range made {
		b.sendRetained(c.session, sub)
	}
}

// refusal is the reason code against a subscription, or 0. Broker.mu is held.
func (c *Conn) refusal(f mqtt.Subscription, id uint32, permitted bool) byte {
	_, _, shared := mqtt.SplitShare(f.Filter)
	switch {
	case !permitted:
		return 0x87
	case c.limits.NoWildcard && strings.ContainsAny(f.Filter, "+#"):
		return 0xA2
	case c.limits.NoShared && shared:
		return 0x9E
	case c.limits.NoSubscriptionID && id > 0:
		return 0xA1
	case c.session.find(f.Filter) >= 0:
	case len(c.session.subs) >= maxSubscriptions || c.b.filters+len(f.Filter) > maxFilterBytes:
		return 0x97
	}
	return 0
}

func (s *session) find(filter string) int {
	return slices.IndexFunc(s.subs, func(sub *subscription) bool { return sub.Filter == filter })
}

// subscribe makes or replaces a subscription [MQTT-3.8.4-3], and reports whether it is new.
func (s *session) subscribe(f mqtt.Subscription, id uint32) (*subscription, bool) {
	sub := &subscription{Subscription: f, pattern: f.Filter, id: id}
	if group, pattern, ok := mqtt.SplitShare(f.Filter); ok {
		sub.share, sub.pattern = group, pattern
	}
	if i := s.find(f.Filter); i >= 0 {
		sub.turn = s.subs[i].turn
		s.subs[i] = sub
		return sub, false
	}
	s.subs = append(s.subs, sub)
	return sub, true
}

func (c *Conn) handleUnsubscribe(p *mqtt.Packet) {
	c.b.mu.Lock()
	defer c.b.mu.Unlock()
	if !c.live() {
		return
	}
	ack := &mqtt.Packet{Type: mqtt.UNSUBACK, ID: p.ID}
	for _, f := range p.Filters {
		code := byte(0x11) // no subscription existed
		if i := c.session.find(f.Filter); i >= 0 {
			c.b.filters -= len(f.Filter)
			c.session.subs = slices.Delete(c.session.subs, i, i+1)
			code = 0
		}
		if c.Version() == mqtt.V5 {
			ack.Codes = append(ack.Codes, code)
		}
	}
	c.send(ack)
}
