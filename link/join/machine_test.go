package join

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/link/frame"
	"github.com/shakedown-test/shakedown/world/clock"
)

// machineLink is a link whose near end is where virtual machines connect, with what comes out at its far end.
func machineLink(t *testing.T) (l *frame.Link, up <-chan []byte, dial func() net.Conn) {
	t.Helper()
	l = frame.New(frame.Options{Name: "vm", Clock: clock.New(1)})
	t.Cleanup(l.Close)
	got := make(chan []byte, 100)
	l.Far(func(f []byte) { got <- f })
	path := filepath.Join(t.TempDir(), "vm.sock")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(Machine(listener, l))
	return l, got, func() net.Conn {
		conn, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		return conn
	}
}

func message(f []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(f))), f...)
}

func TestMachineSendsAndReceives(t *testing.T) {
	l, up, dial := machineLink(t)
	conn := dial()
	one, two := bytes.Repeat([]byte{1}, 60), bytes.Repeat([]byte{2}, 1514)
	if _, err := conn.Write(append(message(one), message(two)...)); err != nil {
		t.Fatal(err)
	}
	for _, want := range [][]byte{one, two} {
		if got := <-up; !bytes.Equal(got, want) {
			t.Errorf("%d bytes went up, want %d", len(got), len(want))
		}
	}
	for _, want := range [][]byte{two, one} {
		l.SendDown(bytes.Clone(want))
	}
	got := make([]byte, 8+len(one)+len(two))
	if _, err := io.ReadFull(conn, got); err != nil || !bytes.Equal(got, append(message(two), message(one)...)) {
		t.Errorf("%v, %d bytes came down", err, len(got))
	}
}

func TestMachineStartedAnew(t *testing.T) {
	_, up, dial := machineLink(t)
	first, second := dial(), dial()
	if _, err := first.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the first machine is still joined: %v", err)
	}
	if _, err := second.Write(message([]byte("frame"))); err != nil {
		t.Fatal(err)
	}
	if got := <-up; string(got) != "frame" {
		t.Errorf("%q", got)
	}
}

func TestMachineThatTalksNonsense(t *testing.T) {
	_, up, dial := machineLink(t)
	conn := dial()
	if _, err := conn.Write([]byte{0xff, 0xff, 0xff, 0xff, 1, 2, 3}); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("it is still joined")
	}
	if _, err := dial().Write(message([]byte("frame"))); err != nil {
		t.Fatal(err)
	}
	<-up
}

// A machine that does not take what is sent to it holds nobody up.
func TestMachineThatDoesNotRead(t *testing.T) {
	l, up, dial := machineLink(t)
	conn := dial()
	if _, err := conn.Write(message([]byte("frame"))); err != nil {
		t.Fatal(err)
	}
	<-up
	for range 10 * waiting {
		l.SendDown(make([]byte, 1514))
	}
}

func FuzzReadFrames(f *testing.F) {
	f.Add([]byte{})
	f.Add(message([]byte("frame")))
	f.Add([]byte{0, 0, 0, 9, 1})
	f.Add([]byte{0, 2, 0, 0, 1})
	f.Add([]byte{0, 0, 0, 9})
	f.Fuzz(func(t *testing.T, stream []byte) {
		var again []byte
		err := readFrames(bytes.NewReader(stream), func(frame []byte) { again = append(again, message(frame)...) })
		if err == nil || !bytes.HasPrefix(stream, again) {
			t.Errorf("%v: %x became %x", err, stream, again)
		}
		if errors.Is(err, io.EOF) && len(again) != len(stream) {
			t.Errorf("%d of %d bytes were frames", len(again), len(stream))
		}
	})
}
