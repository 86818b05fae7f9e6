package capture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gopacket/gopacket/pcapgo"
	"github.com/shakedown-test/shakedown/link/frame"
	"github.com/shakedown-test/shakedown/world/clock"
)

var macs = []byte{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1}

func packet4(proto byte, fragment uint16, body []byte) []byte {
	ip := []byte{0x45, 0, 0, 0, 0, 1, byte(fragment >> 8), byte(fragment), 64, proto, 0, 0, 192, 168, 1, 10, 203, 0, 113, 10}
	binary.BigEndian.PutUint16(ip[2:], uint16(20+len(body)))
	return slices.Concat(macs, []byte{8, 0}, ip, body)
}

func packet6(next byte, body []byte) []byte {
	ip := slices.Concat([]byte{0x60, 0, 0, 0, byte(len(body) >> 8), byte(len(body)), next, 64}, make([]byte, 15), []byte{1}, make([]byte, 15), []byte{2})
	return slices.Concat(macs, []byte{0x86, 0xdd}, ip, body)
}

func udp(src, dst uint16, payload string) []byte {
	h := make([]byte, 8)
	binary.BigEndian.PutUint16(h, src)
	binary.BigEndian.PutUint16(h[2:], dst)
	binary.BigEndian.PutUint16(h[4:], uint16(8+len(payload)))
	return append(h, payload...)
}

func tcp(seq uint32, flags byte, dst uint16, payload string) []byte {
	h := make([]byte, 20)
	binary.BigEndian.PutUint16(h, 50000)
	binary.BigEndian.PutUint16(h[2:], dst)
	binary.BigEndian.PutUint32(h[4:], seq)
	h[12], h[13] = 5<<4, flags
	return append(h, payload...)
}

const (
	dtls  = "\x16\xfe\xfd\x00\x00\x00\x00\x00\x00\x00\x00\x00\x04\x01\x02\x03\x04"
	hello = "\x16\x03\x01\x00\x05HELLO"
	data  = "\x17\x03\x03\x00\x06cipher"
)

func TestVeil(t *testing.T) {
	const hidden = "secret"
	for name, c := range map[string]struct {
		frame []byte
		shown int // bytes from the beginning that stay; -1: all
	}{
		"ARP":                        {slices.Concat(macs, []byte{8, 6}, []byte("who has")), -1},
		"another kind":               {slices.Concat(macs, []byte{0x88, 0x64}, []byte(hidden)), 14},
		"cut off":                    {macs, -1},
		"UDP":                        {packet4(17, 0, udp(1000, 1001, hidden)), 42},
		"UDP over IPv6":              {packet6(17, udp(1000, 1001, hidden)), 62},
		"DNS":                        {packet4(17, 0, udp(1000, 53, "query")), -1},
		"DNS answer":                 {packet4(17, 0, udp(53, 1000, "answer")), -1},
		"mDNS over IPv6":             {packet6(17, udp(5353, 5353, "answer")), -1},
		"DTLS":                       {packet4(17, 0, udp(1000, 5684, dtls+dtls)), -1},
		"DTLS with something behind": {packet4(17, 0, udp(1000, 5684, dtls+hidden)), 42},
		"a later fragment":           {packet4(17, 100, []byte(hidden)), 34},
		"a later fragment of IPv6":   {packet6(44, slices.Concat([]byte{17, 0, 0, 8, 0, 0, 0, 1}, []byte(hidden))), 62},
		"behind options of IPv6":     {packet6(0, slices.Concat([]byte{17, 0, 0, 0, 0, 0, 0, 0}, udp(1, 2, hidden))), 70},
		"TCP that began unseen":      {packet4(6, 0, tcp(1, 0x10, 443, hello)), 54},
		"TCP without payload":        {packet4(6, 0, tcp(1, 0x10, 443, "")), -1},
		"DNS over TCP":               {packet4(6, 0, tcp(1, 0x10, 53, "query")), -1},
		"echo":                       {packet4(1, 0, []byte("\x08\x00\x00\x00\x00\x00\x00\x00ping")), -1},
		"ICMP error":                 {packet4(1, 0, slices.Concat([]byte{3, 4, 0, 0, 0, 0, 0, 0}, packet4(17, 0, udp(1, 2, hidden))[14:])), 70},
		"ICMPv6 error":               {packet6(58, slices.Concat([]byte{2, 0, 0, 0, 0, 0, 0, 0}, packet6(17, udp(1, 2, hidden))[14:])), 110},
		"another protocol":           {packet4(132, 0, []byte(hidden)), 34},
		"IPv4 that lies":             {append(packet4(17, 0, udp(1000, 53, ""))[:30], hidden...), 14},
		"IPv6 that lies":             {packet6(17, udp(1000, 53, hidden))[:60], 14},
		"TCP that lies":              {packet4(6, 0, append(tcp(1, 0x10, 53, "")[:12], "\xf0\x10\x00\x00\x00\x00\x00\x00secret"...)), 54},
	} {
		t.Run(name, func(t *testing.T) {
			var v veil
			was := slices.Clone(c.frame)
			got := v.over(c.frame)
			if !bytes.Equal(c.frame, was) || len(got) != len(was) {
				t.Fatal("the frame was changed")
			}
			shown := c.shown
			if shown < 0 {
				shown = len(was)
			}
			if want := append(was[:shown:shown], make([]byte, len(was)-shown)...); !bytes.Equal(got, want) {
				t.Errorf("got  %x\nwant %x", got, want)
			}
		})
	}
}

