package testbed

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestTimes(t *testing.T) {
	got := Times(map[string]any{
		"at": "2026-11-01T00:00:05Z", "ts": 1.7e9, "ms": 1.7e12, "unset": 946684800.0, // 2000-01-01: a clock without a battery
		"seq": 7.0, "name": "pump", "nested": map[string]any{"at": "2026-11-01T00:00:05Z"},
	})
	want := map[string]time.Time{
		"at": time.Date(2026, 11, 1, 0, 0, 5, 0, time.UTC), "ts": time.Unix(1_700_000_000, 0), "ms": time.Unix(1_700_000_000, 0),
		"unset": time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if len(Times("text")) != 0 {
		t.Error("a text holds a time")
	}
}
