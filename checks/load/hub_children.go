package load

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/fleet/series"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
)

// HubChildren puts more and more devices behind each of a few hubs.
var HubChildren = &check.Check{
	ID:    "load.hub-children",
	Title: "Takes what a hub sends for 200 devices as it does for five",
	Why: "A gateway in an office or a hotel speaks for hundreds of sensors over one connection. Limits for one connection " +
		"were chosen with one thermostat in mind, and what is beyond them is often dropped without a word.",
	Pass: "with 5, 50 and 200 devices behind each of up to 4 hubs, each with a message of QoS 1 every 10 s, every message is acknowledged and arrives, " +
		"and no hub loses its connection",
	Fix:          "count limits by device, not by connection, or tell hubs the limit with a reason code",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2h"},
	Sources:      []string{"the figures are ours; AWS IoT Core allows 100 messages a second on a connection"},
	Needs:        check.Needs{Real: product.Cloud, Speaks: product.MQTT},
	Impact:       check.Disturbs,
	Typical:      45 * time.Second,
	Limit:        5 * time.Minute,
	Run:          hubChildren,
}

// hubs is what became of the messages of hubs with so many children.
type hubs struct {
	children                     int
	sent, unanswered, lost, gone uint64
	rejected                     uint64
	first, last                  int
}

func hubChildren(ctx context.Context, t *check.T) error {
	for _, n := range []int{5, 50, 200} {
		f, err := t.Few(ctx, 4, 1, 10*time.Second)
		if err != nil {
			return err
		}
		for i := range f.Classes {
			c := &f.Classes[i]
			c.Children, c.Commands, c.Buffer = n, nil, 1000
		}
		h := hubs{children: n, first: t.Log.Len()}
		span := check.Span(f, 10*time.Second)
		t.Step("%d hubs send for %d devices each, for %s", f.Devices, n, span)
		r, err := t.Count(ctx, testbed.Load{Fleet: f, For: span, Within: 10 * time.Second})
		if err != nil {
			return err
		}
		count := r.Totals.Counts
		h.sent, h.unanswered, h.lost, h.last = count[series.Sent], count[series.Unanswered], r.Messages.LostAcked, t.Log.Len()-1
		h.gone, h.rejected = count[series.Dropped], count[series.Rejected]
		t.Find(judgeHubs(h)...)
	}
	return nil
}

func judgeHubs(h hubs) []check.Finding {
	if h.unanswered+h.lost+h.gone+h.rejected == 0 {
		return nil
	}
	f := check.Finding{
		Title: fmt.Sprintf("Does not take all that a hub sends for %d devices", h.children), Evidence: check.Range(h.first, h.last, "the hubs send"),
		Seen: fmt.Sprintf("of %d messages %d were acknowledged and never arrived, %d were never acknowledged, %d were refused; %d connections were ended",
			h.sent, h.lost, h.unanswered, h.rejected, h.gone),
	}
	if h.lost == 0 && h.rejected > 0 && h.unanswered == 0 { // the hub is told
		f.Severity = check.Minor
	}
	return []check.Finding{f}
}
