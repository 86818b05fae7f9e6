package websocket_test

import (
	"bufio"
	"io"
	"net"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/wire/ws"
	"github.com/shakedown-test/shakedown/world/clock"
	"github.com/shakedown-test/shakedown/world/websocket"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const key = "AQIDBAUGBwgJCgsMDQ4PEA=="

// open holds the client's side of a handshake with a gate before a stand-in that echoes.
func open(t *testing.T, misbehave func(*websocket.Gate)) (ws.Answer, *ws.Conn, *evidence.Log) {
	t.Helper()
	clk := clock.New(10)
	log := evidence.NewLog(clk.Now, nil, false)
	g := websocket.New(websocket.Options{Part: "cloud", Clock: clk, Log: log, Serve: func(c net.Conn) { io.Copy(c, c) }})
	if misbehave != nil {
		misbehave(g)
	}
	near, far := net.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		g.Handle(far)
	}()
	t.Cleanup(func() {
		near.Close()
		<-done
	})
	near.SetDeadline(time.Now().Add(5 * time.Second))
	go io.WriteString(near, ws.Request("broker.test", websocket.Path, websocket.Subprotocol, key))
	in := bufio.NewReader(near)
	a, err := ws.ReadAnswer(in)
	if err != nil {
		t.Fatal(err)
	}
	return a, ws.NewConn(near, in, ws.Options{Mask: func() [4]byte { return [4]byte{1, 2, 3, 4} }}), log
}

func TestHandshakes(t *testing.T) {
	for name, c := range map[string]struct {
		misbehave func(*websocket.Gate)
		want      ws.Answer
	}{
		"good":              {nil, ws.Answer{Status: 101, Accepts: true, Accept: ws.AcceptKey(key), Protocol: "mqtt"}},
		"wrong accept":      {func(g *websocket.Gate) { g.WrongAccept() }, ws.Answer{Status: 101, Accepts: true, Accept: "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", Protocol: "mqtt"}},
		"no subprotocol":    {func(g *websocket.Gate) { g.Choose("") }, ws.Answer{Status: 101, Accepts: true, Accept: ws.AcceptKey(key)}},
		"other subprotocol": {func(g *websocket.Gate) { g.Choose("chat") }, ws.Answer{Status: 101, Accepts: true, Accept: ws.AcceptKey(key), Protocol: "chat"}},
		"refused":           {func(g *websocket.Gate) { g.Refuse(403) }, ws.Answer{Status: 403}},
		"healed":            {func(g *websocket.Gate) { g.Refuse(403)() }, ws.Answer{Status: 101, Accepts: true, Accept: ws.AcceptKey(key), Protocol: "mqtt"}},
	} {
		t.Run(name, func(t *testing.T) {
			if a, _, _ := open(t, c.misbehave); a != c.want {
				t.Errorf("got %+v", a)
			}
		})
	}
}

func TestShape(t *testing.T) {
	_, c, log := open(t, func(g *websocket.Gate) {
		g.Shape("fragments", func(b []byte) []ws.Frame {
			return []ws.Frame{{Op: ws.Binary, Payload: b[:1]}, {Fin: true, Op: ws.Ping, Payload: []byte("p")}, {Fin: true, Op: ws.Continuation, Payload: b[1:]}}
		})
	})
	go c.Write([]byte("hello"))
	b := make([]byte, 5)
	if _, err := io.ReadFull(c, b); err != nil || string(b) != "hello" {
		t.Fatalf("got %q, %v", b, err)
	}
	_, err := log.Await(t.Context(), 0, func(e evidence.Event) bool { a, ok := e.Data.(*websocket.Answered); return ok && a.Payload == "p" })
	if err != nil {
		t.Error("no pong was noted")
	}
}

func TestViolationIsNoted(t *testing.T) {
	_, c, log := open(t, nil)
	go c.NetConn().Write([]byte{0x82, 1, 'x'}) // not masked
	go io.Copy(io.Discard, c)
	if _, err := log.Await(t.Context(), 0, func(e evidence.Event) bool { return e.Kind == evidence.Bad }); err != nil {
		t.Error("the frame without a mask is not noted")
	}
}
