package pki

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// talk runs a handshake and has each side send one line. It returns what the client saw, and whether application data of the
// client arrived. It uses a socket because the two ends of a net.Pipe block each other when the client's alert meets the server's flight.
func talk(t *testing.T, server, client *tls.Config) (state tls.ConnectionState, arrived bool, err error) {
	t.Helper()
	a, b := socketPair(t)
	done := make(chan struct{})
	go func() {
		s := tls.Server(a, server)
		buf := make([]byte, 4)
		_, err := io.ReadFull(s, buf)
		arrived = string(buf) == "ping"
		if err == nil {
			s.Write([]byte("pong"))
		}
		a.Close()
		close(done)
	}()
	c := tls.Client(b, client)
	_, err = c.Write([]byte("ping"))
	if err == nil {
		buf := make([]byte, 4)
		_, err = io.ReadFull(c, buf)
		if string(buf) != "pong" {
			err = errors.Join(err, fmt.Errorf("got %q for pong", buf))
		}
	}
	state = c.ConnectionState()
	b.Close()
	<-done
	return state, arrived, err
}

func socketPair(t *testing.T) (a, b net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if b, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if a, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(20 * time.Second)
	a.SetDeadline(deadline)
	b.SetDeadline(deadline)
	return a, b
}

var versions = map[string]uint16{"1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13}

// A client that checks nothing gets through to every case: so crypto/tls can present it. ReplacedKey alone fails, in the signature.
func TestLenientClientReachesEveryCase(t *testing.T) {
	a := newAuthority(t)
	for _, c := range Cases() {
		for label, version := range versions {
			t.Run(string(c)+"/"+label, func(t *testing.T) {
				t.Parallel()
				cert, err := a.Server(c, "broker.x.test")
				if err != nil {
					t.Fatal(err)
				}
				state, arrived, err := talk(t, &tls.Config{Certificates: []tls.Certificate{*cert}},
					&tls.Config{InsecureSkipVerify: true, ServerName: "broker.x.test", MinVersion: version, MaxVersion: version})
				if c == ReplacedKey {
					if arrived || err == nil || !strings.Contains(err.Error(), "invalid signature by the server certificate") {
						t.Fatalf("got application data %v and error %v, want a bad signature", arrived, err)
					}
					return
				}
				if err != nil || !arrived {
					t.Fatalf("application data arrived: %v, error: %v", arrived, err)
				}
				if len(state.PeerCertificates) != len(cert.Certificate) {
					t.Errorf("client saw %d certificates, want %d", len(state.PeerCertificates), len(cert.Certificate))
				}
				if !bytes.Equal(state.OCSPResponse, cert.OCSPStaple) {
					t.Errorf("client saw a staple of %d octets, want %d", len(state.OCSPResponse), len(cert.OCSPStaple))
				}
			})
		}
	}
}

// A client that checks what Go checks sends nothing to a server that it refuses.
func TestStrictClientSendsNothing(t *testing.T) {
	a := newAuthority(t)
	roots := deviceRoots(t, a)
	for _, c := range Cases() {
		t.Run(string(c), func(t *testing.T) {
			t.Parallel()
			cert, err := a.Server(c, "broker.x.test")
			if err != nil {
				t.Fatal(err)
			}
			_, arrived, err := talk(t, &tls.Config{Certificates: []tls.Certificate{*cert}},
				&tls.Config{RootCAs: roots, ServerName: "broker.x.test", Time: func() time.Time { return testNow }})
			want := wants[c] == accepted && c != ReplacedKey
			if arrived != want || (err == nil) != want {
				t.Errorf("application data arrived: %v, error: %v; want accepted %v", arrived, err, want)
			}
		})
	}
}
