package origin

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"net"
	"sync"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/shakedown-test/shakedown/evidence"
)

// DTLS is how a server secures its connections (DTLS 1.2). It takes clients with a pre-shared key, and those that offer certificates
// where it has one.
type DTLS struct {
	Keys        map[string][]byte // pre-shared keys by identity; nil: none is taken
	Certificate *tls.Certificate  // nil: none
	ClientCAs   *x509.CertPool    // a client with a certificate is verified by these; nil: none is asked for
	NoCID       bool              // does not take connection ids (RFC 9146)
	MTU         int               // largest datagram of the handshake; 0: 1200
}

// Hello is what a ClientHello says, as the Data of a Hello event.
type Hello struct {
	Random string `json:"random"` // hex; the same in all that belong to one attempt
	Cookie bool   `json:"cookie"` // answers a HelloVerifyRequest
	Seq    uint16 `json:"seq"`    // message sequence
	Epoch  uint16 `json:"epoch"`
	PSK    bool   `json:"psk"` // offers a pre-shared key
}

// keyed are the cipher suites with a pre-shared key that the server speaks (RFC 6655, RFC 5487).
var keyed = map[uint16]bool{
	uint16(dtls.TLS_PSK_WITH_AES_128_CCM_8): true, uint16(dtls.TLS_PSK_WITH_AES_128_CCM): true, uint16(dtls.TLS_PSK_WITH_AES_128_GCM_SHA256): true,
}

const (
	cidSize     = 8
	maxSessions = 256
	maxQueued   = 64 // datagrams of a session that are not read yet
)

// secure tells datagrams of DTLS sessions apart.
type secure struct {
	s *Server

	mu     sync.Mutex
	o      DTLS
	mute   int // ClientHellos are not answered
	closed bool
	byAddr map[string]*session
	byCID  map[string]*session
	all    []*session
}

func newSecure(s *Server, o DTLS) *secure {
	return &secure{s: s, o: o, byAddr: map[string]*session{}, byCID: map[string]*session{}}
}

// SetDTLS changes how the next sessions are secured.
func (s *Server) SetDTLS(change func(*DTLS)) (undo func()) {
	x := s.secure
	if x == nil {
		return func() {}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	before := x.o
	change(&x.o)
	return func() {
		x.mu.Lock()
		defer x.mu.Unlock()
		x.o = before
	}
}

// Secure reports whether the server speaks DTLS.
func (s *Server) Secure() bool { return s.secure != nil }

// MuteHellos does not answer ClientHellos any more; they are still logged.
func (s *Server) MuteHellos() (undo func()) {
	x := s.secure
	x.mu.Lock()
	defer x.mu.Unlock()
	x.mute++
	return sync.OnceFunc(func() {
		x.mu.Lock()
		defer x.mu.Unlock()
		x.mute--
	})
}

// datagram gives a datagram to the session that it belongs to: by connection id, else by address. A ClientHello begins one.
func (x *secure) datagram(from net.Addr, raw []byte) {
	hello, isHello := clientHello(raw)
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed {
		return
	}
	if isHello {
		x.s.o.Log.Add(evidence.Event{
			Part: x.s.o.Part, Kind: evidence.Hello, Data: hello, Size: len(raw),
			Text: fmt.Sprintf("DTLS ClientHello from %s, random %s…, cookie: %t", from, hello.Random[:8], hello.Cookie),
		})
		if x.mute > 0 {
			return
		}
	}
	ses := x.byAddr[from.String()]
	if len(raw) > 11+cidSize && raw[0] == 25 {
		ses = x.byCID[string(raw[11:11+cidSize])]
	}
	if isHello && (ses == nil || ses.ended() || ses.hello != hello.Random) {
		if ses = x.begin(from, hello); ses == nil {
			return
		}
	}
	if ses != nil {
		ses.feed(from, raw)
	}
}

// begin starts a session; one that the address had before is forgotten without a word.
func (x *secure) begin(from net.Addr, hello Hello) *session {
	if old := x.byAddr[from.String()]; old != nil {
		old.drop()
	}
	live := x.all[:0]
	for _, s := range x.all {
		if !s.ended() {
			live = append(live, s)
		}
	}
	if x.all = live; len(x.all) >= maxSessions {
		return nil
	}
	ses := newSession(x, from)
	ses.hello = hello.Random
	options := x.options(ses, hello.PSK)
	x.byAddr[from.String()] = ses
	x.all = append(x.all, ses)
	x.s.running.Go(func() {
		conn, err := dtls.ServerWithOptions(ses, from, options...)
		ses.run(conn, err)
	})
	return ses
}

// options are how a session is secured: by the key, where the client offers that and the server has any, else by the certificate.
func (x *secure) options(ses *session, psk bool) []dtls.ServerOption {
	all := []dtls.ServerOption{dtls.WithFlightInterval(x.s.o.Clock.Wall(time.Second))}
	var suites []dtls.CipherSuiteID
	if x.o.MTU > 0 {
		all = append(all, dtls.WithMTU(x.o.MTU))
	}
	if psk = psk && len(x.o.Keys) > 0; psk {
		keys := maps.Clone(x.o.Keys)
		suites = append(suites, dtls.TLS_PSK_WITH_AES_128_CCM_8, dtls.TLS_PSK_WITH_AES_128_CCM, dtls.TLS_PSK_WITH_AES_128_GCM_SHA256)
		all = append(all, dtls.WithPSKIdentityHint([]byte("shakedown")), dtls.WithPSK(func(identity []byte) ([]byte, error) {
			if key := keys[string(identity)]; key != nil {
				return key, nil
			}
			return nil, fmt.Errorf("unknown identity %q", identity)
		}))
	}
	if x.o.Certificate != nil && !psk {
		suites = append(suites, dtls.TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8, dtls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256)
		all = append(all, dtls.WithCertificates(*x.o.Certificate))
		if x.o.ClientCAs != nil {
			all = append(all, dtls.WithClientAuth(dtls.VerifyClientCertIfGiven), dtls.WithClientCAs(x.o.ClientCAs))
		}
	}
	if !x.o.NoCID {
		all = append(all, dtls.WithConnectionIDGenerator(func() []byte { return x.newCID(ses) }))
	}
	return append(all, dtls.WithCipherSuites(suites...))
}

// newCID makes the connection id by which a session is found.
func (x *secure) newCID(ses *session) []byte {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	cid := binary.BigEndian.AppendUint64(nil, x.s.o.Rand.Uint64())
	x.byCID[string(cid)] = ses
	return cid
}

// forget drops all sessions.
func (x *secure) forget() {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, ses := range x.all {
		ses.drop()
	}
	x.all, x.byAddr, x.byCID = nil, map[string]*session{}, map[string]*session{}
}

func (x *secure) close() {
	x.forget()
	x.mu.Lock()
	defer x.mu.Unlock()
	x.closed = true
}

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
	stop := context.AfterFunc(ctx, func() {})
	go func() {
		select {
		case <-s.gone:
			cancel()
		case <-ctx.Done():
		}
	}()
	err = conn.HandshakeContext(ctx)
	stop()
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
	p := srv.peer(fmt.Sprintf("session %p", s), s.from)
	if p == nil {
		return
	}
	p.session = s
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

// RemoteAddr is where the peer is now.
func (p *Peer) RemoteAddr() net.Addr {
	if p.session == nil {
		return p.Addr
	}
	p.session.mu.Lock()
	defer p.session.mu.Unlock()
	return p.session.conn.RemoteAddr()
}

// ReadFrom, WriteTo and the rest make a session the connection that pion/dtls speaks on.
func (s *session) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		s.mu.Lock()
		deadline, moved := s.deadline, s.moved
		s.mu.Unlock()
		over, cancel := context.Background(), func() {}
		if !deadline.IsZero() {
			over, cancel = context.WithDeadline(over, deadline)
		}
		defer cancel()
		select {
		case d := <-s.in:
			return copy(b, d.raw), d.from, nil
		case <-s.gone:
			return 0, nil, net.ErrClosed
		case <-over.Done():
			return 0, nil, errTimeout
		case <-moved:
		}
	}
}

