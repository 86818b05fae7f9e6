package record

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestTrace is the simple handshake of RFC 8448, section 3, from its traffic secrets on.
func TestTrace(t *testing.T) {
	t.Parallel()
	s, err := NewSession(
		tls.TLS_AES_128_GCM_SHA256,
		unhex(t, "9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5"),
		unhex(t, "a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643"),
	)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []struct {
		what string
		got  []byte
		want string
	}{
		{"client key", s.out.key[:16], "17422dda596ed5d9acd890e3c63f5051"},
		{"client iv", s.out.iv[:], "5b78923dee08579033e523d9"},
		{"server key", s.in.key[:16], "9f02283b6c9c07efc26bb9f2ac92e356"},
		{"server iv", s.in.iv[:], "cf782b88dd83549aadf1e984"},
	} {
		if !bytes.Equal(v.got, unhex(t, v.want)) {
			t.Errorf("%s: %x", v.what, v.got)
		}
	}
	plain := make([]byte, 50)
	for i := range plain {
		plain[i] = byte(i)
	}
	want := unhex(t, `17030300 43a23f70 54b62c94 d0affafe 8228ba55 cbefacea 42f914aa 66bcab3f 2b9819a8 a5b46b39 5bd54a9a 20441e2b 62974e1f 5a6292a2 977014bd 1e3deae6 3aeebb21 694915e4`)
	if got := s.Seal(nil, plain); !bytes.Equal(got, want) {
		t.Errorf("application data:\n%x\n%x", got, want)
	}
	if got := s.Close(nil, nil); !bytes.Equal(got, unhex(t, "1703030013 c9872760655666b74d7ff1153efd6db6d0b0e3")) {
		t.Errorf("close_notify: %x", got)
	}
	s.in.seq = 1 // the ticket before it is left out here
	data := unhex(t, `17030300 432e937e 11ef4ac7 40e538ad 36005fc4 a46932fc 3225d05f 82aa1b36 e30efaf9 7d90e6df fc602dcb 501a59a8 fcc49c4b f2e5f0a2 1c0047c2 abf33254 0dd032e1 67c2955d`)
	if got, used, err := s.Open(data); !bytes.Equal(got, plain) || used != len(data) || err != nil {
		t.Errorf("opened: %x, %d, %v", got, used, err)
	}
}

func TestNewSessionRefuses(t *testing.T) {
	t.Parallel()
	if _, err := NewSession(tls.TLS_RSA_WITH_AES_128_CBC_SHA, make([]byte, 32), make([]byte, 32)); err == nil {
		t.Error("a suite of TLS 1.2 is taken")
	}
	if _, err := NewSession(tls.TLS_AES_256_GCM_SHA384, make([]byte, 32), make([]byte, 48)); err == nil {
		t.Error("a short secret is taken")
	}
}

// message is a handshake message.
func message(kind byte, body []byte) []byte {
	return append([]byte{kind, byte(len(body) >> 16), byte(len(body) >> 8), byte(len(body))}, body...)
}

