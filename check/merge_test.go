package check

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMerge(t *testing.T) {
	a, b, c, d := &Check{ID: "fault.a"}, &Check{ID: "fault.b"}, &Check{ID: "ota.c"}, &Check{ID: "mine.d"}
	bundled := []Risk{{ID: "fault", Title: "Faults", Plain: "It fails.", Checks: []*Check{a}}, {ID: "ota", Title: "Updates"}}
	got := Merge(append(bundled, Risk{ID: "fault", Title: "Ours", Checks: []*Check{b}},
		Risk{ID: "ota", Plain: "It stays old.", Checks: []*Check{c}}, Risk{ID: "mine", Title: "Mine", Checks: []*Check{d}}))
	want := []Risk{
		{ID: "fault", Title: "Faults", Plain: "It fails.", Checks: []*Check{a, b}},
		{ID: "ota", Title: "Updates", Plain: "It stays old.", Checks: []*Check{c}},
		{ID: "mine", Title: "Mine", Checks: []*Check{d}},
	}
	same := cmp.Comparer(func(x, y *Check) bool { return x == y })
	if diff := cmp.Diff(want, got, same); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(bundled[0].Checks) != 1 {
		t.Error("what was merged changed the bundled risk")
	}
}

func TestMergeTwice(t *testing.T) {
	defer func() {
		if p := recover(); p != "there are two checks fault.a" {
			t.Errorf("panic %v", p)
		}
	}()
	Merge([]Risk{{ID: "fault", Checks: []*Check{{ID: "fault.a"}}}, {ID: "fault", Checks: []*Check{{ID: "fault.a"}}}})
}
