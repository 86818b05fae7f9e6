package origin

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"maps"
	"net"
	"slices"
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
	ended := func(_ string, s *session) bool { return s.ended() }
	maps.DeleteFunc(x.byAddr, ended)
	maps.DeleteFunc(x.byCID, ended)
	if x.all = slices.DeleteFunc(x.all, (*session).ended); len(x.all) >= maxSessions {
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
