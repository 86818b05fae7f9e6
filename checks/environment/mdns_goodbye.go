package environment

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/mdns"
)

// MdnsGoodbye switches a device off in the orderly way.
var MdnsGoodbye = &check.Check{
	ID:    "environment.mdns-goodbye",
	Title: "Says goodbye in its home network when it is switched off",
	Why: "Apps show a device for more than an hour that was switched off or given away, and wait for it. " +
		"After a factory reset the old one stands beside the new one.",
	Pass:         "within 2 s of the end of an orderly stop the device's service instance is taken back by a record with TTL 0",
	Fix:          "send every announced record once more with TTL 0 before the network goes down, at shutdown, restart and factory reset",
	Severity:     check.Minor,
	Requirements: []string{"CRA:I.2h"},
	Rows:         []string{"net.mdns.goodbye"},
	Sources:      []string{"RFC 6762, section 10.1", "github.com/project-chip/connectedhomeip issue 13054"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, Can: []product.Capability{product.Restart}, Declares: []string{"service"}, World: true},
	Impact:       check.Restarts,
	Typical:      15 * time.Second,
	Limit:        10 * time.Minute,
	Run:          mdnsGoodbye,
}

func mdnsGoodbye(ctx context.Context, t *check.T) error {
	_, _, k, err := atHome(ctx, t)
	if err != nil {
		return err
	}
	t.Step("switch it off in the orderly way")
	mark := t.Log.Len()
	if err := t.Device.Stop(ctx); err != nil {
		return err
	}
	if _, _, err := awaitSaid(ctx, t, mark, 2*time.Second+slack(t), func(s said) bool { return takesBack(s, local(t), k.instance) }); err != nil {
		return err
	}
	t.Find(judgeGoodbye(saidIn(t.Log.Since(mark)), local(t), k.instance)...)
	return nil
}

// takesBack reports whether a packet says that the instance is gone.
func takesBack(s said, service, instance string) bool {
	for _, r := range s.Answers {
		if r.TTL == 0 && r.Name == service && r.Target == instance {
			return true
		}
	}
	return false
}

func judgeGoodbye(all []said, service, instance string) []check.Finding {
	some := 0
	for _, s := range all {
		if takesBack(s, service, instance) {
			return nil
		}
		if s.Sort == mdns.Goodbye {
			some++
		}
	}
	f := check.Finding{
		Title:    "Leaves its home network without goodbye",
		Expected: fmt.Sprintf("%s PTR %s with TTL 0", service, instance),
		Seen:     "no record with TTL 0 when it was switched off; others show it for up to 75 min",
	}
	if some > 0 {
		f.Title = "Says goodbye to its host name, not to its service"
		f.Seen = fmt.Sprintf("%d packets with TTL 0, none for the service", some)
	}
	return []check.Finding{f}
}
