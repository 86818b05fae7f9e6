package link

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/world/clock"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bench is a link with its log; the test plays both the part and the stand-in.
type bench struct {
	*Stream
	t   *testing.T
	log *evidence.Log
}

func newBench(t *testing.T) *bench {
	t.Helper()
	return newBenchAt(t, 1)
}

func newBenchAt(t *testing.T, speed float64) *bench {
	t.Helper()
	clk := clock.New(speed)
	log := evidence.NewLog(clk.Now, nil, false)
	address := "127.0.0.1:0"
	s, err := NewStream("device-broker", func() (net.Listener, error) {
		ln, err := net.Listen("tcp4", address)
		if err == nil {
			address = ln.Addr().String()
		}
		return ln, err
	}, clk, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return &bench{s, t, log}
}

func (b *bench) dial() *net.TCPConn {
	b.t.Helper()
	c, err := net.Dial("tcp4", b.Addr().String())
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { c.Close() })
	c.SetDeadline(b.clk.Deadline(b.clk.Device(5 * time.Second)))
	return c.(*net.TCPConn)
}

// pair is both ends of one connection.
func (b *bench) pair() (part *net.TCPConn, standIn *Conn) {
	b.t.Helper()
	part = b.dial()
	standIn, err := b.Accept()
	if err != nil {
		b.t.Fatal(err)
	}
	return part, standIn
}

// await waits for an event and gives it.
func (b *bench) await(kind evidence.Kind, text string) evidence.Event {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), 5*time.Second)
	defer cancel()
	e, err := b.log.Await(ctx, 0, func(e evidence.Event) bool { return e.Kind == kind && strings.HasPrefix(e.Text, text) })
	if err != nil {
		b.t.Fatalf("no %s %q: %v; log: %v", kind, text, err, b.log.Since(0))
	}
	return e
}

func (b *bench) count(kind evidence.Kind) (n int) {
	for _, e := range b.log.Since(0) {
		if e.Kind == kind {
			n++
		}
	}
	return n
}

// echo lets one line go each way, which shows that the connection is alive.
func echo(t *testing.T, part net.Conn, standIn *Conn) {
	t.Helper()
	io.WriteString(part, "ping")
	b := make([]byte, 4)
	if _, err := io.ReadFull(standIn, b); err != nil || string(b) != "ping" {
		t.Fatalf("stand-in read %q, %v", b, err)
	}
	standIn.Write([]byte("pong"))
	if _, err := io.ReadFull(part, b); err != nil || string(b) != "pong" {
		t.Fatalf("part read %q, %v", b, err)
	}
}

func TestWhoEnded(t *testing.T) {
	tests := []struct {
		want string
		end  func(part *net.TCPConn, standIn *Conn)
	}{
		{"peer fin", func(p *net.TCPConn, _ *Conn) { p.Close() }},
		{"peer reset", func(p *net.TCPConn, _ *Conn) { p.SetLinger(0); p.Close() }},
		{"peer goodbye", func(p *net.TCPConn, c *Conn) { c.Ended("peer goodbye"); c.Ended("we goodbye"); c.Close(); p.Close() }},
		{"we fin", func(_ *net.TCPConn, c *Conn) { c.Close() }},
		{"we fin", func(_ *net.TCPConn, c *Conn) { c.CloseWrite(); c.Close() }},
		{"we reset", func(_ *net.TCPConn, c *Conn) { c.Reset() }},
	}
	for _, tt := range tests {
		b := newBench(t)
		part, standIn := b.pair()
		echo(t, part, standIn)
		tt.end(part, standIn)
		e := b.await(evidence.Close, "")
		if want := (Traffic{4, 4}); e.Text != tt.want || e.Conn != 1 || e.Data != want {
			t.Errorf("got %q on %d with %v, want %q on 1 with %v", e.Text, e.Conn, e.Data, tt.want, want)
		}
		_, err := part.Read(make([]byte, 1))
		if tt.want == "we fin" && err != io.EOF || tt.want == "we reset" && !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("%s: the part saw %v", tt.want, err)
		}
		standIn.Close()
		b.Close()
		if n := b.count(evidence.Close); n != 1 {
			t.Errorf("%s: %d close events", tt.want, n)
		}
	}
}

