package environment

import (
	"net/netip"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/ntp"
	world "github.com/shakedown-test/shakedown/world/ntp"
)

// sentAt are datagrams sent so many seconds after the start.
func sentAt(seconds ...int) (all []testbed.Sent) {
	for _, s := range seconds {
		all = append(all, testbed.Sent{At: time.Unix(int64(s), 0)})
	}
	return all
}

func timesAt(seconds ...int64) (all []time.Time) {
	for _, s := range seconds {
		all = append(all, time.Unix(s, 0))
	}
	return all
}

func requested(packets ...ntp.Packet) (all []testbed.TimeRequest) {
	for _, p := range packets {
		all = append(all, testbed.TimeRequest{Request: world.Request{Packet: p}})
	}
	return all
}

func TestJudgeTime(t *testing.T) {
	every := func(n, gap int) (all []int) {
		for i := range n {
			all = append(all, i*gap)
		}
		return all
	}
	a, b := netip.MustParseAddr("203.0.113.1"), netip.MustParseAddr("203.0.113.2")
	named := map[netip.Addr]string{a: "ntp.test", b: "ntp2.test"}
	right := ntp.Packet{Version: 4, Mode: ntp.Client, Transmit: 7}
	other := right
	other.Transmit = 8
	server := other
	server.Mode = ntp.Server
	for _, tt := range []struct {
		name, got, want string
	}{
		{"growing", titles(judgeTimeRate(sentAt(1, 24, 65, 140), timeSilent)), ""},
		{"burst, then pauses", titles(judgeTimeRate(sentAt(1, 3, 5, 7, 71, 135), timeSilent)), ""},
		{"every second", titles(judgeTimeRate(sentAt(every(150, 1)...), timeSilent)), "Asks silent time servers without a pause"},
		{"every 10 s", titles(judgeTimeRate(sentAt(every(15, 10)...), timeSilent)), "Asks silent time servers without a pause"},
		{"every 20 s", titles(judgeTimeRate(sentAt(every(7, 20)...), timeSilent)), "Asks silent time servers as often as before"},
		{"few", titles(judgeTimeRate(sentAt(1, 20, 39), timeSilent)), ""},

		{"left alone", titles(judgeKissed(kissed{code: "DENY", kisses: timesAt(1), asked: timesAt(1)})), ""},
		{"later", titles(judgeKissed(kissed{code: "RATE", kisses: timesAt(1, 70, 200), asked: timesAt(1, 70, 200)})), ""},
		{"at once", titles(judgeKissed(kissed{code: "RATE", kisses: timesAt(1), asked: timesAt(1, 5)})), "Goes on asking a time server that says RATE"},
		{"faster", titles(judgeKissed(kissed{code: "RATE", kisses: timesAt(1, 65, 85), asked: timesAt(1, 65, 85, 105)})), "Asks a time server that says RATE more often than before"},
		{"no kiss", titles(judgeKissed(kissed{asked: timesAt(1, 2, 3)})), ""},

		{"two names", titles(judgeSources([]netip.Addr{a, b}, named)), ""},
		{"one name", titles(judgeSources([]netip.Addr{a}, named)), "Knows one time server only"},
		{"built in", titles(judgeSources([]netip.Addr{a, b}, map[netip.Addr]string{a: "ntp.test"})), "Asks a time server by an address of its own"},

		{"requests", titles(judgeRequests(requested(right, other), 8)), ""},
		{"same nonce", titles(judgeRequests(requested(right, other, right), 1)), "Sends the same transmit timestamp to time servers again and again"},
		{"mode", titles(judgeRequests(requested(right, server), 1)), "Asks time servers with what is no client's request"},
		{"often", titles(judgeRequests(requested(right, other), 11)), "Asks for the time all the time"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, tt.got, tt.want)
		}
	}
}
