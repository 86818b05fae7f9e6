package device

import (
	"strings"

	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// mishap is how firmware without a check takes a malformed packet: the defect, a part of the reason that a strict decoder gives, and
// what happens in place of the end of the connection.
type mishap struct {
	defect string
	reason string
	do     func(d *Device, raw []byte)
}

var mishaps = []mishap{
	{"malformed-qos3-delivered", "has QoS 3", (*Device).takeAnyway},
	{"malformed-wildcard-delivered", "holds a wildcard", (*Device).takeAnyway},
	{"malformed-empty-topic-ignored", "topic name is empty", (*Device).passOver},
	{"malformed-utf8-crash", "ill-formed UTF-8", (*Device).fault},
	{"malformed-nul-deaf", "U+0000", (*Device).hang},
	{"malformed-id-zero-acknowledged", "packet identifier 0", (*Device).takeAnyway},
	{"malformed-dup-qos0-delivered", "DUP set with QoS 0", (*Device).takeAnyway},
	{"malformed-flags-ignored", "header flags", (*Device).passOver},
	{"malformed-length-crash", "bytes after its last field", (*Device).fault},
	{"malformed-length-crash", "reaches past the end", (*Device).fault},
	{"malformed-varint-deaf", "more than four bytes", (*Device).hang},
	{"malformed-property-ignored", "stands more than once", (*Device).takeAnyway},
	{"malformed-property-ignored", "is unknown", (*Device).takeAnyway},
	{"malformed-property-ignored", "unknown code", (*Device).takeAnyway},
	{"malformed-hammer", "", (*Device).dropAtOnce},
	{"malformed-stops", "", (*Device).dropForGood},
}

// malformedFlawed reports whether a defect dealt with a malformed packet.
func (d *Device) malformedFlawed(raw []byte, e *mqtt.Error) bool {
	if d.garbageFlawed() {
		return true
	}
	if strings.Contains(e.Reason, "is reserved") {
		return d.reservedFlawed()
	}
	for _, m := range mishaps {
		if d.has(m.defect) && strings.Contains(e.Reason, m.reason) {
			m.do(d, raw)
			return true
		}
	}
	return false
}

// garbageFlawed reports whether a defect hangs because something came that is no CONNACK.
func (d *Device) garbageFlawed() bool {
	if d.link.serving || !d.has("garbage-hangs") {
		return false
	}
	d.wedged = true
	return true
}

func (d *Device) reservedFlawed() bool {
	if d.has("malformed-reserved-type-deaf") {
		d.wedged = true
		return true
	}
	return false
}

func (d *Device) passOver([]byte) {}

func (d *Device) hang([]byte) { d.wedged = true }

func (d *Device) fault([]byte) { d.crash("index out of range in packet decoder") }

func (d *Device) dropAtOnce([]byte) {
	d.end("malformed packet", dropped, 0)
	d.retryAt = d.up
}

func (d *Device) dropForGood([]byte) {
	d.end("malformed packet", dropped, 0)
	d.retryAt = never
}

// takeAnyway carries out what a malformed PUBLISH says.
func (d *Device) takeAnyway(raw []byte) {
	p, _ := mqtt.DecodeLenient(raw, d.link.version)
	if p == nil || p.Type != mqtt.PUBLISH {
		return
	}
	d.onCommand(p)
	if p.QoS == 1 {
		d.link.queue(&mqtt.Packet{Type: mqtt.PUBACK, ID: p.ID})
	}
}
