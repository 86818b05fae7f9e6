package origin

import (
	"errors"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/wire/coap"
)

// raw is a client that sends what it is told, and reads what comes.
type raw struct {
	t *testing.T
	net.Conn
}

func connect(t *testing.T, s *Server) raw {
	t.Helper()
	c, err := net.Dial("udp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return raw{t, c}
}

func (r raw) send(b []byte) {
	r.t.Helper()
	if _, err := r.Write(b); err != nil {
		r.t.Fatal(err)
	}
}

// next is what comes within half a second, or nil.
func (r raw) next() *coap.Message {
	r.t.Helper()
	b := make([]byte, 2048)
	_ = r.SetReadDeadline(time.Now().Add(500 * time.Millisecond))
	n, err := r.Read(b)
	if err != nil {
		return nil
	}
	m, err := coap.Decode(b[:n])
	if err != nil {
		r.t.Fatal(err)
	}
	return m
}

func (r raw) want(code coap.Code, kind coap.Type) *coap.Message {
	r.t.Helper()
	m := r.next()
	if m == nil || m.Code != code || m.Type != kind {
		r.t.Fatalf("%v, want %s %s", m, kind, code)
	}
	return m
}

func ask(id uint16, path string) *coap.Message {
	return (&coap.Message{Code: coap.GET, ID: id, Token: []byte{byte(id)}}).SetPath(path)
}

func TestRules(t *testing.T) {
	t.Parallel()
	s, log := start(t, nil)
	s.Put("/a", []byte("1"), coap.TextPlain)
	c := connect(t, s)
	responses := func(_ *Peer, m *coap.Message) bool { return m.Code.Response() }

	undo := s.When(Rule{Dir: In, Do: Drop()})
	c.send(ask(1, "/a").Bytes())
	if m := c.next(); m != nil {
		t.Errorf("dropped, and answered %v", m)
	}
	undo()
	c.send(ask(1, "/a").Bytes())
	c.want(coap.Content, coap.ACK)

	s.When(Rule{Dir: Out, Match: responses, Times: 1, Do: Repeat(3, time.Second/10)})
	c.send(ask(2, "/a").Bytes())
	for range 3 {
		c.want(coap.Content, coap.ACK)
	}
	s.When(Rule{Dir: Out, Match: responses, Times: 1, Do: Change(func(m *coap.Message) { m.Token = []byte{9} })})
	c.send(ask(3, "/a").Bytes())
	if m := c.want(coap.Content, coap.ACK); m.Token[0] != 9 {
		t.Errorf("token %x", m.Token)
	}
	c.send(ask(3, "/a").Bytes()) // a repeated request has the answer that it had
	if m := c.want(coap.Content, coap.ACK); m.Token[0] != 3 {
		t.Errorf("token %x after the change", m.Token)
	}
	s.When(Rule{Dir: In, Times: 1, Do: Reject()})
	c.send(ask(4, "/a").Bytes())
	c.want(coap.Empty, coap.RST)

	s.When(Rule{Dir: Out, Match: responses, Times: 1, Do: Separate(time.Second)})
	c.send(ask(5, "/a").Bytes())
	c.want(coap.Empty, coap.ACK)
	m := c.want(coap.Content, coap.CON)
	if again := c.want(coap.Content, coap.CON); again.ID != m.ID { // it was not acknowledged
		t.Errorf("%v after %v", again, m)
	}
	c.send((&coap.Message{Type: coap.ACK, ID: m.ID}).Bytes())
	if m := c.next(); m != nil {
		t.Errorf("acknowledged, and sent again: %v", m)
	}
	if t.Failed() {
		t.Log(texts(log))
	}
}

func TestServerAnswers(t *testing.T) {
	t.Parallel()
	s, _ := start(t, nil)
	s.Serve("/in", Sink())
	c := connect(t, s)
	for _, step := range []struct {
		what string
		b    []byte
		code coap.Code
		kind coap.Type
	}{
		{"ping", (&coap.Message{ID: 1}).Bytes(), coap.Empty, coap.RST},
		{"post", (&coap.Message{Code: coap.POST, ID: 2}).SetPath("/in").Bytes(), coap.Changed, coap.ACK},
		{"non-confirmable post", (&coap.Message{Type: coap.NON, Code: coap.POST, ID: 3}).SetPath("/in").Bytes(), coap.Changed, coap.NON},
		{"method", ask(4, "/in").Bytes(), coap.MethodNotAllowed, coap.ACK},
		{"path", ask(5, "/none").Bytes(), coap.NotFound, coap.ACK},
		{"critical option", ask(6, "/in").Add(65001, nil).Bytes(), coap.BadOption, coap.ACK},
		{"malformed", append(ask(7, "/in").Bytes(), 0xff), coap.Empty, coap.RST},
		{"block in the middle", (&coap.Message{Code: coap.PUT, ID: 8, Payload: make([]byte, 16)}).SetPath("/in").SetBlock(coap.Block1, coap.Block{Num: 3}).Bytes(), coap.RequestIncomplete, coap.ACK},
		{"response to nothing", (&coap.Message{Code: coap.Content, ID: 9, Token: []byte{1}}).Bytes(), coap.Empty, coap.RST},
	} {
		c.send(step.b)
		if m := c.next(); m == nil || m.Code != step.code || m.Type != step.kind {
			t.Errorf("%s: %v, want %s %s", step.what, m, step.kind, step.code)
		}
	}
	c.send([]byte{0x80, 1, 0, 1}) // of another version
	if m := c.next(); m != nil {
		t.Errorf("answered another version by %v", m)
	}
}

// A confirmable notification is sent again until it is acknowledged; a reset ends the observation.
func TestNotifications(t *testing.T) {
	t.Parallel()
	s, _ := start(t, nil)
	s.Put("/a", []byte("1"), coap.TextPlain)
	c := connect(t, s)
	c.send(ask(1, "/a").AddUint(coap.Observe, 0).Bytes())
	first, _ := c.want(coap.Content, coap.ACK).Uint(coap.Observe)
	s.Put("/a", []byte("2"), coap.TextPlain)
	n := c.want(coap.Content, coap.CON)
	if value, ok := n.Uint(coap.Observe); !ok || value <= first || string(n.Payload) != "2" {
		t.Errorf("notification %v after %d", n, first)
	}
	if again := c.want(coap.Content, coap.CON); again.ID != n.ID {
		t.Errorf("sent again as %v", again)
	}
	c.send((&coap.Message{Type: coap.RST, ID: n.ID}).Bytes())
	for range 50 {
		if s.Observers("/a") == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("a reset did not end the observation")
}

func TestPath(t *testing.T) {
	t.Parallel()
	s, log := start(t, nil)
	s.Put("/a", []byte("1"), coap.TextPlain)
	c := connect(t, s)
	heal := s.Path.Silence()
	c.send(ask(1, "/a").Bytes())
	if m := c.next(); m != nil {
		t.Errorf("silent, and answered %v", m)
	}
	heal()
	heal = s.Path.MTU(40)
	c.send(ask(2, "/aaaaaaaaaaaaaaaaaaaaaaaa").Bytes())
	if m := c.next(); m != nil {
		t.Errorf("too long, and answered %v", m)
	}
	heal()
	for want := 1; want <= 3; want++ {
		c.send(ask(uint16(10+want), "/a").Bytes())
		c.want(coap.Content, coap.ACK)
		if n := len(s.Peers()); n != want {
			t.Errorf("%d peers, want %d:\n%s", n, want, texts(log))
		}
		s.Path.Rebind()
	}
}

func TestAsk(t *testing.T) {
	s, _ := start(t, nil)
	c := connect(t, s)
	c.send((&coap.Message{ID: 1}).Bytes())
	c.next()
	p := s.Peers()[0]
	x := p.Ask(ask(0, "/b"))
	defer x.End()
	m := c.want(coap.GET, coap.CON)
	c.send((&coap.Message{Type: coap.RST, ID: m.ID}).Bytes())
	if _, err := x.Next(t.Context(), 10*time.Second); !errors.Is(err, ErrReset) {
		t.Errorf("a reset: %v", err)
	}
	y := p.Ask(ask(0, "/b"))
	defer y.End()
	m = c.want(coap.GET, coap.CON)
	c.send((&coap.Message{Type: coap.ACK, Code: coap.Content, ID: m.ID, Token: m.Token}).Bytes())
	if r, err := y.Next(t.Context(), 10*time.Second); err != nil || r.Code != coap.Content {
		t.Errorf("%v: %v", r, err)
	}
}

// TestUnheeded: a peer that acknowledges nothing is not one that resets.
func TestUnheeded(t *testing.T) {
	s, _ := startAt(t, nil, 1000)
	c := connect(t, s)
	c.send((&coap.Message{ID: 1}).Bytes())
	c.next()
	x := s.Peers()[0].Ask(ask(0, "/b"))
	defer x.End()
	if _, err := x.Next(t.Context(), time.Hour); !errors.Is(err, ErrUnheeded) {
		t.Errorf("silence: %v", err)
	}
}

// FuzzClientHello: whatever the datagram, nothing panics, and what is no ClientHello is none.
func FuzzClientHello(f *testing.F) {
	hello := append([]byte{22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 60, 1, 0, 0, 48, 0, 0, 0, 0, 0, 0, 0, 48, 0xfe, 0xfd}, make([]byte, 32)...)
	f.Add(append(hello, 0, 0, 0, 2, 0xc0, 0xa8, 1, 0))
	f.Add(append(hello, 32))
	f.Fuzz(func(t *testing.T, raw []byte) {
		h, ok := clientHello(raw)
		if ok && (len(raw) < 60 || len(h.Random) != 64) {
			t.Fatalf("%+v", h)
		}
	})
}

// TestLaterFragment: the second part of a fragmented ClientHello begins no session, wherever it begins.
func TestLaterFragment(t *testing.T) {
	hello := append([]byte{22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 60, 1, 0, 1, 48, 0, 0, 0, 0, 0, 0, 0, 48, 0xfe, 0xfd}, make([]byte, 36)...)
	if _, ok := clientHello(hello); !ok {
		t.Error("the first fragment is none")
	}
	for _, at := range []int{19, 20, 21} { // offset 0x010000, 0x0100, 1
		later := slices.Clone(hello)
		later[at] = 1
		if _, ok := clientHello(later); ok {
			t.Errorf("a later fragment with byte %d set begins a session", at)
		}
	}
}
