package load

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/client"
)

// HalfOpen leaves connections behind as devices do that lose their power, and has the devices come back.
var HalfOpen = &check.Check{
	ID:    "load.half-open",
	Title: "Takes devices back whose old connections are still open",
	Why: "A device whose power or router fails leaves a connection behind that looks alive, and is back before anybody notices. A " +
		"broker that keeps the old one, or turns the new one away, has thousands of such devices after a storm.",
	Pass: "of up to 20 devices that fall silent with their connection open and connect anew, all are accepted and served, and all old connections " +
		"are ended within 10 s; those that then stay silent are ended after two and a half keep-alives at the latest",
	Fix:          "let a new connection of a client id end the old one, and keep to the keep-alive of CONNECT",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2h"},
	Sources:      []string{"MQTT 3.1.1 and 5.0 section 3.1.4 [MQTT-3.1.4-2, -3], section 3.1.2.10 [MQTT-3.1.2-24]"},
	Needs:        check.Needs{Real: product.Cloud, Speaks: product.MQTT},
	Impact:       check.Disturbs,
	Typical:      40 * time.Second,
	Limit:        10 * time.Minute,
	Run:          halfOpen,
}

const silentAfter = 10 // seconds, the keep-alive of those that stay silent

// halves is what became of connections that were left behind.
type halves struct {
	devices int
	refused []string // why new connections were not accepted or not served
	kept    int      // old connections that were not ended
	silent  int      // silent connections past two and a half keep-alives
}

func halfOpen(ctx context.Context, t *check.T) error {
	f, err := t.Fleet(ctx)
	if err != nil {
		return err
	}
	members, err := t.Cloud.Members(f, 20)
	if err != nil {
		return check.NotRun("use identities with a user and a password", "%v", err)
	}
	version, err := t.Cloud.Version(ctx, members[0])
	if err != nil {
		return err
	}
	speak := func(o *client.Options) { o.Version, o.KeepAlive = version, silentAfter }
	t.Step("connect %d devices, and let them fall silent", len(members))
	first := t.Log.Len()
	var old []*client.Conn
	for _, who := range members {
		c, err := t.Cloud.Join(ctx, who, speak, func(o *client.Options) { o.KeepAlive = 600 })
		if err != nil {
			return check.Refuses(err)
		}
		c.Silence()
		old = append(old, c)
	}
	t.Step("connect them anew")
	o := halves{devices: len(members)}
	var anew []*client.Conn
	for _, who := range members {
		c, err := t.Cloud.Join(ctx, who, speak)
		if err == nil {
			anew = append(anew, c)
			err = c.Ping(ctx, 10*time.Second)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			o.refused = append(o.refused, err.Error())
		}
	}
	if o.kept, err = open(ctx, t, old, 10*time.Second); err != nil {
		return err
	}
	t.Step("let them fall silent for good")
	for _, c := range anew {
		c.Silence()
	}
	within := silentAfter*5/2*time.Second + t.Clock.Device(200*time.Millisecond)
	if o.silent, err = open(ctx, t, anew, within); err != nil {
		return err
	}
	for _, found := range judgeHalves(o) {
		found.Evidence = check.Range(first, t.Log.Len()-1, "the connections of all devices")
		t.Find(found)
	}
	return nil
}

// open is how many of the connections are still open after a while. The error is ctx's.
func open(ctx context.Context, t *check.T, all []*client.Conn, within time.Duration) (n int, err error) {
	start := t.Clock.Now()
	for _, c := range all {
		if _, err := c.AwaitClose(ctx, max(0, within-t.Clock.Since(start))); err != nil && c.Ended() == nil {
			n++
		}
	}
	return n, ctx.Err()
}

func judgeHalves(o halves) []check.Finding {
	var found []check.Finding
	if n := len(o.refused); n > 0 {
		found = append(found, check.Finding{
			Title: "Does not take devices back whose old connection is still open",
			Seen:  fmt.Sprintf("%d of %d devices were not accepted or not served anew, as with: %s", n, o.devices, o.refused[0]),
		})
	}
	if o.kept > 0 {
		found = append(found, check.Finding{
			Title: "Keeps old connections of devices that came back",
			Seen:  fmt.Sprintf("%d of %d old connections were still open 10 s after their client id had connected anew", o.kept, o.devices),
		})
	}
	if o.silent > 0 {
		found = append(found, check.Finding{
			Severity: check.Major, Title: "Keeps connections of devices that are gone",
			Seen: fmt.Sprintf("%d of %d connections with a keep-alive of %d s were still open after %.0f s of silence",
				o.silent, o.devices, silentAfter, silentAfter*2.5),
		})
	}
	return found
}
