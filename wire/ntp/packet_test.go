package ntp

import (
	"bytes"
	"testing"
	"time"
)

func TestRoundTrip(t *testing.T) {
	p := Packet{
		Leap: Alarm, Version: 4, Mode: Server, Stratum: 2, Poll: 6, Precision: -20, RootDelay: 0x10000, RootDispersion: 7,
		RefID: [4]byte{'G', 'P', 'S'}, Reference: 1, Originate: 2, Receive: 3, Transmit: 1<<63 + 4,
	}
	b := p.Append(nil)
	if len(b) != Size || b[0] != 0xe4 {
		t.Fatalf("%d bytes, the first %#x", len(b), b[0])
	}
	if got, err := Decode(append(b, 1, 2, 3)); err != nil || got != p {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := Decode(b[:47]); err == nil {
		t.Error("47 bytes are no packet")
	}
}

// The first is the example of RFC 5905, figure 4.
func TestTimestamps(t *testing.T) {
	day := func(s string) time.Time {
		at, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	for _, tt := range []struct {
		at      string
		seconds uint32
		pivot   string
	}{
		{"1999-12-31T00:00:00Z", 3155587200, "2000-01-01T00:00:00Z"},
		{"1970-01-01T00:00:00Z", 2208988800, "1990-01-01T00:00:00Z"},
		{"2036-02-07T06:28:15Z", 4294967295, "2026-11-01T00:00:00Z"},
		{"2036-02-07T06:28:16Z", 0, "2026-11-01T00:00:00Z"},
		{"2038-01-19T03:14:08Z", 61505152, "2026-11-01T00:00:00Z"},
		{"2090-01-01T00:00:00Z", 1700933504, "2050-01-01T00:00:00Z"},
		{"1972-06-30T00:00:00.25Z", 2287699200, "1980-01-01T00:00:00Z"},
	} {
		at := day(tt.at)
		s := At(at)
		if got := uint32(s >> 32); got != tt.seconds {
			t.Errorf("%s is second %d, want %d", tt.at, got, tt.seconds)
		}
		if got := s.Near(day(tt.pivot)); got.Sub(at).Abs() > time.Nanosecond {
			t.Errorf("%s is read as %s", tt.at, got)
		}
	}
}

func TestKiss(t *testing.T) {
	for want, p := range map[string]Packet{
		"RATE": {Mode: Server, RefID: [4]byte{'R', 'A', 'T', 'E'}},
		"X":    {Mode: Server, RefID: [4]byte{'X'}},
		"":     {Mode: Server, Stratum: 1, RefID: [4]byte{'G', 'P', 'S'}},
	} {
		if got := p.Kiss(); got != want {
			t.Errorf("kiss %q, want %q", got, want)
		}
	}
	for _, p := range []Packet{{Mode: Client, RefID: [4]byte{'R'}}, {Mode: Server}, {Mode: Server, RefID: [4]byte{'R', 7}}} {
		if p.Kiss() != "" {
			t.Errorf("%+v has the kiss %q", p, p.Kiss())
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte{}, int64(0))
	f.Add(bytes.Repeat([]byte{0xff}, Size+20), int64(1<<40))
	p := Packet{Version: 4, Mode: Client, Transmit: At(time.Unix(1790000000, 5))}
	f.Add(p.Append(nil), int64(1790000000))
	f.Fuzz(func(t *testing.T, b []byte, pivot int64) {
		p, err := Decode(b)
		if err != nil {
			return
		}
		if !bytes.Equal(p.Append(nil), b[:Size]) {
			t.Errorf("% x is encoded as % x", b[:Size], p.Append(nil))
		}
		_ = p.Kiss()
		near := time.Unix(pivot%(1<<40), 0)
		at := p.Transmit.Near(near)
		if d := at.Sub(near).Abs(); d > 69*365*24*time.Hour {
			t.Errorf("%s is %s away from the pivot", at, d)
		}
		if back := At(at); back-p.Transmit+8 > 16 {
			t.Errorf("%x comes back as %x", uint64(p.Transmit), uint64(back))
		}
	})
}
