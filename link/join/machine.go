package join

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"

	"github.com/shakedown-test/shakedown/link/frame"
)

// Bounds of what comes from a virtual machine, and of what waits for it.
const (
	longest = 64 << 10 // bytes of a frame
	waiting = 1024     // frames; what comes beyond is lost, as in a network card
)

// Machine moves frames between the near end of a link and the virtual machine that connects to l: QEMU with
//
//	-netdev stream,id=net0,addr.type=unix,addr.path=PATH -device virtio-net-pci,netdev=net0
//
// (QEMU 7.2 and newer), or anything else that writes each frame after its length, four bytes with the highest first. One machine is
// joined at a time; another that connects, such as the same one started anew, takes its place. Leave, which closes l, ends it.
func Machine(l net.Listener, at *frame.Link) (leave func()) {
	m := &machine{link: at, frames: make(chan []byte, waiting)}
	at.Near(func(f []byte) {
		select {
		case m.frames <- f:
		default:
		}
	})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		m.accept(l)
	}()
	return sync.OnceFunc(func() {
		at.Near(nil)
		l.Close()
		m.replace(nil)
		<-ended
	})
}

// machine is where virtual machines connect.
type machine struct {
	link   *frame.Link
	frames chan []byte // down

	mu   sync.Mutex
	conn net.Conn // of the machine that is joined; nil: there is none
}

// replace closes the connection of the machine that is joined, and takes another.
func (m *machine) replace(conn net.Conn) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.conn != nil {
		m.conn.Close()
	}
	m.conn = conn
}

// accept joins one machine after the other until the listener is closed.
func (m *machine) accept(l net.Listener) {
	var running sync.WaitGroup
	defer running.Wait()
	for {
		conn, err := l.Accept()
		if err != nil {
			m.replace(nil)
			return
		}
		m.replace(conn)
		running.Wait()
		gone := make(chan struct{})
		running.Go(func() {
			defer close(gone)
			_ = readFrames(conn, m.link.SendUp) // when it sends nonsense it is cut off, and may connect anew
			conn.Close()
		})
		running.Go(func() {
			m.write(conn, gone)
			conn.Close()
		})
	}
}

// readFrames hands over the frames that r sends. It ends with an error, io.EOF when r ends where a frame does.
func readFrames(r io.Reader, hand func([]byte)) error {
	in := bufio.NewReaderSize(r, 2*longest)
	for {
		head, err := in.Peek(4)
		if err != nil {
			if len(head) > 0 && errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return err
		}
		size := binary.BigEndian.Uint32(head)
		if size == 0 || size > longest {
			return fmt.Errorf("read a frame of a virtual machine: %d bytes, want 1 to %d", size, longest)
		}
		if _, err := in.Discard(4); err != nil {
			return err
		}
		f := make([]byte, size)
		if _, err := io.ReadFull(in, f); err != nil {
			return io.ErrUnexpectedEOF
		}
		hand(f)
	}
}

// write sends what comes down, several frames at once where they wait, until the connection ends.
func (m *machine) write(conn net.Conn, gone <-chan struct{}) {
	heads := make([]byte, 0, 4*64)
	for {
		var f []byte
		select {
		case f = <-m.frames:
		case <-gone:
			return
		}
		batch := make(net.Buffers, 0, 128)
		heads = heads[:0]
		for more := true; more; {
			heads = binary.BigEndian.AppendUint32(heads, uint32(len(f)))
			batch = append(batch, heads[len(heads)-4:], f)
			more = false
			if len(heads) < cap(heads) {
				select {
				case f = <-m.frames:
					more = true
				default:
				}
			}
		}
		if _, err := batch.WriteTo(conn); err != nil {
			return
		}
	}
}
