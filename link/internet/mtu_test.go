package internet

import (
	"bytes"
	"io"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/link/frame"
)

// A datagram that a link splits is put together again by who gets it, also behind a NAT.
func TestFragmentsArrive(t *testing.T) {
	w := open(t)
	a, err := w.Name("server.example")
	if err != nil {
		t.Fatal(err)
	}
	at := netip.AddrPortFrom(a, 9)
	server, err := w.Servers.ListenPacket(at)
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	access := w.Home().Station("device")
	back := make(chan []byte, 10)
	access.Near(func(f []byte) { back <- f })
	defer access.MTU(frame.Both, 576)()
	defer w.Home().Uplink.MTU(frame.Both, 300)()

	sent := bytes.Repeat([]byte("0123456789"), 140)
	access.SendUp(datagram(w.Home(), at, sent))
	got := make([]byte, 2000)
	server.SetReadDeadline(time.Now().Add(5 * time.Second))
	n, from, err := server.ReadFrom(got)
	if err != nil || !bytes.Equal(got[:n], sent) {
		t.Fatalf("the server got %d bytes, %v; dropped %v", n, err, w.Home().Router.Dropped())
	}
	if up, _ := w.Home().Uplink.Counts(); up.Sent != 3 || up.Delivered != 6 {
		t.Errorf("%d fragments became %d, want 3 and 6", up.Sent, up.Delivered)
	}
	if _, err := server.WriteTo([]byte("answer"), from); err != nil {
		t.Fatal(err)
	}
	for f := range back { // an answer comes behind the requests of the router's neighbour discovery
		if bytes.HasSuffix(f, []byte("answer")) {
			break
		}
	}
}

// datagram is a frame of a station with a UDP datagram that may be split.
func datagram(s *Segment, to netip.AddrPort, payload []byte) []byte {
	mac, source := s.Router.mac, s.Address().Addr()
	udp := []byte{0x30, 0x39, byte(to.Port() >> 8), byte(to.Port()), byte((8 + len(payload)) >> 8), byte(8 + len(payload)), 0, 0} // without checksum
	ip := []byte{0x45, 0, byte((28 + len(payload)) >> 8), byte(28 + len(payload)), 0, 7, 0, 0, 64, 17, 0, 0}
	ip = slices.Concat(ip, source.AsSlice(), to.Addr().AsSlice())
	frame.ChecksumIPv4(ip)
	return slices.Concat(mac[:], []byte{2, 9, 9, 9, 9, 9, 8, 0}, ip, udp, payload)
}

// With ICMP a sender finds a smaller MTU on the way; without, its full segments vanish until the link is healed.
func TestPathMTU(t *testing.T) {
	t.Parallel()
	for name, tell := range map[string]bool{"told": true, "black hole": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := open(t)
			at := serveEcho(t, w, "echo.example")
			h, access := join(t, w, "device")
			c := dial(t, h, at)
			var who []netip.Addr
			if tell {
				who = append(who, w.Home().Router.LAN().Addr())
			}
			undo := access.MTU(frame.Up, 1000, who...)
			sent, got := bytes.Repeat([]byte("0123456789"), 2000), make([]byte, 20_000)
			longest := 0
			defer w.Home().Uplink.Watch(func(f []byte, way frame.Way) {
				if way == frame.Up {
					longest = max(longest, len(f))
				}
			})()
			go c.Write(sent)
			if !tell {
				c.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
				if n, err := io.ReadFull(c, got); err == nil || n > 0 {
					t.Errorf("%d bytes passed a black hole, %v", n, err)
				}
				undo()
			}
			c.SetReadDeadline(time.Now().Add(10 * time.Second))
			if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, sent) {
				t.Fatalf("they did not come: %v", err)
			}
			if tell && longest > 14+1000 {
				t.Errorf("a frame of %d bytes passed", longest)
			}
		})
	}
}
