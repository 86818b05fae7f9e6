package broker

import (
	"net"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/endpoint"
)

// writeLoop sends what is in the outbox until the end, and closes the connection.
func (c *Conn) writeLoop() {
	defer close(c.written)
	defer c.cancel()
	for {
		it := c.out.next()
		if it.end == stay {
			it.end = c.emit(it)
		}
		if it.end != stay {
			c.out.end(it.end)
			c.hangUp(it.end)
			return
		}
	}
}

// emit lets the rules act on a packet and writes what is left of it. It returns how the connection ends after it.
func (c *Conn) emit(it item) ending {
	if it.told {
		return c.put(it)
	}
	own := *it.packet
	ex := &Exchange{Conn: c, Dir: Out, Packet: &own}
	c.b.rules.consult(ex)
	switch {
	case ex.dropped:
	case ex.delay > 0 && !ex.inOrder:
		c.b.clock.AfterFunc(ex.delay, func() { c.emitLater(ex) })
		return stay
	default:
		if ex.delay > 0 && c.b.clock.Sleep(c.ctx, ex.delay) != nil {
			return fin
		}
		if end := c.emitNow(ex); end != stay {
			return end
		}
	}
	c.settle(ex)
	return ex.end
}

// emitLater puts a delayed packet back into the outbox, past the rules.
func (c *Conn) emitLater(ex *Exchange) {
	for range 1 + ex.atOnce() {
		if it, ok := ex.item(); ok && c.push(it) != nil {
			return
		}
		ex.Packet = again(ex.Packet)
	}
	c.repeatLater(ex)
	c.settle(ex)
	if ex.end != stay {
		c.finish(ex.end)
	}
}

// emitNow writes a packet and its immediate repetitions.
func (c *Conn) emitNow(ex *Exchange) ending {
	for range 1 + ex.atOnce() {
		if it, ok := ex.item(); ok {
			if end := c.put(it); end != stay {
				return end
			}
		}
		ex.Packet = again(ex.Packet)
	}
	c.repeatLater(ex)
	return stay
}

// repeatLater schedules the repetitions that come after a gap.
func (c *Conn) repeatLater(ex *Exchange) {
	if ex.gap <= 0 {
		return
	}
	ex.Packet = again(ex.Packet)
	for i := range ex.repeats {
		if it, ok := ex.item(); ok {
			c.b.clock.AfterFunc(time.Duration(i+1)*ex.gap, func() { _ = c.push(it) })
		}
	}
}

// atOnce is how many repetitions follow without a gap.
func (ex *Exchange) atOnce() int {
	if ex.gap > 0 {
		return 0
	}
	return ex.repeats
}

// item is what goes out for the packet, and whether anything does.
func (ex *Exchange) item() (item, bool) {
	if ex.replace == nil {
		return item{packet: ex.Packet, told: true}, true
	}
	raw := ex.replace(ex.Packet)
	return item{raw: raw, what: "in place of " + ex.Packet.String(), told: true}, len(raw) > 0
}

// again is a packet as it is sent once more [MQTT-3.3.1-1].
func again(p *mqtt.Packet) *mqtt.Packet {
	own := *p
	own.Dup = p.Dup || p.Type == mqtt.PUBLISH && p.QoS > 0
	return &own
}

func (c *Conn) settle(ex *Exchange) {
	for _, f := range ex.after {
		f(c)
	}
}

// put logs and writes one item.
func (c *Conn) put(it item) ending {
	raw := it.raw
	if it.packet != nil {
		raw = it.packet.Bytes()
		c.acknowledged(it.packet)
	}
	c.record(evidence.Out, it.packet, it.what, raw)
	wait := writeWait
	if c.out.ending() {
		wait = finishWait
	}
	_ = c.nc.SetWriteDeadline(c.b.clock.Deadline(wait))
	if c.ctx.Err() != nil { // cut before the deadline was set, which would undo the cut's
		return fin
	}
	if _, err := c.nc.Write(raw); err != nil {
		return fin
	}
	return stay
}

// hangUp closes the connection. A RST needs a connection that can reset itself, a TCP connection or one of an
// endpoint; otherwise it is a FIN.
func (c *Conn) hangUp(how ending) {
	how = c.out.ended(how)
	if how == rst {
		if r, ok := find[interface{ Reset() error }](c.nc); ok {
			_ = r.Reset()
		} else if t, ok := find[*net.TCPConn](c.nc); ok {
			_ = t.SetLinger(0)
			_ = t.Close()
		} else {
			_ = endpoint.Reset(c.nc)
		}
	}
	_ = c.nc.Close()
}