func TestVeilFollowsTLS(t *testing.T) {
	type segment struct {
		at      uint32 // place in the stream
		payload string
		shown   bool
	}
	var record strings.Builder
	record.WriteString("\x17\x03\x03\x00\x64")
	record.Write(make([]byte, 100))
	long := record.String()
	for name, segments := range map[string][]segment{
		"records":                     {{0, hello, true}, {10, data, true}},
		"plain":                       {{0, "GET / HTTP/1.1", false}, {14, hello, false}},
		"a record in pieces":          {{0, hello, true}, {10, long[:3], true}, {13, long[3:50], true}, {60, long[50:], true}, {115, data, true}},
		"sent again":                  {{0, hello, true}, {0, hello, true}, {5, "HELLO" + data, true}},
		"out of order":                {{10, data, false}, {0, hello, true}, {10, data, true}},
		"plain behind":                {{0, hello, true}, {10, "password", false}, {10, data, false}},
		"plain behind, in one":        {{0, hello + "password", false}},
		"begins with data":            {{0, data, false}},
		"a length that no record has": {{0, "\x16\x03\x01\xff\xff" + hello, false}},
	} {
		t.Run(name, func(t *testing.T) {
			const isn = 0xfffffffa // it wraps around
			var v veil
			v.over(packet4(6, 0, tcp(isn, 0x02, 8883, "")))
			for i, s := range segments {
				f := packet4(6, 0, tcp(isn+1+s.at, 0x10, 8883, s.payload))
				if shown := bytes.Equal(v.over(f), f); shown != s.shown {
					t.Errorf("segment %d is shown: %t", i, shown)
				}
			}
		})
	}
}

func TestFlowsAreBounded(t *testing.T) {
	var v veil
	for n := range 3 * maxFlows {
		v.over(packet4(6, 0, tcp(0, 0x02, uint16(n), "")))
	}
	if len(v.flows) > maxFlows {
		t.Errorf("%d flows are remembered", len(v.flows))
	}
}

// read gives the frames of a capture and their directions.
func read(t *testing.T, file []byte) (frames [][]byte, times []time.Time, stats pcapgo.NgInterfaceStatistics) {
	t.Helper()
	r, err := pcapgo.NewNgReader(bytes.NewReader(file), pcapgo.NgReaderOptions{WantMixedLinkType: true})
	if err != nil {
		t.Fatal(err)
	}
	for {
		f, info, err := r.ReadPacketData()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		frames, times = append(frames, f), append(times, info.Timestamp)
	}
	i, err := r.Interface(0)
	if err != nil || i.Name != "access" {
		t.Errorf("interface %+v, %v", i, err)
	}
	return frames, times, i.Statistics
}

