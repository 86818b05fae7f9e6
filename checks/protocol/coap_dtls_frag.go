package protocol

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/pki"
)

// CoapDTLSFrag looks at a device that completes a handshake over a path with a small MTU.
var CoapDTLSFrag = &check.Check{
	ID:       "protocol.coap-dtls-frag",
	Title:    "Completes a handshake over a path with a small MTU",
	Why:      "Mobile and mesh networks carry small packets only, and certificates are large. A device that sends its own in one packet, or cannot put fragments together, works in the office alone.",
	Pass:     "with a server certificate that is 20 % larger than usual the handshake completes within connect_within and 60 s where no IP packet above 1280 bytes passes, and where none above 600 does",
	Fix:      "limit the handshake's datagrams to 508 bytes, or halve them when a flight is not answered, and put fragments of handshake messages together",
	Severity: check.Major,
	Rows:     []string{"coap.dtls.frag"},
	Sources:  []string{"RFC 6347 sections 4.1.1.1 and 4.2.3", "Mbed-TLS/mbedtls#1840"},
	Needs:    check.Needs{Real: product.Device, Speaks: product.DTLS, Can: []product.Capability{product.Restart}},
	Impact:   check.Restarts,
	Typical:  60 * time.Second,
	Limit:    15 * time.Minute,
	Run:      coapDTLSFrag,
}

func coapDTLSFrag(ctx context.Context, t *check.T) error {
	good, err := t.PKI.Server(pki.Good, t.Device.Part.Host)
	if err != nil {
		return err
	}
	large, err := t.PKI.Server(pki.LargePlus20, t.Device.Part.Host)
	if err != nil {
		return err
	}
	t.Step("show it a certificate, and nothing else")
	t.Impair(t.Certified(good, 1200))
	if _, err := t.Contact(ctx); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return check.NotApplicable("the device makes no session with a server that has a certificate only")
	}
	for _, mtu := range []int{1280, 600} {
		t.Step("a larger certificate, and no IP packet above %d bytes", mtu)
		t.Impair(t.Certified(large, mtu-28-60)) // the server itself keeps to it, with room for headers
		heal := t.Impair(t.CoAP.Path.MTU(mtu))
		if err := t.Device.Stop(ctx); err != nil {
			return err
		}
		mark, within := t.Log.Len(), t.Device.ConnectWithin()+time.Minute
		if err := t.Device.Start(ctx); err != nil {
			return err
		}
		e, ok, err := t.Device.AwaitEvent(ctx, mark, within, func(e evidence.Event) bool { return e.Kind == evidence.Secure })
		heal()
		if err != nil {
			return err
		}
		if !ok {
			t.Find(check.Finding{
				Title: fmt.Sprintf("Completes no handshake where packets are limited to %d bytes", mtu),
				Seen:  fmt.Sprintf("no session within %s, with a certificate message of %d bytes", within, pki.MessageSize(large)),
			})
			return nil
		}
		t.MeasureTime(fmt.Sprintf("power-on to a session at MTU %d", mtu), e.At.Sub(t.Log.Since(mark)[0].At), "<= "+within.String())
	}
	return nil
}
