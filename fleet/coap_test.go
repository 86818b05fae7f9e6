package fleet

import (
	"crypto/x509"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/fleet/series"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/coap"
	"github.com/shakedown-test/shakedown/world/clock"
	"github.com/shakedown-test/shakedown/world/origin"
	"github.com/shakedown-test/shakedown/world/pki"
)

// openCoAP is an endpoint with a real server, which takes what is posted to /telemetry.
func openCoAP(t *testing.T, dtls *origin.DTLS) (*far, *origin.Server) {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	clk := clock.New(1)
	s := origin.New(origin.Options{
		Part: "origin", Clock: clk, Log: evidence.NewLog(clk.Now, nil, false), Conn: pc, Rand: rand.New(rand.NewPCG(1, 2)), DTLS: dtls,
	})
	t.Cleanup(s.Close)
	s.Serve("/telemetry", origin.Sink())
	return &far{Target: Target{Scheme: product.COAP, Host: pc.LocalAddr().String()}}, s
}

func coapJob(f *far, devices int, every time.Duration, change func(*product.Class)) Job {
	j := job(f, devices, every, func(c *product.Class) {
		c.Telemetry[0].Topic = "/telemetry?from={n}"
		if change != nil {
			change(c)
		}
	})
	j.Watch, j.For = false, unhurried(2500*time.Millisecond)
	return j
}

// TestCoAP counts what a real server took.
func TestCoAP(t *testing.T) {
	t.Parallel()
	for _, one := range []struct {
		name string
		qos  int
		by   bool
	}{{"confirmable", 1, false}, {"non-confirmable", 0, false}, {"by goroutines", 1, true}} {
		t.Run(one.name, func(t *testing.T) {
			t.Parallel()
			f, s := openCoAP(t, nil)
			var mu sync.Mutex
			var wrong []string
			seen := map[string]int{}
			s.Serve("/telemetry", origin.Resource{Handle: func(_ *origin.Peer, m *coap.Message, body []byte) origin.Response {
				mu.Lock()
				defer mu.Unlock()
				seen[string(body)]++
				if format, ok := m.Uint(coap.ContentFormat); !ok || format != coap.JSON || len(m.Queries()) != 1 || (m.Type == coap.CON) != (one.qos > 0) {
					wrong = append(wrong, m.String())
				}
				return origin.Response{Code: coap.Changed, Format: -1}
			}})
			j := coapJob(f, 40, 100*time.Millisecond, func(c *product.Class) { c.Telemetry[0].QoS = one.qos })
			j.Goroutine = one.by
			r := do(t, j)
			s.Close()
			n := r.Totals.Counts
			whole := n[series.Acked] == n[series.Sent] && int(n[series.Sent]) == len(seen)
			if one.qos == 0 { // a socket of a busy machine drops datagrams, and nobody sends these again
				whole = n[series.Acked] > 30 && int(n[series.Acked]) <= len(seen) && len(seen) <= int(n[series.Sent])
			}
			if n[series.Accepted] != 40 || n[series.Sent] < 60 || !whole || len(wrong) > 0 {
				t.Errorf("accepted %d, sent %d, acknowledged %d, the server saw %d; errors %v, answers %v; wrong %v", n[series.Accepted], n[series.Sent], n[series.Acked],
					len(seen), r.Totals.Errors, r.Totals.Answers, wrong)
			}
		})
	}
}

// peer is the far end of a test that answers datagrams as it likes: with none, one or more to each. Before the test looks at what it did it
// must stop it.
func peer(t *testing.T, answer func(m *coap.Message) [][]byte) (f *far, stop func()) {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var reading sync.WaitGroup
	reading.Go(func() {
		b := make([]byte, 2048)
		for {
			n, from, err := pc.ReadFrom(b)
			if err != nil {
				return
			}
			m, err := coap.Decode(slices.Clone(b[:n]))
			if err != nil {
				t.Errorf("a datagram of a device: %v", err)
				continue
			}
			for _, out := range answer(m) {
				_, _ = pc.WriteTo(out, from)
			}
		}
	})
	stop = func() {
		pc.Close()
		reading.Wait()
	}
	t.Cleanup(stop)
	return &far{Target: Target{Scheme: product.COAP, Host: pc.LocalAddr().String()}}, stop
}

// acks is a piggybacked answer.
func acks(m *coap.Message, code coap.Code) []byte {
	return (&coap.Message{Type: coap.ACK, Code: code, ID: m.ID, Token: m.Token}).Bytes()
}

