package link

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
)

func TestRefuse(t *testing.T) {
	b := newBench(t)
	part, standIn := b.pair()
	undo, err := b.Refuse()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := net.Dial("tcp4", b.Addr().String()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("dial gave %v, want connection refused", err)
	}
	if CanWatchRefused() {
		b.await(evidence.Refused, "SYN from 127.0.0.1:")
	}
	echo(t, part, standIn)
	undo()
	undo()
	part, standIn = b.pair()
	echo(t, part, standIn)
	if CanWatchRefused() && b.count(evidence.Refused) != 1 {
		t.Errorf("%d refused events, want 1", b.count(evidence.Refused))
	}
}

func TestRefuseOverlaps(t *testing.T) {
	b := newBench(t)
	first, _ := b.Refuse()
	second, _ := b.Refuse()
	first()
	if _, err := net.Dial("tcp4", b.Addr().String()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("dial gave %v while one refusal is in force", err)
	}
	second()
	b.pair()
	b.Refuse() // left in force: Close ends it
	b.Close()
	if _, err := b.Refuse(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("refuse after close gave %v", err)
	}
}

func TestPortTaken(t *testing.T) {
	b := newBench(t)
	undo, _ := b.Refuse()
	thief, err := net.Listen("tcp4", b.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer thief.Close()
	undo()
	if _, err := b.Accept(); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("accept gave %v, want address in use", err)
	}
}

func TestBlackhole(t *testing.T) {
	b := newBench(t)
	part, standIn := b.pair()
	echo(t, part, standIn)
	gaveUp, _ := b.pair()
	undo := b.Blackhole()
	if n, err := standIn.Write([]byte("lost")); n != 4 || err != nil {
		t.Errorf("write gave %d, %v", n, err)
	}
	io.WriteString(part, "lost")
	late := b.dial() // the kernel accepts
	standIn.SetReadDeadline(b.clk.Deadline(20 * time.Millisecond))
	if _, err := standIn.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("stand-in read %v", err)
	}
	standIn.Close()
	for _, c := range []net.Conn{part, late} {
		c.SetReadDeadline(b.clk.Deadline(20 * time.Millisecond))
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("part saw %v, want silence", err)
		}
		c.SetReadDeadline(time.Time{})
	}
	gaveUp.Close()
	if e := b.await(evidence.Close, "peer fin"); e.Conn != 2 {
		t.Errorf("connection %d gave up, want 2", e.Conn)
	}
	undo()
	for _, c := range []net.Conn{part, late} {
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("after undo the part saw %v, want a reset", err)
		}
	}
	part, standIn = b.pair()
	echo(t, part, standIn)
	if standIn.Number != 4 {
		t.Errorf("number %d, want 4", standIn.Number)
	}
}

func TestFreeze(t *testing.T) {
	b := newBench(t)
	part, standIn := b.pair()
	closing, closed := b.pair()
	undo := b.Freeze()
	io.WriteString(part, "held")
	go standIn.Write([]byte("also held"))
	closed.Close()
	for _, c := range []net.Conn{part, closing} {
		c.SetReadDeadline(b.clk.Deadline(20 * time.Millisecond))
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("part saw %v, want silence", err)
		}
		c.SetReadDeadline(time.Time{})
	}
	undo()
	got := make([]byte, 9)
	if _, err := io.ReadFull(part, got); err != nil || string(got) != "also held" {
		t.Errorf("part read %q, %v", got, err)
	}
	if _, err := io.ReadFull(standIn, got[:4]); err != nil || string(got[:4]) != "held" {
		t.Errorf("stand-in read %q, %v", got[:4], err)
	}
	if _, err := closing.Read(got); err != io.EOF {
		t.Errorf("the held back end came as %v", err)
	}
}

func TestCut(t *testing.T) {
	for _, reset := range []bool{false, true} {
		b := newBench(t)
		one, _ := b.pair()
		two, _ := b.pair()
		if n := b.Cut(reset); n != 2 {
			t.Errorf("cut %d, want 2", n)
		}
		for _, c := range []net.Conn{one, two} {
			_, err := c.Read(make([]byte, 1))
			if !reset && err != io.EOF || reset && !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("reset %t: the part saw %v", reset, err)
			}
		}
		if n := b.Cut(reset); n != 0 {
			t.Errorf("second cut ended %d", n)
		}
	}
}

func TestSlow(t *testing.T) {
	b := newBenchAt(t, 10)
	part, standIn := b.pair()
	undo := b.Slow(1000)
	start := b.clk.Now()
	go standIn.Write(make([]byte, 3000))
	if _, err := io.ReadFull(part, make([]byte, 3000)); err != nil {
		t.Fatal(err)
	}
	if took := b.clk.Since(start); took < 2500*time.Millisecond || took > 8*time.Second {
		t.Errorf("3000 bytes at 1000 bytes/s took %s of device time", took)
	}
	undo()
	start = b.clk.Now()
	go standIn.Write(make([]byte, 3000))
	io.ReadFull(part, make([]byte, 3000))
	if took := b.clk.Since(start); took > 2*time.Second {
		t.Errorf("after undo it took %s", took)
	}
}

func TestSegmentReads(t *testing.T) {
	b := newBench(t)
	part, standIn := b.pair()
	sent := bytes.Repeat([]byte("0123456789"), 5)
	defer b.Segment(7)()
	go standIn.Write(sent)
	var got []byte
	buf, small := make([]byte, 100), 0
	for len(got) < len(sent) {
		n, err := part.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		if n <= 7 {
			small++
		}
		got = append(got, buf[:n]...)
	}
	if !bytes.Equal(got, sent) || small == 0 {
		t.Errorf("read %q, %d times at most 7 bytes", got, small)
	}
}
