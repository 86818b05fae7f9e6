package environment

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
)

// IPv6Only starts the device in a network of IPv6 only.
var IPv6Only = &check.Check{
	ID:    "environment.ipv6-only",
	Title: "Comes online in a network of IPv6 only",
	Why: "Mobile providers, and more and more companies, run networks of IPv6 only, in which NAT64 and DNS64 lead to all that has an IPv4 address alone. " +
		"Of 93 devices for the home only a few worked in one. A device that does not is to wait there quietly.",
	Pass: "in a network of IPv6 only with NAT64, DNS64 and a resolver in router advertisements it is online within 1.5 times its connect time and 20 s; " +
		"one that is not sends at most 60 packets of a kind a minute: DHCP, DNS, connections begun (else minor)",
	Fix:          "make an address by SLAAC, take the resolver from router advertisements (RFC 8106), and connect to IPv6 addresses of the cloud's name",
	Severity:     check.Info,
	Requirements: []string{"CRA:I.2h"},
	Rows:         []string{"net.ipv6.only"},
	Sources:      []string{"RFC 6146", "RFC 6147", "RFC 8106", "ACM IMC 2024: IPv6 in 93 devices for the home", "limits: ours"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, World: true},
	Impact:       check.Restarts,
	Typical:      40 * time.Second,
	Limit:        30 * time.Minute,
	Run:          ipv6Only,
}

// sixOnlyMost is how many packets of a kind a minute are in order for a device that does not come online.
const sixOnlyMost = 60

// without4 is what a device did that did not come online in a network of IPv6 only.
type without4 struct {
	over  time.Duration // it was watched for
	most  int           // packets of the kind of which it sent most
	kind  string
	took  bool // it made an address of the network's prefix
	asked int  // DNS queries that came from it
}

func ipv6Only(ctx context.Context, t *check.T) error {
	heal, err := t.OnlyIPv6(homePrefix)
	if err != nil {
		return err
	}
	globals, sent := globalAddresses(t), t.Watch()
	var kept atomic.Bool
	watch(t, func(f []byte) {
		if a, ok := source(f); ok && a.IsGlobalUnicast() {
			kept.Store(true)
		}
	})
	t.Step("start it in a network of IPv6 only, with NAT64 and DNS64")
	start, within := t.Clock.Now(), t.Device.ConnectWithin()*3/2+20*time.Second
	s, mark, err := t.Anew(ctx, within)
	if err != nil {
		return err
	}
	cloud := t.CloudAt().Port()
	if s != nil {
		for _, p := range sent.Sent(true, cloud) {
			if p.To.Addr().Is6() {
				t.MeasureTime("power-on to online in a network of IPv6 only", s.Since.Sub(start), "<= "+within.String())
				return nil
			}
		}
		return check.NotRun("see its connections in the evidence", "it came online without connecting by IPv6")
	}
	w := without4{over: t.Clock.Since(start), took: len(globals()) > 0, asked: len(questions(t.Log.Since(mark), ""))}
	for kind, n := range map[string]int{
		"of DHCP": len(sent.Sent(false, 67)), "of DNS": len(sent.Sent(false, 53)), "that begin a connection to its cloud": len(sent.Sent(true, cloud)),
	} {
		if n > w.most || n == w.most && kind < w.kind {
			w.most, w.kind = n, kind
		}
	}
	if kept.Load() {
		return check.NotApplicable("it used an IPv4 address that the network did not give it")
	}
	last := t.Log.Len() - 1
	t.Step("give its network IPv4 back, and take IPv6 away")
	heal()
	mark = t.Log.Len()
	if err := t.Healthy(ctx); err != nil {
		return err
	}
	if len(heard(t, mark, evidence.Out, granted)) == 0 {
		return static(t)
	}
	for _, f := range judgeWithout4(w) {
		f.Evidence = check.Range(0, last, "in a network of IPv6 only")
		t.Find(f)
	}
	return nil
}

func judgeWithout4(w without4) (found []check.Finding) {
	how := "it made no address of the network's prefix"
	switch {
	case w.asked > 0:
		how = fmt.Sprintf("it asked DNS %d times", w.asked)
	case w.took:
		how = "it has an address of the network's prefix, and asked no DNS"
	}
	found = append(found, check.Finding{
		Title: "Does not come online in a network of IPv6 only",
		Seen:  fmt.Sprintf("no accepted connection within %.0f s; %s", w.over.Seconds(), how),
	})
	if float64(w.most) > sixOnlyMost*w.over.Minutes() {
		found = append(found, check.Finding{
			Title:    "Sends without a pause in a network of IPv6 only",
			Severity: check.Minor,
			Expected: fmt.Sprintf("at most %d packets of a kind a minute", sixOnlyMost),
			Seen:     fmt.Sprintf("%d packets %s in %.0f s", w.most, w.kind, w.over.Seconds()),
		})
	}
	return found
}
