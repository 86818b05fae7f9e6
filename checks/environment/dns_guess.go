package environment

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
)

const (
	enoughQueries = 10 // to tell chance from a rule
	mostStarts    = 8  // to get them
)

// DNSGuess looks at ids and source ports of queries.
var DNSGuess = &check.Check{
	ID:    "environment.dns-guess",
	Title: "Asks with ids and ports that nobody can guess",
	Why: "Id and source port are all that keeps a stranger from answering in the place of the resolver. " +
		"When they count up, or are the same after every start, one forged packet is enough.",
	Pass:         "in 10 queries or more over several starts: ids of which not more than a quarter come twice, and no half of which follow each other closely; the same for source ports",
	Fix:          "take id and source port of each query from the hardware's random number generator, and seed no generator with a constant",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2d", "CRA:I.2f"},
	Rows:         []string{"net.dns.spoof"},
	Sources:      []string{"RFC 5452 section 9.2", "the shares of a quarter and a half: a proposal"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, World: true},
	Impact:       check.Restarts,
	Typical:      time.Minute,
	Limit:        time.Hour,
	Run:          dnsGuess,
}

func dnsGuess(ctx context.Context, t *check.T) error {
	w := t.Watch()
	if _, err := named(ctx, t); err != nil {
		return err
	}
	t.Step("start it anew until it has asked %d times", enoughQueries)
	var asked []question
	for range mostStarts {
		if asked = questions(t.Log.Since(0), ""); len(asked) >= enoughQueries {
			break
		}
		s, _, err := t.Anew(ctx, t.Device.ConnectWithin()*3/2)
		if err != nil {
			return err
		}
		if s == nil {
			return check.NotRun("find out with protocol.connect-happy why it does not always come online", "the device did not come online when it was started anew")
		}
	}
	var ids, ports []uint16
	for _, q := range asked {
		ids = append(ids, q.ID)
	}
	ports = lookupPorts(w.Sent(false, 53))
	if len(ids) < enoughQueries {
		return check.NotRun("start it more often, or have it look names up at every connection", "%d queries came in %d starts, which is too few to tell chance from a rule", len(ids), mostStarts)
	}
	t.Measure("different ids", float64(different(ids)), fmt.Sprintf("of %d", len(ids)), "")
	t.Measure("different source ports", float64(different(ports)), fmt.Sprintf("of %d", len(ports)), "")
	t.Find(judgeGuess("id", ids)...)
	t.Find(judgeGuess("source port", ports)...)
	return nil
}

// together is how soon after each other the questions of one lookup are sent: A and AAAA, from one socket.
const together = 500 * time.Millisecond

// lookupPorts are the source ports of lookups: questions that leave one port together are one.
func lookupPorts(sent []testbed.Sent) (ports []uint16) {
	for i, s := range sent {
		if i > 0 && s.From.Port() == sent[i-1].From.Port() && s.At.Sub(sent[i-1].At) < together {
			continue
		}
		ports = append(ports, s.From.Port())
	}
	return ports
}

func different(all []uint16) int {
	seen := map[uint16]bool{}
	for _, v := range all {
		seen[v] = true
	}
	return len(seen)
}

// judgeGuess judges numbers that should be random. Sixteen is a step so small that one in two thousand is so by chance.
func judgeGuess(what string, all []uint16) []check.Finding {
	const step = 16
	near := 0
	for i := 1; i < len(all); i++ {
		if d := all[i] - all[i-1]; d > 0 && d <= step {
			near++
		}
	}
	n := different(all)
	switch {
	case len(all) < enoughQueries:
		return nil
	case n*4 < len(all)*3:
		return []check.Finding{{
			Title: fmt.Sprintf("Asks DNS with the same %s again and again", what),
			Seen:  fmt.Sprintf("%d different ones in %d queries: %v", n, len(all), firstOf(all)),
		}}
	case near*2 >= len(all)-1:
		return []check.Finding{{
			Title: fmt.Sprintf("Counts the %s of its DNS queries up", what),
			Seen:  fmt.Sprintf("%d of %d follow the one before by at most %d: %v", near, len(all)-1, step, firstOf(all)),
		}}
	}
	return nil
}

func firstOf(all []uint16) []uint16 { return all[:min(len(all), 12)] }
