package fleet

import (
	"fmt"
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/fleet/payload"
	"github.com/shakedown-test/shakedown/fleet/series"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// newOperator makes the class of the operator: a client that subscribes to all that the fleet publishes, where this share watches, and sends
// the commands.
func (p *plan) newOperator() error {
	spec := p.operator()
	if len(spec.Subscribe) == 0 && p.perOrder == 0 {
		return nil
	}
	var err error
	if p.operates, err = p.newClass(&spec, 1); err != nil {
		return fmt.Errorf("operator: %w", err)
	}
	return nil
}

func (p *plan) operator() product.Class {
	spec := product.Class{Name: "operator", Window: 1000, KeepAlive: product.Duration(time.Minute), Version: mqtt.V311.String()}
	for _, c := range p.classes {
		if _, ok := c.speaks.(speaksMQTT); !ok {
			continue
		}
		spec.Version, spec.Transport, spec.Backoff = c.version.String(), c.Transport, c.Backoff
		if o := p.job.Fleet.Operator; o != nil && o.Cert != "" {
			spec.Identity = product.Identity{Cert: o.Cert, Key: o.Key}
		} else if c.Identity.CA != "" {
			spec.Identity = product.Identity{CA: c.Identity.CA}
		}
		if !p.job.Watch {
			continue
		}
		for _, t := range c.Telemetry {
			if one := (product.Filter{Topic: payload.Filter(t.Topic), QoS: t.QoS}); !slices.Contains(spec.Subscribe, one) {
				spec.Subscribe = append(spec.Subscribe, one)
			}
		}
		for _, a := range c.Commands {
			if a.Answer == nil {
				continue
			}
			if one := (product.Filter{Topic: payload.Filter(a.Answer.Topic), QoS: a.Answer.QoS}); !slices.Contains(spec.Subscribe, one) {
				spec.Subscribe = append(spec.Subscribe, one)
			}
		}
	}
	return spec
}

// operatorIdentity is with what the operator connects. Without an identity in the fleet file it has an id of this run, so that two runs at
// one broker do not end each other's session; of at most 23 characters, which every server takes (MQTT 3.1.1 section 3.1.3.1).
func (s *shard) operatorIdentity() product.Client {
	who := product.Client{ID: fmt.Sprintf("operator-%08x", s.job.Run)}
	if o := s.job.Fleet.Operator; o != nil {
		who = *o
	}
	if !s.job.Watch { // of another share
		who.ID += fmt.Sprintf("-%d", s.first)
	}
	return who
}

// order is the timer of a command: one is due. The operator, which may be in another loop, sends it.
func (s *shard) order(k int32, due, now int64) {
	i := k / int32(s.perOrder)
	o := int32(s.first*s.perOrder) + k
	p, w := s.postOf(-1-o), &s.orders[k]
	s.timers.set(int32(len(s.devices)+len(s.streams))+k, s.after(p, due, s.rand))
	if d := &s.devices[i]; d.state != up || d.unheard > 0 { // who is away is not asked
		return
	}
	m := pending{due: due, stream: -1 - o, seq: w.seq}
	w.seq++
	if boss := s.boss; boss != s {
		boss.post(func(now int64) { boss.command(p, m, now) })
		return
	}
	s.command(p, m, now)
}

// command has the operator send a command.
func (s *shard) command(p *post, m pending, now int64) {
	s.meter.Time(series.Lag, time.Duration(now-m.due))
	if s.devices[s.operator].state != up || !s.operates.speaks.post(s, s.operator, p, m, now) {
		s.meter.Count(series.Withheld, 1)
	}
}

// ordered is a message that a device got: a command of this run is answered.
func (s *shard) ordered(i int32, topic []byte, stamp payload.Stamp, took time.Duration, now int64) {
	c := s.classOf(i)
	first := s.orderOf(s.number(i), 0)
	if stamp.Source < first || stamp.Source >= first+uint32(len(c.commands)) {
		return // not for this device, but of its tenant
	}
	if again, _ := s.ledger.Arrived(stamp.Source, stamp.Seq); again {
		return
	}
	s.meter.Time(series.Command, took)
	answer := c.answers[stamp.Source-first]
	if answer == nil {
		return
	}
	id := uint16(0)
	if answer.qos > 0 {
		x := s.devices[i].more()
		if x.window > 0 && len(x.flights) >= x.window {
			s.meter.Count(series.Withheld, 1)
			return
		}
		id = nextID(&s.devices[i])
		due := (stamp.Due - s.micros(0)) * 1000
		x.flights = append(x.flights, flight{due: due, stream: -1 - int32(stamp.Source-s.ordersFrom()), seq: stamp.Seq, id: id, qos: answer.qos})
	}
	v := &s.fields
	s.who(s.number(i), v)
	v.Time, v.Stamp = s.micros(now), stamp
	s.packet = s.compose(s.packet[:0], answer, v, c.version, id)
	kind := byte(mqtt.PUBLISH)<<4 | answer.qos<<1
	if answer.retain {
		kind |= 1
	}
	s.send(i, sized(s.packet, kind), now)
}

// answerOf is what a device answers to an order.
func (p *plan) answerOf(k int32) *post {
	o := int(-1 - k)
	return p.classIn(o / p.perOrder).answers[o%p.perOrder]
}

// seen is a message that the operator got: of a stream, or the answer to a command, which has the command's stamp.
func (s *shard) seen(_ []byte, stamp payload.Stamp, took time.Duration) {
	if stamp.Source >= s.ordersFrom() {
		s.meter.Time(series.Answer, took)
		return
	}
	if again, _ := s.ledger.Arrived(stamp.Source, stamp.Seq); !again {
		s.meter.Time(series.Delivery, took)
	}
}
