package security

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/broker"
)

// SubscriptionScope reads what a device subscribes to.
var SubscriptionScope = &check.Check{
	ID:    "security.subscription-scope",
	Title: "Subscribes to its own topics only",
	Why: "A device that listens to all topics hears its neighbours' data, and whoever opens one device hears all homes. " +
		"Some such devices carry out their neighbours' commands too.",
	Pass:         "no topic filter of the device matches a topic of its own with another device's id in place of its id, nor every topic",
	Fix:          "put the device id in place of the wildcard in the topic filter; let the broker's rules refuse anything wider",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2d", "CRA:I.2j"},
	Rows:         []string{"mqtt.topic.filter-scope"},
	Sources:      []string{"MQTT 5.0 section 5.4.2", "AWS IoT Device Advisor, test Security Device Policies (looks at the policy in the cloud; here the device's own filters are looked at)"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT},
	Impact:       check.Observes,
	Typical:      10 * time.Second,
	Limit:        5 * time.Minute,
	Run:          subscriptionScope,
}

func subscriptionScope(ctx context.Context, t *check.T) error {
	s, err := t.Online(ctx)
	if err != nil {
		return err
	}
	subs, err := check.Subscriptions(s)
	if err != nil {
		return err
	}
	t.Step("compare what it subscribes to with what is its own")
	if err := t.Clock.Sleep(ctx, 2*time.Second); err != nil { // what it publishes tells which topics are its own
		return err
	}
	filters := testbed.Filters(subs)
	neighbours := neighbourTopics(ownTopics(t, s, filters), []string{s.Conn.ClientID(), t.Device.ID})
	wide := wideFilters(filters, neighbours)
	if len(wide) == 0 && len(neighbours) == 0 {
		return check.NotRun("declare the command topic, with {id} for the device id",
			"which topics are its own cannot be told: none of those that are known holds its client id or device id")
	}
	var f scope
	f.wide = wide
	if len(wide) > 0 && t.Device.Has("command") {
		if f.obeys, err = obeys(ctx, t, s, neighbours, filters); err != nil {
			return err
		}
	}
	found := judgeScope(f)
	for i := range found {
		found[i].Evidence = check.Range(s.Mark, t.Log.Len()-1, "from CONNACK on: what it subscribed to")
	}
	t.Find(found...)
	return nil
}

// ownTopics are the topics that are known to belong to the device: of its will, of what it published, of its commands, and its filters
// without wildcards.
func ownTopics(t *check.T, s *testbed.Session, filters []string) []string {
	var topics []string
	if w := s.Connect.Connect.Will; w != nil {
		topics = append(topics, w.Topic)
	}
	if t.Device.Has("command") {
		topics = append(topics, t.Device.Command().Topic)
	}
	for _, e := range t.Log.Since(0) {
		if p, ok := broker.Got(e, mqtt.PUBLISH); ok && p.Topic != "" {
			topics = append(topics, p.Topic)
		}
	}
	for _, f := range filters {
		if !strings.ContainsAny(f, "+#") {
			topics = append(topics, f)
		}
	}
	slices.Sort(topics)
	return slices.Compact(topics)
}

// neighbourTopics are the topics with another id in place of the device's, for those that hold one of its ids. An id of fewer than 4
// bytes is too short to be told from other words.
func neighbourTopics(topics, ids []string) []string {
	var neighbours []string
	for _, topic := range topics {
		for _, id := range ids {
			if len(id) >= 4 && strings.Contains(topic, id) {
				neighbours = append(neighbours, strings.ReplaceAll(topic, id, "neighbour-of-"+id))
			}
		}
	}
	slices.Sort(neighbours)
	return slices.Compact(neighbours)
}

// wideFilters are the filters that match a topic of a neighbour, or all topics.
func wideFilters(filters, neighbours []string) []string {
	var wide []string
	for _, f := range filters {
		_, pattern, _ := mqtt.SplitShare(f)
		if pattern == "#" || pattern == "+/#" || slices.ContainsFunc(neighbours, func(n string) bool { return mqtt.Match(pattern, n) }) {
			wide = append(wide, f)
		}
	}
	return wide
}

// obeys sends a command on the command topic of a neighbour, if the device subscribes to it, and reports whether the device carries
// it out.
func obeys(ctx context.Context, t *check.T, s *testbed.Session, neighbours, filters []string) (bool, error) {
	c := t.Device.Command()
	for _, n := range neighbourTopics([]string{c.Topic}, []string{s.Conn.ClientID(), t.Device.ID}) {
		if !slices.Contains(neighbours, n) || len(wideFilters(filters, []string{n})) == 0 {
			continue
		}
		t.Step("send a command to its neighbour, on %s", n)
		c.Topic = n
		mark := t.Log.Len()
		if s.Send(c) != nil {
			return false, nil
		}
		_, err := t.Device.AwaitEffect(ctx, c, mark, 5*time.Second)
		return err == nil, ctx.Err()
	}
	return false, nil
}

// scope is how far a device listens.
type scope struct {
	wide  []string // filters that match more than its own topics
	obeys bool     // it carried out a neighbour's command
}

func judgeScope(f scope) []check.Finding {
	if len(f.wide) == 0 {
		return nil
	}
	found := check.Finding{
		Title:    "Listens to its neighbours' topics",
		Expected: "topic filters that match the device's own topics only",
		Seen:     fmt.Sprintf("it subscribes to %s", strings.Join(f.wide, ", ")),
	}
	if f.obeys {
		found.Title = "Carries out its neighbours' commands"
		found.Seen += ", and showed the effect of a command to a neighbour"
	}
	return []check.Finding{found}
}
