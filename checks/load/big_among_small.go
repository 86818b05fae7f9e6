package load

import (
	"context"
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
)

// BigAmongSmall has a tenth of the fleet send large messages.
var BigAmongSmall = &check.Check{
	ID:    "load.big-among-small",
	Title: "Keeps small messages flowing among large ones",
	Why: "A few devices upload their logs over the same broker through which all others send their alarms. Where one large message holds " +
		"others up, or fills what they share, the alarms are what is lost.",
	Pass: "while a tenth of the devices send messages of 100 KiB, every message, large or small, is acknowledged and arrives, and no device is " +
		"dropped",
	Fix:          "bound what one client may have under way, and take turns between connections",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2h", "API10:API4"},
	Sources:      []string{"the sizes are ours"},
	Needs:        check.Needs{Real: product.Cloud, Speaks: product.MQTT},
	Impact:       check.Disturbs,
	Typical:      20 * time.Second,
	Limit:        time.Hour,
	Run:          bigAmongSmall,
}

const (
	large     = 100 << 10 // bytes
	largeText = `{"id":"{id}","stamp":"{stamp}","fill":"{fill}"}`
)

func bigAmongSmall(ctx context.Context, t *check.T) error {
	f, err := t.Fleet(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(f.Classes, func(c product.Class) bool { return len(c.Telemetry) > 0 && c.Identity.CSV == "" })
	if i < 0 {
		return check.NotRun("give a class telemetry:, and identities that are made from templates", "no class sends whose devices could be dealt out to two")
	}
	// A second class of the same name and identities: who of the class is one is dealt out by the shares. In a CSV file both would begin at its
	// first line.
	big := f.Classes[i]
	big.Telemetry = slices.Clone(big.Telemetry[:1])
	big.Telemetry[0].Payload, big.Telemetry[0].Encoding, big.Telemetry[0].Size = largeText, "json", large
	big.Share = f.Classes[i].Share / 10
	f.Classes[i].Share -= big.Share
	f.Classes = append(f.Classes, big)
	l := testbed.Load{Fleet: few(f, 200), For: span(f, 25*time.Second, 0.3)}
	t.Step("%d devices send, a tenth of them %d KiB at a time", f.Devices, large>>10)
	r, err := played(ctx, t, "Large messages among small ones", l, showsAcks)
	if err != nil {
		return err
	}
	return findIn(t, r, judgeHarm("Harms messages when large ones are among them", r))
}
