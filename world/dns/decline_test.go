package dns

import (
	"testing"

	"github.com/miekg/dns"
)

// TestDeclined: what is no query for one name is answered with why, so that a client need not wait for its timeout.
func TestDeclined(t *testing.T) {
	r := newRig(t)
	update := new(dns.Msg).SetUpdate("home.test.")
	none := new(dns.Msg).SetQuestion("a.test.", dns.TypeA)
	none.Question = nil
	two := new(dns.Msg).SetQuestion("a.test.", dns.TypeA)
	two.Question = append(two.Question, two.Question[0])
	for name, c := range map[string]struct {
		m    *dns.Msg
		want int
	}{
		"an update": {update, dns.RcodeNotImplemented}, "no question": {none, dns.RcodeFormatError}, "two questions": {two, dns.RcodeFormatError},
	} {
		for _, network := range []string{"udp", "tcp"} {
			a, _, err := (&dns.Client{Net: network}).Exchange(c.m, r.at)
			if err != nil || a.Rcode != c.want || !a.Response {
				t.Errorf("%s over %s: %v, %v", name, network, a, err)
			}
		}
	}
}
