package device

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// maxTarget is the highest target in tenths of a degree.
const maxTarget = 3000

// command is a valid message on the command topic.
type command struct {
	id     string
	target int  // tenths of a degree
	set    bool // target counts
	reboot bool
	until  time.Time // it does not hold any more afterwards; zero: it does for ever
	remote *bool     // a port of the router is to be open; nil: nothing is said
}

// parseCommand reads and checks a command. Its fields are checked strictly; fields that it does not know belong to a newer cloud
// and are passed over. The id is returned with an error too, as far as it is known.
func (d *Device) parseCommand(payload []byte) (command, error) {
	fields, err := d.decodePayload(payload)
	if err != nil {
		return command{}, err
	}
	var c command
	id, _ := fields["id"].(string)
	if id == "" || len(id) > 64 || strings.ContainsFunc(id, func(r rune) bool { return r < ' ' }) {
		return c, errors.New("id is not a text of 1 to 64 bytes")
	}
	c.id = id
	if d.has("payload-extra-rejected") {
		for name := range fields {
			if !slices.Contains([]string{"id", "set", "do", "remote", "until"}, name) {
				return c, errors.New("unknown field " + name)
			}
		}
	}
	if do, there := fields["do"]; there {
		if do != "reboot" {
			return c, errors.New("do is not reboot")
		}
		c.reboot = true
	}
	if set, there := fields["set"]; there {
		if c.target, err = d.parseTarget(set); err != nil {
			return c, err
		}
		c.set = true
	}
	if until, there := fields["until"]; there {
		n, ok := until.(float64)
		if !ok || n < 0 || n > 1<<40 {
			return c, errors.New("until is not a time in seconds since 1970")
		}
		c.until = time.Unix(int64(n), 0)
	}
	if remote, there := fields["remote"]; there {
		on, ok := remote.(bool)
		if !ok {
			return c, errors.New("remote is not true or false")
		}
		c.remote = &on
	}
	if !c.set && !c.reboot && c.remote == nil {
		return c, errors.New("nothing to do")
	}
	return c, nil
}

func (d *Device) parseTarget(set any) (int, error) {
	fields, ok := set.(map[string]any)
	if !ok {
		return 0, errors.New("set is not an object")
	}
	n, ok := fields["target_tenths"].(float64)
	if !ok && d.has("payload-wrong-type-zero") {
		return 0, nil
	}
	if !ok {
		return 0, errors.New("target_tenths is not a number")
	}
	if n != math.Trunc(n) || n < 0 || n > maxTarget {
		return 0, fmt.Errorf("target_tenths is not a whole number from 0 to %d", maxTarget)
	}
	return int(n), nil
}

// decodePayload is decodeObject, unless a defect is planted.
func (d *Device) decodePayload(payload []byte) (map[string]any, error) {
	if d.has("payload-lax-json") {
		var fields map[string]any
		err := json.Unmarshal(payload, &fields) // the last of two equal keys wins, ill-formed UTF-8 is patched
		return fields, err
	}
	fields, err := decodeObject(payload)
	if err != nil && d.has("payload-bad-crash") {
		d.crash("nil pointer in JSON parser")
	}
	return fields, err
}

// onCommand carries out a message on the command topic, once for each id.
func (d *Device) onCommand(p *mqtt.Packet) {
	c, err := d.parseCommand(p.Payload)
	if err != nil {
		if d.has("payload-bad-resets-state") {
			d.set.Target, d.stateDue = 200, true
		}
		if d.has("payload-bad-deaf") {
			d.wedged = true
		}
		d.con.say("rejected %s: %v", c.id, err)
		if !d.has("payload-bad-silent") {
			d.report(map[string]any{"rejected": c.id, "why": err.Error()})
		}
		return
	}
	if d.expiredCommand(c) {
		d.con.say("rejected %s: its time is over", c.id)
		d.report(map[string]any{"rejected": c.id, "why": "its time is over"})
		return
	}
	if d.alreadyDone(c, p) {
		d.con.say("duplicate %s", c.id)
		return
	}
	if len(d.set.Events) >= eventBuffer {
		d.con.say("rejected %s: too many events wait for the server", c.id)
		return
	}
	d.set.remember(c.id, p.Retain)
	d.dirty = true
	if c.set {
		d.set.Target = c.target
		d.set.Changes++
		d.stateDue = true
	}
	if c.remote != nil {
		d.set.Remote = *c.remote
		d.home.want(*c.remote)
	}
	d.con.say("applied %s", c.id)
	d.report(map[string]any{"applied": c.id, "target": float64(d.set.Target) / 10})
	if c.reboot {
		d.rebooting = true
	}
}

// expiredCommand reports whether the time of a command is over, as far as the device knows the time.
func (d *Device) expiredCommand(c command) bool {
	return !c.until.IsZero() && d.src.known() && d.src.now().After(c.until) && !d.has("stale-command-obeyed")
}

// alreadyDone reports whether the command was carried out before.
func (d *Device) alreadyDone(c command, p *mqtt.Packet) bool {
	switch {
	case d.has("command-no-dedup"),
		d.has("qos2-delivered-twice") && p.QoS == 2, // it trusts QoS 2 to deliver once
		d.has("qos2-forgotten-at-reconnect") && p.QoS == 2,
		d.has("retained-command-replayed") && p.Retain:
		return false
	}
	return d.set.executed(c.id, p.Retain)
}

// onConfig takes a message on the configuration topic. It comes with QoS 2 and so has no need of a window.
func (d *Device) onConfig(p *mqtt.Packet) {
	fields, err := decodeObject(p.Payload)
	id, _ := fields["id"].(string)
	offset, ok := fields["offset_tenths"].(float64)
	if err == nil && (!ok || offset != math.Trunc(offset) || math.Abs(offset) > 50) {
		err = errors.New("offset_tenths is not a whole number from -50 to 50")
	}
	if err != nil {
		d.con.say("rejected %s: %v", id, err)
		d.report(map[string]any{"rejected": id, "why": err.Error()})
		return
	}
	d.set.Offset = int(offset)
	d.dirty = true
	d.con.say("configured %s", id)
	d.report(map[string]any{"configured": id, "offset": offset / 10})
}

// report queues an event. When the server has not taken events for very long the newest are given up.
func (d *Device) report(fields map[string]any) {
	if len(d.set.Events) >= eventBuffer {
		return
	}
	b, err := json.Marshal(fields)
	if err != nil {
		panic("encode event: " + err.Error()) // texts and numbers always encode
	}
	d.set.Events = append(d.set.Events, message{Kind: event, Payload: b})
	d.dirty = true
}
