package device

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/shakedown-test/shakedown/wire/mqtt"
)

func TestServerReference(t *testing.T) {
	for ref, want := range map[string]string{
		"broker2.reference.test:99": "broker2.reference.test:99",
		"broker2.reference.test":    "broker2.reference.test:1883",
		"evil.test:99":              "",
		"reference.test.evil.test":  "",
		"127.0.0.1:99":              "",
		"":                          "",
	} {
		d := New(Config{Host: "broker.reference.test", Port: "1883"})
		p := &mqtt.Packet{Type: mqtt.DISCONNECT, Code: 0x9C, Props: mqtt.Properties{{ID: mqtt.ServerReference, Text: ref}}}
		for range 5 {
			d.referred = ""
			d.follow(p)
			if d.hops == 1 && d.referred != want {
				t.Errorf("%q leads to %q, want %q", ref, d.referred, want)
			}
		}
		if d.referred != "" {
			t.Errorf("%q is followed without end", ref)
		}
	}
}

func TestStoreSurvivesDamage(t *testing.T) {
	dir := t.TempDir()
	s := store{dir: dir}
	for i := range 3 {
		if err := s.save(settings{Target: 100 + i}); err != nil {
			t.Fatal(err)
		}
	}
	read := func() (set settings, known bool) {
		known = (&store{dir: dir}).load(&set)
		return set, known
	}
	if set, known := read(); !known || set.Target != 102 {
		t.Fatalf("read %d, %t", set.Target, known)
	}
	newest := filepath.Join(dir, "state.b")
	data, err := os.ReadFile(newest)
	if err != nil {
		t.Fatal(err)
	}
	for cut := range data {
		if err := os.WriteFile(newest, data[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		if set, known := read(); !known || set.Target != 101 {
			t.Fatalf("after a write that was cut off at %d: %d, %t", cut, set.Target, known)
		}
	}
}

func TestPacketIDsSkipThoseInFlight(t *testing.T) {
	s := session{LastID: 65533, InFlight: []message{{ID: 65535}, {ID: 1}}}
	for _, want := range []uint16{65534, 2, 3} {
		if got := s.nextID(); got != want {
			t.Errorf("next id %d, want %d", got, want)
		}
	}
}

func TestOfflineBufferKeepsNewest(t *testing.T) {
	d := New(Config{})
	for i := range uint64(250) {
		d.set.Backlog = append(d.set.Backlog, reading{Seq: i + 1})
		d.trim()
	}
	if n, first := len(d.set.Backlog), d.set.Backlog[0].Seq; n != offlineBuffer || first != 251-offlineBuffer {
		t.Errorf("%d readings from %d on", n, first)
	}
}
