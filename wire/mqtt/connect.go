package mqtt

import "encoding/binary"

// The bits of the connect flags (section 3.1.2.3).
const (
	flagReserved   = 1 << 0
	flagClean      = 1 << 1
	flagWill       = 1 << 2
	flagWillRetain = 1 << 5
	flagPass       = 1 << 6
	flagUser       = 1 << 7
)

// connectBody encodes everything behind the fixed header of a CONNECT (section 3.1).
func (p *Packet) connectBody(v5 bool) []byte {
	c := p.Connect
	if c == nil {
		c = &Connect{}
	}
	b := appendText(nil, c.Protocol)
	b = append(b, byte(c.Level), c.flags())
	b = p.appendProps(binary.BigEndian.AppendUint16(b, c.KeepAlive), v5)
	b = appendText(b, c.ClientID)
	if w := c.Will; w != nil {
		if v5 {
			b = appendProperties(b, w.Props)
		}
		b = appendText(appendText(b, w.Topic), w.Payload)
	}
	if c.HasUser {
		b = appendText(b, c.User)
	}
	if c.HasPass {
		b = appendText(b, c.Pass)
	}
	return b
}

func (c *Connect) flags() byte {
	f := bit(c.Clean, 1) | bit(c.HasPass, 6) | bit(c.HasUser, 7)
	if w := c.Will; w != nil {
		f |= flagWill | w.QoS&3<<3 | bit(w.Retain, 5)
	}
	return f
}

// connect decodes section 3.1 behind the fixed header. From the protocol level on, the decoder is of that version.
func (d *decoder) connect(p *Packet) {
	c := &Connect{}
	p.Connect = c
	d.protocol(c)
	at := d.pos
	flags := d.byte("connect flags")
	d.connectFlags(flags, at)
	c.Clean, c.HasUser, c.HasPass = flags&flagClean != 0, flags&flagUser != 0, flags&flagPass != 0
	c.KeepAlive = d.uint16("keep alive")
	p.Props = d.properties(CONNECT)
	if p.Props.Has(AuthData) && !p.Props.Has(AuthMethod) {
		d.fault(at+3, codeProtocolError, "section 3.1.2.11.10", "CONNECT has authentication data without an authentication method")
	}
	c.ClientID, at = d.text("client identifier")
	if c.ClientID == "" && !c.Clean && d.v != V5 {
		d.fault(at, codeBadClientID, "MQTT-3.1.3-7", "client identifier is empty without clean session")
	}
	if flags&flagWill != 0 {
		c.Will = d.will(flags)
	}
	if c.HasUser {
		c.User, _ = d.text("user name")
	}
	if c.HasPass {
		c.Pass = d.data("password")
	}
}

// protocol decodes protocol name and level (sections 3.1.2.1 and 3.1.2.2).
func (d *decoder) protocol(c *Connect) {
	at := d.pos
	c.Protocol, _ = d.text("protocol name")
	if c.Protocol != "MQTT" {
		d.fault(at, codeBadVersion, "MQTT-3.1.2-1", "protocol name is not MQTT")
	}
	at = d.pos
	c.Level = Version(d.byte("protocol level"))
	switch c.Level {
	case V311, V5:
		d.v = c.Level
	default:
		d.fault(at, codeBadVersion, "MQTT-3.1.2-2", "protocol level is neither 4 nor 5")
	}
	d.minimalLength()
}

// connectFlags checks the connect flags (section 3.1.2.3), which stand at offset at.
func (d *decoder) connectFlags(flags byte, at int) {
	qos, retain := flags>>3&3, flags&flagWillRetain != 0
	if flags&flagReserved != 0 {
		d.fault(at, codeMalformed, "MQTT-3.1.2-3", "connect flags have the reserved bit set")
	}
	switch {
	case flags&flagWill != 0 && qos == 3:
		d.fault(at, codeMalformed, d.either("MQTT-3.1.2-14", "MQTT-3.1.2-12"), "will has QoS 3")
	case flags&flagWill == 0 && qos != 0:
		d.fault(at, codeMalformed, d.either("MQTT-3.1.2-13", "MQTT-3.1.2-11"), "will QoS is set without a will")
	}
	if flags&flagWill == 0 && retain {
		d.fault(at, codeMalformed, d.either("MQTT-3.1.2-15", "MQTT-3.1.2-13"), "will retain is set without a will")
	}
	if flags&flagPass != 0 && flags&flagUser == 0 && d.v != V5 {
		d.fault(at, codeMalformed, "MQTT-3.1.2-22", "password is set without a user name")
	}
}

// will decodes the will fields of the payload (sections 3.1.3.2 and 3.1.3.3; in 5.0 up to 3.1.3.4).
func (d *decoder) will(flags byte) *Will {
	w := &Will{QoS: flags >> 3 & 3, Retain: flags&flagWillRetain != 0}
	w.Props = d.properties(0)
	var at int
	w.Topic, at = d.text("will topic")
	d.topic("will topic", w.Topic, at, d.either("MQTT-4.7.1-1", "MQTT-4.7.0-1"))
	w.Payload = d.data("will message")
	return w
}
