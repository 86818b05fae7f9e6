package environment

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
)

// TCPISN looks at the initial sequence numbers of connections.
var TCPISN = &check.Check{
	ID:    "environment.tcp-isn",
	Title: "Begins its connections with numbers that nobody can guess",
	Why: "Who knows the sequence number of a connection can end it, or put data into it, from anywhere in the internet. " +
		"Small IP stacks count it up, or begin with the same number after every start.",
	Pass: "of the initial sequence numbers of 8 connections or more over two starts not more than a quarter come twice, and no half follow the one before, a second or more later, " +
		"by at most 131,072 or by the same step; and a SYN to a closed port is answered with a RST that acknowledges it, or not at all",
	Fix:          "have the IP stack take its initial sequence numbers from RFC 6528 with a secret of the hardware's random number generator (lwIP: LWIP_HOOK_TCP_ISN)",
	Severity:     check.Minor,
	Requirements: []string{"CRA:I.2d", "CRA:I.2f"},
	Rows:         []string{"net.tcp.isn-rst"},
	Sources:      []string{"RFC 6528 section 3", "RFC 9293 sections 3.4.1 and 3.10.7.1", "the shares of a quarter and a half, and 131,072: a proposal"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, World: true},
	Impact:       check.Restarts,
	Typical:      time.Minute,
	Limit:        time.Hour,
	Run:          tcpISN,
}

const (
	enoughISNs = 8
	mostISNs   = 12      // attempts to get them
	smallISN   = 1 << 17 // half a second of the clock of RFC 9293, and more than the 64,000 that old stacks add
)

func tcpISN(ctx context.Context, t *check.T) error {
	w, at := t.Watch(), deviceAddress(t)
	if _, err := t.Online(ctx); err != nil {
		return err
	}
	t.Step("ask a closed port for a connection")
	answers, err := knock(ctx, t, at)
	if err != nil {
		return err
	}
	t.Record("3 SYNs to closed port %d were answered by %d segments", closedPort, len(answers))
	t.Step("cut it off and start it anew, until it has begun %d connections", enoughISNs)
	var all []testbed.Sent
	for i := range mostISNs {
		if all = begun(w.SYNs()); len(all) >= enoughISNs && i > enoughISNs/2 {
			break
		}
		if err := reconnect(ctx, t, i == enoughISNs/2-1); err != nil {
			return err
		}
	}
	if len(all) < enoughISNs {
		return check.NotRun("", "it began %d connections, which is too few to tell chance from a rule", len(all))
	}
	t.Measure("connections begun", float64(len(all)), "", "")
	t.Find(append(judgeISN(all), judgeClosed(answers)...)...)
	return nil
}

// reconnect has the device connect once more.
func reconnect(ctx context.Context, t *check.T, anew bool) error {
	const hint = "find out with protocol.connect-happy why it does not always come online"
	if anew {
		s, _, err := t.Anew(ctx, t.Device.ConnectWithin()*3/2)
		if err == nil && s == nil {
			return check.NotRun(hint, "the device did not come online when it was started anew")
		}
		return err
	}
	mark := t.Log.Len()
	t.Link.Cut(false)
	_, err := t.Device.NextSession(ctx, mark, 2*t.Device.Cap()+10*time.Second)
	if errors.Is(err, testbed.ErrOffline) {
		return check.NotRun(hint, "the device did not come back when its connection was closed")
	}
	return err
}

// begun leaves repeated SYNs out.
func begun(sent []testbed.Sent) (all []testbed.Sent) {
	for _, s := range sent {
		if !slices.ContainsFunc(all, func(o testbed.Sent) bool { return o.From == s.From && o.To == s.To && o.Sequence == s.Sequence }) {
			all = append(all, s)
		}
	}
	return all
}

func judgeISN(all []testbed.Sent) []check.Finding {
	seen, steps := map[uint32]bool{}, map[uint32]int{}
	var numbers []uint32
	pairs, near, same := 0, 0, 0
	for i, s := range all {
		seen[s.Sequence] = true
		numbers = append(numbers, s.Sequence)
		if i == 0 || s.At.Sub(all[i-1].At) < time.Second || s.From == all[i-1].From { // RFC 6528 lets the same pair of addresses count on
			continue
		}
		pairs++
		step := s.Sequence - all[i-1].Sequence
		if step <= smallISN {
			near++
		}
		steps[step]++
		same = max(same, steps[step])
	}
	shown := fmt.Sprint(numbers[:min(len(numbers), 12)])
	switch {
	case len(all) < enoughISNs:
		return nil
	case len(seen)*4 < len(all)*3:
		return []check.Finding{{
			Title: "Begins its connections with the same sequence numbers again and again",
			Seen:  fmt.Sprintf("%d different ones in %d connections: %s", len(seen), len(all), shown),
		}}
	case pairs >= 4 && max(near, same)*2 >= pairs:
		return []check.Finding{{
			Title: "Counts the first sequence numbers of its connections up",
			Seen:  fmt.Sprintf("of %d, %d follow the one before by at most %d, and %d by the same step: %s", pairs, near, smallISN, same, shown),
		}}
	}
	return nil
}
