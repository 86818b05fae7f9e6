package security

import (
	"context"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
)

// TLSServerName reads which host the device asks for.
var TLSServerName = &check.Check{
	ID:    "security.tls-server-name",
	Title: "Names the host that it wants in its ClientHello",
	Why: "Clouds serve many customers at one address and choose the certificate by the name that the device sends. " +
		"A device that sends none, or another one, is cut off on the day when its broker moves behind such an address.",
	Pass:         "the server_name of the first ClientHello is exactly the host name that the device is configured with, apart from upper and lower case",
	Fix:          "give the TLS library the host name, not only the address that it resolved to",
	Severity:     check.Major,
	Requirements: []string{"EN303645:5.5-1"},
	Rows:         []string{"tls.sni"},
	Sources:      []string{"RFC 6066 section 3", "RFC 9325 section 3.7"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.TLS},
	Impact:       check.Observes,
	Typical:      5 * time.Second,
	Limit:        5 * time.Minute,
	Run: func(ctx context.Context, t *check.T) error {
		host := t.Device.Part.Host
		if net.ParseIP(host) != nil {
			return check.NotApplicable("the device is configured with the address %s, and server_name holds host names only", host)
		}
		a, err := greeting(ctx, t)
		if err != nil {
			return err
		}
		t.Find(judgeServerName(host, a)...)
		return nil
	},
}

func judgeServerName(host string, a testbed.Attempt) []check.Finding {
	got := a.Hello.ServerName
	if strings.EqualFold(strings.TrimSuffix(host, "."), strings.TrimSuffix(got, ".")) {
		return nil
	}
	f := check.Finding{
		Title:    "Does not say which host it wants",
		Expected: fmt.Sprintf("server_name %q in the ClientHello", host),
		Seen:     "a ClientHello without server_name",
		Evidence: check.Range(a.First, a.Last, "the connection with the ClientHello"),
	}
	if got != "" {
		f.Title, f.Seen = "Asks for another host than it is configured with", fmt.Sprintf("server_name %q", got)
	}
	return []check.Finding{f}
}
