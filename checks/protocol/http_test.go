package protocol

import (
	"strings"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/wire/ws"
	"github.com/shakedown-test/shakedown/world/web"
)

var httpNoon = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

// asked is an offer of the document /doc with requests at so many seconds, each "path" or "METHOD path".
func asked(requests ...ask) check.Offered {
	f := check.Offered{Offer: check.Offer{Name: "a test"}, Doc: testbed.Document{Path: "/doc"}}
	for i, r := range requests {
		method, path, ok := strings.Cut(r.text, " ")
		if !ok {
			method, path = "GET", r.text
		}
		q := &web.Request{Method: method, Path: path}
		e := evidence.Event{N: i, At: httpNoon.Add(time.Duration(r.at * float64(time.Second))), Kind: evidence.In, Data: q}
		f.Events = append(f.Events, e)
		if path == "/doc" {
			f.Fetches = append(f.Fetches, testbed.Fetch{N: i, At: e.At, Request: q})
		}
	}
	return f
}

type ask = struct {
	at   float64
	text string
}

// found is the severities and titles of findings, without what differs.
func foundTitles(found []check.Finding) string {
	var all []string
	for _, f := range found {
		all = append(all, strings.TrimSpace(string(f.Severity)+" "+f.Title))
	}
	return strings.Join(all, "; ")
}

func TestJudgeRedirect(t *testing.T) {
	for name, c := range map[string]struct {
		f    check.Offered
		want string
	}{
		"followed":              {asked(ask{0, "/doc"}, ask{1, "/moved/doc"}), ""},
		"not followed":          {asked(ask{0, "/doc"}), ""},
		"by POST":               {asked(ask{0, "/doc"}, ask{1, "POST /moved/doc"}), "major Changes its GET to POST after a test"},
		"a POST somewhere else": {asked(ask{0, "/doc"}, ask{1, "POST /token"}), ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := foundTitles(judgeRedirect(c.f)); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestJudgeLoop(t *testing.T) {
	try := func(start float64, hops int) (all []ask) {
		all = append(all, ask{start, "/doc"})
		for range hops {
			all = append(all, ask{start, "/loop/1/doc"})
		}
		return all
	}
	for name, c := range map[string]struct {
		tries [][]ask
		want  string
	}{
		"not followed":    {[][]ask{try(0, 0), try(5, 0)}, ""},
		"ten":             {[][]ask{try(0, 10), try(5, 10)}, ""},
		"twenty":          {[][]ask{try(0, 20), try(5, 20)}, "minor Follows 20 redirects in a row"},
		"without end":     {[][]ask{try(0, 100)}, "major Follows redirects without end"},
		"again at once":   {[][]ask{try(0, 5), try(0.1, 5)}, "Begins anew at once when redirects lead in a circle"},
		"nothing at all":  {nil, ""},
		"the first alone": {[][]ask{try(0, 3)}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var all []ask
			for _, try := range c.tries {
				all = append(all, try...)
			}
			f := asked(all...)
			if got := foundTitles(judgeLoop(chainsOf(f), f)); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestJudgeBodies(t *testing.T) {
	took := func(f check.Offered) check.Offered { f.Took = true; return f }
	once, twice := asked(ask{0, "/doc"}), asked(ask{0, "/doc"}, ask{2, "/doc"})
	for name, c := range map[string]struct {
		found []check.Finding
		want  string
	}{
		"whole, taken":        {judgeWhole(took(twice)), ""},
		"whole, not taken":    {judgeWhole(twice), "Does not take a document with a test"},
		"whole, fetched once": {judgeWhole(once), ""},
		"half, taken":         {judgeHalf(took(once)), "Acts on half an answer"},
		"half, not taken":     {judgeHalf(twice), ""},
		"page, taken":         {judgePage(took(once)), "Takes a web page for its document"},
		"page, not taken":     {judgePage(twice), ""},
		"huge, read":          {judgeHuge([]int64{100, 30 << 20}, twice), "Reads on without a limit with a test"},
		"huge, ended":         {judgeHuge([]int64{100, 3 << 20}, twice), ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := foundTitles(c.found); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestSentOf(t *testing.T) {
	f := asked(ask{0, "/doc"})
	f.Events = append(f.Events,
		evidence.Event{Kind: evidence.Seen, Data: &web.Ended{Path: "/doc", Sent: 7}},
		evidence.Event{Kind: evidence.Seen, Data: &web.Ended{Path: "/other", Sent: 9}})
	if got := sentOf(f); len(got) != 1 || got[0] != 7 {
		t.Errorf("got %d", got)
	}
}

func TestJudge401(t *testing.T) {
	all := func(f check.Offered) check.Offered { f.Whole = true; return f }
	took := func(f check.Offered) check.Offered { f.Took = true; return f }
	for name, c := range map[string]struct {
		f    check.Offered
		want string
	}{
		"renewed":      {took(asked(ask{0, "/doc"}, ask{1, "/doc"})), ""},
		"not renewed":  {asked(ask{0, "/doc"}, ask{1, "/doc"}), "Does not renew a token that has expired"},
		"away":         {asked(), ""},
		"three tries":  {all(asked(ask{0, "/doc"}, ask{1, "/doc"}, ask{35, "/doc"})), ""},
		"four tries":   {all(asked(ask{0, "/doc"}, ask{1, "/doc"}, ask{5, "/doc"}, ask{9, "/doc"})), "Tries on and on while its tokens are refused"},
		"other paths":  {all(asked(ask{0, "/doc"}, ask{1, "/t"}, ask{5, "/t"}, ask{9, "/t"})), ""},
		"no one comes": {all(asked()), ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := foundTitles(judge401(c.f)); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestJudgeHandshake(t *testing.T) {
	connect := &mqtt.Packet{Type: mqtt.CONNECT, Connect: &mqtt.Connect{Protocol: "MQTT", Level: mqtt.V5, ClientID: "d"}}
	for name, c := range map[string]struct {
		attempts []testbed.Attempt
		want     string
	}{
		"ended":    {[]testbed.Attempt{{Conn: 1}, {Conn: 2}}, ""},
		"goes on":  {[]testbed.Attempt{{Conn: 1}, {Conn: 2, Connect: connect}}, "minor Goes on after a handshake with no subprotocol"},
		"no tries": {nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := foundTitles(judgeHandshake(testbed.Faced{Attempts: c.attempts}, "no subprotocol", check.Minor)); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestJudgeFrames(t *testing.T) {
	if judgeFrames("x", true, 0, 1) != nil || len(judgeFrames("x", false, 0, 1)) != 1 {
		t.Error("the effect does not decide")
	}
	bad := evidence.Event{Kind: evidence.Bad, Data: &ws.Error{Reason: "no mask"}}
	if got := judgeMasks([]evidence.Event{{Kind: evidence.Bad}, bad}); len(got) != 1 || got[0].Seen != "no mask" {
		t.Errorf("got %v", got)
	}
	if judgeMasks([]evidence.Event{{Kind: evidence.Bad}}) != nil {
		t.Error("a finding without a violation of the WebSocket protocol")
	}
}
