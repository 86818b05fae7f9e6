package report

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
)

// draw renders a timeline and counts its elements; it fails when the drawing is not well-formed XML or has a number that is none.
func draw(t *testing.T, p *plot) (svg string, nodes int) {
	t.Helper()
	var b bytes.Buffer
	if err := templates.ExecuteTemplate(&b, "timeline", p); err != nil {
		t.Fatal(err)
	}
	svg = b.String()
	for _, bad := range []string{"NaN", "Inf", "ZgotmplZ"} {
		if strings.Contains(svg, bad) {
			t.Errorf("the drawing has %s", bad)
		}
	}
	dec := xml.NewDecoder(strings.NewReader(svg))
	for {
		tok, err := dec.Token()
		if err == io.EOF {
			return svg, nodes
		}
		if err != nil {
			t.Fatalf("not XML: %v", err)
		}
		if _, ok := tok.(xml.StartElement); ok {
			nodes++
		}
	}
}

func at(n int, seconds float64, kind evidence.Kind, conn int, text string) evidence.Event {
	return evidence.Event{N: n, At: day.Add(time.Duration(seconds * float64(time.Second))), Kind: kind, Conn: conn, Text: text}
}

func TestTimelineShows(t *testing.T) {
	events := []evidence.Event{
		at(0, 0, evidence.Step, 0, "wait for it"),
		at(1, 1, evidence.Impair, 0, "drop acks"),
		at(2, 2, evidence.Open, 1, ""),
		at(3, 2.2, evidence.Secure, 1, "TLS 1.3"),
		at(4, 3, evidence.In, 1, "CONNECT client <b>"),
		at(5, 3.5, evidence.Out, 1, "CONNACK accepted"),
		at(6, 4, evidence.Console, 0, "online"),
		at(7, 5, evidence.Close, 1, "peer reset"),
		at(8, 6, evidence.Heal, 0, "drop acks"),
		at(9, 6, evidence.Refused, 0, "closed"),
		at(10, 100, evidence.In, 2, "PINGREQ"),
	}
	p := timeline("x", events, evidence.Ref{First: 0, Last: 9})
	svg, _ := draw(t, p)
	for _, want := range []string{"drop acks", "wait for it", ">CONNECT<", ">CONNACK<", "online", "peer reset", "&lt;b&gt;", "1 connection,", "Refused", `class="secure"`, `class="opening"`, "from 1.0 s to 6.0 s"} {
		if !strings.Contains(svg, want) {
			t.Errorf("the drawing lacks %q", want)
		}
	}
	if strings.Contains(svg, "PINGREQ") {
		t.Error("the drawing has an event from long after the finding")
	}
}

func TestTimelineWithoutEvents(t *testing.T) {
	if p := timeline("x", nil, evidence.Ref{}); p != nil {
		t.Error("a drawing of nothing")
	}
	if p := timeline("x", []evidence.Event{at(0, 0, evidence.In, 1, "x")}, evidence.Ref{First: 5, Last: 9}); p != nil {
		t.Error("a drawing of events that are not there")
	}
}

func TestTimelineOfOneEvent(t *testing.T) {
	p := timeline("x", []evidence.Event{at(0, 0, evidence.Bad, 1, "no packet type 0")}, evidence.Ref{})
	if p == nil {
		t.Fatal("no drawing")
	}
	draw(t, p)
}

// TestTimelineIsBounded draws logs of every kind of event, in any order and at any time, and counts.
func TestTimelineIsBounded(t *testing.T) {
	kinds := []evidence.Kind{
		evidence.Refused, evidence.Open, evidence.Close, evidence.Hello, evidence.Secure, evidence.Alert, evidence.Bytes,
		evidence.In, evidence.Out, evidence.Bad, evidence.Impair, evidence.Heal, evidence.Console, evidence.Power, evidence.Exit, evidence.Step, evidence.Seen, evidence.Overflow, "unheard of",
	}
	most := 0
	for seed := range uint64(150) {
		rnd := rand.New(rand.NewPCG(seed, 2))
		size := 1 + rnd.IntN(400)
		if seed%30 == 0 {
			size = evidence.Limit
		}
		span := []float64{0, 0.001, 1, 60, 1e6}[rnd.IntN(5)]
		conns := 1 + rnd.IntN(8)
		var events []evidence.Event
		for n := range size {
			kind := kinds[rnd.IntN(len(kinds))]
			events = append(events, at(n, span*rnd.Float64(), kind, rnd.IntN(conns+1), fmt.Sprintf("%s %d", kind, rnd.IntN(5))))
		}
		p := timeline("x", events, evidence.Ref{First: rnd.IntN(size), Last: size})
		if p == nil {
			t.Fatalf("seed %d: no drawing", seed)
		}
		_, nodes := draw(t, p)
		most = max(most, nodes)
	}
	if most > 240 {
		t.Errorf("a drawing has %d nodes, want at most 240", most)
	}
	t.Logf("at most %d nodes", most)
}
