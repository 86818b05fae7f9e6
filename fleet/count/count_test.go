package count_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/shakedown-test/shakedown/fleet/count"
)

// plain ignores the examples.
var plain = cmpopts.IgnoreFields(count.Totals{}, "Examples")

func TestAccount(t *testing.T) {
	l := count.New()
	l.Watch()
	l.Declare(0, 2, 0)
	for seq := range uint32(200) {
		l.Sent(0, seq)
		l.Sent(1, seq)
	}
	l.Sent(1, 7) // written again after a reconnect
	for seq := range uint32(200) {
		l.Acked(0, seq)
		if seq == 70 || seq == 71 {
			continue
		}
		if again, late := l.Arrived(0, seq); again || late {
			t.Fatalf("message %d: again %v, late %v", seq, again, late)
		}
	}
	if again, late := l.Arrived(0, 5); !again || late {
		t.Errorf("a duplicate: again %v, late %v", again, late)
	}
	if again, late := l.Arrived(0, 71); again || !late {
		t.Errorf("a late one: again %v, late %v", again, late)
	}
	l.Foreign()
	l.Leaked(0, 9)
	l.LeakedUnnamed()
	got := l.Totals()
	want := count.Totals{Watched: true, Sent: 400, Acked: 200, Arrived: 199, Lost: 201, LostAcked: 1, Duplicates: 1, Late: 1, Leaked: 2, Foreign: 1}
	if d := cmp.Diff(want, got, plain); d != "" {
		t.Error(d)
	}
	account, _ := l.MarshalBinary()
	whole := count.New()
	whole.Declare(0, 2, 200)
	for range 2 { // of two shares
		if err := whole.Merge(account); err != nil || len(whole.Totals().Examples["leaked"]) == 0 {
			t.Errorf("merge: %v, %+v", err, whole.Totals())
		}
	}
	if got := whole.Totals().Leaked; got != 4 {
		t.Errorf("two shares with 2 leaked messages each come to %d", got)
	}
	lost := got.Examples["lost"]
	if len(lost) != 10 || lost[0] != (count.Message{Source: 0, Seq: 70}) || lost[1] != (count.Message{Source: 1, Seq: 0}) {
		t.Errorf("examples of lost messages: %v", lost)
	}
	for sort, m := range map[string]count.Message{"lost_acked": {Source: 0, Seq: 70}, "duplicate": {Source: 0, Seq: 5}, "late": {Source: 0, Seq: 71}, "leaked": {Source: 0, Seq: 9}} {
		if !slices.Equal(got.Examples[sort], []count.Message{m}) {
			t.Errorf("examples of %s: %v, want %v", sort, got.Examples[sort], m)
		}
	}
}

// Without an observer nothing is known of what was lost.
func TestNobodyWatches(t *testing.T) {
	l := count.New()
	l.Sent(3, 0)
	if got := l.Totals(); got.Watched || got.Lost != 0 || got.Sent != 1 {
		t.Errorf("%+v", got)
	}
}

// What comes from the wire may hold any number.
func TestHostileNumbers(t *testing.T) {
	l := count.New()
	l.Watch()
	l.Declare(0, 1, 1000)
	l.Sent(1, 0)
	for _, m := range []count.Message{{1 << 31, 0}, {4294967295, 4294967295}, {0, 1000}, {0, 4294967295}, {1, 4097}, {1, 1 << 28}, {2, 0}} {
		if again, late := l.Arrived(m.Source, m.Seq); again || late {
			t.Errorf("%v: again %v, late %v", m, again, late)
		}
	}
	l.Acked(1<<30, 0)
	l.Acked(1, 1<<30)
	l.Sent(1, 4294967295)
	got := l.Totals()
	if want := (count.Totals{Watched: true, Sent: 1, Lost: 1, Strange: 10}); !cmp.Equal(want, got, plain) {
		t.Error(cmp.Diff(want, got, plain))
	}
	if account, err := l.MarshalBinary(); err != nil || len(account) > 200 {
		t.Errorf("the account has %d bytes, %v", len(account), err)
	}
}

// An arrival may be noted before the other loop notes what it sent, but not one that nobody sends in the end.
func TestUnsent(t *testing.T) {
	l := count.New()
	l.Watch()
	l.Sent(0, 0)
	l.Arrived(0, 1)
	if got := l.Totals(); got.Unsent != 1 || got.Lost != 1 || !slices.Equal(got.Examples["unsent"], []count.Message{{0, 1}}) {
		t.Errorf("before it is sent: %+v", got)
	}
	l.Sent(0, 1)
	if got := l.Totals(); got.Unsent != 0 || got.Lost != 1 {
		t.Errorf("after it is sent: %+v", got)
	}
}

