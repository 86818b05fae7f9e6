package fleet

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/fleet/payload"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/coap"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/broker"
)

// What the far end makes of a payload of marked, which is a canary, a blank and a stamp.
const marked = "{canary} {stamp}"

func onlyCanary(b []byte) []byte { return b[:payload.CanarySize] }
func onlyStamp(b []byte) []byte  { return b[payload.CanarySize+1:] }
func wholly(b []byte) []byte     { return b }

// broken is a canary that is none by its last sign.
func broken(b []byte) []byte {
	out := append([]byte("~"), onlyCanary(b)...)
	out[len(out)-1] ^= 1
	return out
}

// TestLeakByCanary has the far end hand what a device of one tenant sent to another device, with and without its stamp.
func TestLeakByCanary(t *testing.T) {
	t.Parallel()
	const copies = 3
	for _, one := range []struct {
		name  string
		topic string
		made  func(b []byte) []byte
		want  uint64
	}{
		{"canary to another tenant", "meter/meter-1/inbox", onlyCanary, copies},
		{"stamp to another tenant", "meter/meter-1/inbox", onlyStamp, copies},
		{"both to another tenant", "meter/meter-1/inbox", wholly, copies},
		{"two stamps to another tenant", "meter/meter-1/inbox", func(b []byte) []byte { return append(append([]byte{}, b...), onlyStamp(b)...) }, 2 * copies},
		{"three canaries to another tenant", "meter/meter-1/inbox", func(b []byte) []byte { return []byte(strings.Repeat(string(onlyCanary(b)), 3)) }, copies},
		{"a damaged canary to another tenant", "meter/meter-1/inbox", broken, 0},
		{"a canary of another run", "meter/meter-1/inbox", func([]byte) []byte { return payload.AppendCanary(nil, payload.Canary{Run: 9, Tenant: 0}) }, 0},
		{"a stamp of another run before it", "meter/meter-1/inbox", func(b []byte) []byte { return append(payload.AppendStamp(nil, payload.Stamp{Run: 9}), b...) }, copies},
		{"canary to the same tenant", "meter/meter-2/inbox", onlyCanary, 0},
		{"both to the same tenant", "meter/meter-2/inbox", wholly, 0},
		{"canary to the operator", "meter/meter-9/telemetry", onlyCanary, 0},
	} {
		t.Run(one.name, func(t *testing.T) {
			t.Parallel()
			f := open(t, nil, nil)
			j := job(f, 4, 100*time.Millisecond, func(c *product.Class) {
				c.Telemetry[0].Payload = marked
				c.Subscribe = []product.Filter{{Topic: "meter/{id}/inbox"}}
			})
			j.Fleet.Tenants, j.Run = 2, 5
			var mu sync.Mutex
			there, sent := map[string]bool{}, 0
			f.broker.When(broker.Rule{Dir: broker.In, Type: mqtt.PUBLISH, Match: func(conn *broker.Conn, p *mqtt.Packet) bool {
				mu.Lock()
				defer mu.Unlock()
				there[conn.ClientID()] = true // it has subscribed before it publishes
				if len(there) == 4 && conn.ClientID() == "meter-0" && sent < copies {
					sent++
					m := broker.Message{Topic: one.topic, Payload: one.made([]byte(string(p.Payload)))}
					go f.broker.Publish(m)
				}
				return false
			}})
			var got atomic.Int64
			f.broker.When(broker.Rule{Dir: broker.Out, Type: mqtt.PUBLISH, Match: func(_ *broker.Conn, p *mqtt.Packet) bool {
				if p.Topic == one.topic {
					got.Add(1)
				}
				return false
			}})
			r := do(t, j)
			if got.Load() != copies || r.Messages.Leaked != one.want || r.Messages.Lost+r.Messages.Strange+r.Messages.Duplicates != 0 {
				t.Errorf("%d of %d went out, %d leaked, want %d; account %+v", got.Load(), copies, r.Messages.Leaked, one.want, *r.Messages)
			}
		})
	}
}

