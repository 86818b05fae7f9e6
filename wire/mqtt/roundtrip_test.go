package mqtt

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRoundTrip builds legal packets from a fixed seed, encodes them and decodes them strictly.
func TestRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 5000 {
		want := randomPacket(r)
		got, err := Decode(want.Bytes(), want.Version)
		if err != nil {
			t.Fatalf("%v\n%x: %v", want, want.Bytes(), err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%v (-want +got):\n%s", want, diff)
		}
	}
}

func randomPacket(r *rand.Rand) *Packet {
	p := &Packet{Version: V311 + Version(r.IntN(2)), Type: CONNECT + Type(r.IntN(14))}
	if p.Version == V5 && p.Type != AUTH {
		p.Props = randomProps(r, p.Type)
	}
	switch p.Type {
	case CONNECT:
		p.Connect = randomConnect(r, p.Version)
	case CONNACK:
		p.SessionPresent = r.IntN(2) == 0
	case PUBLISH:
		p.QoS, p.Retain, p.Topic, p.Payload = byte(r.IntN(3)), r.IntN(2) == 0, randomText(r), randomBytes(r)
		if p.QoS > 0 {
			p.ID, p.Dup = randomID(r), r.IntN(2) == 0
		}
	case PINGREQ, PINGRESP:
		p.Props = nil
	case DISCONNECT:
	default:
		p.ID = randomID(r)
	}
	for range 1 + r.IntN(3) {
		switch p.Type {
		case SUBSCRIBE:
			s := Subscription{Filter: randomText(r) + "/#", QoS: byte(r.IntN(3))}
			if p.Version == V5 {
				s.NoLocal, s.RetainAsPublished, s.RetainHandling = r.IntN(2) == 0, r.IntN(2) == 0, byte(r.IntN(3))
			}
			p.Filters = append(p.Filters, s)
		case UNSUBSCRIBE:
			p.Filters = append(p.Filters, Subscription{Filter: "+/" + randomText(r)})
		case SUBACK:
			p.Codes = append(p.Codes, byte(r.IntN(3)))
		case UNSUBACK:
			if p.Version == V5 {
				p.Codes = append(p.Codes, codesOf[UNSUBACK][r.IntN(7)])
			}
		case PUBACK, PUBREC, PUBREL, PUBCOMP, DISCONNECT:
			if p.Version == V5 {
				p.Code = codesOf[p.Type][r.IntN(len(codesOf[p.Type]))]
			}
		}
	}
	return p
}

func randomConnect(r *rand.Rand, v Version) *Connect {
	c := &Connect{Protocol: "MQTT", Level: v, Clean: r.IntN(2) == 0, KeepAlive: uint16(r.Uint32()), ClientID: randomText(r)}
	if r.IntN(2) == 0 {
		c.Will = &Will{Topic: randomText(r), Payload: randomBytes(r), QoS: byte(r.IntN(3)), Retain: r.IntN(2) == 0}
		if v == V5 {
			c.Will.Props = randomProps(r, 0)
		}
	}
	if r.IntN(2) == 0 {
		c.HasUser, c.User, c.HasPass, c.Pass = true, randomText(r), true, randomBytes(r)
	}
	return c
}

// randomProps gives each property that packet type t may carry at most once, with the value 1 where it is a number.
func randomProps(r *rand.Rand, t Type) Properties {
	var ps Properties
	for id := range PropID(0x2B) {
		rule, ok := propertyRules[id]
		if !ok || rule.in&(1<<t) == 0 || r.IntN(3) > 0 || id == AuthData {
			continue
		}
		p := Property{ID: id}
		switch rule.kind {
		case oneByte, twoBytes, fourBytes, varint:
			p.Int = 1
		case text:
			p.Text = randomText(r)
		case pair:
			p.Text, p.Value = randomText(r), randomText(r)
		case binaryData:
			p.Data = randomBytes(r)
		}
		ps = slices.Insert(ps, r.IntN(len(ps)+1), p)
	}
	return ps
}

func randomText(r *rand.Rand) string {
	return []string{"a", "é/ü", "dev-1/state", "\u20ac", "/"}[r.IntN(5)]
}

// randomBytes gives nil or up to 300 bytes, so that remaining lengths of two bytes come up.
func randomBytes(r *rand.Rand) []byte {
	var b []byte
	for range r.IntN(2) * r.IntN(300) {
		b = append(b, byte(r.Uint32()))
	}
	return b
}

func randomID(r *rand.Rand) uint16 { return uint16(1 + r.IntN(65535)) }
