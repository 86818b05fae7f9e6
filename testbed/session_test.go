package testbed

import (
	"testing"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/mqtt"
)

func TestKept(t *testing.T) {
	expiry := mqtt.Properties{{ID: mqtt.SessionExpiry, Int: 60}}
	for name, c := range map[string]struct {
		version mqtt.Version
		clean   bool
		props   mqtt.Properties
		want    bool
	}{
		"3.1.1, clean":         {mqtt.V311, true, nil, false},
		"3.1.1, not clean":     {mqtt.V311, false, nil, true},
		"5.0, no expiry":       {mqtt.V5, false, nil, false},
		"5.0, expiry":          {mqtt.V5, false, expiry, true},
		"5.0, clean, expiry":   {mqtt.V5, true, expiry, false},
		"5.0, clean, no limit": {mqtt.V5, true, nil, false},
	} {
		s := &Session{Version: c.version, Connect: &mqtt.Packet{Connect: &mqtt.Connect{Clean: c.clean}, Props: c.props}}
		if got := s.Kept(); got != c.want {
			t.Errorf("%s: kept = %t", name, got)
		}
	}
}

func TestGivenCertificate(t *testing.T) {
	for name, c := range map[string]struct {
		part product.Part
		want bool
	}{
		"command":           {product.Part{Driver: "process", Command: []string{"d", "--cert={client.cert}"}}, true},
		"environment":       {product.Part{Driver: "process", Env: map[string]string{"CERT": "{client.cert}"}}, true},
		"not used":          {product.Part{Driver: "process", Command: []string{"d", "{ca.file}"}}, false},
		"external":          {product.Part{Driver: "external"}, false},
		"handed over whole": {product.Part{Driver: "reference"}, true},
	} {
		if got := (&Device{Part: c.part}).GivenCertificate(); got != c.want {
			t.Errorf("%s: given = %t", name, got)
		}
	}
}

func TestPublications(t *testing.T) {
	in := func(n int, p *mqtt.Packet) evidence.Event {
		return evidence.Event{N: n, Conn: 3, Kind: evidence.In, Data: p}
	}
	got := Publications([]evidence.Event{
		in(0, &mqtt.Packet{Type: mqtt.PUBLISH, Topic: "t"}),
		in(1, &mqtt.Packet{Type: mqtt.PUBLISH, QoS: 1, ID: 5, Topic: "t", Payload: []byte("x")}),
		in(2, &mqtt.Packet{Type: mqtt.PUBACK, ID: 1}),
		{N: 3, Kind: evidence.Out, Data: &mqtt.Packet{Type: mqtt.PUBLISH, QoS: 1}},
		in(4, &mqtt.Packet{Type: mqtt.PUBLISH, QoS: 2, ID: 6, Topic: "t", Payload: []byte("x"), Dup: true}),
	})
	if len(got) != 2 || got[0].N != 1 || got[1].N != 4 || got[0].Conn != 3 {
		t.Fatalf("got %v", got)
	}
	if !got[0].Says(got[1]) {
		t.Error("the same topic and payload do not say the same")
	}
}
