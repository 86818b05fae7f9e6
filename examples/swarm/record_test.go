//go:build peers

package swarm

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shakedown-test/shakedown/fleet/record"
	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// openssl starts s_server, which shows every message, and every alert.
func openssl(t *testing.T, id identity, args ...string) (port string, p *program) {
	t.Helper()
	port = freePort(t)
	args = append([]string{"s_server", "-accept", "127.0.0.1:" + port, "-cert", id.cert, "-key", id.key, "-msg"}, args...)
	return port, start(t, filepath.Dir(id.cert), port, "openssl", args...)
}

// TestOpenSSL has s_server and a session speak, change keys and end in every way, with each suite.
func TestOpenSSL(t *testing.T) {
	for _, suite := range []uint16{tls.TLS_AES_128_GCM_SHA256, tls.TLS_AES_256_GCM_SHA384, tls.TLS_CHACHA20_POLY1305_SHA256} {
		t.Run(tls.CipherSuiteName(suite), func(t *testing.T) {
			t.Parallel()
			id := newIdentity(t)
			port, server := openssl(t, id, "-ciphersuites", tls.CipherSuiteName(suite), "-num_tickets", "3")
			id.client.ClientSessionCache = new(record.Ticket)

			d := connect(t, port, id.client)
			if d.Suite() != suite || d.state.DidResume {
				t.Fatalf("suite %#x, resumed %v", d.Suite(), d.state.DidResume)
			}
			d.Keep(record.NewCiphers(2))
			d.sends(t, "one from the device\n")
			server.waits(t, 1, "one from the device")
			server.types(t, "one from the server")
			d.expect(t, "one from the server\n")

			const theirs, ours = ">>> TLS 1.3, Handshake [length 0005], KeyUpdate", "<<< TLS 1.3, Handshake [length 0005], KeyUpdate"
			server.types(t, "k") // new keys, and none asked for
			server.waits(t, 1, theirs)
			server.types(t, "two from the server")
			d.expect(t, "two from the server\n")
			d.sends(t, "two from the device\n")
			server.waits(t, 1, "two from the device")
			if strings.Contains(server.said(), ours) {
				t.Error("the session changed its keys unasked")
			}
			server.types(t, "K") // and asked for, twice: one answer is enough
			server.waits(t, 2, theirs)
			server.types(t, "K")
			server.waits(t, 3, theirs)
			server.types(t, "three from the server")
			d.expect(t, "three from the server\n")
			d.sends(t, "three from the device\n")
			server.waits(t, 1, "three from the device")
			d.conn.Write(d.Renew(nil, true)) // and asked for by us
			d.sends(t, "four from the device\n")
			server.waits(t, 1, "four from the device")
			server.types(t, "four from the server")
			d.expect(t, "four from the server\n")
			server.waits(t, 4, theirs)
			if n := strings.Count(server.said(), ours); n != 2 {
				t.Errorf("the session changed its keys %d times, want 2", n)
			}
			d.conn.Write(d.Close(nil, nil))
			server.waits(t, 1, "<<< TLS 1.3, Alert [length 0002], warning close_notify")

			d = connect(t, port, id.client)
			if !d.state.DidResume {
				t.Error("the second connection does not resume the first")
			}
			server.waits(t, 1, "Reused session-id") // it reads commands
			server.types(t, "K")                    // before the session has got anything else
			server.waits(t, 5, theirs)
			server.types(t, "five from the server")
			d.expect(t, "five from the server\n")
			d.sends(t, "five from the device\n")
			server.waits(t, 1, "five from the device")
			d.conn.Write(d.Close(nil, nil))

			d = connect(t, port, id.client)
			broken := d.Seal(nil, []byte("six"))
			broken[len(broken)-1] ^= 1
			d.conn.Write(broken)
			_, err := io.ReadAll(d)
			if e, ok := errors.AsType[*record.Error](err); !ok || !e.Theirs || e.Alert != record.BadRecordMAC {
				t.Errorf("the answer to a broken record: %v", err)
			}

			d = connect(t, port, id.client)
			d.conn.Write(d.Close(nil, &record.Error{Alert: record.BadRecordMAC}))
			server.waits(t, 1, "<<< TLS 1.3, Alert [length 0002], fatal bad_record_mac")
		})
	}
}

