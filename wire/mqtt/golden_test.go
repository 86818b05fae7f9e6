package mqtt

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// unhex reads hex with spaces between the fields.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatalf("bad hex %q: %v", s, err)
	}
	return b
}

// golden are legal packets byte by byte after the tables of the standards; they encode and decode both ways.
var golden = []struct {
	name string
	p    Packet
	hex  string
}{
	{"connect 3.1.1", Packet{Type: CONNECT, Version: V311, Connect: &Connect{
		Protocol: "MQTT", Level: V311, Clean: true, KeepAlive: 10, ClientID: "ab",
	}}, "10 0e 00044d515454 04 02 000a 00026162"},
	{"connect 3.1.1 full", Packet{Type: CONNECT, Version: V311, Connect: &Connect{
		Protocol: "MQTT", Level: V311, KeepAlive: 60, ClientID: "a",
		Will:    &Will{Topic: "w", Payload: []byte{1}, QoS: 1, Retain: true},
		HasUser: true, User: "u", HasPass: true, Pass: []byte("p"),
	}}, "10 19 00044d515454 04 ec 003c 000161 000177 000101 000175 000170"},
	{
		"connect 5.0",
		Packet{Type: CONNECT, Version: V5, Connect: &Connect{
			Protocol: "MQTT", Level: V5, Clean: true, KeepAlive: 30, ClientID: "d",
			Will: &Will{Topic: "w", QoS: 2, Props: Properties{{ID: WillDelay, Int: 5}}},
		}, Props: Properties{{ID: SessionExpiry, Int: 60}, {ID: ReceiveMaximum, Int: 10}}},
		"10 21 00044d515454 05 16 001e 08 110000003c 21000a 000164 05 1800000005 000177 0000",
	},
	{"connack 3.1.1", Packet{Type: CONNACK, Version: V311, SessionPresent: true}, "20 02 01 00"},
	{"connack 3.1.1 refused", Packet{Type: CONNACK, Version: V311, Code: 5}, "20 02 00 05"},
	{"connack 5.0", Packet{Type: CONNACK, Version: V5, Props: Properties{
		{ID: MaximumQoS, Int: 1}, {ID: AssignedClientID, Text: "x"}, {ID: ServerKeepAlive, Int: 258},
	}}, "20 0c 00 00 09 2401 12000178 130102"},
	{"publish 3.1.1", Packet{Type: PUBLISH, Version: V311, Topic: "a/b", Payload: []byte("hi")}, "30 07 0003612f62 6869"},
	{
		"publish 3.1.1 q1",
		Packet{Type: PUBLISH, Version: V311, Dup: true, QoS: 1, Retain: true, ID: 10, Topic: "a/b"},
		"3b 07 0003612f62 000a",
	},
	{"publish 5.0 alias", Packet{Type: PUBLISH, Version: V5, QoS: 2, ID: 7, Payload: []byte("x"), Props: Properties{
		{ID: TopicAlias, Int: 1},
		{ID: UserProperty, Text: "k", Value: "v"},
		{ID: SubscriptionIdentifier, Int: 128},
		{ID: CorrelationData, Data: []byte{0xff}},
	}}, "34 17 0000 0007 11 230001 2600016b000176 0b8001 090001ff 78"},
	{"publish 5.0", Packet{Type: PUBLISH, Version: V5, Topic: "t"}, "30 04 000174 00"},
	{"puback 3.1.1", Packet{Type: PUBACK, Version: V311, ID: 1}, "40 02 0001"},
	{"puback 5.0 short", Packet{Type: PUBACK, Version: V5, ID: 1}, "40 02 0001"},
	{"puback 5.0 code", Packet{Type: PUBACK, Version: V5, ID: 1, Code: 0x10}, "40 03 0001 10"},
	{"pubrec 3.1.1", Packet{Type: PUBREC, Version: V311, ID: 2}, "50 02 0002"},
	{
		"pubrec 5.0",
		Packet{Type: PUBREC, Version: V5, ID: 2, Code: 0x97, Props: Properties{{ID: ReasonString, Text: "q"}}},
		"50 08 0002 97 04 1f000171",
	},
	{"pubrel 3.1.1", Packet{Type: PUBREL, Version: V311, ID: 3}, "62 02 0003"},
	{"pubrel 5.0", Packet{Type: PUBREL, Version: V5, ID: 3, Code: 0x92}, "62 03 0003 92"},
	{"pubcomp 3.1.1", Packet{Type: PUBCOMP, Version: V311, ID: 4}, "70 02 0004"},
	{"pubcomp 5.0", Packet{Type: PUBCOMP, Version: V5, ID: 4}, "70 02 0004"},
	{"subscribe 3.1.1", Packet{Type: SUBSCRIBE, Version: V311, ID: 10, Filters: []Subscription{
		{Filter: "a/b", QoS: 1}, {Filter: "c/+", QoS: 2},
	}}, "82 0e 000a 0003612f62 01 0003632f2b 02"},
	{"subscribe 5.0", Packet{Type: SUBSCRIBE, Version: V5, ID: 10, Filters: []Subscription{
		{Filter: "#", QoS: 1, NoLocal: true, RetainAsPublished: true, RetainHandling: 2},
	}, Props: Properties{{ID: SubscriptionIdentifier, Int: 1}}}, "82 09 000a 02 0b01 000123 2d"},
	{"suback 3.1.1", Packet{Type: SUBACK, Version: V311, ID: 10, Codes: []byte{0, 2, 0x80}}, "90 05 000a 000280"},
	{"suback 5.0", Packet{Type: SUBACK, Version: V5, ID: 10, Codes: []byte{0x87}}, "90 04 000a 00 87"},
	{
		"unsubscribe 3.1.1",
		Packet{Type: UNSUBSCRIBE, Version: V311, ID: 10, Filters: []Subscription{{Filter: "a"}}},
		"a2 05 000a 000161",
	},
	{
		"unsubscribe 5.0",
		Packet{Type: UNSUBSCRIBE, Version: V5, ID: 10, Filters: []Subscription{{Filter: "a"}}},
		"a2 06 000a 00 000161",
	},
	{"unsuback 3.1.1", Packet{Type: UNSUBACK, Version: V311, ID: 10}, "b0 02 000a"},
	{"unsuback 5.0", Packet{Type: UNSUBACK, Version: V5, ID: 10, Codes: []byte{0x11}}, "b0 04 000a 00 11"},
	{"pingreq", Packet{Type: PINGREQ, Version: V311}, "c0 00"},
	{"pingreq 5.0", Packet{Type: PINGREQ, Version: V5}, "c0 00"},
	{"pingresp", Packet{Type: PINGRESP, Version: V311}, "d0 00"},
	{"pingresp 5.0", Packet{Type: PINGRESP, Version: V5}, "d0 00"},
	{"disconnect 3.1.1", Packet{Type: DISCONNECT, Version: V311}, "e0 00"},
	{"disconnect 5.0 short", Packet{Type: DISCONNECT, Version: V5}, "e0 00"},
	{"disconnect 5.0 code", Packet{Type: DISCONNECT, Version: V5, Code: 4}, "e0 01 04"},
	{
		"disconnect 5.0",
		Packet{Type: DISCONNECT, Version: V5, Code: 0x8b, Props: Properties{{ID: SessionExpiry, Int: 0}}},
		"e0 07 8b 05 1100000000",
	},
	{"auth", Packet{Type: AUTH, Version: V5, Code: 0x18, Props: Properties{{ID: AuthMethod, Text: "m"}}}, "f0 06 18 04 1500016d"},
	{"auth short", Packet{Type: AUTH, Version: V5}, "f0 00"},
}

