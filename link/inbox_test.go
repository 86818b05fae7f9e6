package link

import (
	"bytes"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
)

func TestInbox(t *testing.T) {
	var q inbox
	var sent, got []byte
	size := len(chunk{}.bytes)
	for i, n := range []int{1, 10, size, 5, size - 4, 3, size, size, 7} {
		c := newChunk()
		c.to = n
		for j := range n {
			c.bytes[j] = byte(i + j)
		}
		sent = append(sent, c.bytes[:n]...)
		q.add(c)
	}
	if q.bytes != len(sent) || len(q.chunks) > 8 {
		t.Errorf("%d bytes in %d chunks, want %d in at most 8", q.bytes, len(q.chunks), len(sent))
	}
	buf := make([]byte, 10_000)
	for q.bytes > 0 {
		if len(got)%3 == 0 {
			c := q.take()
			got = append(got, c.bytes[c.from:c.to]...)
			c.free()
			continue
		}
		got = append(got, buf[:q.read(buf)]...)
	}
	if !bytes.Equal(got, sent) || len(q.chunks) != 0 {
		t.Errorf("%d bytes came out, %d chunks are left", len(got), len(q.chunks))
	}
	for range 1000 { // many small ones do not take a chunk each
		c := newChunk()
		c.to = 1
		q.add(c)
	}
	if len(q.chunks) != 1 {
		t.Errorf("1000 bytes take %d chunks", len(q.chunks))
	}
}

// WriteTo gives what Read gives, and ends as it does.
func TestWriteTo(t *testing.T) {
	b := newBench(t)
	part, standIn := b.pair()
	var got bytes.Buffer
	ended := make(chan error, 1)
	go func() {
		n, err := io.Copy(&got, standIn)
		if err == nil && n != int64(got.Len()) {
			err = io.ErrShortWrite
		}
		ended <- err
	}()
	undo := b.Freeze()
	sent := bytes.Repeat([]byte("0123456789"), 50_000)
	go func() {
		part.Write(sent)
		part.CloseWrite()
	}()
	select {
	case err := <-ended:
		t.Fatalf("a frozen link let all pass: %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	undo()
	if err := <-ended; err != nil || !bytes.Equal(got.Bytes(), sent) {
		t.Errorf("%d of %d bytes came, %v", got.Len(), len(sent), err)
	}
	b.await(evidence.Close, "peer fin")

	second, standIn := b.pair()
	standIn.SetReadDeadline(b.clk.Deadline(10 * time.Millisecond))
	if n, err := io.Copy(io.Discard, standIn); n != 0 || err == nil || !os.IsTimeout(err) {
		t.Errorf("after its deadline: %d, %v", n, err)
	}
	standIn.SetReadDeadline(time.Time{})
	io.WriteString(second, "x")
	if _, err := io.Copy(failing{}, standIn); err != io.ErrClosedPipe {
		t.Errorf("a writer that fails: %v", err)
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

// A connection that is no socket of the kernel is read all the same.
func TestPlainConn(t *testing.T) {
	near, far := net.Pipe()
	go func() {
		far.Write(bytes.Repeat([]byte("x"), 20_000))
		far.Close()
	}()
	s, n := newSocket(near, nil), 0
	for {
		c, err := s.next()
		if c != nil {
			n += c.to - c.from
			c.free()
		}
		if err != nil {
			if n != 20_000 || err != io.EOF {
				t.Errorf("%d bytes, then %v", n, err)
			}
			return
		}
	}
}
