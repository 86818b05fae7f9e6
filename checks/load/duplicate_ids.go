package load

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// DuplicateIDs has two devices with one id take each other's place again and again.
var DuplicateIDs = &check.Check{
	ID:    "load.duplicate-ids",
	Title: "Serves everybody else while two devices with one id fight",
	Why: "Two devices with one id leave the factory when a record is programmed twice. They throw each other off the broker for ever; " +
		"that must not cost the others anything, nor leave something behind each time.",
	Pass: "while two clients with one id take each other's place 30 times, the old connection ends within 10 s each time, another client stays connected " +
		"and served, and 10 s later the id can be used",
	Fix:          "give back everything that a connection holds when it is taken over, and watch for ids that change their address all the time",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2h"},
	Sources:      []string{"MQTT-3.1.4-3 of 5.0, MQTT-3.1.4-2 of 3.1.1", "the 30 times are ours"},
	Needs:        check.Needs{Real: product.Cloud, Speaks: product.MQTT},
	Impact:       check.Disturbs,
	Typical:      30 * time.Second,
	Limit:        10 * time.Minute,
	Run:          duplicateIDs,
}

const twinRounds = 30

// twins is how two devices with one id fared.
type twins struct {
	taken       int    // times one took the other's place
	stayed      int    // times the old connection was still there 10 s later
	refused     string // the last refusal
	after       error  // of the id in the end; nil: it can be used
	other       error  // of another client; nil: it was served all the time
	first, last int
}

func duplicateIDs(ctx context.Context, t *check.T) error {
	f, err := t.Fleet(ctx)
	if err != nil {
		return err
	}
	who, err := t.Cloud.Members(f, 2)
	if err != nil || len(who) < 2 {
		return check.NotRun("describe a class of two devices at least whose identities come from templates", "there are no two identities to connect with")
	}
	other, err := t.Cloud.Join(ctx, who[1])
	if err != nil {
		return check.Refuses(err)
	}
	g := twins{first: t.Log.Len()}
	old, err := t.Cloud.Join(ctx, who[0])
	if err != nil {
		return check.Refuses(err)
	}
	t.Step("two clients with the id %s take each other's place %d times", who[0].ID, twinRounds)
	for n := range twinRounds {
		next, err := t.Cloud.Join(ctx, who[0])
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			g.refused = err.Error()
			continue
		}
		g.taken++
		if _, err := old.AwaitClose(ctx, 10*time.Second); err != nil {
			g.stayed++
			old.Close()
		}
		old = next
		if n%10 == 9 && g.other == nil {
			g.other = other.Ping(ctx, 10*time.Second)
		}
	}
	old.Close()
	if err := t.Clock.Sleep(ctx, 10*time.Second); err != nil {
		return err
	}
	t.Step("one of them comes back alone")
	g.after = usable(ctx, t, who[0])
	if g.other == nil {
		g.other = other.Ping(ctx, 10*time.Second)
	}
	g.last = t.Log.Len() - 1
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if g.refused != "" {
		t.Record("refused in between: %s", g.refused)
	}
	if g.taken == 0 {
		return check.NotRun("see what protocol.broker-takeover finds, and that identities of the fleet may connect again at once",
			"the place of the first client was never taken: %s", g.refused)
	}
	t.Measure("takeovers", float64(g.taken), "", "")
	t.Find(judgeTwins(g)...)
	return nil
}

// usable connects and asks for an answer.
func usable(ctx context.Context, t *check.T, who product.Client) error {
	c, err := t.Cloud.Join(ctx, who)
	if err != nil {
		return err
	}
	defer c.Disconnect(0)
	return c.Ping(ctx, 10*time.Second)
}

func judgeTwins(g twins) []check.Finding {
	var found []check.Finding
	add := func(severity check.Severity, title, seen string) {
		found = append(found, check.Finding{Severity: severity, Title: title, Seen: seen, Evidence: check.Range(g.first, g.last, "two clients with one id")})
	}
	if g.other != nil {
		add(check.Blocker, "Drops another client while two with one id fight", fmt.Sprintf("after %d takeovers: %v", g.taken, g.other))
	}
	if g.after != nil {
		add(check.Major, "Lets nobody use an id that two clients fought for", fmt.Sprintf("10 s after %d takeovers: %v", g.taken, g.after))
	}
	if g.stayed > 0 {
		add(check.Major, "Keeps both of two clients with one id", fmt.Sprintf("%d of %d times the old connection was open 10 s after the new one was accepted", g.stayed, g.taken))
	}
	return found
}
