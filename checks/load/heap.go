package load

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/client"
)

// heapTopic is where Mosquitto tells of its memory, every ten seconds if nothing else is set.
const heapTopic = "$SYS/broker/heap/current"

// tells waits for the broker to tell of its memory. The error is a not-run that says why it does not.
func tells(ctx context.Context, c *client.Conn) error {
	if codes, err := c.Subscribe(ctx, mqtt.Subscription{Filter: heapTopic}); err != nil || len(codes) != 1 || codes[0] > 2 {
		return check.NotRun("let operator: subscribe to "+heapTopic, "the memory of the broker can't be read: %v, % X", err, codes)
	}
	if _, err := c.AwaitMessages(ctx, 15*time.Second, 1); err != nil {
		return check.NotRun("measure the memory of its process over days in another way", "the broker tells nothing of its memory on %s", heapTopic)
	}
	return nil
}

// told is the memory that the broker told of last, in bytes.
func told(c *client.Conn) (float64, error) {
	all := c.Messages()
	last := all[len(all)-1].Payload
	text, _, _ := strings.Cut(string(last), " ")
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, check.NotRun("", "the broker tells %q on %s, which is no number of bytes", last, heapTopic)
	}
	return n, nil
}
