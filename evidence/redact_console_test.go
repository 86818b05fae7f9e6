package evidence

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestPrintedKeyIsBlanked(t *testing.T) {
	var out bytes.Buffer
	l := NewLog(time.Now, &out, false)
	lines := []string{"boot", "-----BEGIN EC PRIVATE KEY-----", "MHcCAQEE", "oAoGCCqG", "-----END EC PRIVATE KEY-----", "ready"}
	for _, line := range lines {
		l.Add(Event{Kind: Console, Part: "lamp", Text: line})
		l.Add(Event{Kind: Console, Part: "hub", Text: "alive"})
	}
	l.Add(Event{Kind: Console, Part: "hub", Text: "-----BEGIN PRIVATE KEY-----"})
	for range longestKey + 1 {
		l.Add(Event{Kind: Console, Part: "hub", Text: "chatter"})
	}
	var lamp, hub []string
	for line := range strings.Lines(out.String()) {
		var e Event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		if e.Part == "lamp" {
			lamp = append(lamp, e.Text)
		} else {
			hub = append(hub, e.Text)
		}
	}
	if want := []string{"boot", Blank, Blank, Blank, "-----END EC PRIVATE KEY-----", "ready"}; !slices.Equal(lamp, want) {
		t.Errorf("got %q", lamp)
	}
	if n := len(lines); slices.Contains(hub[:n], Blank) || hub[len(hub)-2] != Blank || hub[len(hub)-1] != "chatter" {
		t.Errorf("got %q", hub)
	}
	if l.Since(2)[0].Text != lines[1] || l.Since(4)[0].Text != lines[2] {
		t.Error("checks do not see what was printed")
	}
}