func TestRecorder(t *testing.T) {
	for _, keep := range []bool{false, true} {
		var file bytes.Buffer
		clk := clock.New(10)
		clk.Set(time.Date(2031, 1, 2, 3, 4, 5, 0, time.UTC))
		r, err := New(&file, Options{Name: "access", Clock: clk, KeepSecrets: keep})
		if err != nil {
			t.Fatal(err)
		}
		l := frame.New(frame.Options{Name: "access", Clock: clk})
		l.Watch(r.See)
		l.SendUp(packet4(17, 0, udp(1, 2, "secret")))
		l.Near(func([]byte) {})
		l.SendDown(packet4(17, 0, udp(2, 53, "answer")))
		if n := r.Mark(); n != 2 {
			t.Errorf("%d frames were recorded, want 2", n)
		}
		marked := bytes.Clone(file.Bytes()) // as after kill -9
		if frames, _, _ := read(t, marked); len(frames) != 2 {
			t.Errorf("%d frames were written out", len(frames))
		}
		l.Close()
		if err := errors.Join(r.Close(), r.Close()); err != nil {
			t.Fatal(err)
		}
		r.See(packet4(17, 0, udp(1, 2, "late")), frame.Up)
		frames, times, stats := read(t, file.Bytes())
		if len(frames) != 2 || bytes.Contains(frames[0], []byte("secret")) != keep || !bytes.Contains(frames[1], []byte("answer")) {
			t.Errorf("keep %t: the frames are %q", keep, frames)
		}
		if times[0].UTC().Year() != 2031 {
			t.Errorf("the first frame is of %s", times[0])
		}
		if stats.PacketsReceived != 2 || stats.PacketsDropped != 0 {
			t.Errorf("statistics %+v", stats)
		}
		if flags := bytes.Count(file.Bytes(), []byte{2, 0, 4, 0, 2, 0, 0, 0}); flags != 1 {
			t.Errorf("%d frames are marked as outbound", flags)
		}
	}
}

func TestRecorderIsBounded(t *testing.T) {
	var file bytes.Buffer
	r, err := New(&file, Options{Name: "access", Clock: clock.New(1), Limit: 10_000})
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		r.See(packet4(17, 0, udp(1, 2, strings.Repeat("x", 1000))), frame.Up)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	frames, _, stats := read(t, file.Bytes())
	if file.Len() > 11_500 || len(frames)+r.Dropped() != 100 || r.Mark() != len(frames) || int(stats.PacketsDropped) != r.Dropped() {
		t.Errorf("%d bytes, %d frames, %d dropped, %+v", file.Len(), len(frames), r.Dropped(), stats)
	}
	if !bytes.Contains(file.Bytes(), []byte("the capture ends here")) {
		t.Error("the file does not say that it is full")
	}
}

type full struct{ room int }

func (f *full) Write(b []byte) (int, error) {
	if f.room -= len(b); f.room < 0 {
		return 0, errors.New("disk full")
	}
	return len(b), nil
}

func TestRecorderThatCannotWrite(t *testing.T) {
	if _, err := New(&full{}, Options{Clock: clock.New(1)}); err == nil {
		t.Error("a capture began on a full disk")
	}
	r, err := New(&full{room: 1000}, Options{Clock: clock.New(1)})
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		r.See(packet4(17, 0, udp(1, 2, "x")), frame.Up)
		r.Mark()
	}
	if err := r.Close(); err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Errorf("close gave %v", err)
	}
}

func FuzzVeil(f *testing.F) {
	f.Add(packet4(17, 0, udp(1, 2, "secret")), packet6(44, []byte{6, 0, 0, 0, 0, 0, 0, 1}))
	f.Add(packet4(6, 0, tcp(0, 2, 443, hello)), packet4(6, 0, tcp(11, 16, 443, data)))
	f.Add(packet4(1, 0, []byte{3, 4, 0, 0, 0, 0, 0, 0, 0x4f}), packet6(0, []byte{58, 255, 0, 0, 0, 0, 0, 0}))
	f.Fuzz(func(t *testing.T, one, two []byte) {
		var v veil
		for _, b := range [][]byte{one, two, one} {
			was := slices.Clone(b)
			if got := v.over(b); len(got) != len(b) || !bytes.Equal(b, was) {
				t.Errorf("a frame of %d bytes became one of %d", len(b), len(got))
			}
		}
	})
}
