package load

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/fleet/payload"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/client"
)

// WillFlood cuts all devices off at once, so that all their wills are due.
var WillFlood = &check.Check{
	ID:    "load.will-flood",
	Title: "Publishes every will when all devices are lost at once",
	Why: "When a site loses its power, the wills of all its devices are due in the same moment. What of them gets lost shows as " +
		"devices that are online in the app for days, although they are dead.",
	Pass:         "when up to 500 devices with a will of QoS 1 are cut off at once and stay away, the will of each is published within 30 s",
	Fix:          "publish wills through the same bounded queues as other messages, and let the loss of a connection wait for them",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2h"},
	Sources:      []string{"MQTT 3.1.1 and 5.0 section 3.1.2.5, [MQTT-3.1.2-8]: the will must be published", "the 30 s are ours"},
	Needs:        check.Needs{Real: product.Cloud, Speaks: product.MQTT},
	Impact:       check.Disturbs,
	Typical:      20 * time.Second,
	Limit:        time.Hour,
	Run:          willFlood,
}

const (
	lastWords = `{"id":"{id}","online":false,"stamp":"shakedown"}`
	away      = product.Duration(time.Hour) // longer than any of these runs goes on after the cut
)

func willFlood(ctx context.Context, t *check.T) error {
	f, err := t.Fleet(ctx)
	if err != nil {
		return err
	}
	filters, err := withWills(few(f, 500))
	if err != nil {
		return err
	}
	watcher, err := t.LookOn(ctx, t.Cloud.Operator(f), filters)
	if err != nil {
		return err
	}
	l := testbed.Load{Fleet: quiet(f), Shape: "reconnect-storm", For: span(f, 20*time.Second, 0.3), Blind: true}
	t.Step("connect %d devices with a will, and cut them off together", f.Devices)
	first := t.Log.Len()
	r, err := played(ctx, t, "All devices are lost at once", l, showsConnections)
	if err != nil {
		return err
	}
	w := wills{}
	if len(r.Outages) == 0 || r.Outages[0].Devices == 0 {
		return check.NotRun("see what load.connect-ramp finds", "no device was connected when they were to be cut off")
	}
	w.cut = r.Outages[0].Devices
	t.Step("wait for their wills")
	wait, cancel := t.Clock.Timeout(ctx, max(30*time.Second, t.Clock.Device(3*time.Second)))
	defer cancel()
	for {
		w.count(watcher)
		if len(w.due) >= w.cut || watcher.Ended() != nil || t.Clock.Sleep(wait, 500*time.Millisecond) != nil {
			break
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	t.Measure("devices whose will was published", float64(len(w.due)), "", fmt.Sprintf(">= %d", w.cut))
	for _, found := range judgeWills(w) {
		found.Evidence = check.Range(first, t.Log.Len()-1, "what the watcher got")
		t.Find(found)
	}
	return nil
}

// withWills gives every class a will on the topic of its telemetry, where its devices may write, and says where they can be seen. A device
// that was cut off stays away.
func withWills(f *product.Fleet) (filters []string, err error) {
	for i := range f.Classes {
		c := &f.Classes[i]
		topic := ""
		if c.Will != nil {
			topic = c.Will.Topic
		} else if len(c.Telemetry) > 0 {
			topic = c.Telemetry[0].Topic
		}
		filter := payload.Filter(topic)
		if topic == "" {
			return nil, check.NotRun("give each class a will: or telemetry:", "it is not known where devices of class %s may write", c.Name)
		}
		c.Will = &product.Post{Topic: topic, Payload: lastWords, Encoding: "json", QoS: 1}
		// A site without power stays away. Of a device that comes back before its loss was noticed a will helps nobody, and nats-server drops it.
		c.Backoff = &product.Backoff{First: away, Factor: 1, Cap: away, Jitter: "none"}
		if !slices.Contains(filters, filter) {
			filters = append(filters, filter)
		}
	}
	return filters, nil
}

// wills are those that were due and came.
type wills struct {
	cut  int             // devices that were cut off together
	came int             // wills, two of one device count twice
	due  map[string]bool // devices whose will came
}

func (w *wills) count(c *client.Conn) {
	w.came, w.due = 0, map[string]bool{}
	for _, m := range c.Messages() {
		var said struct {
			ID     string `json:"id"`
			Online *bool  `json:"online"`
		}
		if m.Type == mqtt.PUBLISH && json.Unmarshal(m.Payload, &said) == nil && said.Online != nil && !*said.Online {
			w.came++
			w.due[said.ID] = true
		}
	}
}

func judgeWills(w wills) []check.Finding {
	if len(w.due) >= w.cut {
		return nil
	}
	return []check.Finding{{
		Title: "Loses wills when many devices are lost at once",
		Seen:  fmt.Sprintf("the wills of %d of %d devices came, %d messages in all", len(w.due), w.cut, w.came),
	}}
}
