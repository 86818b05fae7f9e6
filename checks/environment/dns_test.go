package environment

import (
	"strings"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/world/dns"
)

// titles are those of findings, joined.
func titles(found []check.Finding) string {
	var all []string
	for _, f := range found {
		all = append(all, f.Title)
	}
	return strings.Join(all, "; ")
}

func TestJudgeDNS(t *testing.T) {
	limit := 90 * time.Second
	for _, tt := range []struct {
		name  string
		found []check.Finding
		want  string // titles, joined
	}{
		{"moved", judgeMoved(moved{limit: limit, after: time.Second}), ""},
		{"stays", judgeMoved(moved{limit: limit}), "Does not follow its cloud to another address"},
		{"restart helps", judgeMoved(moved{limit: limit, boot: true}), "Follows its cloud to another address only after a restart"},

		{"third address", judgeMultiA(manyTried{limit: limit, after: 20 * time.Second, dead: 1, mute: 1, alive: 1}), ""},
		{"late", judgeMultiA(manyTried{limit: limit, after: 91 * time.Second}), "Takes too long to come to a good address of its cloud"},
		{"never", judgeMultiA(manyTried{limit: limit, dead: 9}), "Does not try all addresses of its cloud"},

		{"second resolver", judgeFailedOver(failedOver{silent: "a", asked: 1, after: 3 * time.Second, online: true}), ""},
		{"slow", judgeFailedOver(failedOver{silent: "a", asked: 5, after: 16 * time.Second, online: true}), "Takes long to ask another resolver when the first is silent"},
		{"one resolver", judgeFailedOver(failedOver{silent: "a", asked: 5}), "Asks no other resolver when the first is silent"},
		{"answer and no more", judgeFailedOver(failedOver{silent: "a", asked: 5, after: time.Second}), "Does not come online when its first resolver is silent"},

		{"patient", judgeFailing(failing{span: 200 * time.Second, most: 50, back: time.Second}), ""},
		{"storm", judgeFailing(failing{span: 200 * time.Second, most: 51, back: time.Second}), "Asks without a pause while DNS fails"},
		{"gone", judgeFailing(failing{span: 200 * time.Second, most: 5, limit: limit}), "Stays away after DNS failed"},

		{"answers", judgeAnswers([]longAnswer{{what: "8 aliases in a row", online: true}, {what: "an answer that is long"}}), "Does not understand an answer that is long"},

		{"ignored", judgeForged([]forged{{how: dns.WrongID, sent: 3, online: true}}), ""},
		{"believed", judgeForged([]forged{{how: dns.WrongID, sent: 3, tried: 1, online: true}}), "Believes an answer of DNS with a wrong id"},
		{"away", judgeForged([]forged{{how: dns.WrongPort, sent: 3}}), "Does not come online while answers with a wrong source port come too"},
		{"asked nothing", judgeForged([]forged{{how: dns.WrongPort}}), ""},

		{"survived", judgeSurvived(survived{sent: 10, back: time.Second}), ""},
		{"crash", judgeSurvived(survived{sent: 10, back: time.Second, exits: []string{"signal"}}), "Crashes at a malformed answer of DNS"},
		{"exit", judgeSurvived(survived{sent: 10, back: time.Second, exits: []string{"exit status 1"}}), "Exits at a malformed answer of DNS"},
		{"hangs", judgeSurvived(survived{sent: 10, limit: limit, boot: true}), "Does not come back after malformed answers of DNS"},

		{"random", judgeGuess("id", []uint16{40790, 11258, 59580, 54037, 59306, 50167, 10966, 21000, 12385, 53167}), ""},
		{"counts", judgeGuess("id", []uint16{65531, 65533, 65535, 1, 3, 5, 7, 9, 11, 13}), "Counts the id of its DNS queries up"},
		{"same", judgeGuess("id", []uint16{7, 7, 7, 7, 9, 7, 7, 7, 7, 7}), "Asks DNS with the same id again and again"},
		{"few", judgeGuess("id", []uint16{7, 7, 7}), ""},

		{"told ones", judgeHardcoded(true, nil), ""},
		{"built in", judgeHardcoded(true, map[string]int{"8.8.8.8": 1}), "Asks a built-in resolver"},
		{"nothing else", judgeHardcoded(false, map[string]int{"8.8.8.8": 4}), "Does not come online where only the network's resolvers can be reached"},

		{"falls back", judgeFellBack(fellBack{tries: 1, after: 2 * time.Second}), ""},
		{"late to fall back", judgeFellBack(fellBack{tries: 1, after: 11 * time.Second}), "Takes long to turn to IPv4 when IPv6 leads nowhere"},
		{"never falls back", judgeFellBack(fellBack{tries: 4, wait: limit}), "Does not take IPv4 when IPv6 leads nowhere"},

		{"once", judgeRate(7, "a", 5), ""},
		{"often", judgeRate(25, "a", 5), "Looks its cloud up several times for each attempt to connect"},
	} {
		if got := titles(tt.found); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestMostAsked(t *testing.T) {
	event := func(part, name string) evidence.Event {
		return evidence.Event{Part: part, Kind: evidence.In, Data: dns.Query{Name: name, Type: "A"}}
	}
	events := []evidence.Event{event("r1", "x.test"), event("r2", "x.test"), event("r2", "x.test"), event("r1", "y.test"), {Kind: evidence.In}}
	if n, whom := mostAsked(questions(events, "x.test")); n != 2 || whom != "r2 for x.test A" {
		t.Errorf("%d of %s", n, whom)
	}
	if n := len(questions(events, "")); n != 4 {
		t.Errorf("%d questions", n)
	}
}