// TestAgainstSets does at random what a fleet does, in four ledgers that are merged in the end, and keeps the account in plain sets beside.
func TestAgainstSets(t *testing.T) {
	chance := rand.New(rand.NewPCG(1, 2))
	publishers, observer := []*count.Ledger{count.New(), count.New(), count.New()}, count.New()
	observer.Watch()
	observer.Declare(0, 300, 2000)
	sent, acked, arrived := map[count.Message]bool{}, map[count.Message]bool{}, map[count.Message]bool{}
	duplicates := uint64(0)
	for source := range uint32(300) {
		p := publishers[source%3]
		drops := chance.Float64() * 0.2
		for seq := range chance.Uint32N(1500) {
			m := count.Message{Source: source, Seq: seq}
			if chance.Float64() < 0.01 {
				continue // withheld
			}
			p.Sent(source, seq)
			sent[m] = true
			if chance.Float64() < 0.9 {
				p.Acked(source, seq)
				acked[m] = true
			}
			for chance.Float64() > drops {
				if again, _ := observer.Arrived(source, seq); again != arrived[m] {
					t.Fatalf("%v arrived: again %v", m, again)
				}
				if arrived[m] {
					duplicates++
				}
				arrived[m] = true
				drops = 0.9
			}
			drops = 0.1
		}
	}
	want := count.Totals{Watched: true, Sent: uint64(len(sent)), Acked: uint64(len(acked)), Arrived: uint64(len(arrived)), Duplicates: duplicates}
	for m := range sent {
		if !arrived[m] {
			want.Lost++
			if acked[m] {
				want.LostAcked++
			}
		}
	}
	for _, p := range publishers {
		account, err := p.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		if err := observer.Merge(account); err != nil {
			t.Fatal(err)
		}
	}
	if got := observer.Totals(); !cmp.Equal(want, got, plain) {
		t.Error(cmp.Diff(want, got, plain))
	}
	account, _ := observer.MarshalBinary()
	whole := count.New()
	whole.Declare(0, 300, 2000)
	if err := whole.Merge(account); err != nil {
		t.Fatal(err)
	}
	if got := whole.Totals(); !cmp.Equal(want, got, plain) {
		t.Errorf("after a second journey: %s", cmp.Diff(want, got, plain))
	}
}

// An account in which everything arrived takes a few bytes for each source.
func TestAccountIsSmall(t *testing.T) {
	l := count.New()
	for source := range uint32(100) {
		for seq := range uint32(64 * 100) {
			l.Sent(source, seq)
			l.Acked(source, seq)
			l.Arrived(source, seq)
		}
	}
	account, err := l.MarshalBinary()
	if err != nil || len(account) > 100*12 {
		t.Errorf("%d bytes for 100 sources, %v", len(account), err)
	}
}

// A run of which nothing is lost takes no more memory the longer it is.
func TestLengthCostsNothing(t *testing.T) {
	l := count.New()
	l.Watch()
	play := func(from, to uint32) {
		for seq := from; seq < to; seq++ {
			for source := range uint32(64) {
				l.Sent(source, seq)
				l.Acked(source, seq)
				l.Arrived(source, seq)
			}
		}
	}
	play(0, 1000)
	allocations := testing.AllocsPerRun(1, func() { play(1000, 20_000) })
	if got := l.Totals(); allocations > 64 || got.Sent != 64*20_000 || got.Lost != 0 {
		t.Errorf("%.0f allocations; %+v", allocations, got)
	}
}

