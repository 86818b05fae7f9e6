package product

import (
	"reflect"
	"slices"
	"strings"
)

// StandIn is the driver name of a part that Shakedown plays itself.
const StandIn = "stand-in"

// Real says whether the part is under test.
func (p *Part) Real() bool { return p.Driver != StandIn }

// Part finds a part by name; nil when there is none.
func (p *Product) Part(name string) *Part {
	for i := range p.Parts {
		if p.Parts[i].Name == name {
			return &p.Parts[i]
		}
	}
	return nil
}

// Real lists the parts under test in the order of the file.
func (p *Product) Real() []*Part {
	var out []*Part
	for i := range p.Parts {
		if p.Parts[i].Real() {
			out = append(out, &p.Parts[i])
		}
	}
	return out
}

// Is says whether a part is what is meant by a role: by its own, or as a cloud at an address where it speaks TLS, which is an endpoint too.
func (p *Product) Is(part *Part, r Role) bool {
	served := part.Role == Cloud && part.Address != "" && p.Speaks(part.Name, TLS)
	return part.Role.Is(r) || served && Endpoint.Is(r)
}

// PartByRole is the first real part of a role; nil when there is none.
func (p *Product) PartByRole(r Role) *Part {
	for _, part := range p.Real() {
		if p.Is(part, r) {
			return part
		}
	}
	return nil
}

// PartFor is the first real part of a role that speaks a protocol; an empty one is any. It is nil when there is none.
func (p *Product) PartFor(r Role, proto Protocol) *Part {
	for _, part := range p.Real() {
		if p.Is(part, r) && (proto == "" || p.Speaks(part.Name, proto)) {
			return part
		}
	}
	return nil
}

// Speaks says whether a part is on a link that carries the protocol. MQTTS counts as MQTT and as TLS, HTTPS as HTTP and as TLS, WSS as
// WS, both of them as MQTT, COAPS as CoAP and as DTLS.
func (p *Product) Speaks(part string, proto Protocol) bool { return p.LinkOf(part, proto) != nil }

// LinkOf is the first link of a part that carries the protocol, as Speaks counts, or any for an empty one; nil when there is none.
func (p *Product) LinkOf(part string, proto Protocol) *Link {
	for i, link := range p.Links {
		if (link.From == part || link.To == part) && link.Protocol.Carries(proto) {
			return &p.Links[i]
		}
	}
	return nil
}

// Carries says whether a part is on a link of just this protocol.
func (p *Product) Carries(part string, proto Protocol) bool {
	return slices.ContainsFunc(p.Links, func(l Link) bool { return (l.From == part || l.To == part) && l.Protocol == proto })
}

// Secure says whether what is carried is encrypted: by TLS or DTLS.
func (p Protocol) Secure() bool { return p.Carries(TLS) || p.Carries(DTLS) }

// Carries says whether what carries p carries other: MQTTS is MQTT and TLS, and so on, as Speaks counts; an empty other is anything.
func (p Protocol) Carries(other Protocol) bool {
	if other == "" {
		return true
	}
	switch p {
	case MQTTS:
		return other == MQTTS || other == MQTT || other == TLS
	case HTTPS:
		return other == HTTPS || other == HTTP || other == TLS
	case WSS:
		return other == WSS || other == WS || other == MQTT || other == TLS
	case WS:
		return other == WS || other == MQTT
	case COAPS:
		return other == COAPS || other == COAP || other == DTLS
	}
	return p == other
}

// Has says whether a value is declared, by its key in the file: "reconnect_cap". An unknown key is never declared.
func (d Declared) Has(key string) bool { return set(reflect.ValueOf(d), key) }

// Declares says whether a value is declared for a part: one of Declared's, one of the part's MQTT block, such as "telemetry",
// "sequence", "status" and "command", one of its CoAP block, such as "config", "settings", "action" and "resource",
// one of its local block: "service", "fallback", "upnp", or "http", its HTTP block, or one of that, such as "http.download".
func (p *Product) Declares(part *Part, key string) bool {
	if p.Declared.Has(key) {
		return true
	}
	if part == nil {
		return false
	}
	if of, ok := strings.CutPrefix(key, "http"); ok && part.HTTP != nil {
		return of == "" || set(reflect.ValueOf(*part.HTTP), strings.TrimPrefix(of, "."))
	}
	if part.Local != nil && set(reflect.ValueOf(*part.Local), key) {
		return true
	}
	return part.MQTT != nil && set(reflect.ValueOf(*part.MQTT), key) || part.CoAP != nil && set(reflect.ValueOf(*part.CoAP), key)
}

// set says whether the field with this key is not zero.
func set(v reflect.Value, key string) bool {
	for _, f := range fields(v.Type()) {
		if f.key == key {
			return !v.FieldByIndex(f.index).IsZero()
		}
	}
	return false
}