// The pump has no room and learns of nothing; the writer is told by the kernel.
func TestWriterLearnsOfReset(t *testing.T) {
	b := newBench(t)
	part, standIn := b.pair()
	defer standIn.Close()
	if _, err := part.Write(make([]byte, 2*ahead)); err != nil {
		t.Fatal(err)
	}
	for full := false; !full; time.Sleep(time.Millisecond) {
		standIn.mu.Lock()
		full = standIn.in.bytes >= ahead
		standIn.mu.Unlock()
	}
	part.SetLinger(0)
	part.Close()
	for range 100 {
		if _, err := standIn.Write([]byte("late")); err != nil {
			break
		}
		time.Sleep(time.Millisecond)
	}
	standIn.Close()
	if e := b.await(evidence.Close, ""); e.Text != "peer reset" {
		t.Errorf("got %q", e.Text)
	}
}

func TestFinWithUnreadBytesIsNoReset(t *testing.T) {
	b := newBench(t)
	defer b.CloseOnAccept(false)()
	part := b.dial()
	for range 3 {
		io.WriteString(part, "hello")
	}
	if _, err := part.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("part saw %v, want EOF", err)
	}
	part.Close()
	b.await(evidence.Close, "we fin")
}

func TestCloseOnAcceptReset(t *testing.T) {
	b := newBench(t)
	undo := b.CloseOnAccept(true)
	c, err := net.Dial("tcp4", b.Addr().String())
	if err == nil { // else the reset came before dial returned
		_, err = c.Read(make([]byte, 1))
		c.Close()
	}
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("part saw %v, want a reset", err)
	}
	undo()
	undo()
	part, standIn := b.pair()
	echo(t, part, standIn)
	if n := b.count(evidence.Heal); n != 1 {
		t.Errorf("%d heal events", n)
	}
}

func TestDeadlines(t *testing.T) {
	b := newBench(t)
	part, standIn := b.pair()
	standIn.SetReadDeadline(b.clk.Deadline(10 * time.Millisecond))
	if _, err := standIn.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read gave %v", err)
	}
	standIn.SetReadDeadline(time.Time{})
	echo(t, part, standIn)

	defer b.Freeze()()
	standIn.SetDeadline(b.clk.Deadline(10 * time.Millisecond))
	if _, err := standIn.Write([]byte("x")); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("frozen write gave %v", err)
	}
	if _, err := standIn.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("frozen read gave %v", err)
	}
}

func TestCloseEndsAccept(t *testing.T) {
	b := newBench(t)
	done := make(chan error)
	go func() { _, err := b.Accept(); done <- err }()
	b.Close()
	if err := <-done; !errors.Is(err, net.ErrClosed) {
		t.Errorf("accept gave %v", err)
	}
	if err := b.Close(); err != nil {
		t.Errorf("second close: %v", err)
	}
}

func TestCap(t *testing.T) {
	b := newBench(t)
	for range MaxOpen + 3 {
		b.dial()
	}
	b.await(evidence.Refused, "2 connections")
	last := b.dial()
	if _, err := last.Read(make([]byte, 1)); err == nil {
		t.Error("a connection beyond the cap stays open")
	}
	if n := b.TurnedAway(); n != 4 {
		t.Errorf("%d turned away, want 4", n)
	}
	if n := b.count(evidence.Open); n != MaxOpen {
		t.Errorf("%d open events", n)
	}
}

func TestMove(t *testing.T) {
	s := newBench(t)
	was := s.Addr().String()
	if err := s.Move(func() (net.Listener, error) { return net.Listen("tcp", "127.0.0.1:0") }); err != nil {
		t.Fatal(err)
	}
	if _, err := net.Dial("tcp", was); err == nil {
		t.Error("the old address still accepts")
	}
	c, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := s.Accept(); err != nil {
		t.Error(err)
	}
}