// TestRefusals is what a server may not send; before each, it sends "first", which must come through.
func TestRefusals(t *testing.T) {
	t.Parallel()
	ticket := message(messageTicket, make([]byte, 100))
	type server = *Session
	tests := []struct {
		name string
		send func(s server) []byte
		want Alert
		why  string
	}{
		{"unencrypted alert", func(server) []byte { return []byte{21, 3, 3, 0, 2, 2, 40} }, UnexpectedMessage, "unencrypted: handshake_failure"},
		{"unencrypted handshake", func(server) []byte { return []byte{22, 3, 3, 0, 1, 4} }, UnexpectedMessage, "type 22"},
		{"change_cipher_spec", func(server) []byte { return []byte{20, 3, 3, 0, 1, 1} }, UnexpectedMessage, "type 20"},
		{"HTTP", func(server) []byte { return []byte("HTTP/1.1 400 Bad Request\r\n\r\n") }, UnexpectedMessage, "type 72"},
		{"a length that is too long, with nothing behind it", func(server) []byte { return []byte{23, 3, 3, 0x41, 1} }, RecordOverflow, "16641 bytes"},
		{"a length that is too short", func(server) []byte { return append([]byte{23, 3, 3, 0, 16}, make([]byte, 16)...) }, BadRecordMAC, "too short"},
		{"no length", func(server) []byte { return []byte{23, 3, 3, 0, 0} }, BadRecordMAC, "too short"},
		{"too much content", func(s server) []byte { return s.seal(nil, typeApplicationData, make([]byte, maxPlain+1)) }, RecordOverflow, "16385 bytes of content"},
		{"too much padding", func(s server) []byte { return s.seal(nil, 0, append([]byte{'x', 23}, make([]byte, maxPlain)...)) }, RecordOverflow, "padding"},
		{"nothing but padding", func(s server) []byte { return s.seal(nil, 0, make([]byte, 9)) }, UnexpectedMessage, "all padding"},
		{"changed", func(s server) []byte { r := s.Seal(nil, []byte("x")); r[6] ^= 1; return r }, BadRecordMAC, "does not decrypt"},
		{"changed length", func(s server) []byte { r := s.Seal(nil, []byte("xyz")); r[4]--; return r }, BadRecordMAC, "does not decrypt"},
		{"repeated", func(s server) []byte { s.out.seq--; return s.Seal(nil, []byte("first")) }, BadRecordMAC, "repeated"},
		{"left out", func(s server) []byte { s.Seal(nil, []byte("x")); return s.Seal(nil, []byte("y")) }, BadRecordMAC, "left out"},
		{"out of order", func(s server) []byte { a := s.Seal(nil, []byte("x")); return append(s.Seal(nil, []byte("y")), a...) }, BadRecordMAC, "left out"},
		{"encrypted change_cipher_spec", func(s server) []byte { return s.seal(nil, 20, []byte{1}) }, UnexpectedMessage, "type 20"},
		{"unknown type", func(s server) []byte { return s.seal(nil, 99, []byte{1}) }, UnexpectedMessage, "type 99"},
		{"empty handshake", func(s server) []byte { return s.seal(nil, typeHandshake, nil) }, UnexpectedMessage, "without content"},
		{"ServerHello", func(s server) []byte { return s.seal(nil, typeHandshake, message(2, make([]byte, 90))) }, UnexpectedMessage, "message of type 2"},
		{"CertificateRequest", func(s server) []byte { return s.seal(nil, typeHandshake, []byte{13}) }, UnexpectedMessage, "message of type 13"},
		{"half a ticket, and data", func(s server) []byte { return s.Seal(s.seal(nil, typeHandshake, ticket[:50]), []byte("x")) }, UnexpectedMessage, "within"},
		{"a byte of a ticket, and data", func(s server) []byte { return s.Seal(s.seal(nil, typeHandshake, ticket[:1]), []byte("x")) }, UnexpectedMessage, "within"},
		{"half a ticket, and an alert", func(s server) []byte {
			return s.seal(s.seal(nil, typeHandshake, ticket[:50]), typeAlert, []byte{1, 0})
		}, UnexpectedMessage, "within"},
		{"short ticket", func(s server) []byte { return s.seal(nil, typeHandshake, message(messageTicket, make([]byte, 13))) }, DecodeError, "13 bytes"},
		{"long ticket", func(s server) []byte { return s.seal(nil, typeHandshake, []byte{messageTicket, 1, 0, 1}) }, DecodeError, "65537 bytes"},
		{"long key update", func(s server) []byte { return s.seal(nil, typeHandshake, message(messageKeyUpdate, []byte{0, 0})) }, DecodeError, "2 bytes"},
		{"empty key update", func(s server) []byte { return s.seal(nil, typeHandshake, message(messageKeyUpdate, nil)) }, DecodeError, "0 bytes"},
		{"strange key update", func(s server) []byte { return s.seal(nil, typeHandshake, message(messageKeyUpdate, []byte{2})) }, IllegalParameter, "asks for 2"},
		{"key update, and more", func(s server) []byte {
			return s.seal(nil, typeHandshake, append(message(messageKeyUpdate, []byte{0}), ticket...))
		}, UnexpectedMessage, "not the last"},
		{"data with old keys after a key update", func(s server) []byte {
			return s.Seal(s.seal(nil, typeHandshake, message(messageKeyUpdate, []byte{0})), []byte("x"))
		}, BadRecordMAC, "other keys"},
		{"empty alert", func(s server) []byte { return s.seal(nil, typeAlert, nil) }, DecodeError, "0 bytes"},
		{"two alerts", func(s server) []byte { return s.seal(nil, typeAlert, []byte{1, 0, 1, 0}) }, DecodeError, "4 bytes"},
		{"flood of empty records", flood(func(s server, b []byte) []byte { return s.seal(b, typeApplicationData, nil) }), UnexpectedMessage, "more than 16"},
		{"flood of tickets", flood(func(s server, b []byte) []byte { return s.seal(b, typeHandshake, ticket) }), UnexpectedMessage, "more than 16"},
		{"flood of key updates", flood(func(s server, b []byte) []byte { return s.Renew(b, true) }), UnexpectedMessage, "more than 16"},
		{"flood of user_canceled", flood(func(s server, b []byte) []byte { return s.seal(b, typeAlert, []byte{1, 90}) }), UnexpectedMessage, "more than 16"},
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			client, server := pair(suites[i%len(suites)])
			wire := server.Seal(nil, []byte("first"))
			wire = append(wire, tt.send(server)...)
			plain, used, err := client.Open(wire)
			if string(plain) != "first" {
				t.Errorf("before it came %q", plain)
			}
			e, ok := errors.AsType[*Error](err)
			if !ok || e.Theirs || e.Alert != tt.want || !strings.Contains(e.Error(), tt.why) {
				t.Fatalf("%v", err)
			}
			_, more, again := client.Open(wire[used:])
			if again != err || more != 0 {
				t.Errorf("the next time: %d, %v", more, again)
			}
			// What the server is told is what was wrong.
			told, _, err := server.Open(client.Close(nil, err))
			if e, ok := errors.AsType[*Error](err); len(told) > 0 || !ok || !e.Theirs || e.Alert != tt.want {
				t.Errorf("the server is told %v", err)
			}
		})
	}
}

