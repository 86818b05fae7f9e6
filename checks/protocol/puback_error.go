package protocol

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/broker"
)

// PubackError refuses messages with the reason codes of MQTT 5.
var PubackError = &check.Check{
	ID:    "protocol.puback-error",
	Title: "Gives a refused message up after three repetitions",
	Why: "A message that the cloud refuses will be refused again. " +
		"A device that repeats it for ever blocks its own queue, drains its battery and bills its owner for the traffic.",
	Pass:         "a message that is refused with PUBACK 0x97, 0x87 or 0x99 is sent again at most 3 times within 30 s; the device works on",
	Fix:          "look at the reason code of PUBACK: drop the message or put it aside, and report it",
	Severity:     check.Major,
	Requirements: []string{"EN303645:5.9-1", "CRA:I.2i"},
	Rows:         []string{"mqtt.puback.error"},
	Sources:      []string{"MQTT 5.0 sections 3.4.2.1 and 4.3.2 (an error code ends the exchange)"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, Version: "5.0"},
	Impact:       check.Disturbs,
	Typical:      60 * time.Second,
	Limit:        15 * time.Minute,
	Run:          pubackError,
}

const (
	refusalWatch   = 30 * time.Second
	refusalRepeats = 3
)

// refusals chooses the messages to refuse: the first three that come, one for each reason code, and whatever says the same again.
type refusals struct {
	mu      sync.Mutex
	refused []refused
}

// refused is a message with the reason code that it got.
type refused struct {
	testbed.Publication
	code   byte
	copies []testbed.Publication // with the first
	usual  time.Duration         // shortest pause between messages on its topic before any was refused; 0: not known
}

var refusalCodes = []byte{0x97, 0x87, 0x99} // quota exceeded, not authorised, payload format invalid

// answer is the action for a PUBLISH with QoS 1.
func (r *refusals) answer(ex *broker.Exchange) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := testbed.Publication{Packet: ex.Packet}
	i := slices.IndexFunc(r.refused, func(x refused) bool { return x.Says(p) })
	if i < 0 {
		if len(r.refused) == len(refusalCodes) {
			return
		}
		own := *ex.Packet
		i = len(r.refused)
		r.refused = append(r.refused, refused{Publication: testbed.Publication{Packet: &own}, code: refusalCodes[i]})
	}
	ex.Answer(&mqtt.Packet{Type: mqtt.PUBACK, Code: r.refused[i].code})
}

func pubackError(ctx context.Context, t *check.T) error {
	s, err := t.Online(ctx)
	if err != nil {
		return err
	}
	t.Step("learn how often the device publishes")
	if _, err := t.Publishes(ctx, s, s.Mark); err != nil {
		return err
	}
	topics := map[string]bool{}
	_, _, err = t.Device.AwaitPublication(ctx, s, s.Mark, t.Device.Reports(), func(p testbed.Publication) bool {
		again := topics[p.Topic]
		topics[p.Topic] = true
		return again
	})
	if err != nil {
		return err
	}
	mark := t.Log.Len()
	before := testbed.Publications(t.Log.Since(s.Mark))
	t.Step("refuse messages with PUBACK 0x97, 0x87 and 0x99")
	var r refusals
	qos1 := func(_ *broker.Conn, p *mqtt.Packet) bool { return p.QoS == 1 }
	heal := t.Impair(t.Broker.When(broker.Rule{Dir: broker.In, Type: mqtt.PUBLISH, Match: qos1, Do: r.answer}))
	if _, err := t.Publishes(ctx, s, mark); err != nil {
		return err
	}
	if _, err := t.Device.AwaitClose(ctx, s, mark, refusalWatch); ctx.Err() != nil {
		return err
	}
	heal()
	last := t.Log.Len() - 1
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.refused) == 0 {
		return check.NotApplicable("the device publishes with QoS 2 only, and PUBACK is for QoS 1")
	}
	for i := range r.refused {
		r.refused[i].watch(before, testbed.Publications(t.Log.Since(mark)))
	}
	t.Find(judgeRefused(r.refused, last)...)
	p, err := t.Device.Probe(ctx, s, mark, t.Device.Cap()+30*time.Second)
	if err != nil {
		return err
	}
	t.Find(check.Alive(p, "a PUBACK with an error code")...)
	return nil
}

// watch fills in what was seen of the message, and of its topic before.
func (r *refused) watch(before, since []testbed.Publication) {
	var previous time.Time
	for _, p := range before {
		if p.Topic != r.Topic {
			continue
		}
		if gap := p.At.Sub(previous); !previous.IsZero() && (r.usual == 0 || gap < r.usual) {
			r.usual = gap
		}
		previous = p.At
	}
	for _, p := range since {
		if p.Says(r.Publication) {
			r.copies = append(r.copies, p)
		}
	}
}

// judgeRefused counts repetitions. A device whose messages are all alike sends the same again at its usual pace; so many are allowed
// for.
func judgeRefused(all []refused, last int) []check.Finding {
	var found []check.Finding
	for _, r := range all {
		allowed := refusalRepeats
		if r.usual > 0 {
			allowed += int(refusalWatch/r.usual) + 1
		}
		if len(r.copies)-1 <= allowed {
			continue
		}
		found = append(found, check.Finding{
			Title:    "Sends a refused message again and again",
			Expected: fmt.Sprintf("at most %d repetitions within %.0f s", allowed, refusalWatch.Seconds()),
			Seen: fmt.Sprintf("%d repetitions of a message on %s that was refused with %s", len(r.copies)-1, r.Topic,
				mqtt.CodeName(mqtt.PUBACK, mqtt.V5, r.code)),
			Evidence: check.Range(r.copies[0].N, last, "since it was refused"),
		})
	}
	return found
}
