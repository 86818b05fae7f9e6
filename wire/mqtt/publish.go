package mqtt

// publish decodes section 3.3 behind the fixed header.
func (d *decoder) publish(p *Packet) {
	var at int
	p.Topic, at = d.text("topic name")
	if p.Topic != "" || d.v != V5 {
		d.topic("topic name", p.Topic, at, "MQTT-3.3.2-2")
	}
	if p.QoS > 0 {
		d.packetID(p)
	}
	p.Props = d.properties(PUBLISH)
	if p.Topic == "" && d.v == V5 && !p.Props.Has(TopicAlias) {
		d.fault(at, codeProtocolError, "section 3.3.2.1", "topic name is empty without a topic alias")
	}
	if n := d.rest(); n > 0 {
		p.Payload = d.take(n, "payload")
	}
}
