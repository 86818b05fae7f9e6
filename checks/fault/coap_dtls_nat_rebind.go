package fault

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
)

// CoapDTLSNatRebind looks at a device that stays reachable when its address changes under a DTLS session.
var CoapDTLSNatRebind = &check.Check{
	ID:       "fault.coap-dtls-nat-rebind",
	Title:    "Stays reachable when its address changes under a DTLS session",
	Why:      "A home router forgets the mapping of a quiet device within 30 s to 2 minutes. Its next packet comes from another port, and a server that knows the session by its address alone drops it, as do those that follow.",
	Pass:     "after each of two changes of its address and port, one of them after a minute, a request is answered within 30 s, by a connection id or a new handshake, and no reading is missing",
	Fix:      "offer a connection id (RFC 9146) in the handshake; without one, begin a new handshake when a message was not acknowledged twice",
	Severity: check.Blocker,
	Rows:     []string{"coap.dtls.nat-rebind"},
	Sources:  []string{"RFC 9146", "OpenMobileAlliance/OMA_LwM2M_for_Developers#137"},
	Needs:    check.Needs{Real: product.Device, Speaks: product.DTLS},
	Impact:   check.Disturbs,
	Typical:  90 * time.Second,
	Limit:    15 * time.Minute,
	Run:      coapDTLSNatRebind,
}

func coapDTLSNatRebind(ctx context.Context, t *check.T) error {
	if _, err := t.Contact(ctx); err != nil {
		return err
	}
	first := t.Log.Len()
	for _, quiet := range []time.Duration{10 * time.Second, time.Minute} {
		if err := t.Clock.Sleep(ctx, quiet); err != nil {
			return err
		}
		t.Step("its address and port change")
		mark, start := t.Log.Len(), t.Clock.Now()
		t.CoAP.Path.Rebind()
		t.Log.Add(evidence.Event{Kind: evidence.Impair, Text: "NAT mapping lost: the device has another address and port from here on"})
		usual := t.Device.Reports() // until it has something to say
		c, err := t.Device.NextContact(ctx, mark, usual+30*time.Second)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			t.Find(check.Finding{Title: "Is not heard any more when its address changes", Seen: fmt.Sprintf("no request could be answered within %s of the change", usual+30*time.Second)})
			return nil
		}
		t.MeasureTime("from the change to an answered request", c.Since.Sub(start), "<= "+(usual+30*time.Second).String())
	}
	if missing := gaps(t, first); t.Device.Has("sequence") && len(missing) > 0 {
		t.Find(check.Finding{Severity: check.Major, Title: "Loses readings when its address changes", Seen: fmt.Sprintf("missing numbers: %v", missing)})
	}
	return nil
}

// gaps are the running numbers that are missing between those that came.
func gaps(t *check.T, mark int) []int64 {
	got := map[int64]bool{}
	low, high := int64(1<<62), int64(0)
	for _, e := range t.Log.Since(mark) {
		if n, ok := t.Device.Sequence(e); ok {
			got[n] = true
			low, high = min(low, n), max(high, n)
		}
	}
	var missing []int64
	for n := low; n < high && len(missing) < 20; n++ {
		if !got[n] {
			missing = append(missing, n)
		}
	}
	return missing
}
