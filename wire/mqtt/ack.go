package mqtt

import "fmt"

// connack decodes section 3.2 behind the fixed header.
func (d *decoder) connack(p *Packet) {
	at := d.pos
	flags := d.byte("connect acknowledge flags")
	p.SessionPresent = flags&1 != 0
	if flags&^1 != 0 {
		d.fault(at, codeMalformed, d.either("section 3.2.2.1", "MQTT-3.2.2-1"), "connect acknowledge flags have reserved bits set")
	}
	p.Code = d.code(p.Type)
	if p.SessionPresent && p.Code != 0 {
		d.fault(at, codeProtocolError, d.either("MQTT-3.2.2-4", "MQTT-3.2.2-6"), "session present is set with a refusal")
	}
	p.Props = d.properties(CONNACK)
}

// reason decodes the reason code and the properties of the packets that may leave them out; 3.1.1 has neither.
func (d *decoder) reason(p *Packet) {
	if d.v != V5 || d.rest() == 0 {
		return
	}
	p.Code = d.code(p.Type)
	if d.rest() == 0 && p.Type != AUTH {
		return
	}
	at := d.pos
	p.Props = d.properties(p.Type)
	if p.Type == AUTH && !p.Props.Has(AuthMethod) {
		d.fault(at, codeProtocolError, "section 3.15.2.2.2", "AUTH has no authentication method")
	}
}

// codes decodes the payload of SUBACK or UNSUBACK: one code for each filter. UNSUBACK has none in 3.1.1.
func (d *decoder) codes(p *Packet) {
	if p.Type == UNSUBACK && d.v != V5 {
		return
	}
	if d.rest() == 0 {
		d.fault(d.pos, codeProtocolError, "section "+sections[p.Type]+".3", p.Type.String()+" holds no code")
	}
	for d.rest() > 0 {
		p.Codes = append(p.Codes, d.code(p.Type))
	}
}

// code reads one return code or reason code and checks that packet type t may carry it.
func (d *decoder) code(t Type) byte {
	at := d.pos
	c := d.byte("reason code")
	if _, known := codeText(t, d.v, c); !known {
		d.fault(at, codeMalformed, d.codeStatement(t), fmt.Sprintf("%s has unknown code 0x%02X", t, c))
	}
	return c
}

// codeStatement says which statement lists the codes of packet type t.
func (d *decoder) codeStatement(t Type) string {
	switch {
	case t == SUBACK:
		return "MQTT-3.9.3-2"
	case t == UNSUBACK:
		return "MQTT-3.11.3-2"
	case t == CONNACK:
		return d.either("section 3.2.2.3", "MQTT-3.2.2-8")
	}
	return "MQTT-" + sections[t] + ".2-1"
}
