package mqtt

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

func TestString(t *testing.T) {
	for _, row := range []struct {
		p    Packet
		want string
	}{
		{Packet{Type: PUBLISH, QoS: 1, Dup: true, ID: 7, Topic: "a/b", Payload: make([]byte, 12)}, `PUBLISH q1 dup id=7 "a/b" 12 B`},
		{Packet{Type: PUBLISH, Retain: true, Topic: "a\n"}, `PUBLISH q0 retain "a\n" 0 B`},
		{Packet{Type: PUBLISH, Version: V5, Props: Properties{{ID: TopicAlias, Int: 3}}}, `PUBLISH q0 "" alias=3 0 B`},
		{Packet{Type: CONNECT, Connect: &Connect{
			Protocol: "MQTT", Level: V5, Clean: true, KeepAlive: 30, ClientID: "dev-1",
			HasUser: true, User: "hush", HasPass: true, Pass: []byte("hush"),
		}}, `CONNECT v5 "dev-1" clean keep-alive 30 s`},
		{
			Packet{Type: CONNECT, Connect: &Connect{Level: V311, Will: &Will{Topic: "w", QoS: 1, Payload: []byte("x")}}},
			`CONNECT v3.1.1 "" keep-alive 0 s will q1 "w" 1 B`,
		},
		{Packet{Type: CONNECT}, "CONNECT"},
		{Packet{Type: CONNACK, Code: 5}, "CONNACK not authorized (0x05)"},
		{Packet{Type: CONNACK, Version: V5, SessionPresent: true}, "CONNACK success (0x00) session-present"},
		{Packet{Type: PUBACK, ID: 1}, "PUBACK id=1"},
		{Packet{Type: PUBREC, Version: V5, ID: 1, Code: 0x97}, "PUBREC id=1 quota exceeded (0x97)"},
		{Packet{Type: SUBSCRIBE, ID: 2, Filters: []Subscription{{Filter: "a", QoS: 1}}}, `SUBSCRIBE id=2 "a" q1`},
		{Packet{Type: UNSUBSCRIBE, ID: 2, Filters: []Subscription{{Filter: "a"}}}, `UNSUBSCRIBE id=2 "a"`},
		{Packet{Type: SUBACK, ID: 2, Codes: []byte{1, 0x80}}, "SUBACK id=2 granted QoS 1 (0x01) failure (0x80)"},
		{Packet{Type: PINGREQ}, "PINGREQ"},
		{Packet{Type: DISCONNECT}, "DISCONNECT"},
		{Packet{Type: DISCONNECT, Version: V5}, "DISCONNECT normal disconnection (0x00)"},
	} {
		if got := row.p.String(); got != row.want {
			t.Errorf("got  %s\nwant %s", got, row.want)
		}
	}
	if got := (&Packet{Type: SUBSCRIBE, Filters: make([]Subscription, 9)}).String(); !strings.HasSuffix(got, "and 1 more") {
		t.Errorf("long list: %s", got)
	}
}

func TestNames(t *testing.T) {
	for got, want := range map[string]string{
		V311.String():                  "3.1.1",
		V5.String():                    "5.0",
		Version(3).String():            "level 3",
		Type(0).String():               "reserved type 0",
		AUTH.String():                  "AUTH",
		TopicAlias.String():            "topic alias",
		PropID(0x7f).String():          "property 0x7F",
		CodeName(CONNACK, V5, 0x87):    "not authorized (0x87)",
		CodeName(CONNACK, V311, 1):     "unacceptable protocol version (0x01)",
		CodeName(CONNACK, V311, 6):     "unknown (0x06)",
		CodeName(PUBACK, V5, 0x92):     "unknown (0x92)",
		CodeName(SUBACK, V5, 0):        "granted QoS 0 (0x00)",
		CodeName(UNSUBACK, V311, 0x11): "unknown (0x11)",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	for typ, codes := range codesOf {
		for _, c := range codes {
			if name, _ := codeText(typ, V5, c); name == "" {
				t.Errorf("%s code 0x%02X has no name", typ, c)
			}
		}
	}
}

func TestJSON(t *testing.T) {
	for _, row := range []struct {
		p    Packet
		want string
	}{
		{Packet{Type: PUBLISH, Topic: "a", Payload: []byte("é\n")}, `{"type":"PUBLISH","topic":"a","payload":"é\n","payload_size":3}`},
		{Packet{Type: PUBLISH, Topic: "a", Payload: []byte{0, 255}}, `{"type":"PUBLISH","topic":"a","payload_hex":"00ff","payload_size":2}`},
		{Packet{Type: SUBACK, ID: 1, Codes: []byte{0, 128}}, `{"type":"SUBACK","id":1,"codes":[0,128]}`},
		{
			Packet{Type: CONNECT, Connect: &Connect{
				Protocol: "MQTT", Level: V311, ClientID: "d", HasPass: true, Pass: []byte("hush"),
				Will: &Will{Topic: "w", Payload: []byte("bye")},
			}},
			`{"type":"CONNECT","connect":{"protocol":"MQTT","level":4,"clean":false,"keep_alive":0,"client_id":"d",` +
				`"will":{"topic":"w","qos":0,"retain":false,"payload":"bye","payload_size":3},"has_pass":true}}`,
		},
		{
			Packet{Type: AUTH, Props: Properties{{ID: AuthData, Data: []byte("hush")}, {ID: CorrelationData, Data: []byte{1}}}},
			`{"type":"AUTH","props":[{"name":"authentication data","id":22},{"name":"correlation data","id":9,"data":"01"}]}`,
		},
	} {
		got, err := json.Marshal(&row.p)
		if err != nil || string(got) != row.want {
			t.Errorf("error %v\ngot  %s\nwant %s", err, got, row.want)
		}
	}
}

// TestJSONCut cuts a long payload in the middle of a character.
func TestJSONCut(t *testing.T) {
	shown := showPayload([]byte("x" + strings.Repeat("é", 200)))
	if want := (payloadJSON{Text: "x" + strings.Repeat("é", 127), Size: 401}); shown != want {
		t.Errorf("got %+v, want %+v", shown, want)
	}
	if shown := showPayload(make([]byte, 300)); len(shown.Hex) != 512 || shown.Size != 300 {
		t.Errorf("got %+v", shown)
	}
}

func TestRedacted(t *testing.T) {
	c := &Connect{Protocol: "MQTT", Level: V5, ClientID: "d", HasUser: true, User: "hush", HasPass: true, Pass: []byte("hush")}
	open := Packet{Type: CONNECT, Connect: c}
	odd := Packet{Type: CONNECT, Connect: &Connect{Protocol: "hush hush hush", HasPass: true, Pass: []byte("hush")}}
	auth := Packet{Type: AUTH, Version: V5, Code: 0x18, Props: Properties{{ID: AuthData, Data: []byte("hush")}}}
	for _, p := range []Packet{open, odd, auth} {
		raw := p.Bytes()
		for n := range len(raw) + 1 {
			if got := Redacted(raw[:n]); bytes.Contains(got, []byte("hu")) || !bytes.HasPrefix(raw, got) {
				t.Errorf("%x leaks", got)
			}
		}
	}
	if got := Redacted(open.Bytes()); len(got) != 12 {
		t.Errorf("CONNECT: %x, want the 12 bytes up to keep alive", got)
	}
	if got := Redacted(Frame(0x30, make([]byte, 99))); len(got) != 64 {
		t.Errorf("PUBLISH: %d bytes, want 64", len(got))
	}
}
