package testbed

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/clock"
)

func TestAwaitPacket(t *testing.T) {
	clk := clock.New(1000)
	d := &Device{bed: &Bed{Clock: clk, Log: evidence.NewLog(clk.Now, nil, false)}}
	d.bed.Log.Add(evidence.Event{Kind: evidence.Out, Data: &mqtt.Packet{Type: mqtt.PINGREQ}})
	d.bed.Log.Add(evidence.Event{Kind: evidence.In, Conn: 2, Data: &mqtt.Packet{Type: mqtt.PINGREQ}})
	ping := func(e evidence.Event, p *mqtt.Packet) bool { return p.Type == mqtt.PINGREQ }
	if e, ok, err := d.AwaitPacket(context.Background(), 0, time.Second, ping); err != nil || !ok || e.N != 1 {
		t.Errorf("event %d, %t, %v; want 1", e.N, ok, err)
	}
	if _, ok, err := d.AwaitPacket(context.Background(), 2, time.Second, ping); err != nil || ok {
		t.Errorf("where none comes: %t, %v", ok, err)
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if _, ok, err := d.AwaitPacket(ended, 2, time.Second, ping); err == nil || ok {
		t.Errorf("with a context that ended: %t, %v", ok, err)
	}
}

func TestMissing(t *testing.T) {
	subs := []mqtt.Subscription{{Filter: "a/+"}, {Filter: "b"}}
	if diff := cmp.Diff([]string{"c"}, Missing([]string{"a/+", "c"}, subs)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if missing := Missing(Filters(subs), subs); len(missing) != 0 {
		t.Errorf("of its own filters %v are missing", missing)
	}
}
