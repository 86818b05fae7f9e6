package fault

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// BadPayload sends payloads to the command topic that no command can have, each followed by a good command.
var BadPayload = &check.Check{
	ID:    "fault.bad-payload",
	Title: "Rejects payloads that it cannot use, and works on",
	Why: "A cloud with a bug sends the same bad command to the whole fleet, and a retained one again after every start. " +
		"Devices that crash at it are all off at once, and stay off.",
	Pass: "after each payload (empty, truncated, nested 1,000 deep, 1e400, NaN, wrong types, repeated keys, ill-formed UTF-8, emoji) " +
		"the connection stays open and the next good command takes effect; no bad payload is carried out (blocker for truncated JSON, " +
		"major for wrong numbers, minor for the rest); given up after two that leave it deaf or away",
	Fix:          "check a payload whole before anything of it is used; report the rejection and keep the last good state",
	Severity:     check.Blocker,
	Requirements: []string{"EN303645:5.13-1B", "CRA:I.2f", "CRA:I.2h"},
	Incidents:    []string{"INC-020", "INC-022"},
	Rows:         []string{"mqtt.payload.bad"},
	Sources:      []string{"faucetsdn/udmi, test broken_config", "RFC 8259 sections 4, 6 and 8.1"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, Declares: []string{"command"}},
	Impact:       check.Disturbs,
	Typical:      30 * time.Second,
	Limit:        60 * time.Minute,
	Run:          badPayload,
}

// rejected is what was seen of a device that was sent a bad payload and then a good command.
type rejected struct {
	bad
	effect   bool     // the bad command was carried out
	restarts bool     // the process ended by itself
	words    int      // messages that it published until the good command had taken effect, without measurements
	fell     []string // what fell back to what it was before the first command
	probe    testbed.Probe
}

func badPayload(ctx context.Context, t *check.T) error {
	s, err := t.Online(ctx)
	if err != nil {
		return err
	}
	if err := t.Clock.Sleep(ctx, time.Second); err != nil { // for what it says of its state after a start
		return err
	}
	first := stateAfter(t.Log.Since(0), t.Device.Part.MQTT.Telemetry)
	control, err := reject(ctx, t, s, bad{what: "nothing"}, first)
	if err != nil {
		return err
	}
	if control.probe.Health != testbed.Answers {
		return check.NotRun("see that the declared command works and its effect shows", "a good command had no effect within 10 s")
	}
	var all []rejected
	lost := 0 // times that it was deaf or away
	for i := range badPayloads(t.Device.Command().Payload) {
		c := t.Device.Command()
		b := badPayloads(c.Payload)[i]
		b.command = &c
		t.Step("send %s, then a good command", b.what)
		f, err := reject(ctx, t, s, b, first)
		if err != nil {
			return err
		}
		all = append(all, f)
		t.Find(judgeRejected(f)...)
		if f.probe.Health == testbed.Answers {
			continue
		}
		if f.probe.Health == testbed.Deaf || f.probe.Health == testbed.StaysAway {
			t.Record("what comes after %s was not sent: one dead end decides", b.what)
			return nil
		}
		if s, err = recovered(ctx, t, f.probe); err != nil {
			return err
		}
		if f.probe.Health == testbed.Deaf || f.probe.Health == testbed.StaysAway {
			lost++
		}
		if lost == 2 {
			t.Record("given up after %s: each such payload takes minutes", b.what)
			break
		}
	}
	t.Find(judgeFallback(all, control)...)
	if t.Device.Part.MQTT.Command.Effect.Topic != "" {
		t.Find(judgeWords(all, control)...)
	}
	return nil
}

// reject sends b, looks for a second what becomes of the state, and probes the device with a good command. Of the control, which has
// nothing to send, it looks at the state for two seconds after the good command.
func reject(ctx context.Context, t *check.T, s *testbed.Session, b bad, first state) (f rejected, err error) {
	f = rejected{bad: b}
	filter := t.Device.Part.MQTT.Telemetry
	mark := t.Log.Len()
	if b.command != nil {
		before := stateAfter(t.Log.Since(0), filter)
		c := *b.command
		c.Payload = b.payload
		if err := s.Send(c); err != nil {
			return f, check.NotRun("", "the connection ended before %s could be sent", b.what)
		}
		if err := t.Clock.Sleep(ctx, time.Second); err != nil {
			return f, err
		}
		f.fell = fallback(first, before, stateAfter(t.Log.Since(0), filter))
	}
	if f.probe, err = t.Device.Probe(ctx, s, mark, t.Device.Cap()+30*time.Second); err != nil {
		return f, err
	}
	if b.command == nil {
		before := stateAfter(t.Log.Since(0), filter)
		if err := t.Clock.Sleep(ctx, 2*time.Second); err != nil {
			return f, err
		}
		f.fell = fallback(first, before, stateAfter(t.Log.Since(0), filter))
	}
	for _, e := range t.Log.Since(mark) {
		p, ok := e.Data.(*mqtt.Packet)
		switch {
		case e.Kind == evidence.Exit:
			f.restarts = true
		case b.command != nil && t.Device.Telling() && b.command.Shows(e):
			f.effect = true
		case ok && e.Kind == evidence.In && p.Type == mqtt.PUBLISH && !p.Dup && (filter == "" || !mqtt.Match(filter, p.Topic)):
			f.words++
		}
	}
	return f, nil
}

func judgeRejected(f rejected) []check.Finding {
	if dead := check.Alive(f.probe, f.what); dead != nil {
		return dead
	}
	found := check.Finding{
		Expected: "it rejects the payload, keeps its connection, and carries out the next good command",
		Evidence: check.Range(f.probe.First, f.probe.Last, "from the bad payload to the effect of the good command"),
	}
	switch {
	case f.restarts:
		found.Title = "Crashes after " + f.what + ", and starts anew"
		found.Seen = "its process ended by itself; it came back and works"
	case f.probe.Health == testbed.CameBack:
		found.Title = "Drops its connection after " + f.what
		found.Seen = "it closed the connection (" + f.probe.ClosedBy + ") and came back"
		found.Severity = check.Major
	case f.effect && f.grade != "":
		found.Title = "Carries out a command with " + f.what
		found.Seen = "the declared effect showed, as after a good command"
		found.Severity = f.grade
	default:
		return nil
	}
	return []check.Finding{found}
}

// judgeWords finds a device that says nothing about any of the payloads that it had to reject, although it answers good commands.
func judgeWords(all []rejected, control rejected) []check.Finding {
	hopeless := 0
	for _, f := range all {
		if f.grade == "" {
			continue
		}
		hopeless++
		if f.words > control.words || f.effect || f.probe.Health != testbed.Answers {
			return nil
		}
	}
	if hopeless == 0 {
		return nil
	}
	return []check.Finding{{
		Severity: check.Minor,
		Title:    "Says nothing about a command that it rejects",
		Expected: "it reports the rejection, as it reports the effect of a good command",
		Seen:     "it published nothing between the bad payload and the effect of the good command, for none of the payloads",
	}}
}
