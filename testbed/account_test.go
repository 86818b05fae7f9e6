package testbed

import (
	"testing"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/endpoint"
)

func TestAccount(t *testing.T) {
	tests := []struct {
		events []evidence.Event
		want   string
	}{
		{nil, "it opened no connection"},
		{[]evidence.Event{{Kind: evidence.Exit, Text: "exit status 1"}}, "it opened no connection; at last: its process ended: exit status 1"},
		{[]evidence.Event{
			{Kind: evidence.Refused},
			{Kind: evidence.Open, Conn: 1},
			{Kind: evidence.Hello, Conn: 1, Data: endpoint.Hello{}},
			{Kind: evidence.Alert, Conn: 1, Text: "bad certificate"},
		}, "it opened 1 connections, was refused 1 times, sent 1 ClientHellos, completed 0 TLS handshakes, sent 0 CONNECTs; at last: TLS: bad certificate"},
		{[]evidence.Event{
			{Kind: evidence.Open, Conn: 1},
			{Kind: evidence.Bytes, Conn: 1, Size: 9, Text: "HTTP"},
			{Kind: evidence.Open, Conn: 2},
			{Kind: evidence.Bytes, Conn: 2, Size: 20, Text: "MQTT CONNECT"},
			{Kind: evidence.In, Conn: 2, Data: &mqtt.Packet{Type: mqtt.CONNECT}},
		}, "it opened 2 connections, sent 9 bytes that are no MQTT CONNECT (HTTP), sent 1 CONNECTs"},
	}
	for _, tt := range tests {
		if got := Account(tt.events); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
}
