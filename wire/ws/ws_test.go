package ws

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/shakedown-test/shakedown/wire/http1"
)

// The example of RFC 6455 section 1.3.
func TestAcceptKey(t *testing.T) {
	if got := AcceptKey("dGhlIHNhbXBsZSBub25jZQ=="); got != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
		t.Errorf("got %s", got)
	}
}

// The examples of RFC 6455 section 5.7 that are allowed here.
func TestExamples(t *testing.T) {
	for name, c := range map[string]struct {
		raw  []byte
		want Frame
	}{
		"unmasked text": {[]byte{0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f}, Frame{Fin: true, Op: Text, Payload: []byte("Hello")}},
		"masked text": {
			[]byte{0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58},
			Frame{Fin: true, Op: Text, Masked: true, Key: [4]byte{0x37, 0xfa, 0x21, 0x3d}, Payload: []byte("Hello")},
		},
		"fragment": {[]byte{0x01, 0x03, 0x48, 0x65, 0x6c}, Frame{Op: Text, Payload: []byte("Hel")}},
		"ping":     {[]byte{0x89, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f}, Frame{Fin: true, Op: Ping, Payload: []byte("Hello")}},
		"256 bytes": {
			append([]byte{0x82, 0x7e, 0x01, 0x00}, make([]byte, 256)...), Frame{Fin: true, Op: Binary, Payload: make([]byte, 256)},
		},
		"64 KiB": {
			append([]byte{0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0}, make([]byte, 65536)...), Frame{Fin: true, Op: Binary, Payload: make([]byte, 65536)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := ReadFrame(bufio.NewReader(bytes.NewReader(c.raw)), 1<<20)
			if err != nil || f.Fin != c.want.Fin || f.Op != c.want.Op || f.Masked != c.want.Masked || f.Key != c.want.Key || !bytes.Equal(f.Payload, c.want.Payload) {
				t.Fatalf("got %+v, %v", f, err)
			}
			if again := f.Append(nil); !bytes.Equal(again, c.raw) {
				t.Errorf("written again: %x", again)
			}
		})
	}
}

func TestBadFrames(t *testing.T) {
	for name, c := range map[string]struct {
		raw  []byte
		code uint16
	}{
		"reserved bit":       {[]byte{0xc2, 0}, ProtocolError},
		"opcode 3":           {[]byte{0x83, 0}, ProtocolError},
		"opcode 11":          {[]byte{0x8b, 0}, ProtocolError},
		"ping in pieces":     {[]byte{0x09, 0}, ProtocolError},
		"long ping":          {[]byte{0x89, 126, 0, 126}, ProtocolError},
		"length too long 16": {[]byte{0x82, 126, 0, 1, 0}, ProtocolError},
		"length too long 64": {[]byte{0x82, 127, 0, 0, 0, 0, 0, 0, 0, 1, 0}, ProtocolError},
		"negative length":    {[]byte{0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0}, ProtocolError},
		"too big":            {[]byte{0x82, 127, 0, 0, 1, 0, 0, 0, 0, 0}, TooBig},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ReadFrame(bufio.NewReader(bytes.NewReader(c.raw)), 1<<20)
			var e *Error
			if !errors.As(err, &e) || e.Code != c.code {
				t.Errorf("got %v, want code %d", err, c.code)
			}
		})
	}
}

// pair is a client and a server that speak with each other.
func pair(t *testing.T, shape func([]byte) []Frame) (client, server *Conn) {
	t.Helper()
	a, b := net.Pipe()
	t.Cleanup(func() { a.Close(); b.Close() })
	key := func() [4]byte { return [4]byte{1, 2, 3, 4} }
	return NewConn(a, bufio.NewReader(a), Options{Mask: key}), NewConn(b, bufio.NewReader(b), Options{Shape: shape})
}

func TestStream(t *testing.T) {
	for name, shape := range map[string]func([]byte) []Frame{
		"one frame": nil,
		"fragments with a ping between": func(b []byte) []Frame {
			return []Frame{
				{Op: Binary, Payload: b[:1]}, {Fin: true, Op: Ping, Payload: []byte("x")}, {Op: Continuation}, {Fin: true, Op: Continuation, Payload: b[1:]},
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			client, server := pair(t, shape)
			pongs := make(chan Frame, 1)
			server.o.Control = func(f Frame) bool { pongs <- f; return true }
			go io.ReadAll(server)
			go server.Write([]byte("hello"))
			b := make([]byte, 5)
			if _, err := io.ReadFull(client, b); err != nil || string(b) != "hello" {
				t.Fatalf("got %q, %v", b, err)
			}
			if shape != nil {
				if f := <-pongs; f.Op != Pong || string(f.Payload) != "x" {
					t.Errorf("got %+v", f)
				}
			}
		})
	}
}