// TestLeakInAnswer has the far end give one device's data to another, in pieces.
func TestLeakInAnswer(t *testing.T) {
	t.Parallel()
	plain := func(w http.ResponseWriter, b []byte) {
		w.Header().Set("Content-Length", fmt.Sprint(len(b)))
		_, _ = w.Write(b)
	}
	// cut writes in two pieces, the second of so many bytes: with a length, or else in chunks.
	cut := func(last int, length bool) func(http.ResponseWriter, []byte) {
		return func(w http.ResponseWriter, b []byte) {
			before := strings.Repeat("x", 70000)
			if length {
				w.Header().Set("Content-Length", fmt.Sprint(len(before)+len(b)))
			}
			fmt.Fprint(w, before)
			_, _ = w.Write(b[:len(b)-last])
			_ = http.NewResponseController(w).Flush()
			time.Sleep(20 * time.Millisecond)
			_, _ = w.Write(b[len(b)-last:])
		}
	}
	bytewise := func(w http.ResponseWriter, b []byte) {
		for k := range b {
			_, _ = w.Write(b[k : k+1])
			_ = http.NewResponseController(w).Flush()
		}
	}
	for _, one := range []struct {
		name  string
		made  func([]byte) []byte
		write func(http.ResponseWriter, []byte)
		to    string
		want  uint64
	}{
		{"both", wholly, plain, "1", 1},
		{"canary", onlyCanary, plain, "1", 1},
		{"canary, to itself", onlyCanary, plain, "0", 0},
		{"both, to itself", wholly, cut(30, true), "0", 0},
		{"stamp in two pieces", wholly, cut(20, true), "1", 1},
		{"stamp behind its canary", wholly, cut(payload.StampSize, true), "1", 1},
		{"canary in two pieces", onlyCanary, cut(7, true), "1", 1},
		{"stamp in two chunks", onlyStamp, cut(20, false), "1", 1},
		{"canary in two chunks", onlyCanary, cut(19, false), "1", 1},
		{"byte by byte", wholly, bytewise, "1", 1},
		{"stamp byte by byte", onlyStamp, bytewise, "1", 1},
	} {
		t.Run(one.name, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			var first []byte
			given := false
			f := ingest(t, 0, func(w http.ResponseWriter, r *http.Request) {
				b, _ := io.ReadAll(r.Body)
				mu.Lock()
				defer mu.Unlock()
				switch n := r.URL.Query().Get("n"); {
				case first == nil && n == "0":
					first = b
				case first != nil && !given && n == one.to:
					given = true
					one.write(w, one.made(first))
				}
			})
			r := do(t, httpJob(f, 2, 100*time.Millisecond, func(c *product.Class) { c.Telemetry[0].Payload = marked }))
			mu.Lock()
			defer mu.Unlock()
			if !given || r.Messages.Leaked != one.want || len(r.Totals.Errors) > 0 {
				t.Errorf("given %v, want %d; account %+v, errors %v", given, one.want, *r.Messages, r.Totals.Errors)
			}
		})
	}
}

// TestLeakInResponse has the far end give one device's data to another.
func TestLeakInResponse(t *testing.T) {
	t.Parallel()
	for name, made := range map[string]func([]byte) []byte{"both": wholly, "canary": onlyCanary, "stamp": onlyStamp} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var first []byte
			given := false
			f, stop := peer(t, func(m *coap.Message) [][]byte {
				out := &coap.Message{Type: coap.ACK, Code: coap.Changed, ID: m.ID, Token: m.Token}
				who := strings.Join(m.Queries(), " ")
				switch {
				case first == nil && who == "from=0":
					first, out.Payload = m.Payload, m.Payload // its own may come back
				case first != nil && !given && who == "from=1":
					given, out.Payload = true, made(first)
				}
				return [][]byte{out.Bytes()}
			})
			r := do(t, coapJob(f, 2, 100*time.Millisecond, func(c *product.Class) { c.Telemetry[0].Payload = marked }))
			if stop(); r.Messages.Leaked != 1 {
				t.Errorf("account %+v", *r.Messages)
			}
		})
	}
}
