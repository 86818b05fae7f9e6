package internet

import (
	"encoding/binary"
	"sync"
	"testing"

	"github.com/shakedown-test/shakedown/link/frame"
)

// Connections work with other numbers, and the link sees those.
func TestBegin(t *testing.T) {
	w := open(t)
	at := serveEcho(t, w, "echo.example")
	h, access := join(t, w, "device")
	var mu sync.Mutex
	var seen []uint32
	defer access.Watch(func(f []byte, way frame.Way) {
		if p, ok := parse(f); ok && way == frame.Up && p.proto == TCP && p.flags() == syn {
			mu.Lock()
			defer mu.Unlock()
			seen = append(seen, binary.BigEndian.Uint32(p.body()[4:]))
		}
	})()
	h.Begin(func() uint32 { return 0xffffffff })
	for range 2 {
		c, err := h.DialContext(t.Context(), "tcp", at.String())
		if err != nil {
			t.Fatal(err)
		}
		ping(t, c)
		ping(t, c)
		c.Close()
	}
	mu.Lock()
	defer mu.Unlock()
	if len(seen) < 2 {
		t.Errorf("the link saw %d SYNs, want 2", len(seen))
	}
	for _, isn := range seen {
		if isn != 0xffffffff {
			t.Errorf("a connection began with %d", isn)
		}
	}
}
