package mqtt

import "fmt"

// filters decodes the payload of SUBSCRIBE (section 3.8.3) or UNSUBSCRIBE (section 3.10.3).
func (d *decoder) filters(p *Packet) {
	if d.rest() == 0 {
		statement := "MQTT-3.10.3-2"
		if p.Type == SUBSCRIBE {
			statement = d.either("MQTT-3.8.3-3", "MQTT-3.8.3-2")
		}
		d.fault(d.pos, codeProtocolError, statement, p.Type.String()+" holds no topic filter")
	}
	for d.rest() > 0 {
		var s Subscription
		var at int
		s.Filter, at = d.text("topic filter")
		if e := filterFault(s.Filter, d.v); e != nil {
			d.report(e.named("topic filter", at))
		}
		if p.Type == SUBSCRIBE {
			d.options(&s)
		}
		if !d.broken {
			p.Filters = append(p.Filters, s)
		}
	}
}

// options decodes the byte behind a filter: the requested QoS in 3.1.1, the subscription options of section 3.8.3.1 in 5.0.
func (d *decoder) options(s *Subscription) {
	at := d.pos
	b := d.byte("subscription options")
	s.QoS = b & 3
	if s.QoS == 3 {
		d.fault(at, codeProtocolError, d.either("MQTT-3.8.3-4", "section 3.8.3.1"), "subscription asks for QoS 3")
	}
	if d.v != V5 {
		if b&^3 != 0 {
			d.fault(at, codeMalformed, "MQTT-3.8.3-4", fmt.Sprintf("subscription options %#02x have reserved bits set", b))
		}
		return
	}
	s.NoLocal, s.RetainAsPublished, s.RetainHandling = b&4 != 0, b&8 != 0, b>>4&3
	if b&0xc0 != 0 {
		d.fault(at, codeMalformed, "MQTT-3.8.3-5", fmt.Sprintf("subscription options %#02x have reserved bits set", b))
	}
	if s.RetainHandling == 3 {
		d.fault(at, codeProtocolError, "section 3.8.3.1", "subscription has retain handling 3")
	}
	if _, _, shared := SplitShare(s.Filter); shared && s.NoLocal {
		d.fault(at, codeProtocolError, "MQTT-3.8.3-4", "shared subscription has no local set")
	}
}