// TestOpenSSLSends has s_server send a file in many ways of cutting it into records.
func TestOpenSSLSends(t *testing.T) {
	for _, args := range []string{"", "-record_padding 1024", "-max_send_frag 512", "-num_tickets 0", "-num_tickets 16", "-no_ticket", "-Verify 1"} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			id := newIdentity(t)
			if args == "-Verify 1" {
				args += " -verify_quiet -CAfile " + id.cert
			}
			r := rand.New(rand.NewPCG(1, 1))
			file := make([]byte, 1<<20)
			for i := range file {
				file[i] = byte(r.Uint32())
			}
			if err := os.WriteFile(filepath.Join(filepath.Dir(id.cert), "file"), file, 0o644); err != nil {
				t.Fatal(err)
			}
			port, _ := openssl(t, id, append(strings.Fields(args), "-HTTP")...)
			for _, cached := range []bool{false, true} {
				if cached {
					id.client.ClientSessionCache = new(record.Ticket)
				}
				d := connect(t, port, id.client)
				d.sends(t, "GET /file HTTP/1.0\r\n\r\n")
				if got, err := io.ReadAll(d); !bytes.Equal(got, file) || err != nil {
					t.Errorf("%d of %d bytes, %v", len(got), len(file), err)
				}
				d.conn.Write(d.Close(nil, nil)) // which it waits for
			}
		})
	}
}

// TestOpenSSLOlder has the record layer of crypto/tls stay for TLS 1.2.
func TestOpenSSLOlder(t *testing.T) {
	id := newIdentity(t)
	port, server := openssl(t, id, "-tls1_2")
	_, done := handshake(t, port, id.client)
	if done.Session != nil || done.Conn == nil {
		t.Fatal("a session of TLS 1.2")
	}
	io.WriteString(done.Conn, "from the device\n")
	server.waits(t, 1, "from the device")
	server.types(t, "from the server")
	got := make([]byte, 16)
	if _, err := io.ReadFull(done.Conn, got); err != nil || string(got) != "from the server\n" {
		t.Errorf("%q, %v", got, err)
	}
}

// TestMosquitto has a device subscribe to what it publishes, with its certificate for a password.
func TestMosquitto(t *testing.T) {
	id := newIdentity(t)
	port := freePort(t)
	conf := filepath.Join(filepath.Dir(id.cert), "mosquitto.conf")
	text := fmt.Sprintf("user root\nlistener %s 127.0.0.1\nset_tcp_nodelay true\ncafile %s\ncertfile %s\nkeyfile %s\nrequire_certificate true\nuse_identity_as_username true\nallow_anonymous false\n",
		port, id.cert, id.cert, id.key)
	if err := os.WriteFile(conf, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	start(t, filepath.Dir(id.cert), port, "mosquitto", "-c", conf)
	ciphers := record.NewCiphers(4)
	for i := range 3 {
		d := connect(t, port, id.client)
		d.Keep(ciphers)
		in := mqtt.NewReader(d, 1<<20)
		next := func(want mqtt.Type) *mqtt.Packet {
			t.Helper()
			raw, err := in.Next()
			if err != nil {
				t.Fatal(err)
			}
			p, err := mqtt.Decode(raw, mqtt.V311)
			if err != nil || p.Type != want {
				t.Fatalf("%v, %v, want %v", p, err, want)
			}
			return p
		}
		send := func(p mqtt.Packet) {
			t.Helper()
			p.Version = mqtt.V311
			if _, err := d.Write(p.Bytes()); err != nil {
				t.Fatal(err)
			}
		}
		send(mqtt.Packet{Type: mqtt.CONNECT, Connect: &mqtt.Connect{Protocol: "MQTT", Level: mqtt.V311, Clean: true, KeepAlive: 60, ClientID: fmt.Sprint("device-", i)}})
		next(mqtt.CONNACK)
		send(mqtt.Packet{Type: mqtt.SUBSCRIBE, ID: 1, Filters: []mqtt.Subscription{{Filter: "loop"}}})
		next(mqtt.SUBACK)
		for n := range 300 {
			payload := bytes.Repeat([]byte{byte(n)}, n*n) // up to 89,401 bytes: six records
			send(mqtt.Packet{Type: mqtt.PUBLISH, Topic: "loop", Payload: payload})
			if p := next(mqtt.PUBLISH); !bytes.Equal(p.Payload, payload) {
				t.Fatalf("message %d: %d bytes come back of %d", n, len(p.Payload), len(payload))
			}
		}
		send(mqtt.Packet{Type: mqtt.DISCONNECT})
		d.conn.Write(d.Close(nil, nil))
	}
}