// flood is more of something than is borne.
func flood(one func(*Session, []byte) []byte) func(*Session) []byte {
	return func(s *Session) (b []byte) {
		for range maxUseless + 1 {
			b = one(s, b)
		}
		return b
	}
}

// TestAllowed is what a server may send, and what comes of it.
func TestAllowed(t *testing.T) {
	t.Parallel()
	client, server := pair(tls.TLS_AES_128_GCM_SHA256)
	ticket := message(messageTicket, make([]byte, 20_000))
	var wire []byte
	wire = server.seal(wire, typeHandshake, ticket[:3]) // a ticket in pieces, and two in a record
	wire = server.seal(wire, typeHandshake, ticket[3:16_000])
	wire = server.seal(wire, typeHandshake, slices.Concat(ticket[16_000:], message(messageTicket, make([]byte, 14)), ticket[:1]))
	wire = server.seal(wire, typeHandshake, ticket[1:16_000])
	wire = server.seal(wire, typeHandshake, ticket[16_000:])
	wire = server.Seal(wire, []byte("one "))
	wire = server.seal(wire, 0, append([]byte("two "), 23, 0, 0, 0)) // padded
	wire = server.seal(wire, typeApplicationData, nil)
	wire = server.seal(wire, typeAlert, []byte{1, byte(UserCanceled)})
	update := message(messageKeyUpdate, []byte{0}) // in pieces
	wire = server.seal(wire, typeHandshake, update[:2])
	wire = server.seal(wire, typeHandshake, update[2:4])
	wire = server.seal(wire, typeHandshake, update[4:])
	server.out.update(server.suite)
	wire = server.Renew(wire, true)
	big := bytes.Repeat([]byte("three "), 5000)
	wire = server.Seal(wire, big)
	wire[2] = 9 // the version: part of what is authenticated, so it is put back for the client
	wire[2] = 3
	wire = server.Close(wire, nil)

	plain, used, err := client.Open(slices.Clone(wire))
	if want := "one two " + string(big); string(plain) != want || used != len(wire) || err != io.EOF {
		t.Errorf("%d bytes of %d, %d consumed of %d, %v", len(plain), len(want), used, len(wire), err)
	}
	answer := client.Seal(nil, []byte("new keys"))
	if len(answer) != 2*Overhead+5+8 {
		t.Errorf("an answer of %d bytes has no key update in front", len(answer))
	}
	if got, _, err := server.Open(answer); string(got) != "new keys" || err != nil {
		t.Errorf("the server got %q, %v", got, err)
	}
	if len(client.Seal(nil, []byte("x"))) != Overhead+1 {
		t.Error("the key update is repeated")
	}
}

// TestRenewsInTime seals across the number of records that a key is good for.
func TestRenewsInTime(t *testing.T) {
	t.Parallel()
	client, server := pair(tls.TLS_AES_256_GCM_SHA384)
	client.out.seq, server.in.seq = renewAfter-2, renewAfter-2
	for i := range 5 {
		if got, _, err := server.Open(client.Seal(nil, []byte("x"))); string(got) != "x" || err != nil {
			t.Fatalf("record %d: %q, %v", i, got, err)
		}
	}
	if client.out.seq != 3 {
		t.Errorf("%d records with the new key", client.out.seq)
	}
}

// TestCiphersAreShared has many sessions use few ciphers.
func TestCiphersAreShared(t *testing.T) {
	t.Parallel()
	ciphers := NewCiphers(5)
	r := rand.New(rand.NewPCG(1, 1))
	type both struct{ client, server *Session }
	var all []both
	for i := range 12 {
		client, server := pair(suites[i%len(suites)])
		client.Keep(ciphers)
		server.Keep(ciphers)
		all = append(all, both{client, server})
	}
	for range 2000 {
		b := all[r.IntN(len(all))]
		from, to := b.client, b.server
		if r.IntN(2) == 0 {
			from, to = to, from
		}
		var wire []byte
		if r.IntN(20) == 0 {
			wire = from.Renew(wire, r.IntN(2) == 0)
		}
		if got, _, err := to.Open(from.Seal(wire, []byte("hello"))); string(got) != "hello" || err != nil {
			t.Fatalf("%q, %v", got, err)
		}
	}
	ready := 0
	for _, b := range all {
		for _, h := range []*half{&b.client.in, &b.client.out, &b.server.in, &b.server.out} {
			if h.aead != nil {
				ready++
			}
		}
	}
	if ready != 5 {
		t.Errorf("%d ciphers are ready", ready)
	}
}