var errTimeout = &net.OpError{Op: "read", Net: "dtls", Err: timeout{}}

type timeout struct{}

func (timeout) Error() string   { return "deadline exceeded" }
func (timeout) Timeout() bool   { return true }
func (timeout) Temporary() bool { return true }

// WriteTo is that of net.PacketConn.
func (s *session) WriteTo(b []byte, to net.Addr) (int, error) {
	if s.ended() {
		return len(b), nil
	}
	return s.x.s.Path.WriteTo(b, to)
}

// Close is that of net.PacketConn.
func (s *session) Close() error {
	s.drop()
	return nil
}

// LocalAddr is that of net.PacketConn.
func (s *session) LocalAddr() net.Addr { return s.x.s.Addr() }

// SetDeadline is that of net.PacketConn.
func (s *session) SetDeadline(t time.Time) error { return s.SetReadDeadline(t) }

// SetReadDeadline is that of net.PacketConn.
func (s *session) SetReadDeadline(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deadline = t
	close(s.moved)
	s.moved = make(chan struct{})
	return nil
}

// SetWriteDeadline is that of net.PacketConn; writes do not wait.
func (s *session) SetWriteDeadline(time.Time) error { return nil }

// clientHello reads a plaintext ClientHello that is not fragmented, or its first fragment (RFC 6347 section 4.2).
func clientHello(raw []byte) (Hello, bool) {
	const record, message = 13, 12
	if len(raw) < record+message+35 || raw[0] != 22 || raw[record] != 1 {
		return Hello{}, false
	}
	if binary.BigEndian.Uint16(raw[record+6:])|uint16(raw[record+8]) != 0 && raw[record+8] != 0 {
		return Hello{}, false // a later fragment
	}
	body := raw[record+message:]
	h := Hello{Random: hex.EncodeToString(body[2:34]), Seq: binary.BigEndian.Uint16(raw[record+4:]), Epoch: binary.BigEndian.Uint16(raw[3:])}
	rest := body[34:]
	for i, wide := range []int{1, 1, 2} { // session id, cookie, cipher suites
		if len(rest) < wide {
			return h, true
		}
		n := int(rest[0])
		if wide == 2 {
			n = n<<8 | int(rest[1])
		}
		field := rest[wide:min(wide+n, len(rest))]
		rest = rest[wide+len(field):]
		switch i {
		case 1:
			h.Cookie = len(field) > 0
		case 2:
			for ; len(field) > 1; field = field[2:] {
				h.PSK = h.PSK || keyed[binary.BigEndian.Uint16(field)]
			}
		}
	}
	return h, true
}
