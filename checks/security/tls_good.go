package security

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
)

// TLSGood is what all other checks of TLS are compared with.
var TLSGood = &check.Check{
	ID:    "security.tls-good",
	Title: "Connects over TLS to a server with a good certificate",
	Why: "A device that cannot verify a good certificate never gets online. " +
		"One that leaves TLS out is read and commanded by everybody in between.",
	Pass:         "the first application byte comes over TLS, within 30 s of the opening of its connection",
	Fix:          "read the alert and the device's console in the evidence: the roots, the time, the host name and the memory are the usual reasons; for speed, use ECDSA and the hardware's cryptography",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2e", "EN303645:5.5-1"},
	Rows:         []string{"tls.cert.ok"},
	Sources:      []string{"AWS IoT Device Advisor, test TLS Connect (the limit of 30 s is ours)"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.TLS},
	Impact:       check.Observes,
	Typical:      5 * time.Second,
	Limit:        5 * time.Minute,
	Run:          tlsGood,
}

// handshakeLimit is how long the way from a TCP connection to application data may take.
const handshakeLimit = 30 * time.Second

func tlsGood(ctx context.Context, t *check.T) error {
	t.Step("power on, and wait for application data")
	mark := t.Log.Len()
	if err := t.Device.Start(ctx); err != nil {
		return err
	}
	within := t.Device.ConnectWithin() * 3 / 2
	wait, cancel := t.Clock.Timeout(ctx, within)
	defer cancel()
	last, err := t.Log.Await(wait, mark, func(e evidence.Event) bool { return e.Kind == evidence.Bytes || t.Device.Ends(e) })
	if ctx.Err() != nil {
		return ctx.Err()
	}
	f := goodFacts{attempts: testbed.Attempts(t.Log.Since(mark)), slack: t.Clock.Device(250 * time.Millisecond)}
	if err == nil && last.Kind == evidence.Bytes {
		f.conn, f.at = last.Conn, last.At
	}
	if !f.tried() {
		return check.NotRun("find out with protocol.connect-happy why it does not connect", "no attempt to speak to its server within %s", within)
	}
	for _, a := range f.attempts {
		if a.Conn == f.conn {
			t.MeasureTime("connection to first application byte", f.at.Sub(a.Opened), fmt.Sprintf("<= %.0f s", handshakeLimit.Seconds()))
		}
	}
	t.Find(judgeGood(f)...)
	return nil
}

// goodFacts are the attempts until the first application byte, and when it came on which connection; conn is 0 when none came.
type goodFacts struct {
	attempts []testbed.Attempt
	conn     int
	at       time.Time
	slack    time.Duration
}

// tried reports whether the device said anything at all.
func (f goodFacts) tried() bool { return check.Tried(testbed.Faced{Attempts: f.attempts}) }

func judgeGood(f goodFacts) []check.Finding {
	for _, a := range f.attempts {
		switch took := f.at.Sub(a.Opened); {
		case a.Conn != f.conn || f.conn == 0:
		case a.Secure == nil:
			return []check.Finding{{
				Title:    "Sends application data without TLS",
				Seen:     fmt.Sprintf("on connection %d, %d bytes: %s", a.Conn, a.Bytes, a.BytesText),
				Evidence: check.Range(a.First, a.Last, "the connection without TLS"),
			}}
		case took > handshakeLimit+f.slack:
			return []check.Finding{{
				Severity: check.Major,
				Title:    "Takes long from connection to application data",
				Expected: fmt.Sprintf("at most %.0f s", handshakeLimit.Seconds()),
				Seen:     fmt.Sprintf("%.1f s on connection %d", took.Seconds(), a.Conn),
				Evidence: check.Range(a.First, a.Last, "the slow connection"),
			}}
		default:
			return nil
		}
	}
	return []check.Finding{{
		Title:    "Does not get through to a server with a good certificate",
		Seen:     "no application data over TLS: " + check.Endings(f.attempts),
		Evidence: check.Range(f.attempts[0].First, f.attempts[len(f.attempts)-1].Last, "the attempts"),
	}}
}