// TestHotPathAllocatesNothing is for sessions whose ciphers are ready.
func TestHotPathAllocatesNothing(t *testing.T) {
	for _, suite := range suites {
		client, server := pair(suite)
		c := NewCiphers(2)
		client.Keep(c)
		server.Keep(c)
		plain, buf := make([]byte, 200), make([]byte, 0, 300)
		if n := testing.AllocsPerRun(100, func() {
			buf = client.Seal(buf[:0], plain)
			server.Open(buf)
		}); n > 0 {
			t.Errorf("%s: %v allocations for a record", tls.CipherSuiteName(suite), n)
		}
	}
}

// written makes records of what a fuzzer thinks up: each has a type, an amount of padding, a length and a content. What is left is sent as
// it is.
func written(s *Session, script []byte) (wire []byte) {
	for len(script) >= 4 {
		n := int(binary.BigEndian.Uint16(script[2:]))
		if script[0] == 0xff || len(script) < 4+n {
			break
		}
		kind, inner := script[0], slices.Clone(script[4:4+n])
		if script[1] > 0 {
			inner, kind = append(append(inner, kind), make([]byte, int(script[1])-1)...), 0
		}
		wire = s.seal(wire, kind, inner)
		if kind == typeHandshake && n == 5 && inner[0] == messageKeyUpdate {
			s.out.update(s.suite)
		}
		script = script[4+n:]
	}
	return append(wire, script...)
}

func FuzzOpen(f *testing.F) {
	one := func(kind, pad byte, content []byte) []byte {
		return append([]byte{kind, pad, byte(len(content) >> 8), byte(len(content))}, content...)
	}
	f.Add([]byte("\x17\x03\x03\x00\x13"), uint8(0), uint8(1))
	f.Add(slices.Concat(one(23, 0, []byte("hello")), one(23, 7, []byte("world")), one(21, 0, []byte{1, 0})), uint8(0), uint8(7))
	f.Add(slices.Concat(one(22, 0, message(messageTicket, make([]byte, 40))), one(22, 0, message(messageKeyUpdate, []byte{1})), one(23, 0, []byte("x"))), uint8(1), uint8(3))
	f.Add(slices.Concat(one(22, 0, message(messageTicket, make([]byte, 40))[:9]), one(21, 0, []byte{2, 20})), uint8(2), uint8(50))
	f.Add(slices.Concat(one(23, 0, nil), one(0, 0, nil), []byte{0xff, 0x15, 3, 3, 0, 2, 2, 40}), uint8(0), uint8(255))
	f.Fuzz(func(t *testing.T, script []byte, suite, chunk uint8) {
		whole, server := pair(suites[int(suite)%len(suites)])
		wire := written(server, script)
		parts, _ := pair(whole.suite)
		parts.Keep(NewCiphers(1))

		plain, used, err := whole.Open(slices.Clone(wire))
		if used > len(wire) || len(plain) > used || err == nil && used > 0 && len(plain) > used-Overhead {
			t.Fatalf("%d bytes of plaintext from %d of %d", len(plain), used, len(wire))
		}
		if _, n, again := whole.Open(slices.Clone(wire[used:])); again != err || n != 0 {
			t.Fatalf("the rest: %d, %v; before: %v", n, again, err)
		}
		// In pieces, the same comes out.
		var got, buf []byte
		var end error
		for rest := wire; len(rest) > 0 && end == nil; {
			n := min(len(rest), 1+int(chunk))
			buf, rest = append(buf, rest[:n]...), rest[n:]
			var p []byte
			p, n, end = parts.Open(buf)
			got = append(got, p...)
			buf = slices.Delete(buf, 0, n)
			if len(buf) >= MaxRecord+1+int(chunk) {
				t.Fatalf("%d bytes are asked to be kept", len(buf))
			}
		}
		if !bytes.Equal(got, plain) || !sameEnd(end, err) {
			t.Fatalf("at once %q and %v, in pieces %q and %v", plain, err, got, end)
		}
	})
}

// sameEnd compares the ends of two sessions; the words for an unencrypted alert tell its name if that is there.
func sameEnd(a, b error) bool {
	x, ok := errors.AsType[*Error](a)
	y, also := errors.AsType[*Error](b)
	if !ok || !also {
		return a == b
	}
	return x.Alert == y.Alert && x.Theirs == y.Theirs
}
