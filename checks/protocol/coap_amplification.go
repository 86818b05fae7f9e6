package protocol

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/coap"
)

// CoapAmplification looks at a device that sends nobody much more than was asked, before it knows where they are.
var CoapAmplification = &check.Check{
	ID:       "protocol.coap-amplification",
	Title:    "Sends nobody much more than was asked, before it knows where they are",
	Why:      "A request with a forged source address makes a device send its answer to the victim. Devices that answer much more than they were asked are the weapon of denial-of-service attacks.",
	Pass:     "the answers to a small request from an address that was never heard from are no more than 3 times as long as the request; none of 3 such requests is answered with more",
	Fix:      "answer first contacts with 4.01 and an Echo option (RFC 9175), or with the first small block only",
	Severity: check.Major,
	Rows:     []string{"coap.amplification"},
	Sources:  []string{"RFC 9175 section 2.3", "RFC 7252 section 11.3; the factor of 3 is that of RFC 9000, and our choice here"},
	Needs:    check.Needs{Real: product.Device, Speaks: product.COAP, Declares: []string{"port"}, World: true},
	Impact:   check.Observes,
	Typical:  30 * time.Second,
	Limit:    10 * time.Minute,
	Run:      coapAmplification,
}

func coapAmplification(ctx context.Context, t *check.T) error {
	if _, err := t.Contact(ctx); err != nil {
		return err
	}
	door, ok := t.Device.Door()
	if !ok {
		return check.NotRun("say under port: where the device answers in its own network", "the address of the device is not known")
	}
	worst, asked, answered := 0, 0, 0
	for i := range 3 {
		near, err := t.Stranger()
		if err != nil {
			return err
		}
		m := (&coap.Message{Type: coap.CON, Code: coap.GET, ID: uint16(700 + i)}).SetPath("/.well-known/core")
		t.Step("ask it from an address that it never heard from")
		_, _, err = near.Ask(ctx, m, net.UDPAddrFromAddrPort(door), 5*time.Second)
		bytes := near.Close()
		if err != nil {
			return err
		}
		asked = len(m.Bytes())
		if bytes > 0 {
			answered++
		}
		worst = max(worst, bytes)
	}
	t.Record("%d bytes asked, at most %d answered; %d of 3 were answered", asked, worst, answered)
	if answered == 0 {
		return check.NotApplicable("the device does not answer at %s", door)
	}
	t.Measure("bytes answered for each asked", float64(worst)/float64(asked), "", "<= 3")
	if worst > 3*asked {
		t.Find(check.Finding{Title: "Answers strangers much more than they asked", Seen: fmt.Sprintf("%d bytes to a request of %d", worst, asked)})
	}
	return nil
}
