package origin

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/wire/coap"
)

// The transmission parameters of RFC 7252 section 4.8.
const (
	ackTimeout    = 2 * time.Second
	maxRetransmit = 4
)

// Why a confirmable message was not acknowledged.
var (
	ErrReset    = errors.New("the peer answered with a reset")
	ErrUnheeded = errors.New("the peer acknowledged nothing")
)

// Peer is one endpoint that the server speaks with: an address or, over DTLS, a session.
type Peer struct {
	Addr net.Addr // where it came from first

	s       *Server
	number  int
	session *session // nil: plain UDP

	// under the server's lock
	id      uint16
	answers map[uint16]answer
	recent  []uint16
	waiting map[uint16]*pending           // confirmable messages that are not acknowledged
	asked   map[string]chan *coap.Message // requests that are not answered, by token
	copies  map[uint16]copied
	upload  upload
}

// answer is what was sent for a confirmable request, for the case that it is repeated.
type answer struct {
	m  *coap.Message // nil: not yet
	at time.Time
}

type copied struct {
	n  int
	at time.Time
}

// pending is a confirmable message that is sent again until it is settled.
type pending struct {
	stop    func()
	settled func(error) // nil: it was acknowledged
}

// NextID is a message id that was not used for long.
func (p *Peer) NextID() uint16 {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	p.id++
	return p.id
}

// NewToken is a random token of 4 bytes.
func (p *Peer) NewToken() []byte {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	n := p.s.o.Rand.Uint32()
	return []byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}
}

// Send sends a message once, after the rules have seen it.
func (p *Peer) Send(m *coap.Message) { p.s.apply(Out, p, m, p.transmit) }

// transmit sends a message past the rules.
func (p *Peer) transmit(m *coap.Message) { p.put(m.Bytes(), m, m.String()) }

// SendRaw sends bytes as they are.
func (p *Peer) SendRaw(raw []byte, what string) { p.put(raw, nil, what) }

func (p *Peer) put(raw []byte, m *coap.Message, what string) {
	e := evidence.Event{
		Part: p.s.o.Part, Conn: p.number, Kind: evidence.Out, Text: what, Size: len(raw), Hex: hex.EncodeToString(raw[:min(len(raw), maxHex)]),
	}
	if m != nil {
		e.Data = m
	}
	p.s.o.Log.Add(e)
	if p.session != nil {
		p.session.write(raw)
		return
	}
	_, _ = p.s.Path.WriteTo(raw, p.Addr) // what cannot be sent is lost, as any datagram may be
}

// reliably sends a confirmable message until it is acknowledged, reset or given up, and calls settled once.
func (p *Peer) reliably(m *coap.Message, settled ...func(error)) {
	p.s.mu.Lock()
	wait := ackTimeout + time.Duration(p.s.o.Rand.Int64N(int64(ackTimeout/2)))
	w := &pending{settled: func(err error) {
		for _, f := range settled {
			f(err)
		}
	}}
	p.waiting[m.ID] = w
	p.s.mu.Unlock()
	var again func(n int)
	again = func(n int) {
		p.s.mu.Lock()
		live := p.waiting[m.ID] == w
		if live && n > maxRetransmit {
			delete(p.waiting, m.ID)
		}
		p.s.mu.Unlock()
		switch {
		case !live:
			return
		case n > maxRetransmit:
			w.settled(ErrUnheeded)
			return
		}
		stop := p.s.after(wait<<n, func() { again(n + 1) })
		p.s.mu.Lock()
		w.stop = stop
		p.s.mu.Unlock()
		p.Send(m)
	}
	again(0)
}

// settled ends what an acknowledgement or a reset answers.
func (p *Peer) settled(m *coap.Message) {
	p.s.mu.Lock()
	w := p.waiting[m.ID]
	delete(p.waiting, m.ID)
	var stop func()
	if w != nil {
		stop = w.stop
	}
	p.s.mu.Unlock()
	if stop != nil {
		stop()
	}
	if m.Type == coap.RST {
		p.s.reset(p, m.ID)
	}
	switch {
	case w == nil:
	case m.Type == coap.ACK:
		w.settled(nil)
	default:
		w.settled(ErrReset)
	}
	if m.Type == coap.ACK && m.Code.Response() {
		p.answered(m)
	}
}

// responded deals with a response in a message of its own.
func (p *Peer) responded(m *coap.Message) {
	known := p.answered(m)
	if m.Type != coap.CON {
		return
	}
	if known {
		p.Send(&coap.Message{Type: coap.ACK, ID: m.ID})
		return
	}
	p.Send(&coap.Message{Type: coap.RST, ID: m.ID})
}

// answered hands a response to who asked for it, and reports whether anyone did.
func (p *Peer) answered(m *coap.Message) bool {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	c, ok := p.asked[string(m.Token)]
	if ok {
		select {
		case c <- m:
		default: // who asked reads only so much
		}
	}
	return ok
}

// heard counts how often a confirmable or non-confirmable message came before.
func (p *Peer) heard(m *coap.Message) int {
	if m.Type == coap.ACK || m.Type == coap.RST {
		return 0
	}
	now := p.s.o.Clock.Now()
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	if p.copies == nil || len(p.copies) > 4096 {
		p.copies = map[uint16]copied{}
	}
	c, ok := p.copies[m.ID]
	if ok && now.Sub(c.at) < exchangeLifetime {
		c.n++
		p.copies[m.ID] = c
		return c.n
	}
	p.copies[m.ID] = copied{at: now}
	return 0
}

// Exchange is a request of the server that a peer answers.
type Exchange struct {
	p     *Peer
	token string
	in    chan *coap.Message
	fail  chan error
}

// Ask sends a request, with a message id and a token where it has none: a CON until it is acknowledged, a NON once.
func (p *Peer) Ask(m *coap.Message) *Exchange {
	if m.ID == 0 {
		m.ID = p.NextID()
	}
	if len(m.Token) == 0 {
		m.Token = p.NewToken()
	}
	x := &Exchange{p: p, token: string(m.Token), in: make(chan *coap.Message, 16), fail: make(chan error, 1)}
	p.s.mu.Lock()
	p.asked[x.token] = x.in
	p.s.mu.Unlock()
	if m.Type != coap.CON {
		p.Send(m)
		return x
	}
	p.reliably(m, func(err error) {
		if err != nil {
			x.fail <- err // the only one
		}
	})
	return x
}

// Next waits up to within (device time) for the next response.
func (x *Exchange) Next(ctx context.Context, within time.Duration) (*coap.Message, error) {
	wait, cancel := x.p.s.o.Clock.Timeout(ctx, within)
	defer cancel()
	select {
	case m := <-x.in:
		return m, nil
	case err := <-x.fail:
		return nil, err
	case <-wait.Done():
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("no response within %s: %w", within, context.DeadlineExceeded)
	}
}

// End forgets the exchange: what comes for it later is unknown, and reset where it is confirmable.
func (x *Exchange) End() {
	x.p.s.mu.Lock()
	defer x.p.s.mu.Unlock()
	delete(x.p.asked, x.token)
}

// Request asks once and waits for the response.
func (p *Peer) Request(ctx context.Context, m *coap.Message, within time.Duration) (*coap.Message, error) {
	x := p.Ask(m)
	defer x.End()
	return x.Next(ctx, within)
}
