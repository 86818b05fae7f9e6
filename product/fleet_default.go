package product

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// What is sent where the file names no payload. The last piece is there only where a size is wanted.
const (
	measured = `{"id":"{id}","seq":{seq},"time":{time},"value":{ramp:15.0:30.0:10m},"stamp":"{stamp}"`
	ordered  = `{"id":"{id}","seq":{seq},"stamp":"{stamp}"`
	lost     = `{"id":"{id}","online":false`
	filled   = `,"fill":"{fill}"`
)

// DefaultFleet is the fleet of a load run for which no file is given.
func DefaultFleet() *Fleet {
	const text = `{"id":"{id}","time":{time},"stamp":"{stamp}","fill":"{fill}"}`
	f := &Fleet{Classes: []Class{{
		Name:      "device",
		Telemetry: []Telemetry{{Post: Post{Topic: "shakedown/{id}/telemetry", Payload: text, Size: 128, QoS: 1}, Every: Duration(10 * time.Second)}},
	}}}
	f.Complete()
	return f
}

// Complete sets what is left open to what it is by default, as the types say it. A fleet that was loaded is complete.
func (f *Fleet) Complete() {
	orElse(&f.Devices, 1000)
	orElse(&f.Tenants, f.Devices)
	orElse(&f.Shape, Shapes[0].Name)
	orElse(&f.For, Duration(time.Minute))
	orElse(&f.Connects, max(10, float64(f.Devices)/50, float64(f.Devices)*4/time.Duration(f.For).Seconds()))
	for i := range f.Classes {
		c := &f.Classes[i]
		if len(f.Classes) == 1 {
			orElse(&c.Share, 1)
		}
		c.complete()
	}
}

func (c *Class) complete() {
	orElse(&c.Version, mqttVersions[0])
	orElse(&c.Identity.ID, "{class}-{n}")
	orElse(&c.KeepAlive, Duration(time.Minute))
	orElse(&c.Window, 20)
	if c.Persist && c.Version == "5.0" {
		orElse(&c.Expiry, Duration(time.Hour))
	}
	if c.Will != nil {
		c.Will.complete(lost)
	}
	for i := range c.Telemetry {
		c.Telemetry[i].complete(measured)
		orElse(&c.Telemetry[i].Pace, paces[0])
	}
	for i := range c.Commands {
		c.Commands[i].complete(ordered)
		if c.Commands[i].Answer != nil {
			c.Commands[i].Answer.complete(ordered)
		}
	}
	for i := range c.Provision {
		orElse(&c.Provision[i].Method, methods[0])
	}
	for i := range c.Update {
		orElse(&c.Update[i].Method, methods[0])
	}
	if c.Backoff == nil {
		c.Backoff = &Backoff{}
	}
	b := c.Backoff
	orElse(&b.First, Duration(time.Second))
	orElse(&b.Factor, 2)
	orElse(&b.Cap, max(b.First, Duration(time.Minute)))
	orElse(&b.Jitter, jitters[0])
}

// complete gives a message without a payload the usual one, which begins as said.
func (p *Post) complete(usual string) {
	if p.Payload == "" {
		p.Payload = usual + "}"
		if p.Size > 0 {
			p.Payload = usual + filled + "}"
		}
	}
	orElse(&p.Encoding, EncodingOf(p.Payload))
}

// EncodingOf is the encoding of a payload for which none is said: json where it begins as an object or a list, else bytes.
func EncodingOf(payload string) string {
	payload = strings.TrimLeft(payload, " \t\r\n")
	object, brace := strings.CutPrefix(payload, "{")
	object = strings.TrimLeft(object, " \t\r\n") // what begins with a letter there is a word in braces
	if strings.HasPrefix(payload, "[") || brace && object != "" && strings.Contains(`"}`, object[:1]) {
		return "json"
	}
	return "bytes"
}

func orElse[T comparable](value *T, usual T) {
	var none T
	if *value == none {
		*value = usual
	}
}

// Taken are the names that the provisioning calls of a class give, sorted: {name} stands for them afterwards.
func (c *Class) Taken() []string {
	names := map[string]bool{}
	for _, call := range c.Provision {
		for name := range call.Take {
			names[name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}
