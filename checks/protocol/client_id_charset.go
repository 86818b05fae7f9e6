package protocol

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// ClientIDCharset looks at the length and the characters of the client id.
var ClientIDCharset = &check.Check{
	ID:    "protocol.client-id-charset",
	Title: "Has a client id that every broker takes",
	Why: "A broker need not take a client id that is long or has unusual characters. " +
		"The product works with the broker in the lab and is refused by the one that the company moves to.",
	Pass: "1 to 128 bytes of letters, digits and - _ . : only; that every server must take no more than 1 to 23 letters and digits is recorded",
	Fix:  "make the id from letters, digits and hyphens",
	// The catalogue warns of everything above 23 letters and digits. UUIDs and hyphens are too widespread, and too widely taken, to
	// be findings.
	Severity: check.Minor,
	Rows:     []string{"mqtt.connect.clientid-charset"},
	Sources: []string{
		"MQTT-3.1.3-5 (what every server must take; less than the criterion here)",
		"limit of 128 bytes: AWS IoT Core quotas, Azure IoT Hub device ids",
		"measured: NATS 2.15.2 refuses a blank",
	},
	Needs:   check.Needs{Real: product.Device, Speaks: product.MQTT},
	Impact:  check.Observes,
	Typical: 5 * time.Second,
	Limit:   5 * time.Minute,
	Run: func(ctx context.Context, t *check.T) error {
		s, err := t.Online(ctx)
		if err != nil {
			return err
		}
		id := s.Connect.Connect.ClientID
		t.Record("client id %q, %d bytes; within what every server must take: %t", id, len(id), id != "" && len(id) <= 23 && outside(id, "") == "")
		t.Find(judgeClientID(id)...)
		return nil
	},
}

func judgeClientID(id string) []check.Finding {
	f := check.Finding{Seen: fmt.Sprintf("%q, %d bytes", id, len(id))}
	switch odd := outside(id, "-_.:"); {
	case id == "":
		f.Severity = check.Info
		f.Title = "Has no client id of its own"
	case odd != "":
		f.Title = "Has unusual characters in its client id"
		f.Seen += fmt.Sprintf(", with %q", odd)
	case len(id) > 128:
		f.Title = "Has a very long client id"
	default:
		return nil
	}
	return []check.Finding{f}
}

// outside is the characters of id that are neither letters nor digits of ASCII nor in more, each once.
func outside(id, more string) string {
	var odd strings.Builder
	for _, r := range id {
		plain := '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		if !plain && !strings.ContainsRune(more, r) && !strings.ContainsRune(odd.String(), r) {
			odd.WriteRune(r)
		}
	}
	return odd.String()
}
