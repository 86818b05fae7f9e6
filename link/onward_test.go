package link

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
)

// tcpPair is both ends of a connection of the kernel that buffers little.
func tcpPair(t *testing.T, buffer int) (near, far *net.TCPConn) {
	t.Helper()
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	c, err := net.Dial("tcp4", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	far = c.(*net.TCPConn)
	far.SetReadBuffer(buffer)
	if c, err = ln.Accept(); err != nil {
		t.Fatal(err)
	}
	near = c.(*net.TCPConn)
	near.SetWriteBuffer(buffer)
	t.Cleanup(func() { near.Close(); far.Close() })
	return near, far
}

// numbers are bytes that show where one is missing.
func numbers(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i) ^ byte(i>>8) ^ byte(i>>16)
	}
	return b
}

// copying starts io.Copy and waits until it is at it.
func (b *bench) copying(to net.Conn, from *Conn) (ended chan copied) {
	b.t.Helper()
	ended = make(chan copied, 1)
	go func() {
		n, err := io.Copy(to, from)
		ended <- copied{n, err}
	}()
	for i := 0; ; i++ {
		from.mu.Lock()
		spliced, waits := from.onward != nil, from.waiters > 0
		from.mu.Unlock()
		if waits && (spliced || runtime.GOOS != "linux") {
			return ended
		}
		if i > 5000 {
			b.t.Fatal("io.Copy does not splice")
		}
		time.Sleep(time.Millisecond)
	}
}

type copied struct {
	n   int64
	err error
}

// TestCopyOnFrozen freezes the link again and again under a stream: none of the bytes is lost, repeated or out of place, and once what had
// passed has come nothing more comes.
func TestCopyOnFrozen(t *testing.T) {
	b := newBench(t)
	part, standIn := b.pair()
	near, far := tcpPair(t, 256<<10)
	ended := b.copying(near, standIn)
	sent := numbers(20 << 20)
	go func() {
		part.Write(sent)
		part.CloseWrite()
	}()
	chance := rand.New(rand.NewPCG(1, 2))
	var got []byte
	buf := make([]byte, 256<<10)
	for len(got) < len(sent) {
		undo := func() {}
		freeze := chance.IntN(20) == 0
		if freeze {
			undo = b.Freeze()
			standIn.mu.Lock()
			passed := standIn.traffic.Received - int64(standIn.in.bytes)
			standIn.mu.Unlock()
			far.SetReadDeadline(time.Now().Add(3 * time.Millisecond))
			for {
				n, err := far.Read(buf)
				got = append(got, buf[:n]...)
				if err != nil {
					break
				}
			}
			if int64(len(got)) > passed {
				t.Fatalf("%d bytes came, %d had passed when the link froze", len(got), passed)
			}
			far.SetReadDeadline(time.Time{})
		}
		undo()
		if len(got) == len(sent) {
			break
		}
		n, err := far.Read(buf[:1+chance.IntN(len(buf))])
		got = append(got, buf[:n]...)
		if err != nil {
			t.Fatal(err)
		}
	}
	if r := <-ended; r.err != nil || r.n != int64(len(sent)) || !bytes.Equal(got, sent) {
		t.Errorf("%d bytes copied, %v, %d came, the same: %t", r.n, r.err, len(got), bytes.Equal(got, sent))
	}
	if e := b.await(evidence.Close, "peer fin"); e.Data != (Traffic{Received: int64(len(sent))}) {
		t.Errorf("the event has %v", e.Data)
	}
}

