package testbed

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/client"
	"github.com/shakedown-test/shakedown/world/scenario"
)

// Room is a part of a cloud's topic tree in which some identities may both write and read: the place for a check.
type Room struct {
	Root    string // topics below it are theirs, such as "thermostat/a/shakedown-1f2e"
	Members []product.Client
	Version mqtt.Version // newest that the cloud speaks

	cloud *Cloud
}

// Open reports whether no identities are declared for the cloud: it is then open to all, and identities are made up.
func (c *Cloud) Open() bool { return len(c.Part.Clients) == 0 }

// Identities are the declared identities, with {id} in their topics filled in; of an open cloud n that are made up.
func (c *Cloud) Identities(n int) []product.Client {
	var all []product.Client
	for _, who := range c.Part.Clients {
		who.Publish, who.Subscribe = filled(who.Publish, who.ID), filled(who.Subscribe, who.ID)
		all = append(all, who)
	}
	if !c.Open() {
		return all
	}
	for i := range n {
		all = append(all, product.Client{ID: fmt.Sprintf("%s-%d", c.word(), i+1)})
	}
	return all
}

// word is one that is used in this job only.
func (c *Cloud) word() string { return fmt.Sprintf("shakedown-%04x", c.bed.cfg.Seed&0xffff) }

func filled(topics []string, id string) []string {
	var out []string
	for _, t := range topics {
		out = append(out, strings.ReplaceAll(t, "{id}", id))
	}
	return out
}

// Room finds a part of the topic tree for n identities. It reports false when the declared ones share none. Version is not filled in.
func (c *Cloud) Room(n int) (Room, bool) {
	all := c.Identities(n)
	var bases []string
	for _, who := range all {
		for _, filter := range who.Publish {
			if base, ok := strings.CutSuffix(filter, "#"); ok {
				bases = append(bases, strings.TrimPrefix(TopicUnder(base)+c.word(), "/"))
			}
		}
	}
	if c.Open() {
		bases = []string{c.word()}
	}
	for _, root := range bases {
		room := Room{Root: root, cloud: c}
		for _, who := range all {
			if c.Open() || May(who.Publish, root+"/a/b") && May(who.Subscribe, root+"/a/b") {
				room.Members = append(room.Members, who)
			}
		}
		if len(room.Members) >= n {
			return room, true
		}
	}
	return Room{}, false
}

// May reports whether one of the declared topics of an identity covers a topic.
func May(declared []string, topic string) bool {
	for _, filter := range declared {
		if mqtt.Match(filter, topic) {
			return true
		}
	}
	return false
}

// Topic is a topic, or filter, of the room.
func (r Room) Topic(name string) string { return r.Root + "/" + name }

// Join connects member i; see Cloud.Join.
func (r Room) Join(ctx context.Context, i int, change ...func(*client.Options)) (*client.Conn, error) {
	return r.cloud.Join(ctx, r.Members[i], append([]func(*client.Options){r.speak}, change...)...)
}

// Dial opens a connection of member i without sending CONNECT.
func (r Room) Dial(ctx context.Context, i int, change ...func(*client.Options)) (*client.Conn, error) {
	return r.cloud.Dial(ctx, r.Members[i], append([]func(*client.Options){r.speak}, change...)...)
}

func (r Room) speak(o *client.Options) { o.Version = r.Version }

// Stage makes the room the stage of scenarios, for two members in the given MQTT version.
func (r Room) Stage(v mqtt.Version) *scenario.Stage {
	r.Version = v
	s := &scenario.Stage{Version: v, Root: r.Root, Clock: r.cloud.bed.Clock, Log: r.cloud.bed.Log, Dial: r.Dial}
	if forbidden := "shakedown-forbidden/" + r.cloud.word(); !r.cloud.Open() && !May(r.Members[0].Subscribe, forbidden) {
		s.Forbidden = forbidden
	}
	return s
}

// Echo has a client publish a message to a topic that it subscribes to for this, and waits for it: the proof that the cloud serves it.
func Echo(ctx context.Context, c *client.Conn, topic string) error {
	codes, err := c.Subscribe(ctx, mqtt.Subscription{Filter: topic, QoS: 1})
	if err == nil && (len(codes) != 1 || codes[0] > 2) {
		err = fmt.Errorf("the subscription to %s was refused with % X", topic, codes)
	}
	if err != nil {
		return err
	}
	word := fmt.Sprintf("echo-%d-%d", c.Number(), c.NextID())
	if _, err := c.Publish(ctx, mqtt.Packet{Topic: topic, QoS: 1, Payload: []byte(word)}); err != nil {
		return err
	}
	_, err = c.Await(ctx, 10*time.Second, func(p *mqtt.Packet) bool { return p.Type == mqtt.PUBLISH && string(p.Payload) == word })
	return err
}

// Tidy clears what was left on a cloud that goes on after the job: retained messages and sessions, as far as the log shows them.
func (r Room) Tidy(ctx context.Context) {
	retained, sessions := map[string]bool{}, map[string]bool{}
	for _, e := range r.cloud.bed.Log.Since(0) {
		p, ok := e.Data.(*mqtt.Packet)
		switch {
		case !ok || e.Kind != evidence.Out:
		case p.Type == mqtt.PUBLISH && p.Retain:
			retained[p.Topic] = len(p.Payload) > 0
		case p.Type == mqtt.CONNECT:
			sessions[p.Connect.ClientID] = sessions[p.Connect.ClientID] || !p.Connect.Clean || p.Props.Has(mqtt.SessionExpiry)
			if w := p.Connect.Will; w != nil && w.Retain {
				retained[w.Topic] = true
			}
		}
	}
	for i, who := range r.Members {
		if !sessions[who.ID] && (i > 0 || len(retained) == 0) {
			continue
		}
		conn, err := r.Join(ctx, i)
		if err != nil {
			return // it is gone, or does not let us in: there is nothing to tidy with
		}
		for topic, is := range retained {
			if is && i == 0 {
				_, _ = conn.Publish(ctx, mqtt.Packet{Topic: topic, Retain: true, QoS: 1})
			}
		}
		conn.Disconnect(0)
	}
}
