package origin

import (
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/shakedown-test/shakedown/evidence"
)

// session is one DTLS session; to pion/dtls it is the connection to its peer.
type session struct {
	x     *secure
	from  net.Addr
	hello string
	in    chan datagram
	gone  chan struct{}
	drop  func()

	mu       sync.Mutex
	conn     *dtls.Conn
	deadline time.Time
	moved    chan struct{} // closed and replaced when the deadline changes
}

type datagram struct {
	from net.Addr
	raw  []byte
}

func newSession(x *secure, from net.Addr) *session {
	s := &session{x: x, from: from, in: make(chan datagram, maxQueued), gone: make(chan struct{}), moved: make(chan struct{})}
	s.drop = sync.OnceFunc(func() { close(s.gone) })
	return s
}

func (s *session) ended() bool {
	select {
	case <-s.gone:
		return true
	default:
		return false
	}
}

func (s *session) feed(from net.Addr, raw []byte) {
	select {
	case s.in <- datagram{from, raw}:
	default: // a datagram may be lost
	}
}

// run is the life of a session: the handshake, then what comes.
func (s *session) run(conn *dtls.Conn, err error) {
	srv := s.x.s
	defer s.drop()
	if err != nil {
		srv.note(evidence.Alert, 0, "DTLS with %s cannot begin: %v", s.from, err)
		return
	}
	defer conn.Close()
	ctx, cancel := srv.o.Clock.Timeout(srv.life, 2*time.Minute)
	go func() {
		select {
		case <-s.gone:
			cancel()
		case <-ctx.Done():
		}
	}()
	err = conn.HandshakeContext(ctx)
	cancel()
	if err != nil {
		if !s.ended() && srv.life.Err() == nil {
			srv.note(evidence.Alert, 0, "DTLS handshake with %s failed: %v", s.from, err)
		}
		return
	}
	s.mu.Lock()
	s.conn = conn
	s.mu.Unlock()
	p := srv.peer(fmt.Sprintf("session %p", s), s.from, s)
	if p == nil {
		return
	}
	state, _ := conn.ConnectionState()
	srv.o.Log.Add(evidence.Event{
		Part: srv.o.Part, Conn: p.number, Kind: evidence.Secure,
		Text: fmt.Sprintf("DTLS session, identity %q, certificates %d", state.IdentityHint, len(state.PeerCertificates)),
	})
	b := make([]byte, 1<<16)
	for {
		n, err := conn.Read(b)
		if err != nil {
			if !s.ended() && srv.life.Err() == nil {
				srv.note(evidence.Close, p.number, "peer: %v", err)
			}
			return
		}
		srv.receive(p, append([]byte(nil), b[:n]...))
	}
}

// write sends a message; what a lost session sends is lost.
func (s *session) write(raw []byte) {
	s.mu.Lock()
	conn := s.conn
	s.mu.Unlock()
	if conn != nil && !s.ended() {
		_, _ = conn.Write(raw)
	}
}

// Ended reports whether the peer's session is over, which it never is over plain UDP.
func (p *Peer) Ended() bool { return p.session != nil && p.session.ended() }
