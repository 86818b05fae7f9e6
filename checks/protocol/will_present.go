package protocol

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/broker"
)

// WillPresent takes the power away from a device and compares its will with its birth message.
var WillPresent = &check.Check{
	ID:    "protocol.will-present",
	Title: "Leaves a will that takes back what its birth message said",
	Why: "The app shows a device that lost its power as online, for days. " +
		"Or it shows a device that is back as offline, because will and birth message do not go together.",
	Pass:         "after a power cut the will is published within 1.5 times the keep-alive, on the topic and with the retain flag of the birth message that came within 10 s of connecting, and with another payload",
	Fix:          "set a will in CONNECT and publish the birth message after CONNACK: same topic, same retain flag, another payload",
	Severity:     check.Major,
	Requirements: []string{"EN303645:5.9-2"},
	Rows:         []string{"mqtt.will.present"},
	Sources:      []string{"MQTT-3.1.2-8 (3.1.1 and 5.0)", "MQTT-3.1.2-17 (3.1.1)", "github.com/jasoncoon/PinkyLEDs issue 6"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, Can: []product.Capability{product.PowerCut}},
	Impact:       check.Restarts,
	Typical:      90 * time.Second,
	Limit:        45 * time.Minute,
	Run:          willPresent,
}

func willPresent(ctx context.Context, t *check.T) error {
	s, err := t.Online(ctx)
	if err != nil {
		return err
	}
	f := wills{will: s.Connect.Connect.Will, connect: s.Mark}
	if f.will == nil && !t.Device.Has("status") {
		return check.NotApplicable("it leaves no will, and no status topic is declared")
	}
	if f.will == nil {
		t.Find(judgeWills(f)...)
		return nil
	}
	k, err := check.KeepAlive(s)
	if err != nil {
		return err
	}
	if f.birth, err = awaitBirth(ctx, t, s, f.will.Topic); err != nil {
		return err
	}
	t.Step("take the power away; its will is due within %.0f s", (k * 3 / 2).Seconds())
	mark := t.Log.Len()
	if err := t.Device.Cut(ctx); err != nil {
		return err
	}
	start := t.Clock.Now()
	// A will can be delayed [MQTT 5.0 section 3.1.3.2.2]; the broker's clock runs from the last packet, so it is never later than this.
	due := k*3/2 + time.Duration(f.will.Props.Int(mqtt.WillDelay, 0))*time.Second + t.Clock.Device(time.Second)
	wait, cancel := t.Clock.Timeout(ctx, due)
	defer cancel()
	_, err = t.Log.Await(wait, mark, func(e evidence.Event) bool { _, ok := broker.Willed(e); return ok })
	if err != nil {
		return check.NotRun("see that the driver's power cut really takes the power away", "its will was not published within %s of the power cut", due)
	}
	t.MeasureTime("power cut to will", t.Clock.Since(start), "<= "+(k*3/2).String())
	t.Find(judgeWills(f)...)
	return nil
}

// awaitBirth waits up to 10 s for a message of the session on the will's topic, which in 3.1.1 may come before CONNACK. The packet is
// nil when none comes.
func awaitBirth(ctx context.Context, t *check.T, s *testbed.Session, topic string) (*mqtt.Packet, error) {
	e, _, err := t.Device.AwaitPacket(ctx, 0, 10*time.Second, func(e evidence.Event, p *mqtt.Packet) bool {
		return e.Conn == s.Conn.Number() && p.Type == mqtt.PUBLISH && p.Topic == topic
	})
	birth, _ := broker.Got(e, mqtt.PUBLISH)
	return birth, err
}

// wills is what a device says of itself at its birth, and leaves behind.
type wills struct {
	will    *mqtt.Will   // nil: none
	birth   *mqtt.Packet // first message on the will's topic; nil: none
	connect int          // number of the CONNACK event
}

func judgeWills(f wills) []check.Finding {
	found := check.Finding{Evidence: check.Range(max(0, f.connect-1), f.connect, "its CONNECT, and the answer")}
	switch {
	case f.will == nil:
		found.Title, found.Seen = "Leaves no will", "CONNECT has no will, so nobody is told when it loses its power"
	case f.birth == nil:
		found.Title = "Does not take back its will when it is back"
		found.Seen = "it published nothing on the will's topic " + f.will.Topic + " within 10 s of connecting"
	case f.birth.Retain != f.will.Retain:
		found.Title = "Retains only one of birth message and will"
		found.Seen = "on " + f.will.Topic + " the birth message is " + retained(f.birth.Retain) + ", the will is " + retained(f.will.Retain)
	case string(f.birth.Payload) == string(f.will.Payload):
		found.Title, found.Seen = "Says the same in birth message and will", "on "+f.will.Topic+" both have the same payload"
	default:
		return nil
	}
	return []check.Finding{found}
}

func retained(is bool) string {
	if is {
		return "retained"
	}
	return "not retained"
}
