//go:build linux

package main

import (
	"fmt"
	"time"
)

// kind is a load whose CPU is compared.
type kind struct {
	name  string
	floor string // role
	peers []side
	amount
	floors float64 // of which CPU may be at most that many times the floor's
	peer   float64 // and at most that part of the best peer's; 0: no bar
}

const windowed = 6 * time.Second

var kinds = []kind{
	{
		"QoS 0 publish", "publishing",
		[]side{paho, mqttjs, mosquittoPub, stresser},
		amount{role: "mqtt", conns: 1000, rate: 20_000, pause: time.Second, span: windowed},
		2, 0.5,
	},
	{
		"QoS 1 round trip", "publishing",
		[]side{paho, mqttjs, mosquittoPub, stresser},
		amount{role: "mqtt", conns: 1000, rate: 20_000, qos: 1, pause: time.Second, span: windowed},
		2, 0.5,
	},
}

// The fast kinds ask what a request costs where waking up for each counts for as little as in a closed model. No peer keeps their pace.
var (
	coapKind = kind{
		"CoAP CON request", "requesting",
		[]side{coapPeer},
		amount{role: "coap", conns: 1000, rate: 10_000, qos: 1, pause: time.Second, span: windowed},
		5, 0,
	}
	coapFast = kind{
		"CoAP CON request, fast", "requesting", nil,
		amount{role: "coap", conns: 1000, rate: 60_000, qos: 1, pause: time.Second, span: windowed},
		5, 0,
	}
	httpKind = kind{
		"HTTP POST", "posting",
		[]side{vegeta, wrk},
		amount{role: "http", conns: 1000, rate: 10_000, pause: time.Second, span: windowed},
		10, 0,
	}
	httpFast = kind{
		"HTTP POST, fast", "posting", nil,
		amount{role: "http", conns: 1000, rate: 60_000, pause: time.Second, span: windowed},
		10, 0,
	}
)

func cpuPart(r *run) error {
	for _, k := range kinds {
		r.compare(k)
	}
	return nil
}

func coapPart(r *run) error {
	r.compare(coapKind)
	r.compare(coapFast)
	return nil
}

func httpPart(r *run) error {
	r.compare(httpKind)
	r.compare(httpFast)
	return nil
}

// floors measures the floors and the peers alone.
func floors(r *run) error {
	for _, k := range append([]kind{coapKind, coapFast, httpKind, httpFast}, kinds...) {
		r.compareAll(k, nil)
	}
	return nil
}

func (r *run) compare(k kind) { r.compareAll(k, []side{swarmSide}) }

// compareAll runs floor, ours and peers in turn and compares what a message costs them.
func (r *run) compareAll(k kind, ours []side) {
	sides := []side{floorSide(k.floor)}
	if k.role != "mqtt" {
		sides = append(sides, closedSide(k.floor))
	}
	flows := r.alternate(append(append(sides, ours...), k.peers...), k.amount)
	floor, closed := flows["floor"], flows["closed floor"]
	r.row("floor of a "+k.name, "", fmt.Sprintf("%.1f µs at %.0f/s", floor.each, floor.rate), none)
	if closed.each > 0 {
		r.row("  the same in a closed model, 100 connections", "", fmt.Sprintf("%.1f µs at %.0f/s", closed.each, closed.rate), none)
	}
	best := 0.0
	for _, p := range k.peers {
		f, there := flows[p.name]
		if !there {
			continue
		}
		if p.name != mosquittoPub.name && (best == 0 || f.each < best) { // one connection is no fleet
			best = f.each
		}
		r.row("  "+p.name, "", fmt.Sprintf("%.1f µs, %.1f x floor, at %.0f/s", f.each, f.each/floor.each, f.rate), none)
	}
	for _, s := range ours {
		f, there := flows[s.name]
		if !there {
			continue
		}
		r.row("CPU of a "+k.name, fmt.Sprintf("<= %g x floor", k.floors), fmt.Sprintf("%.1f µs, %.2f x floor, at %.0f/s", f.each, f.each/floor.each, f.rate),
			holds(floor.each > 0 && f.each <= k.floors*floor.each && f.rate > 0.98*float64(k.rate)))
		if closed.each > 0 {
			r.row("", fmt.Sprintf("<= %g x closed floor", k.floors), fmt.Sprintf("%.2f x closed floor", f.each/closed.each), holds(f.each <= k.floors*closed.each))
		}
		if k.peer > 0 && best > 0 {
			r.row("", fmt.Sprintf("<= %g x best peer", k.peer), fmt.Sprintf("%.2f x best peer", f.each/best), holds(f.each <= k.peer*best))
		}
	}
}