// TestRetransmission has the far end lose every first transmission: no message is sent as two, and its latency shows the loss.
func TestRetransmission(t *testing.T) {
	t.Parallel()
	seen := map[string]int{}
	times := map[string]time.Time{}
	f, stop := peer(t, func(m *coap.Message) [][]byte {
		key := fmt.Sprintf("%d %x", m.ID, m.Payload)
		if seen[key]++; seen[key] == 1 {
			times[key] = time.Now()
			return nil
		}
		if d := time.Since(times[key]); d < 1500*time.Millisecond || d > 5*time.Second {
			t.Errorf("sent again after %v", d)
		}
		return [][]byte{acks(m, coap.Changed)}
	})
	j := coapJob(f, 3, time.Second, nil)
	j.For, j.Drain = 4*time.Second, 3500*time.Millisecond
	r := do(t, j)
	stop()
	n := r.Totals.Counts
	ack, _ := r.Latency(series.Ack)
	if n[series.Accepted] != 3 || n[series.Acked] < 3 || ack.P50 < 2 || int(n[series.Sent]) != len(seen) {
		t.Errorf("accepted %d, sent %d, acknowledged %d, the far end saw %d; %+v", n[series.Accepted], n[series.Sent], n[series.Acked], len(seen), ack)
	}
}

// TestSeparate has responses come apart, twice and as a confirmable message that wants its acknowledgement.
func TestSeparate(t *testing.T) {
	t.Parallel()
	id, asked, acked := uint16(100), 0, map[uint16]bool{}
	f, stop := peer(t, func(m *coap.Message) [][]byte {
		if m.Type == coap.ACK {
			acked[m.ID] = true
			return nil
		}
		if m.Type != coap.CON {
			t.Errorf("%s", m)
			return nil
		}
		asked++
		id++
		response := (&coap.Message{Type: coap.CON, Code: coap.Changed, ID: id, Token: m.Token}).Bytes()
		return [][]byte{(&coap.Message{Type: coap.ACK, ID: m.ID}).Bytes(), response, response}
	})
	r := do(t, coapJob(f, 10, 100*time.Millisecond, nil))
	stop()
	n := r.Totals.Counts
	if n[series.Accepted] != 10 || n[series.Sent] < 50 || int(n[series.Sent]) != asked || n[series.Acked] != n[series.Sent] || len(acked) != asked || len(r.Totals.Answers) > 0 {
		t.Errorf("accepted %d, sent %d, acknowledged %d, asked %d, responses acknowledged %d, answers %v", n[series.Accepted], n[series.Sent], n[series.Acked], asked, len(acked), r.Totals.Answers)
	}
}

// TestAnswersOfCoAP has the far end refuse, reset, ask for a pause, answer for others and send what is nothing.
func TestAnswersOfCoAP(t *testing.T) {
	t.Parallel()
	count, pinged := 0, false
	last := map[string]time.Time{}
	f, stop := peer(t, func(m *coap.Message) [][]byte {
		if m.Type == coap.RST {
			pinged = pinged || m.ID == 7
			return nil
		}
		who := strings.Join(m.Queries(), " ")
		if held := last[who]; !held.IsZero() && time.Since(held) < 900*time.Millisecond {
			t.Errorf("%s sent %v after it was asked to wait", who, time.Since(held))
		}
		count++
		wrong := acks(m, coap.Changed)
		binary.BigEndian.PutUint32(wrong[6:], 1)
		switch count {
		case 25:
			return [][]byte{acks(m, coap.BadRequest)}
		case 26:
			return [][]byte{(&coap.Message{Type: coap.RST, ID: m.ID}).Bytes()}
		case 27:
			last[who] = time.Now()
			busy := &coap.Message{Type: coap.ACK, Code: coap.ServiceUnavailable, ID: m.ID, Token: m.Token}
			return [][]byte{busy.AddUint(coap.MaxAge, 1).Bytes()}
		case 28:
			return [][]byte{wrong, wrong[:3], {0x80, 1, 2, 3}, {0x60, 0x44, 0, 0, 0xe0}, {0x40, 0, 0, 7}, {0x69, 0x44, 0, 0}, acks(m, coap.Changed)}
		}
		return [][]byte{acks(m, coap.Changed)}
	})
	r := do(t, coapJob(f, 10, 100*time.Millisecond, nil))
	stop()
	n, a := r.Totals.Counts, r.Totals.Answers
	if n[series.Accepted] != 10 || n[series.Rejected] != 3 || a["4.00"] != 1 || a["reset"] != 1 || a["5.03"] != 1 || a["a response with a token of no request"] != 1 ||
		a["a datagram that is not CoAP"] != 4 || !pinged || n[series.Acked]+3 != n[series.Sent] {
		t.Errorf("accepted %d, sent %d, acknowledged %d, rejected %d, answers %v, errors %v, pinged %v", n[series.Accepted], n[series.Sent], n[series.Acked],
			n[series.Rejected], a, r.Totals.Errors, pinged)
	}
}

