package mqtt

import (
	"errors"
	"testing"
)

// Shorthands for the start of a CONNECT.
const (
	mqtt4 = "00044d515454 04 "
	mqtt5 = "00044d515454 05 "
)

// violations has a packet for each rule: its bytes, where the fault is, which statement it breaks, which code answers it.
var violations = []struct {
	name      string
	v         Version
	hex       string
	offset    int
	statement string
	code      byte
}{
	{"nothing", V311, "", 0, "section 2.1", 0x81},
	{"first byte alone", V311, "c0", 1, "section 2.1", 0x81},
	{"type 0", V311, "00 00", 0, "section 2.2.1", 0x81},
	{"type 0 in 5.0", V5, "00 00", 0, "section 2.1.2", 0x81},
	{"type 15 in 3.1.1", V311, "f0 00", 0, "section 2.2.1", 0x81},
	{"remaining length unfinished", V311, "c0 80", 2, "section 2.1", 0x81},
	{"remaining length of 5 bytes", V5, "c0 80808080 01", 4, "section 2.2.3 (3.1.1), 1.5.5 (5.0)", 0x81},
	{"remaining length padded", V5, "c0 8000", 1, "MQTT-1.5.5-1", 0x81},
	{"packet too short", V311, "40 03 0001", 4, "section 2.1.4", 0x81},
	{"bytes after the packet", V311, "c0 00 ff", 2, "section 2.1.4", 0x81},
	{"header flags", V311, "c1 00", 0, "MQTT-2.2.2-2", 0x81},
	{"header flags 5.0", V5, "c1 00", 0, "MQTT-2.1.3-1", 0x81},
	{"PUBREL flags", V311, "60 02 0001", 0, "MQTT-3.6.1-1", 0x81},
	{"SUBSCRIBE flags", V311, "80 06 0001 000161 00", 0, "MQTT-3.8.1-1", 0x81},
	{"UNSUBSCRIBE flags", V5, "a0 06 0001 00 000161", 0, "MQTT-3.10.1-1", 0x81},
	{"DISCONNECT flags", V5, "e1 00", 0, "MQTT-3.14.1-1", 0x81},
	{"PINGRESP with body", V311, "d0 01 00", 2, "section 3.13", 0x81},
	{"DISCONNECT with body in 3.1.1", V311, "e0 01 00", 2, "section 3.14", 0x81},
	{"PUBACK with code in 3.1.1", V311, "40 03 0001 00", 4, "section 3.4", 0x81},

	{"QoS 3", V311, "36 05 000161 0001", 0, "MQTT-3.3.1-4", 0x81},
	{"DUP with QoS 0", V5, "38 04 000161 00", 0, "MQTT-3.3.1-2", 0x81},
	{"PUBLISH id 0", V311, "32 05 000161 0000", 5, "MQTT-2.3.1-1", 0x82},
	{"PUBLISH id 0 in 5.0", V5, "32 06 000161 0000 00", 5, "MQTT-2.2.1-3", 0x82},
	{"PUBACK id 0", V311, "40 02 0000", 2, "MQTT-2.3.1-6", 0x82},
	{"PUBACK id 0 in 5.0", V5, "40 02 0000", 2, "MQTT-2.2.1-5", 0x82},
	{"SUBACK id 0", V311, "90 03 0000 00", 2, "MQTT-2.3.1-7", 0x82},
	{"UNSUBACK id 0 in 5.0", V5, "b0 04 0000 00 00", 2, "MQTT-2.2.1-6", 0x82},
	{"SUBSCRIBE id 0", V311, "82 06 0000 000161 00", 2, "MQTT-2.3.1-1", 0x82},
	{"PUBACK without id", V311, "40 01 00", 3, "section 2.1.4", 0x81},
	{"topic empty", V311, "30 02 0000", 4, "MQTT-4.7.3-1", 0x81},
	{"topic empty without alias", V5, "30 03 0000 00", 4, "section 3.3.2.1", 0x82},
	{"topic with +", V311, "30 05 0003612f2b", 6, "MQTT-3.3.2-2", 0x81},
	{"topic with #", V5, "30 04 000123 00", 4, "MQTT-3.3.2-2", 0x81},
	{"topic with U+0000", V311, "30 04 00026100", 5, "MQTT-1.5.3-2", 0x81},
	{"topic with U+0000 in 5.0", V5, "30 05 00026100 00", 5, "MQTT-1.5.4-2", 0x81},
	{"topic with a surrogate", V311, "30 06 000461eda080", 5, "MQTT-1.5.3-1", 0x81},
	{"topic with overlong UTF-8", V5, "30 05 0002c0af 00", 4, "MQTT-1.5.4-1", 0x81},
	{"topic past the end", V311, "30 03 000961", 2, "section 1.5.3", 0x81},
	{"topic past the end in 5.0", V5, "30 03 000961", 2, "section 1.5.4", 0x81},
	{"topic length cut", V311, "30 01 00", 3, "section 2.1.4", 0x81},

	{"protocol name", V311, "10 0c 00044d515453 04 02 0000 0000", 2, "MQTT-3.1.2-1", 0x84},
	{"protocol level", V311, "10 0c 00044d515454 06 02 0000 0000", 8, "MQTT-3.1.2-2", 0x84},
	{"CONNECT padded length", V311, "10 8d00 " + mqtt5 + "02 0000 00 0000", 1, "MQTT-1.5.5-1", 0x81},
	{"connect reserved flag", V311, "10 0c " + mqtt4 + "03 0000 0000", 9, "MQTT-3.1.2-3", 0x81},
	{"will QoS without will", V311, "10 0c " + mqtt4 + "0a 0000 0000", 9, "MQTT-3.1.2-13", 0x81},
	{"will QoS without will in 5.0", V5, "10 0d " + mqtt5 + "0a 0000 00 0000", 9, "MQTT-3.1.2-11", 0x81},
	{"will retain without will", V311, "10 0c " + mqtt4 + "22 0000 0000", 9, "MQTT-3.1.2-15", 0x81},
	{"will retain without will in 5.0", V5, "10 0d " + mqtt5 + "22 0000 00 0000", 9, "MQTT-3.1.2-13", 0x81},
	{"will QoS 3", V311, "10 11 " + mqtt4 + "1e 0000 0000 000177 0000", 9, "MQTT-3.1.2-14", 0x81},
	{"will QoS 3 in 5.0", V5, "10 13 " + mqtt5 + "1e 0000 00 0000 00 000177 0000", 9, "MQTT-3.1.2-12", 0x81},
	{"password without user", V311, "10 0f " + mqtt4 + "42 0000 0000 000170", 9, "MQTT-3.1.2-22", 0x81},
	{"client id empty", V311, "10 0c " + mqtt4 + "00 0000 0000", 14, "MQTT-3.1.3-7", 0x85},
	{"client id ill-formed", V311, "10 0d " + mqtt4 + "02 0000 0001ff", 14, "MQTT-1.5.3-1", 0x81},
	{"will topic wildcard", V311, "10 11 " + mqtt4 + "06 0000 0000 00012b 0000", 16, "MQTT-4.7.1-1", 0x81},
	{"will topic wildcard in 5.0", V5, "10 13 " + mqtt5 + "06 0000 00 0000 00 00012b 0000", 18, "MQTT-4.7.0-1", 0x81},
	{"will topic empty", V311, "10 10 " + mqtt4 + "06 0000 0000 0000 0000", 16, "MQTT-4.7.3-1", 0x81},
	{"CONNECT trailing bytes", V311, "10 0d " + mqtt4 + "02 0000 0000 ff", 14, "section 3.1", 0x81},
	{"user name missing", V311, "10 0c " + mqtt4 + "82 0000 0000", 14, "section 2.1.4", 0x81},
	{"auth data without method", V5, "10 11 " + mqtt5 + "02 0000 04 16000178 0000", 12, "section 3.1.2.11.10", 0x82},

	{"SUBSCRIBE without filter", V311, "82 02 0001", 4, "MQTT-3.8.3-3", 0x82},
	{"SUBSCRIBE without filter in 5.0", V5, "82 03 0001 00", 5, "MQTT-3.8.3-2", 0x82},
	{"UNSUBSCRIBE without filter", V311, "a2 02 0001", 4, "MQTT-3.10.3-2", 0x82},
	{"filter empty", V311, "82 05 0001 0000 00", 6, "MQTT-4.7.3-1", 0x81},
	{"filter a#", V311, "82 07 0001 00026123 00", 7, "MQTT-4.7.1-2", 0x81},
	{"filter a# in 5.0", V5, "82 08 0001 00 00026123 00", 8, "MQTT-4.7.1-1", 0x81},
	{"filter a+", V311, "a2 06 0001 0002612b", 7, "MQTT-4.7.1-3", 0x81},
	{"filter a+ in 5.0", V5, "a2 07 0001 00 0002612b", 8, "MQTT-4.7.1-2", 0x81},
	{"filter without options", V311, "82 05 0001 000161", 7, "section 2.1.4", 0x81},
	{"subscription QoS 3", V311, "82 06 0001 000161 03", 7, "MQTT-3.8.3-4", 0x82},
	{"subscription QoS 3 in 5.0", V5, "82 07 0001 00 000161 03", 8, "section 3.8.3.1", 0x82},
	{"subscription reserved bits", V311, "82 06 0001 000161 04", 7, "MQTT-3.8.3-4", 0x81},
	{"subscription reserved bits in 5.0", V5, "82 07 0001 00 000161 40", 8, "MQTT-3.8.3-5", 0x81},
	{"retain handling 3", V5, "82 07 0001 00 000161 30", 8, "section 3.8.3.1", 0x82},
	{"no local on a shared subscription", V5, "82 10 0001 00 000a2473686172652f672f61 04", 17, "MQTT-3.8.3-4", 0x82},
	{"share name empty", V5, "a2 0e 0001 00 00092473686172652f2f61", 14, "MQTT-4.8.2-1", 0x81},
	{"SUBACK code", V311, "90 03 0001 03", 4, "MQTT-3.9.3-2", 0x81},
	{"SUBACK code in 5.0", V5, "90 04 0001 00 03", 5, "MQTT-3.9.3-2", 0x81},
	{"SUBACK without code", V311, "90 02 0001", 4, "section 3.9.3", 0x82},
	{"UNSUBACK code", V5, "b0 04 0001 00 01", 5, "MQTT-3.11.3-2", 0x81},
	{"UNSUBACK with code in 3.1.1", V311, "b0 03 0001 00", 4, "section 3.11", 0x81},

	{"CONNACK code", V311, "20 02 00 06", 3, "section 3.2.2.3", 0x81},
	{"CONNACK code in 5.0", V5, "20 03 00 01 00", 3, "MQTT-3.2.2-8", 0x81},
	{"CONNACK reserved bits", V5, "20 03 02 00 00", 2, "MQTT-3.2.2-1", 0x81},
	{"session present with a refusal", V311, "20 02 01 05", 2, "MQTT-3.2.2-4", 0x82},
	{"session present with a refusal in 5.0", V5, "20 03 01 87 00", 2, "MQTT-3.2.2-6", 0x82},
	{"PUBACK code", V5, "40 03 0001 92", 4, "MQTT-3.4.2-1", 0x81},
	{"PUBREC code", V5, "50 03 0001 92", 4, "MQTT-3.5.2-1", 0x81},
	{"PUBREL code", V5, "62 03 0001 10", 4, "MQTT-3.6.2-1", 0x81},
	{"PUBCOMP code", V5, "70 03 0001 10", 4, "MQTT-3.7.2-1", 0x81},
	{"DISCONNECT code", V5, "e0 01 01", 2, "MQTT-3.14.2-1", 0x81},
	{"AUTH code", V5, "f0 06 01 04 1500016d", 2, "MQTT-3.15.2-1", 0x81},
	{"AUTH without method", V5, "f0 02 18 00", 3, "section 3.15.2.2.2", 0x82},

	{"unknown property", V5, "30 06 000161 02 7f00", 6, "section 2.2.2.2", 0x81},
	{"property twice", V5, "30 08 000161 04 0100 0101", 8, "section 2.2.2.2", 0x82},
	{"subscription identifier twice in SUBSCRIBE", V5, "82 0b 0001 04 0b01 0b02 000161 00", 7, "section 2.2.2.2", 0x82},
	{"property of another packet", V5, "30 06 000161 02 2401", 6, "section 2.2.2.2", 0x81},
	{"property in the will", V5, "10 16 " + mqtt5 + "06 0000 00 0000 03 210001 000177 0000", 16, "section 2.2.2.2", 0x81},
	{"property cut off", V5, "30 07 000161 02 0200 00", 8, "section 2.1.4", 0x81},
	{"property length past the end", V5, "30 04 000161 09", 5, "section 2.2.2.1", 0x81},
	{"property length missing", V5, "30 03 000161", 5, "section 2.1.4", 0x81},
	{"property length padded", V5, "30 05 000161 8000", 5, "MQTT-1.5.5-1", 0x81},
	{"property length of 5 bytes", V5, "30 08 000161 8080808001", 8, "section 1.5.5", 0x81},
	{"property text ill-formed", V5, "30 08 000161 04 030001ff", 9, "MQTT-1.5.4-1", 0x81},
	{"payload format 2", V5, "30 06 000161 02 0102", 7, "section 2.2.2.2", 0x81},
	{"topic alias 0", V5, "30 07 000161 03 230000", 7, "MQTT-3.3.2-8", 0x94},
	{"subscription identifier 0", V5, "30 06 000161 02 0b00", 7, "section 2.2.2.2", 0x82},
	{"response topic wildcard", V5, "30 08 000161 04 0800012b", 9, "MQTT-3.3.2-14", 0x81},
	{"receive maximum 0", V5, "20 06 00 00 03 210000", 6, "section 2.2.2.2", 0x82},
	{"maximum QoS 2", V5, "20 05 00 00 02 2402", 6, "section 2.2.2.2", 0x82},
	{"maximum packet size 0", V5, "20 08 00 00 05 2700000000", 6, "section 2.2.2.2", 0x82},
}

