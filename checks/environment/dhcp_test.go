package environment

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/check"
)

// graded is what was found, as "severity: title"; the severity of the check is left out.
func graded(found []check.Finding) string {
	var all []string
	for _, f := range found {
		title := f.Title
		if f.Severity != "" {
			title = string(f.Severity) + ": " + title
		}
		all = append(all, title)
	}
	return strings.Join(all, "; ")
}

func seconds(all ...float64) (out []time.Duration) {
	for _, s := range all {
		out = append(out, time.Duration(s*float64(time.Second)))
	}
	return out
}

func TestJudgeAsking(t *testing.T) {
	var hammer []float64
	for i := range 100 {
		hammer = append(hammer, float64(i)/2)
	}
	for name, c := range map[string]struct {
		is   asking
		want string
	}{
		"RFC 2131":    {asking{at: seconds(0, 4.3, 11.6, 28.2, 59.9), back: true}, ""},
		"udhcpc":      {asking{at: seconds(0, 3, 6, 26, 29, 32, 52, 55, 58), back: true}, ""},
		"few words":   {asking{at: seconds(0, 10), back: true}, ""},
		"gives up":    {asking{at: seconds(0, 4, 12, 28)}, "Gives up asking for an address"},
		"hammers":     {asking{at: seconds(hammer...), back: true}, "major: Asks for an address without a pause"},
		"steady beat": {asking{at: seconds(0, 5, 10, 15, 20, 25, 30), back: true}, "minor: Does not wait longer between its questions for an address"},
	} {
		if got := graded(judgeAsking(c.is)); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestJudgeLeaseRenewal(t *testing.T) {
	good := leaseRenewal{renewed: true, alone: true, after: time.Minute, rebound: true}
	for name, c := range map[string]struct {
		change func(*leaseRenewal)
		want   string
	}{
		"good":      {func(*leaseRenewal) {}, ""},
		"never":     {func(r *leaseRenewal) { *r = leaseRenewal{dropped: true} }, "Does not renew its address"},
		"late":      {func(r *leaseRenewal) { r.after = 115 * time.Second }, "major: Renews its address late"},
		"broadcast": {func(r *leaseRenewal) { r.alone = false }, "minor: Renews its address by broadcast"},
		"stubborn":  {func(r *leaseRenewal) { r.rebound, r.dropped = false, true }, "major: Asks no other server for its address"},
		"drops":     {func(r *leaseRenewal) { r.dropped = true }, "Drops its connection when it renews its address"},
	} {
		r := good
		c.change(&r)
		if got := graded(judgeLeaseRenewal(r)); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestJudgeLeaseLosses(t *testing.T) {
	old, now := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	for name, c := range map[string]struct {
		got  []check.Finding
		want string
	}{
		"refused, back":     {judgeLeaseRefusal(leaseRefusal{back: true}), ""},
		"refused, silent":   {judgeLeaseRefusal(leaseRefusal{}), "Does not come back when its address is refused"},
		"refused, asked":    {judgeLeaseRefusal(leaseRefusal{asked: true}), "Does not come back when its address is refused"},
		"expired":           {judgeLeaseExpiry(leaseExpiry{before: 3, back: true}), ""},
		"expired, goes on":  {judgeLeaseExpiry(leaseExpiry{before: 3, after: 2, back: true}), "Goes on using an address whose lease is over"},
		"expired, gone":     {judgeLeaseExpiry(leaseExpiry{before: 3}), "blocker: Does not come back after its lease ended"},
		"options":           {judgeLeaseOptions(leaseOptions{mtuAsked: true, segment: 1360, was: old, now: now, questions: []netip.Addr{now}}), ""},
		"options, both":     {judgeLeaseOptions(leaseOptions{was: old, now: now, questions: []netip.Addr{old, now}}), ""},
		"options, old":      {judgeLeaseOptions(leaseOptions{was: old, now: now, questions: []netip.Addr{old, old}}), "Goes on with the DNS server of its first lease"},
		"MTU asked":         {judgeLeaseOptions(leaseOptions{mtuAsked: true, segment: 1460, was: old, now: now}), "major: Ignores the MTU that DHCP tells"},
		"MTU not asked":     {judgeLeaseOptions(leaseOptions{segment: 1460, was: old, now: now}), "minor: Ignores the MTU that DHCP tells"},
		"conflict":          {judgeLeaseConflict(leaseConflict{declined: true, back: true}), ""},
		"conflict, taken":   {judgeLeaseConflict(leaseConflict{back: true}), "Takes an address that somebody has"},
		"conflict, offline": {judgeLeaseConflict(leaseConflict{declined: true}), "blocker: Does not come online after it declined an address"},
	} {
		if got := graded(c.got); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestSegmentSize(t *testing.T) {
	syn := make([]byte, 14+20+24)
	syn[12], syn[14], syn[23] = 0x08, 0x45, 6
	syn[34+12], syn[34+13] = 0x60, 0x02
	copy(syn[54:], []byte{2, 4, 0x05, 0xb4})
	if size, ok := segmentSize(syn); !ok || size != 1460 {
		t.Errorf("%d, %t", size, ok)
	}
	for i := range syn {
		segmentSize(syn[:i])
	}
	syn[55] = 0
	if _, ok := segmentSize(syn); ok {
		t.Error("a broken option was read")
	}
}

func TestJudgeNetworkLoss(t *testing.T) {
	for name, c := range map[string]struct {
		got  []check.Finding
		want string
	}{
		"ports":           {judgePorts([]uint16{443}, []uint16{80, 443}, "in its home network"), ""},
		"open port":       {judgePorts([]uint16{23, 443}, []uint16{443}, "in its home network"), "Has TCP port 23 open in its home network"},
		"good company":    {judgeCompany(company{perDay: 9, budget: 10}), ""},
		"strange company": {judgeCompany(company{names: []string{"x.example"}, addresses: []netip.Addr{netip.MustParseAddr("192.0.2.1")}, perDay: 11, budget: 10}), "Asks for hosts that are not declared; Sends packets to hosts that are not declared; Sends and receives more than its budget"},
		"back":            {judgeComeback(comeback{after: "x", back: true}), ""},
		"not back":        {judgeComeback(comeback{after: "its router restarted"}), "Does not come back after its router restarted"},
		"follows":         {judgeRerouted(rerouted{packets: 9, followed: true}), ""},
		"does not follow": {judgeRerouted(rerouted{packets: 9}), "Goes on sending to a router that was replaced"},
		"patient":         {judgeBesieged(besieged{attempts: 40, over: 2 * time.Minute}), ""},
		"impatient":       {judgeBesieged(besieged{attempts: 41, over: 2 * time.Minute}), "Tries again and again at once while there is no internet"},
	} {
		if got := graded(c.got); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