// TestRefusedOverUDP has nobody listen.
func TestRefusedOverUDP(t *testing.T) {
	t.Parallel()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	pc.Close()
	j := coapJob(&far{Target: Target{Scheme: product.COAP, Host: pc.LocalAddr().String()}}, 5, time.Second, nil)
	j.For, j.Drain = 500*time.Millisecond, 100*time.Millisecond
	r := do(t, j)
	if n := r.Totals.Counts; n[series.Accepted] != 0 || r.Totals.Errors["connection refused"] < 5 {
		t.Errorf("accepted %d, errors %v", n[series.Accepted], r.Totals.Errors)
	}
}

// TestMessageIDs has a class send more than message ids allow.
func TestMessageIDs(t *testing.T) {
	t.Parallel()
	j := coapJob(&far{Target: Target{Scheme: product.COAP, Host: "127.0.0.1:1"}}, 5, 3*time.Millisecond, nil)
	if _, err := Prepare(t.Context(), j); err == nil || !strings.Contains(err.Error(), "message id") {
		t.Errorf("error %v", err)
	}
}

// FuzzReply has no datagram bring the parser down, and has it agree with the decoder of package coap on what is one.
func FuzzReply(f *testing.F) {
	for _, s := range []string{"", "\x60\x44\x00\x01", "\x66\x44\x00\x01abcdef\xffbody", "\x60\xa3\x00\x01\xd1\x01\x05", "\x60\xa3\x00\x01\xe1\x00\x05\x01", "\x60\x44\x00\x01\xff"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var r reply
		ok := r.split(b)
		m, err := coap.Decode(b)
		if ok && err != nil && m != nil || !ok && err == nil {
			t.Fatalf("%x: ok %v, and package coap says %v", b, ok, err)
		}
		if ok && err == nil && (m.Code != r.code || m.ID != r.id || string(m.Payload) != string(r.body) || string(m.Token) != string(r.token)) {
			t.Fatalf("%x: %+v, and package coap says %+v", b, r, m)
		}
	})
}

// TestCoAPOverDTLS has devices with keys of their own, and with certificates, speak to a real server.
func TestCoAPOverDTLS(t *testing.T) {
	t.Parallel()
	ca, err := pki.New(time.Now)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Server(pki.Good, "localhost")
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string][]byte{} // of device n: the text and n
	for k := range 10 {
		keys[fmt.Sprintf("meter-%d", k)] = append([]byte("a secret of "), byte(k))
	}
	for name, psk := range map[string]string{"psk": hex.EncodeToString([]byte("a secret of ")) + "{n:02}", "certificate": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, _ := openCoAP(t, &origin.DTLS{Keys: keys, Certificate: cert})
			f.Scheme, f.Name, f.Roots = product.COAPS, "localhost", x509.NewCertPool()
			f.Roots.AppendCertsFromPEM(ca.RootsPEM())
			r := do(t, coapJob(f, 10, 200*time.Millisecond, func(c *product.Class) { c.Identity.PSK = psk }))
			n := r.Totals.Counts
			handshake, _ := r.Latency(series.TLS)
			if n[series.Accepted] != 10 || handshake.Count != 10 || n[series.Sent] < 20 || n[series.Acked] != n[series.Sent] {
				t.Errorf("accepted %d, handshakes %d, sent %d, acknowledged %d, errors %v, answers %v", n[series.Accepted], handshake.Count, n[series.Sent], n[series.Acked],
					r.Totals.Errors, r.Totals.Answers)
			}
		})
	}
	f, _ := openCoAP(t, &origin.DTLS{Keys: keys})
	f.Scheme = product.COAPS
	j := coapJob(f, 3, 200*time.Millisecond, func(c *product.Class) { c.Identity.PSK = "00112233445566778899" })
	if r := do(t, j); r.Totals.Counts[series.Accepted] != 0 {
		t.Errorf("with the wrong key: accepted %d", r.Totals.Counts[series.Accepted])
	}
}