func TestViolations(t *testing.T) {
	for _, row := range violations {
		t.Run(row.name, func(t *testing.T) {
			raw := unhex(t, row.hex)
			_, err := Decode(raw, row.v)
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("got error %v, want an *Error", err)
			}
			want := Error{row.offset, e.Reason, row.statement, row.code}
			if *e != want {
				t.Errorf("got  %v code 0x%02x\nwant %v code 0x%02x", e, e.Code, &want, want.Code)
			}
			_, faults := DecodeLenient(raw, row.v)
			if len(faults) == 0 || *faults[0] != *e {
				t.Errorf("lenient lists %v, want %v first", faults, e)
			}
		})
	}
}

// TestLenientGoesOn reads what stands behind the violations and lists all of them.
func TestLenientGoesOn(t *testing.T) {
	raw := unhex(t, "3e 0d 00012b 0000 04 0200 7f01 776f")
	raw[1] = byte(len(raw) - 2)
	p, faults := DecodeLenient(raw, V5)
	var got []string
	for _, f := range faults {
		got = append(got, f.Error())
	}
	want := []string{
		"PUBLISH has QoS 3 at byte 0 [MQTT-3.3.1-4]",
		"topic name holds a wildcard at byte 4 [MQTT-3.3.2-2]",
		"PUBLISH has packet identifier 0 at byte 5 [MQTT-2.2.1-3]",
	}
	for i, w := range want {
		if i >= len(got) || got[i] != w {
			t.Fatalf("got %q, want %q", got, want)
		}
	}
	if p == nil || p.Topic != "+" || string(p.Payload) != "wo" {
		t.Errorf("got %v, want topic and payload", p)
	}
}

func TestErrorText(t *testing.T) {
	_, err := Decode(unhex(t, "30 04 0002612b"), V311)
	if want := "topic name holds a wildcard at byte 5 [MQTT-3.3.2-2]"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
