package link

import (
	"bytes"
	"io"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/shakedown-test/shakedown/evidence"
)

// TestCopyOnFullPipe has a pipe that is full with less than what a connection reads ahead, and a part that resets at the end.
func TestCopyOnFullPipe(t *testing.T) {
	b := newBench(t)
	part, standIn := b.pair()
	near, far := tcpPair(t, 64<<10)
	ended := b.copying(near, standIn)
	standIn.mu.Lock()
	o := standIn.onward
	_, err := unix.FcntlInt(uintptr(o.pipe.write), unix.F_SETPIPE_SZ, 4096)
	standIn.mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	sent := numbers(1 << 20)
	go func() {
		for i := 0; i < len(sent); i += 512 {
			part.Write(sent[i : i+512])
		}
	}()
	for full, i := false, 0; !full; i++ {
		if i > 5000 {
			t.Fatal("the pipe is never full")
		}
		time.Sleep(time.Millisecond)
		standIn.mu.Lock()
		full = o.full && o.bytes < ahead
		standIn.mu.Unlock()
	}
	got := make([]byte, len(sent))
	if _, err := io.ReadFull(far, got); err != nil || !bytes.Equal(got, sent) {
		t.Errorf("%v, the same: %t", err, bytes.Equal(got, sent))
	}
	part.SetLinger(0)
	part.Close()
	if e := b.await(evidence.Close, "peer reset"); e.Data != (Traffic{Received: int64(len(sent))}) {
		t.Errorf("the event has %v", e.Data)
	}
	if r := <-ended; r.err == nil || r.n != int64(len(sent)) {
		t.Errorf("%d copied, %v", r.n, r.err)
	}
}