func TestGolden(t *testing.T) {
	for _, row := range golden {
		t.Run(row.name, func(t *testing.T) {
			raw := unhex(t, row.hex)
			if diff := cmp.Diff(raw, row.p.Bytes()); diff != "" {
				t.Errorf("encoded (-want +got):\n%s", diff)
			}
			p, err := Decode(raw, row.p.Version)
			if err != nil {
				t.Fatalf("decode: %v", err)
			}
			if diff := cmp.Diff(&row.p, p); diff != "" {
				t.Errorf("decoded (-want +got):\n%s", diff)
			}
			if _, faults := DecodeLenient(raw, row.p.Version); len(faults) > 0 {
				t.Errorf("lenient: %v", faults)
			}
		})
	}
}

// TestIllegalAsTold encodes what the standard forbids.
func TestIllegalAsTold(t *testing.T) {
	for _, row := range []struct {
		name string
		p    Packet
		hex  string
	}{
		{"wildcard topic", Packet{Type: PUBLISH, Topic: "#"}, "30 03 000123"},
		{"id 0 with QoS 1", Packet{Type: PUBLISH, QoS: 1, Topic: "a"}, "32 05 000161 0000"},
		{"QoS 3", Packet{Type: PUBLISH, QoS: 3, ID: 1, Topic: "a"}, "36 05 000161 0001"},
		{"DUP with QoS 0", Packet{Type: PUBLISH, Dup: true, Topic: "a"}, "38 03 000161"},
		{"bad UTF-8", Packet{Type: PUBLISH, Topic: "\xed\xa0\x80"}, "30 05 0003eda080"},
		{"property twice", Packet{Type: PUBLISH, Version: V5, Topic: "a", Props: Properties{
			{ID: TopicAlias, Int: 0}, {ID: TopicAlias, Int: 1},
		}}, "30 0a 000161 06 230000 230001"},
		{
			"unknown property",
			Packet{Type: PUBLISH, Version: V5, Topic: "a", Props: Properties{{ID: 0x7f, Data: []byte{9}}}},
			"30 06 000161 02 7f09",
		},
		{
			"reserved subscription options",
			Packet{Type: SUBSCRIBE, ID: 1, Filters: []Subscription{{Filter: "a", QoS: 0xff}}},
			"82 06 0001 000161 ff",
		},
		{
			"properties in 3.1.1",
			Packet{Type: PUBACK, Version: V311, ID: 1, Code: 0x80, Props: Properties{{ID: ReasonString}}},
			"40 02 0001",
		},
		{
			"CONNECT of version 0 follows its level",
			Packet{Type: CONNECT, Connect: &Connect{Protocol: "MQTT", Level: V5}},
			"10 0d 00044d515454 05 00 0000 00 0000",
		},
		{"CONNECT without fields", Packet{Type: CONNECT}, "10 08 0000 00 00 0000 0000"},
		{"type 0", Packet{}, "00 00"},
	} {
		if got, want := hex.EncodeToString(row.p.Bytes()), strings.ReplaceAll(row.hex, " ", ""); got != want {
			t.Errorf("%s: got %s, want %s", row.name, got, want)
		}
	}
}

func TestFrame(t *testing.T) {
	for size, want := range map[int]string{
		0: "d000", 127: "d07f", 128: "d08001", 16383: "d0ff7f", 16384: "d0808001", 2097152: "d080808001",
	} {
		raw := Frame(0xd0, make([]byte, size))
		if got := hex.EncodeToString(raw[:len(raw)-size]); got != want {
			t.Errorf("header of %d bytes: got %s, want %s", size, got, want)
		}
	}
}

// TestLongText cuts a string at what its length field can hold.
func TestLongText(t *testing.T) {
	p := Packet{Type: PUBLISH, Topic: strings.Repeat("x", 70000)}
	got, err := Decode(p.Bytes(), V311)
	if err != nil || len(got.Topic) != 65535 {
		t.Errorf("decode: %v, %v", got, err)
	}
}
