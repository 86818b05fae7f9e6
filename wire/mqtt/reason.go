package mqtt

import (
	"bytes"
	"fmt"
)

// CodeName names a return code (3.1.1) or reason code (5.0) of packet type t with its number, such as "not authorized (0x87)".
// A code that t cannot carry is "unknown".
func CodeName(t Type, v Version, code byte) string {
	name, ok := codeText(t, v, code)
	if !ok {
		name = "unknown"
	}
	return fmt.Sprintf("%s (0x%02X)", name, code)
}

// codeText names code and reports whether packet type t may carry it in version v.
func codeText(t Type, v Version, code byte) (string, bool) {
	if v != V5 {
		return codeText311(t, code)
	}
	if bytes.IndexByte(codesOf[t], code) < 0 {
		return "", false
	}
	switch {
	case code == 0 && t == DISCONNECT:
		return "normal disconnection", true
	case code == 0 && t == SUBACK:
		return "granted QoS 0", true
	}
	return reasonNames[code], true
}

// codeText311 knows the codes of MQTT 3.1.1 sections 3.2.2.3 and 3.9.3.
func codeText311(t Type, code byte) (string, bool) {
	switch {
	case t == CONNACK && int(code) < len(connectReturns):
		return connectReturns[code], true
	case t == SUBACK && code <= 2:
		return fmt.Sprintf("granted QoS %d", code), true
	case t == SUBACK && code == 0x80:
		return "failure", true
	}
	return "", false
}

var connectReturns = [...]string{
	"connection accepted", "unacceptable protocol version", "identifier rejected", "server unavailable",
	"bad user name or password", "not authorized",
}

// codesOf lists the reason codes of each packet type, from the tables of MQTT 5.0 chapter 3.
var codesOf = map[Type][]byte{
	CONNACK: {
		0x00, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x8C, 0x90, 0x95, 0x97, 0x99, 0x9A, 0x9B,
		0x9C, 0x9D, 0x9F,
	},
	PUBACK:   {0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99},
	PUBREC:   {0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99},
	PUBREL:   {0x00, 0x92},
	PUBCOMP:  {0x00, 0x92},
	SUBACK:   {0x00, 0x01, 0x02, 0x80, 0x83, 0x87, 0x8F, 0x91, 0x97, 0x9E, 0xA1, 0xA2},
	UNSUBACK: {0x00, 0x11, 0x80, 0x83, 0x87, 0x8F, 0x91},
	DISCONNECT: {
		0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8B, 0x8D, 0x8E, 0x8F, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98,
		0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9E, 0x9F, 0xA0, 0xA1, 0xA2,
	},
	AUTH: {0x00, 0x18, 0x19},
}

// reasonNames is table 2-6 of MQTT 5.0.
var reasonNames = map[byte]string{
	0x00: "success",
	0x01: "granted QoS 1",
	0x02: "granted QoS 2",
	0x04: "disconnect with will message",
	0x10: "no matching subscribers",
	0x11: "no subscription existed",
	0x18: "continue authentication",
	0x19: "re-authenticate",
	0x80: "unspecified error",
	0x81: "malformed packet",
	0x82: "protocol error",
	0x83: "implementation specific error",
	0x84: "unsupported protocol version",
	0x85: "client identifier not valid",
	0x86: "bad user name or password",
	0x87: "not authorized",
	0x88: "server unavailable",
	0x89: "server busy",
	0x8A: "banned",
	0x8B: "server shutting down",
	0x8C: "bad authentication method",
	0x8D: "keep alive timeout",
	0x8E: "session taken over",
	0x8F: "topic filter invalid",
	0x90: "topic name invalid",
	0x91: "packet identifier in use",
	0x92: "packet identifier not found",
	0x93: "receive maximum exceeded",
	0x94: "topic alias invalid",
	0x95: "packet too large",
	0x96: "message rate too high",
	0x97: "quota exceeded",
	0x98: "administrative action",
	0x99: "payload format invalid",
	0x9A: "retain not supported",
	0x9B: "QoS not supported",
	0x9C: "use another server",
	0x9D: "server moved",
	0x9E: "shared subscriptions not supported",
	0x9F: "connection rate exceeded",
	0xA0: "maximum connect time",
	0xA1: "subscription identifiers not supported",
	0xA2: "wildcard subscriptions not supported",
}
