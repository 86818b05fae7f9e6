//go:build peers

package network

import (
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/world/broker"
	"github.com/shakedown-test/shakedown/world/dns"
	"github.com/shakedown-test/shakedown/world/origin"
)

const (
	subscriber = `timeout 20 mosquitto_sub -h broker.example -i lamp -t greetings -C 1 -W 15`
	coap       = `coap-client-notls -B 15 -m get coap://coap.example/greeting 2>&1; echo; coap-client-notls -B 15 -m get coap://coap.example/nothing 2>&1`
)

var cloudPeers = []peer{
	{name: "mosquitto_sub", script: subscriber, arrange: greets},
	{name: "mosquitto_sub-no-broker", script: subscriber, arrange: named("broker.example")},
	{name: "coap-client", script: coap, arrange: origins},
}

// greets puts a broker at broker.example, with a retained greeting.
func greets(t *testing.T, b *testbed.Bed, _ string) {
	s := broker.New(broker.Options{Part: "broker", Clock: b.Clock, Log: b.Log})
	s.Publish(broker.Message{Topic: "greetings", Payload: []byte("hello"), Retain: true})
	serve(t, b, "broker.example", 1883, s.Serve)
	t.Cleanup(s.Close) // before what waits for its connections
}

// named gives a name an address where nobody listens.
func named(name string) arrange {
	return func(t *testing.T, b *testbed.Bed, _ string) {
		at, err := b.World.Name(name)
		if err != nil {
			t.Fatal(err)
		}
		b.DNS.Zone.Set(name, dns.Records{TTL: testbed.NameTTL, A: []netip.Addr{at}})
	}
}

// origins puts a CoAP server at coap.example.
func origins(t *testing.T, b *testbed.Bed, dir string) {
	named("coap.example")(t, b, dir)
	at, err := b.World.Name("coap.example")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := b.World.Servers.ListenPacket(netip.AddrPortFrom(at, 5683))
	if err != nil {
		t.Fatal(err)
	}
	s := origin.New(origin.Options{Part: "coap", Clock: b.Clock, Log: b.Log, Conn: conn, Rand: rand.New(rand.NewPCG(1, 1))})
	t.Cleanup(s.Close)
	s.Set("/greeting", []byte("hello"), 0)
}
