package fault

import (
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/world/web"
)

// got is a request for /doc on a connection, so many seconds after noon.
func got(n int, at float64, conn, nth int) evidence.Event {
	return evidence.Event{
		N: n, At: noon.Add(time.Duration(at * float64(time.Second))), Part: "api", Conn: conn, Kind: evidence.In,
		Data: &web.Request{Method: "GET", Path: "/doc", Conn: conn, Nth: nth},
	}
}

// ended is the answer to it, or the end of its connection.
func ended(n int, at float64, conn int, answered bool) evidence.Event {
	e := evidence.Event{N: n, At: noon.Add(time.Duration(at * float64(time.Second))), Part: "api", Conn: conn, Kind: evidence.Close}
	if answered {
		e.Kind, e.Data = evidence.Out, &web.Reply{Status: 503, Path: "/doc"}
	}
	return e
}

func offered(events ...evidence.Event) check.Offered {
	f := check.Offered{Offer: check.Offer{Name: "a test"}, Doc: testbed.Document{Path: "/doc"}, Events: events}
	f.Fetches = testbed.Fetches(events, "/doc")
	return f
}

func titlesOf(found []check.Finding) string {
	text := ""
	for _, f := range found {
		text += string(f.Severity) + "|" + f.Title + "|"
	}
	return text
}

func TestRequests(t *testing.T) {
	all, most := requests([]evidence.Event{
		got(0, 0, 1, 1), got(1, 5, 2, 1), ended(2, 6, 1, true), ended(3, 7, 2, false), got(4, 20, 3, 1),
	}, "/doc")
	if len(all) != 3 || most != 2 {
		t.Fatalf("%d requests, %d at once", len(all), most)
	}
	if g := testbed.Gaps(all); g[0] != 0 || g[1] != 13*time.Second {
		t.Errorf("gaps %v", g)
	}
}

func TestJudgeAPI(t *testing.T) {
	const tick = 80 * time.Millisecond
	for name, c := range map[string]struct {
		attempts []testbed.Attempt
		most     int
		every    time.Duration
		exits    []evidence.Event
		want     string
	}{
		"growing":                {spaced(0, 0.7, 1.3, 3.1, 4.9, 12), 1, 5 * time.Second, nil, ""},
		"storm":                  {spaced(0, repeated(0.5, 22)...), 1, 5 * time.Second, nil, "blocker|Asks more than 20 times a minute during a test|"},
		"constant":               {spaced(0, repeated(4, 6)...), 1, 10 * time.Second, nil, "major|Does not lengthen its pauses of about 4.0 s during a test|"},
		"its ordinary pace":      {spaced(0, repeated(10, 6)...), 1, 10 * time.Second, nil, ""},
		"ordinary, but too fast": {spaced(0, repeated(1, 22)...), 1, time.Second, nil, "blocker|Asks more than 20 times a minute during a test|"},
		"exact doubling":         {spaced(0, 1, 2, 4, 8, 16, 32), 1, 10 * time.Second, nil, "minor|Doubles its pauses exactly, without chance, during a test|"},
		"piled up":               {spaced(0, 0.7, 1.3, 3.1, 4.9, 12), 4, 5 * time.Second, nil, "major|Piles up requests during a test|"},
		"exit":                   {spaced(0, 0.7, 1.3, 3.1, 4.9, 12), 1, 5 * time.Second, []evidence.Event{{Text: "signal: killed"}}, "blocker|Crashes during a test|"},
	} {
		t.Run(name, func(t *testing.T) {
			r := apiOrdeal{apiOutage: apiOutage{during: "during a test"}, attempts: c.attempts, most: c.most, every: c.every, exits: c.exits, tick: tick}
			if got := titlesOf(judgeAPI(r)); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestJudgeRetryAfter(t *testing.T) {
	for name, c := range map[string]struct {
		f     check.Offered
		early bool
	}{
		"in time":  {offered(got(0, 0, 1, 1), got(1, 20.2, 1, 2)), false},
		"too soon": {offered(got(0, 0, 1, 1), got(1, 5, 1, 2)), true},
		"once":     {offered(got(0, 0, 1, 1)), false},
		"never":    {offered(), false},
	} {
		t.Run(name, func(t *testing.T) {
			if found := judgeRetryAfter(20*time.Second, c.f); (len(found) > 0) != c.early {
				t.Errorf("got %v", found)
			}
		})
	}
}

func TestJudgeSlow(t *testing.T) {
	for name, c := range map[string]struct {
		f    check.Offered
		late bool
	}{
		"closed":          {offered(got(0, 0, 1, 1), ended(1, 15, 1, false)), false},
		"another closed":  {offered(got(0, 0, 1, 1), ended(1, 15, 2, false)), true},
		"another request": {offered(got(0, 0, 1, 1), got(1, 30, 2, 1)), false},
		"closed late":     {offered(got(0, 0, 1, 1), ended(1, 130, 1, false)), true},
		"never":           {offered(got(0, 0, 1, 1)), true},
		"nothing seen":    {offered(), false},
	} {
		t.Run(name, func(t *testing.T) {
			c.f.Until = noon.Add(137 * time.Second)
			if found := judgeSlow(waited(c.f), c.f); (len(found) > 0) != c.late {
				t.Errorf("got %v after %s", found, waited(c.f))
			}
		})
	}
}

func TestJudgeStale(t *testing.T) {
	took := func(f check.Offered, after time.Duration) check.Offered { f.Took, f.After = true, after; return f }
	again := offered(got(0, 0, 1, 2), got(1, 0.1, 2, 1))
	for name, c := range map[string]struct {
		f    check.Offered
		want string
	}{
		"at once":          {took(again, 100*time.Millisecond), ""},
		"a turn later":     {took(again, 5*time.Second), "minor|Leaves a turn out when a kept connection is closed|"},
		"not at all":       {again, "|Loses a request on a kept connection that is closed|"},
		"a new connection": {offered(got(0, 0, 2, 1)), ""},
		"nothing":          {offered(), ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := titlesOf(judgeStale(2500*time.Millisecond, c.f)); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestJudgeBrownout(t *testing.T) {
	f := offered()
	for name, c := range map[string]struct {
		tries []testbed.Attempt
		most  int
		want  string
	}{
		"eases off":     {spaced(15*time.Second, 1.5, 3, 6), 1, ""},
		"one quick":     {spaced(15*time.Second, 0.1, 3, 6), 1, ""},
		"all quick":     {spaced(15*time.Second, 0.1, 0.1, 0.1), 1, "|Asks a cloud that answers late again without a pause|"},
		"piles up":      {spaced(15*time.Second, 1.5, 3, 6), 3, "|Piles up requests on a cloud that answers late|"},
		"one try alone": {spaced(15 * time.Second), 1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := titlesOf(judgeBrownout(c.tries, c.most, f)); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestJudgeFilters(t *testing.T) {
	if judgeFilters(nil, []string{"a"}) != nil || len(judgeFilters([]string{"a"}, []string{"a", "b"})) != 1 {
		t.Error("what is missing does not decide")
	}
}
