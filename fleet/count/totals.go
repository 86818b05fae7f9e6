package count

import (
	"fmt"
	"math/bits"
	"slices"
)

// sort is a way in which a message is not as it should be.
type sort int

const (
	lost sort = iota
	lostAcked
	duplicate
	reordered
	leaked
	strange
	unsent
	sorts
)

var sortNames = [sorts]string{"lost", "lost_acked", "duplicate", "late", "leaked", "strange", "unsent"}

// Message is one message by its source and its number there.
type Message struct {
	Source uint32 `json:"source"`
	Seq    uint32 `json:"seq"`
}

// String is as it is written in reports.
func (m Message) String() string { return fmt.Sprintf("%d/%d", m.Source, m.Seq) }

// Totals is the account at one moment.
type Totals struct {
	Watched    bool   `json:"watched"` // whether somebody received what was sent: otherwise nothing is known of what arrived and was lost
	Sent       uint64 `json:"sent"`    // messages, however often each was written
	Acked      uint64 `json:"acked"`
	Arrived    uint64 `json:"arrived"` // messages, however often each arrived
	Lost       uint64 `json:"lost"`    // sent and not arrived; 0 where nobody watched
	LostAcked  uint64 `json:"lost_acked"`
	Void       uint64 `json:"void"`       // sent to somebody who lost the connection before they arrived, and for whom nobody keeps them
	Duplicates uint64 `json:"duplicates"` // arrivals of what had arrived before
	Late       uint64 `json:"late"`       // arrivals after a later message of the same source
	Leaked     uint64 `json:"leaked"`     // arrivals at another tenant, by stamps or canaries
	Foreign    uint64 `json:"foreign"`    // with the stamp of another run
	Strange    uint64 `json:"strange"`    // with a stamp of this run that nobody can have written
	Unsent     uint64 `json:"unsent"`     // arrived, and no part of the account says that they were sent: it misses a sender

	// Examples are the first of each sort: lost, lost_acked, duplicate, late, leaked, strange, unsent.
	Examples map[string][]Message `json:"examples,omitempty"`
}

// Totals adds up. It reads the whole ledger: a few milliseconds for ten million messages.
func (l *Ledger) Totals() Totals {
	t := Totals{Watched: l.watch.Load() == watched, Foreign: l.foreign.Load(), Strange: l.strange.Load(), Leaked: l.leaked.Load()}
	var shown [sorts][]Message
	l.shown.Lock()
	for s := range shown {
		shown[s] = slices.Clone(l.examples[s])
	}
	l.shown.Unlock()
	t.Duplicates, t.Late = l.each(func(number uint32, s *source) {
		s.each(func(i int, g group) {
			t.Sent += ones(g.sent)
			t.Acked += ones(g.acked)
			t.Arrived += ones(g.arrived)
			missing := g.sent &^ g.arrived
			if v := missing & s.voided(i); t.Watched {
				t.Void += ones(v)
				missing &^= v
			}
			if t.Watched && missing != 0 {
				t.Lost += ones(missing)
				t.LostAcked += ones(missing & g.acked)
				first := Message{number, uint32(i) * 64}
				shown[lost] = some(shown[lost], first, missing)
				shown[lostAcked] = some(shown[lostAcked], first, missing&g.acked)
			}
			if phantom := g.arrived &^ g.sent; phantom != 0 {
				t.Unsent += ones(phantom)
				shown[unsent] = some(shown[unsent], Message{number, uint32(i) * 64}, phantom)
			}
		})
	})
	for s, list := range shown {
		if len(list) > 0 {
			if t.Examples == nil {
				t.Examples = map[string][]Message{}
			}
			t.Examples[sortNames[s]] = list
		}
	}
	return t
}

// some adds the messages of a group whose bits are set to a list, as long as it is short.
func some(list []Message, first Message, set uint64) []Message {
	for ; set != 0 && len(list) < examples; set &= set - 1 {
		list = append(list, Message{first.Source, first.Seq + uint32(bits.TrailingZeros64(set))})
	}
	return list
}