// TestLongStreams does what happens late in streams of which most is over: repetitions of old messages, acknowledgements and arrivals that
// lag behind by hundreds, and losses, beside plain sets.
func TestLongStreams(t *testing.T) {
	for name, lag := range map[string]int{"at once": 0, "within a group": 40, "behind by groups": 300} {
		for _, watch := range []bool{false, true} {
			t.Run(fmt.Sprint(name, ", watched ", watch), func(t *testing.T) {
				chance := rand.New(rand.NewPCG(3, uint64(lag)))
				l, sent, acked, arrived, duplicates := count.New(), map[uint32]bool{}, map[uint32]bool{}, map[uint32]bool{}, uint64(0)
				if watch {
					l.Watch()
				}
				arrive := func(seq uint32) {
					if again, _ := l.Arrived(7, seq); again != arrived[seq] {
						t.Fatalf("message %d: again %v", seq, again)
					}
					if arrived[seq] {
						duplicates++
					}
					arrived[seq] = true
				}
				const n = 5000
				for seq := range uint32(n) {
					l.Sent(7, seq)
					sent[seq] = true
					if old := int(seq) - lag; old >= 0 && (old < 3000 || old%700 != 0) {
						arrive(uint32(old))
						l.Acked(7, uint32(old))
						acked[uint32(old)] = true
					}
					if chance.Float64() < 0.01 { // once more
						old := chance.Uint32N(seq + 1)
						l.Sent(7, old)
						l.Acked(7, old)
						acked[old] = true
						arrive(old)
					}
				}
				want := count.Totals{Watched: watch, Sent: n, Acked: uint64(len(acked)), Arrived: uint64(len(arrived)), Duplicates: duplicates}
				for seq := range sent {
					if watch && !arrived[seq] {
						want.Lost++
						if acked[seq] {
							want.LostAcked++
						}
					}
				}
				got := l.Totals()
				want.Late = got.Late
				if !cmp.Equal(want, got, plain) {
					t.Error(cmp.Diff(want, got, plain))
				}
				account, err := l.MarshalBinary()
				if err != nil {
					t.Fatal(err)
				}
				whole := count.New()
				whole.Declare(0, 8, n)
				if err := whole.Merge(account); err != nil {
					t.Fatal(err)
				}
				if got := whole.Totals(); !cmp.Equal(want, got, plain) {
					t.Errorf("after a journey: %s", cmp.Diff(want, got, plain))
				}
			})
		}
	}
}

func TestLoopsShareALedger(t *testing.T) {
	t.Parallel()
	const loops, each = 8, 5000
	l := count.New()
	l.Watch()
	var all sync.WaitGroup
	for loop := range uint32(loops) {
		all.Go(func() {
			for seq := range uint32(each) {
				for source := loop; source < 40; source += loops {
					l.Sent(source, seq)
					l.Arrived(source, seq)
				}
			}
		})
	}
	all.Wait()
	if got, want := l.Totals(), (count.Totals{Watched: true, Sent: 40 * each, Arrived: 40 * each}); !cmp.Equal(want, got, plain) {
		t.Error(cmp.Diff(want, got, plain))
	}
}

func TestMergeRefuses(t *testing.T) {
	from := count.New()
	for seq := range uint32(20000) {
		from.Sent(5, seq)
	}
	account, _ := from.MarshalBinary()
	for name, declare := range map[string]func(*count.Ledger){
		"a source that was not declared": func(*count.Ledger) {},
		"more messages than declared":    func(l *count.Ledger) { l.Declare(0, 10, 100) },
	} {
		into := count.New()
		declare(into)
		if err := into.Merge(account); err == nil {
			t.Errorf("takes %s", name)
		}
	}
	into := count.New()
	into.Declare(0, 10, 20000)
	if err := into.Merge(append(slices.Clone(account), 0)); err == nil {
		t.Error("takes an account with something after its end")
	}
	for n := range account {
		if err := into.Merge(account[:n]); err == nil {
			t.Errorf("takes the first %d of %d bytes", n, len(account))
		}
	}
}

func FuzzMerge(f *testing.F) {
	l := count.New()
	l.Watch()
	for seq := range uint32(300) {
		l.Sent(2, seq)
		l.Acked(2, seq/2)
		l.Arrived(2, seq&^1)
	}
	l.Leaked(2, 3)
	l.LeakedUnnamed()
	account, _ := l.MarshalBinary()
	f.Add(account)
	f.Add([]byte{1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, account []byte) {
		into := count.New()
		into.Declare(0, 8, 1000)
		if into.Merge(account) != nil {
			return
		}
		again, err := into.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		other := count.New()
		other.Declare(0, 8, 1000)
		if err := other.Merge(again); err != nil {
			t.Fatalf("does not read what it wrote: %v", err)
		}
		if a, b := into.Totals(), other.Totals(); !cmp.Equal(a, b, plain) {
			t.Error(cmp.Diff(a, b, plain))
		}
	})
}

// BenchmarkMessage is the whole life of a message, and what is kept of it.
func BenchmarkMessage(b *testing.B) {
	b.ReportAllocs()
	l := count.New()
	for i := range b.N {
		source, seq := uint32(i%1000), uint32(i/1000)
		l.Sent(source, seq)
		l.Acked(source, seq)
		l.Arrived(source, seq)
	}
}
