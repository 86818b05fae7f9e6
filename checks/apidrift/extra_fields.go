package apidrift

import (
	"bytes"
	"context"
	"encoding/json"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// ExtraFields sends commands as a newer cloud would: with fields that the device cannot know.
var ExtraFields = &check.Check{
	ID:    "apidrift.extra-fields",
	Title: "Takes commands with fields that it does not know",
	Why: "The cloud grows a field with every release, and devices in the field are years older. " +
		"One that rejects what it does not know stops obeying on the day of the release, all over the world.",
	Pass:         "a command with an unknown field, a text in front and an object at the end, takes effect within 10 s, as the same command without it does",
	Fix:          "pass over unknown fields of a payload",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2h"},
	Incidents:    []string{"INC-066"},
	Rows:         []string{"mqtt.payload.extra"},
	Sources:      []string{"faucetsdn/udmi, test extra_config"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, Declares: []string{"command"}},
	Impact:       check.Disturbs,
	Typical:      10 * time.Second,
	Limit:        20 * time.Minute,
	Run:          extraFields,
}

// sent is a command with unknown fields, and whether it took effect.
type sent struct {
	what        string
	effect      bool
	first, last int
}

func extraFields(ctx context.Context, t *check.T) error {
	s, err := t.Online(ctx)
	if err != nil {
		return err
	}
	if _, ok := withText(t.Device.Command().Payload); !ok {
		return check.NotApplicable("its command is not a JSON object")
	}
	for _, v := range []struct {
		what string
		make func([]byte) ([]byte, bool)
	}{
		{"no unknown field", func(b []byte) ([]byte, bool) { return b, true }},
		{"an unknown text in front", withText},
		{"an unknown object at the end", withObject},
	} {
		t.Step("send a command with %s", v.what)
		c, f := t.Device.Command(), sent{what: v.what, first: t.Log.Len()}
		control := v.what == "no unknown field"
		c.Payload, _ = v.make(c.Payload)
		if err := s.Send(c); err != nil {
			return check.NotRun("", "the connection ended before a command with %s could be sent", v.what)
		}
		_, err := t.Device.AwaitEffect(ctx, c, f.first, 10*time.Second+t.Clock.Device(250*time.Millisecond))
		if ctx.Err() != nil {
			return err
		}
		if control && err != nil {
			return check.NotRun("see that the declared command works: fault.bad-payload and others use it too", "a command as declared had no effect: %v", err)
		}
		f.effect, f.last = err == nil, t.Log.Len()-1
		p, err := t.Device.Probe(ctx, s, f.first, t.Device.Cap()+30*time.Second)
		if err != nil {
			return err
		}
		if dead := check.Alive(p, "a command with "+v.what); dead != nil {
			t.Find(dead...)
			return nil
		}
		t.Find(judgeExtra(f)...)
	}
	return nil
}

// withText puts a field before the others; it reports false when payload is not a JSON object.
func withText(payload []byte) ([]byte, bool) {
	return inserted(payload, `"x_shakedown_text":"new"`, "")
}

// withObject puts a field behind the others.
func withObject(payload []byte) ([]byte, bool) {
	return inserted(payload, "", `"x_shakedown":{"list":[1,2,3],"on":true}`)
}

func inserted(payload []byte, front, end string) ([]byte, bool) {
	object := bytes.TrimSpace(payload)
	var fields map[string]any
	if json.Unmarshal(object, &fields) != nil || fields == nil {
		return payload, false
	}
	inner := string(bytes.TrimSpace(object[1 : len(object)-1]))
	if inner == "" {
		return []byte("{" + front + end + "}"), true
	}
	if front != "" {
		front += ","
	}
	if end != "" {
		end = "," + end
	}
	return []byte("{" + front + inner + end + "}"), true
}

func judgeExtra(f sent) []check.Finding {
	if f.effect {
		return nil
	}
	return []check.Finding{{
		Title:    "Does not carry out a command with " + f.what,
		Expected: "the effect shows within 10 s, as for the same command without the field",
		Seen:     "no effect; the device still works",
		Evidence: check.Range(f.first, f.last, "the command with the unknown field"),
	}}
}