// TestCopyOnSeesEnd has the part end while the copy is stuck.
func TestCopyOnSeesEnd(t *testing.T) {
	b := newBench(t)
	part, standIn := b.pair()
	near, far := tcpPair(t, 8<<10)
	before := fill(t, near)
	ended := b.copying(near, standIn)
	sent := numbers(20_000)
	part.Write(sent) // at once: a pipe has room for few pieces, however small they are
	part.CloseWrite()
	if e := b.await(evidence.Close, "peer fin"); e.Data != (Traffic{Received: 20_000}) {
		t.Errorf("the event has %v", e.Data)
	}
	select {
	case r := <-ended:
		t.Errorf("the copy was not stuck: %d, %v", r.n, r.err)
		ended <- r
	default:
	}
	if _, err := io.CopyN(io.Discard, far, int64(before)); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(sent))
	if _, err := io.ReadFull(far, got); err != nil || !bytes.Equal(got, sent) {
		t.Errorf("%v, the same: %t", err, bytes.Equal(got, sent))
	}
	if r := <-ended; r.err != nil || r.n != int64(len(sent)) {
		t.Errorf("%d copied, %v", r.n, r.err)
	}
}

// fill writes to a connection that nobody reads until it takes no more, and says how much it took.
func fill(t *testing.T, c *net.TCPConn) (n int) {
	t.Helper()
	for {
		c.SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
		some, err := c.Write(make([]byte, 4<<10))
		if n += some; errors.Is(err, os.ErrDeadlineExceeded) {
			c.SetWriteDeadline(time.Time{})
			return n
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// TestCopyOnBlackhole makes the link a black hole while the copy is stuck: what waits never comes, and the part's end is logged.
func TestCopyOnBlackhole(t *testing.T) {
	b := newBench(t)
	part, standIn := b.pair()
	near, far := tcpPair(t, 128<<10)
	ended := b.copying(near, standIn)
	go func() {
		part.Write(numbers(4 << 20))
		part.Close()
	}()
	got := make([]byte, 1<<20)
	if _, err := io.ReadFull(far, got); err != nil {
		t.Fatal(err)
	}
	undo := b.Blackhole()
	b.await(evidence.Close, "peer fin")
	far.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	more, _ := io.Copy(io.Discard, far)
	if n := int64(len(got)) + more; n > 3<<20 {
		t.Errorf("%d bytes came through a black hole", n)
	}
	undo()
	if r := <-ended; !errors.Is(r.err, net.ErrClosed) || r.n != int64(len(got))+more {
		t.Errorf("%d of %d copied, %v", r.n, int64(len(got))+more, r.err)
	}
}

// TestCopyOnGivesBack ends a stuck copy by a deadline. What it had not sent is there for Read.
func TestCopyOnGivesBack(t *testing.T) {
	b := newBench(t)
	part, standIn := b.pair()
	near, far := tcpPair(t, 128<<10)
	ended := b.copying(near, standIn)
	sent := numbers(1 << 20)
	go func() {
		part.Write(sent)
		part.CloseWrite()
	}()
	got := make([]byte, 1000)
	io.ReadFull(far, got)
	standIn.SetReadDeadline(time.Now())
	rest := make(chan []byte)
	go func() {
		all, _ := io.ReadAll(far)
		rest <- all
	}()
	r := <-ended
	if near.Close(); r.err == nil || r.n == int64(len(sent)) {
		t.Errorf("%d copied, %v", r.n, r.err)
	}
	if got = append(got, <-rest...); int64(len(got)) != r.n {
		t.Errorf("%d copied, %d came", r.n, len(got))
	}
	standIn.SetReadDeadline(time.Time{})
	all, err := io.ReadAll(standIn)
	if got = append(got, all...); err != nil || !bytes.Equal(got, sent) {
		t.Errorf("%d bytes in all, %v, the same: %t", len(got), err, bytes.Equal(got, sent))
	}
}

func TestCopyOnFails(t *testing.T) {
	b := newBench(t)
	part, standIn := b.pair()
	near, far := tcpPair(t, 128<<10)
	ended := b.copying(near, standIn)
	far.SetLinger(0)
	far.Close()
	go part.Write(make([]byte, 1<<20))
	var failed *net.OpError
	if r := <-ended; !errors.As(r.err, &failed) {
		t.Errorf("the copy ended with %v", r.err)
	}
}