func TestClose(t *testing.T) {
	client, server := pair(t, nil)
	go server.SendClose(TryLater, "later")
	go io.ReadAll(server)
	_, err := client.Read(make([]byte, 1))
	var e *CloseError
	if !errors.As(err, &e) || e.Code != TryLater || e.Reason != "later" || !errors.Is(err, io.EOF) {
		t.Errorf("got %v", err)
	}
}

func TestViolations(t *testing.T) {
	masked := func(f Frame) Frame { f.Masked, f.Key = true, [4]byte{9}; return f }
	for name, frames := range map[string][]Frame{
		"not masked":            {{Fin: true, Op: Binary, Payload: []byte("x")}},
		"text":                  {masked(Frame{Fin: true, Op: Text, Payload: []byte("x")})},
		"continues nothing":     {masked(Frame{Fin: true, Op: Continuation})},
		"message in a message":  {masked(Frame{Op: Binary}), masked(Frame{Fin: true, Op: Binary})},
		"half a code":           {masked(Frame{Fin: true, Op: Close, Payload: []byte{3}})},
		"empty frames for ever": slicesOf(emptyFrames+2, masked(Frame{Fin: true, Op: Binary})),
	} {
		t.Run(name, func(t *testing.T) {
			a, b := net.Pipe()
			defer a.Close()
			defer b.Close()
			var raw []byte
			for _, f := range frames {
				raw = f.Append(raw)
			}
			go a.Write(raw)
			go io.Copy(io.Discard, a)
			_, err := NewConn(b, bufio.NewReader(b), Options{}).Read(make([]byte, 10))
			var e *Error
			if !errors.As(err, &e) {
				t.Errorf("got %v, want an error of the protocol", err)
			}
		})
	}
}

func slicesOf(n int, f Frame) (all []Frame) {
	for range n {
		all = append(all, f)
	}
	return all
}

func TestParseUpgrade(t *testing.T) {
	good := Request("h:1", "/mqtt", "mqtt", "dGhlIHNhbXBsZSBub25jZQ==")
	for name, c := range map[string]struct {
		raw string
		ok  bool
	}{
		"good":           {good, true},
		"no upgrade":     {strings.Replace(good, "Upgrade: websocket", "Upgrade: h2c", 1), false},
		"old version":    {strings.Replace(good, ": 13", ": 8", 1), false},
		"short key":      {strings.Replace(good, "dGhlIHNhbXBsZSBub25jZQ==", "dGhl", 1), false},
		"another method": {strings.Replace(good, "GET", "PUT", 1), false},
	} {
		t.Run(name, func(t *testing.T) {
			q, err := http1.ReadRequest(bufio.NewReader(strings.NewReader(c.raw)), http1.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			u, err := ParseUpgrade(q)
			if (err == nil) != c.ok || c.ok && (u.Path != "/mqtt" || len(u.Protocols) != 1) {
				t.Errorf("got %+v, %v", u, err)
			}
		})
	}
}

func FuzzConn(f *testing.F) {
	ping := Frame{Fin: true, Op: Ping, Masked: true, Key: [4]byte{1, 2, 3, 4}, Payload: []byte("hi")}
	part := Frame{Op: Binary, Masked: true, Payload: []byte("ab")}
	rest := Frame{Fin: true, Op: Continuation, Masked: true, Payload: []byte("cd")}
	bye := Frame{Fin: true, Op: Close, Masked: true, Payload: []byte{3, 0xe8}}
	f.Add(bye.Append(rest.Append(ping.Append(part.Append(nil)))))
	f.Add([]byte{0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, 1, 2, 3, 4})
	f.Fuzz(func(t *testing.T, data []byte) {
		c := NewConn(discard{}, bufio.NewReader(bytes.NewReader(data)), Options{Limit: 512})
		n, err := io.Copy(io.Discard, c)
		if n > int64(len(data)) {
			t.Fatalf("%d bytes of %d, %v", n, len(data), err)
		}
	})
}

// discard is a connection that takes everything.
type discard struct{ net.Conn }

func (discard) Write(b []byte) (int, error) { return len(b), nil }
