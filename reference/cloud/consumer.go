package cloud

import (
	"io"
	"net"
	"strings"
	"sync"

	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// consumerID is the client id of the cloud's own consumer, which comes by a connection within the process.
const consumerID = "$consumer"

// inner marks the connection of the consumer.
type inner struct{ net.Conn }

func isInner(nc net.Conn) bool { _, ok := nc.(inner); return ok }

// consume subscribes to what devices report and keeps it. It returns when the subscription is made, so that no report comes before it.
func (c *Cloud) consume() {
	ours, theirs := net.Pipe()
	c.inner = ours
	subscribed := make(chan struct{})
	ready := sync.OnceFunc(func() { close(subscribed) })
	c.tasks.Go(func() { c.broker.Serve(inner{theirs}) })
	c.tasks.Go(func() {
		defer ready()
		for _, p := range []*mqtt.Packet{
			{Type: mqtt.CONNECT, Connect: &mqtt.Connect{Protocol: "MQTT", Level: mqtt.V311, Clean: true, ClientID: consumerID}},
			{Type: mqtt.SUBSCRIBE, ID: 1, Filters: []mqtt.Subscription{{Filter: "thermostat/+/+", QoS: 1}}},
		} {
			if _, err := ours.Write(p.Bytes()); err != nil {
				return
			}
		}
		c.keep(ours, ready)
	})
	<-subscribed
}

// keep stores messages until the connection ends. It calls subscribed when the subscription is made.
func (c *Cloud) keep(nc io.ReadWriter, subscribed func()) {
	rd := mqtt.NewReader(nc, 4<<20)
	for {
		raw, err := rd.Next()
		if err != nil {
			return
		}
		p, err := mqtt.Decode(raw, mqtt.V311)
		if err == nil && p.Type == mqtt.SUBACK {
			subscribed()
		}
		if err != nil || p.Type != mqtt.PUBLISH {
			continue
		}
		if levels := strings.Split(p.Topic, "/"); len(levels) == 3 && levels[2] != "command" {
			c.store.note(levels[1], levels[2], p.Payload)
		}
		if p.QoS == 1 {
			if _, err := nc.Write((&mqtt.Packet{Type: mqtt.PUBACK, ID: p.ID}).Bytes()); err != nil {
				return
			}
		}
	}
}
