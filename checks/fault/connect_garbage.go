package fault

import (
	"context"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/broker"
)

// ConnectGarbage answers CONNECT with HTTP, in turn leaving the connection open and closing it.
var ConnectGarbage = &check.Check{
	ID:    "fault.connect-garbage",
	Title: "Closes and backs off when something else than an MQTT server answers",
	Why: "Captive portals and misrouted load balancers answer with a web page. A device that waits for the rest of it, or " +
		"tries again at once, stays offline after the network is in order.",
	Pass: "each attempt closed within 60 s; pauses that at least double from the first third to the last over 5 retries (3 " +
		"when they take a minute), differ by chance from an exact doubling, and make at most 20 retries in 60 s; back within " +
		"twice the declared reconnect_cap (5 min when none is declared) of the healing",
	Fix:          "close on the first byte that is no CONNACK (0x20), and treat it as a failed attempt",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2i", "EN303645:5.9-3"},
	Rows:         []string{"mqtt.connect.garbage"},
	Sources:      []string{"MQTT-3.2.0-1", "MQTT-4.8.0-1", "AWS IoT Device Advisor has no such test"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT},
	Impact:       check.Disturbs,
	Typical:      60 * time.Second,
	Limit:        45 * time.Minute,
	Run: func(ctx context.Context, t *check.T) error {
		return outage{
			during: "while a web server answers CONNECT", running: true,
			begin: onConnect(answerWithHTTP),
		}.run(ctx, t)
	},
}

// answerWithHTTP sends a redirection with a page and leaves the connection open, or a short refusal and closes.
func answerWithHTTP(_ *check.T, n int, ex *broker.Exchange) {
	text := "HTTP/1.1 302 Found\r\nLocation: http://portal.test/login\r\nContent-Type: text/html\r\nContent-Length: 1024\r\n\r\n" +
		strings.Repeat("<p>Welcome. Please log in to use this network.</p>", 20)
	if n%2 == 0 {
		text = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"
		ex.ThenClose()
	}
	ex.Then(func(c *broker.Conn) {
		// A connection that has ended already shows in the evidence.
		_ = c.SendRaw("HTTP in place of CONNACK", []byte(text))
	})
}
