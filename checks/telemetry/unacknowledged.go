package telemetry

import (
	"fmt"
	"slices"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/broker"
)

// unacknowledged is what was seen of a device whose messages were not acknowledged.
type unacknowledged struct {
	version mqtt.Version
	resumed bool                  // the session was kept over the cut
	before  []testbed.Publication // until the cut, without acknowledgement
	after   []testbed.Publication // on the next connection
	last    int                   // number of the last event
}

// acknowledgeable matches a PUBLISH that asks for an acknowledgement.
func acknowledgeable(_ *broker.Conn, p *mqtt.Packet) bool { return p.QoS > 0 }

// onConn are the publications on one connection.
func onConn(events []evidence.Event, conn int) []testbed.Publication {
	return slices.DeleteFunc(testbed.Publications(events), func(p testbed.Publication) bool { return p.Conn != conn })
}

// distinct are the first copies: a message with the same packet id is the same message sent again, since none was acknowledged.
func distinct(all []testbed.Publication) []testbed.Publication {
	var first []testbed.Publication
	for _, p := range all {
		if !slices.ContainsFunc(first, func(q testbed.Publication) bool { return q.ID == p.ID && q.Says(p) }) {
			first = append(first, p)
		}
	}
	return first
}

// lost are the messages of before that did not come again.
func lost(before, after []testbed.Publication) []testbed.Publication {
	return slices.DeleteFunc(distinct(before), func(p testbed.Publication) bool { return slices.ContainsFunc(after, p.Says) })
}

func judgeUnacknowledged(f unacknowledged) []check.Finding {
	first := distinct(f.before)
	if len(first) == 0 {
		return nil
	}
	var found []check.Finding
	add := func(severity check.Severity, title, expected, seen string) {
		found = append(found, check.Finding{
			Severity: severity, Title: title, Expected: expected, Seen: seen,
			Evidence: check.Range(first[0].N, f.last, "from the first message without acknowledgement"),
		})
	}
	if gone := lost(f.before, f.after); len(gone) > 0 {
		severity, why := check.Blocker, "the session was kept"
		if !f.resumed {
			severity, why = check.Major, "the session had ended with the connection, so the standard leaves it to the device"
		}
		add(severity, "Loses messages that were not acknowledged", fmt.Sprintf("all %d messages again on the next connection", len(first)),
			fmt.Sprintf("%d of %d did not come within 30 s, the first on %s with packet id %d; %s", len(gone), len(first), gone[0].Topic, gone[0].ID, why))
	}
	resent(f, first, add)
	if f.resumed {
		resumed(first, f.after, add)
	}
	return found
}

// resent judges what came again on the same connection.
func resent(f unacknowledged, first []testbed.Publication, add func(severity check.Severity, title, expected, seen string)) {
	again, bare := len(f.before)-len(first), 0
	for _, p := range f.before {
		original := slices.ContainsFunc(first, func(q testbed.Publication) bool { return q.N == p.N })
		if !original && !p.Dup {
			bare++
		}
	}
	switch {
	case again > 0 && f.version == mqtt.V5:
		add(check.Major, "Sends again on the same connection", "no repetition before the next connection [MQTT-4.4.0-1]",
			fmt.Sprintf("%d repetitions of %d messages within 30 s", again, len(first)))
	case bare > 0:
		add(check.Major, "Sends again without DUP", "DUP=1 on every repetition [MQTT-3.3.1-1]", fmt.Sprintf("%d of %d repetitions on the same connection without it", bare, again))
	}
}

// resumed judges how messages came again in a session that was kept.
func resumed(first, after []testbed.Publication, add func(severity check.Severity, title, expected, seen string)) {
	var renumbered, bare []testbed.Publication
	for _, p := range first {
		i := slices.IndexFunc(after, func(q testbed.Publication) bool { return q.ID == p.ID && q.Says(p) })
		switch {
		case i < 0 && slices.ContainsFunc(after, p.Says):
			renumbered = append(renumbered, p)
		case i >= 0 && !after[i].Dup:
			bare = append(bare, p)
		}
	}
	if len(renumbered) > 0 {
		add(check.Major, "Sends again under another packet id", "the original packet id in a session that was kept [MQTT-4.4.0-1]",
			fmt.Sprintf("%d of %d messages, the first on %s, was %d before", len(renumbered), len(first), renumbered[0].Topic, renumbered[0].ID))
	}
	if len(bare) > 0 {
		add(check.Major, "Sends again without DUP", "DUP=1 on every repetition [MQTT-3.3.1-1]",
			fmt.Sprintf("%d of %d messages after the reconnect, the first on %s with packet id %d", len(bare), len(first), bare[0].Topic, bare[0].ID))
	}
}
