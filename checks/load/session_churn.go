package load

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/client"
)

// SessionChurn connects and leaves again and again, and looks for sessions that were left behind.
var SessionChurn = &check.Check{
	ID:    "load.session-churn",
	Title: "Keeps no session that was to end with its connection",
	Why: "Phones and sleepy sensors connect thousands of times a day. A broker that forgets to forget fills its memory " +
		"with the sessions of yesterday, and queues messages that nobody will fetch.",
	Pass: "of up to 20 clients that connected five times each with a clean session that ends with its connection, none finds an old session when it " +
		"then asks for one, and none is refused",
	Fix:          "end a session with its connection when its expiry is 0 (5.0) or it is clean (3.1.1), also where the connection ends without DISCONNECT",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2h"},
	Sources:      []string{"MQTT 5.0 section 3.1.2.11.2", "MQTT-3.1.2-6 of 3.1.1", "the numbers are ours"},
	Needs:        check.Needs{Real: product.Cloud, Speaks: product.MQTT},
	Impact:       check.Disturbs,
	Typical:      10 * time.Second,
	Limit:        5 * time.Minute,
	Run:          sessionChurn,
}

const (
	churnClients = 20
	churnRounds  = 5
)

// churn is what clients that came and went found.
type churn struct {
	clients, connected int
	old                []string // ids that found a session
	refused            string   // the first refusal, after some were accepted
	first, last        int
}

func sessionChurn(ctx context.Context, t *check.T) error {
	f, err := t.Fleet(ctx)
	if err != nil {
		return err
	}
	all, err := t.Cloud.Members(f, churnClients)
	if err != nil {
		return check.NotRun("describe a class whose identities come from templates", "%v", err)
	}
	version := mqtt.V311
	if f.Classes[0].Version == mqtt.V5.String() {
		version = mqtt.V5
	}
	visit := func(who product.Client, clean, orderly bool) (present bool, refused string, err error) {
		c, err := t.Cloud.Dial(ctx, who, func(o *client.Options) { o.Version, o.Clean = version, clean })
		var ack client.Received
		if err == nil {
			ack, err = c.Connect(ctx)
		}
		switch {
		case ctx.Err() != nil:
			return false, "", ctx.Err()
		case err != nil:
			return false, err.Error(), nil
		case ack.Code != 0:
			return false, ack.Packet.String(), nil
		}
		if orderly {
			c.Disconnect(0)
		} else {
			c.Reset()
		}
		return ack.SessionPresent, "", nil
	}
	g := churn{clients: len(all), first: t.Log.Len()}
	t.Step("%d clients connect and leave, %d times each", len(all), churnRounds)
	for round := range churnRounds {
		for k, who := range all {
			_, refused, err := visit(who, true, (round+k)%2 == 0) // the last time too, half of them leave without a word
			switch {
			case err != nil:
				return err
			case refused != "" && g.connected == 0:
				return check.NotRun("see that the identities of the fleet are right, under fleet: in the product file", "the first client was refused: %s", refused)
			case refused == "":
				g.connected++
			case g.refused == "":
				g.refused = refused
			}
		}
	}
	t.Step("they ask for their old sessions")
	for _, who := range all {
		present, refused, err := visit(who, false, true)
		if err != nil {
			return err
		}
		switch {
		case present:
			g.old = append(g.old, who.ID)
		case refused != "" && g.refused == "":
			g.refused = refused
		}
		if version == mqtt.V311 { // which keeps it otherwise
			if _, _, err := visit(who, true, true); err != nil {
				return err
			}
		}
	}
	g.last = t.Log.Len() - 1
	t.Measure("connections", float64(g.connected), "", "")
	t.Find(judgeChurn(g)...)
	return nil
}

func judgeChurn(g churn) []check.Finding {
	var found []check.Finding
	evidence := check.Range(g.first, g.last, "clients come and go")
	if len(g.old) > 0 {
		found = append(found, check.Finding{
			Title: "Keeps sessions that were to end with their connections", Evidence: evidence,
			Seen: fmt.Sprintf("%d of %d clients found a session after %d connections, such as %s", len(g.old), g.clients, g.connected, g.old[0]),
		})
	}
	if g.refused != "" {
		found = append(found, check.Finding{
			Title: "Turns clients away that come and go", Evidence: evidence, Seen: fmt.Sprintf("after %d connections: %s", g.connected, g.refused),
		})
	}
	return found
}
