package fault

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	wire "github.com/shakedown-test/shakedown/wire/ntp"
	"github.com/shakedown-test/shakedown/world/ntp"
)

// leapOff is how far a clock may be off around a leap second.
const leapOff = 30 * time.Second

// LeapSecond announces a leap second, and inserts it.
var LeapSecond = &check.Check{
	ID:    "fault.leap-second",
	Title: "Takes a leap second in its stride",
	Why: "The leap indicator is set a few times in a decade, so that nobody has tried it. " +
		"Devices have taken it for an alarm, run a day's schedule twice, or stamped readings with times that go back.",
	Pass:         "with the leap indicator 1 in the replies and after a second that comes twice: a clock that is right within 30 s, times in its messages that do not go back by more than 2 s on one connection, and no crash",
	Fix:          "pass over the leap indicators 1 and 2, step or slew the clock by the second when the next reply comes, and order by a running number",
	Severity:     check.Minor,
	Requirements: []string{"CRA:I.2f"},
	Rows:         []string{"clock.dst-leap"},
	Sources:      []string{"RFC 5905 section 7.3", "RFC 4330 section 4", "the criterion: ours; schedules and daylight saving time are not looked at"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, World: true},
	Impact:       check.Restarts,
	Typical:      2 * time.Minute,
	Limit:        time.Hour,
	Run:          leapSecond,
}

func leapSecond(ctx context.Context, t *check.T) error {
	mark := t.Log.Len()
	if _, err := t.Online(ctx); err != nil {
		return err
	}
	field, shows, err := t.Device.FindClock(ctx, mark, t.Device.Reports())
	if err != nil {
		return err
	}
	if !shows {
		return check.NotRun("have it publish the time of day in its readings, as a field of a JSON object", "the device does not show its clock in what it publishes")
	}
	t.Step("announce a leap second, and start it anew")
	heal := t.Impair(t.NTP.Do(ntp.Leap(wire.Leap61)))
	s, mark, err := t.Anew(ctx, t.Device.ConnectWithin()*3/2)
	if err != nil {
		return err
	}
	reply, asked, err := t.Device.AwaitTime(ctx, mark, 20*time.Second)
	if err != nil {
		return err
	}
	if s == nil || !asked {
		heal()
		if err := t.Healthy(ctx); err != nil {
			return err
		}
		if !asked {
			return check.NotApplicable("the device asked no time server when it was started anew")
		}
		t.Find(check.Finding{Severity: check.Major, Title: "Does not come online on the day of a leap second", Seen: "no connection was accepted; without the leap indicator it came"})
		return nil
	}
	if err := awaitMessages(ctx, t, field, reply.N, 3); err != nil {
		return err
	}
	t.Step("insert the second")
	announced := len(field.Clock(t.Log.Since(reply.N)))
	heal()
	t.Impair(t.NTP.Do(ntp.Offset(-time.Second)))
	if _, _, err := t.Device.AwaitTime(ctx, t.Log.Len(), syncWithin); err != nil {
		return err
	}
	if err := awaitMessages(ctx, t, field, t.Log.Len(), 2); err != nil {
		return err
	}
	shown := field.Clock(t.Log.Since(reply.N))
	t.Measure("messages with a time", float64(len(shown)), "messages", ">= 2")
	if len(shown) < 2 {
		return check.NotRun("have it publish more often", "%d messages with a time came", len(shown))
	}
	t.Find(judgeLeap(shown, announced)...)
	return nil
}

// awaitMessages waits for n messages in which the device shows its clock, or until it should have sent them.
func awaitMessages(ctx context.Context, t *check.T, f testbed.ClockField, mark, n int) error {
	for range n {
		s, ok, err := t.Device.AwaitClock(ctx, f, mark, t.Device.Reports())
		if err != nil || !ok {
			return err
		}
		mark = s.N + 1
	}
	return nil
}

// judgeLeap judges the messages in their order, of which the first so many came while the second was announced. Only the last of those
// says how right the clock is: those before it may have been written before the device was started anew.
func judgeLeap(shown []testbed.Shown, announced int) []check.Finding {
	if announced > 0 {
		if off := shown[announced-1].Off(); off.Abs() > leapOff {
			return []check.Finding{{
				Title:    "Has a wrong clock when a leap second is announced",
				Expected: fmt.Sprintf("right within %s", leapOff),
				Seen:     fmt.Sprintf("off by %.0f s", off.Seconds()),
			}}
		}
	}
	for i := 1; i < len(shown); i++ {
		if back := shown[i-1].Time.Sub(shown[i].Time); back > 2*time.Second && shown[i].Conn == shown[i-1].Conn {
			return []check.Finding{{
				Title:    "Shows times that go back around a leap second",
				Expected: "times that go forward, but for the second",
				Seen:     fmt.Sprintf("%s after %s", shown[i].Time.Format(time.RFC3339Nano), shown[i-1].Time.Format(time.RFC3339Nano)),
				Evidence: check.Range(shown[i-1].N, shown[i].N, "the two messages"),
			}}
		}
	}
	return nil
}
