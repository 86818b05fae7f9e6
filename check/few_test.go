package check

import (
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/product"
)

func TestFew(t *testing.T) {
	class := func(topic, payload string, transport product.Protocol) product.Class {
		m := product.Telemetry{Post: product.Post{Topic: topic, Payload: payload}, Every: 5, Pace: "poisson", Day: []float64{1, 2}}
		return product.Class{Transport: transport, Share: 0.25, Sleep: &product.Sleep{}, Telemetry: []product.Telemetry{m, m}}
	}
	kept := few([]product.Class{
		class("a/{id}/t", "{stamp}", ""), class("a/b/t", "{stamp}", product.WSS), class("b/{id}/t", "no number", ""), class("c/{id}", "{stamp}", product.COAP),
		class("a/{id}/t", "{stamp}", product.MQTTS),
	}, 2, time.Second)
	if len(few([]product.Class{class("a/{serial}/t", "{stamp}", "")}, 1, time.Second)) != 1 {
		t.Error("a class whose topics hold a column of its file was left out")
	}
	if len(kept) != 2 || kept[0].Share != 0.5 || kept[1].Transport != product.MQTTS {
		t.Fatalf("kept %+v", kept)
	}
	c := kept[0]
	if m := c.Telemetry[0]; len(c.Telemetry) != 1 || c.Sleep != nil || m.QoS != 2 || m.Every != product.Duration(time.Second) || m.Pace != "fixed" || m.Day != nil {
		t.Errorf("%+v", c)
	}
}
