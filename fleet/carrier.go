package fleet

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/shakedown-test/shakedown/fleet/series"
)

// carrier is a connection that goroutines read and write, in place of the event loop.
type carrier struct {
	nc   net.Conn
	once sync.Once
	done chan struct{} // closed when the connection is to end, once what is to be written is

	more chan struct{} // there is something to write
	mu   sync.Mutex
	out  [][]byte // to be written, in order
	size int      // of that
}

// carry dials a connection of goroutines.
func (s *shard) carry(i int32) {
	d := &s.devices[i]
	d.state = connecting
	turn, number, protect, datagrams := d.turn, s.number(i), s.protection(i), s.classOf(i).datagrams
	from := s.source(number)
	s.goroutines.Go(func() {
		ctx, cancel := context.WithTimeout(s.life, attempt)
		defer cancel()
		nc, took, err := s.dialBy(ctx, from, protect, datagrams)
		s.post(func(now int64) {
			d := &s.devices[i]
			switch {
			case d.turn != turn || d.state != connecting:
				if nc != nil {
					nc.Close()
				}
				return
			case err != nil:
				s.fail(i, classify(err), now)
				return
			}
			if protect != nil {
				c, ok := nc.(*tls.Conn)
				s.secured(took, ok && c.ConnectionState().DidResume)
			}
			s.carryOn(i, nc, now)
		})
	})
}

// dialBy dials, and secures the connection where there is what does; took is the handshake's part.
func (s *shard) dialBy(ctx context.Context, from netip.Addr, protect func(context.Context, net.Conn) (net.Conn, error), datagrams bool) (nc net.Conn, took time.Duration, err error) {
	var d net.Dialer
	network, source := "tcp", netip.AddrPortFrom(from, 0)
	if datagrams {
		network = "udp"
	}
	if from.IsValid() && datagrams {
		d.LocalAddr = net.UDPAddrFromAddrPort(source)
	} else if from.IsValid() {
		d.LocalAddr = net.TCPAddrFromAddrPort(source)
	}
	if nc, err = d.DialContext(ctx, network, s.address.String()); err != nil || protect == nil {
		return nc, 0, err
	}
	begun := time.Now()
	c, err := protect(ctx, nc)
	if err != nil {
		nc.Close()
		return nil, 0, err
	}
	return c, time.Since(begun), nil
}

// carryOn has goroutines read and write a connection that is open.
func (s *shard) carryOn(i int32, nc net.Conn, now int64) {
	d := &s.devices[i]
	c := &carrier{nc: nc, more: make(chan struct{}, 1), done: make(chan struct{})}
	d.more().carrier = c
	turn := d.turn
	s.goroutines.Go(func() { s.readCarrier(i, turn, c) })
	s.goroutines.Go(c.write)
	s.opened(i, now)
}

// readCarrier hands what comes in over to the loop, and goes on when the loop has taken it.
func (s *shard) readCarrier(i, turn int32, c *carrier) {
	buf := make([]byte, 4096)
	taken := make(chan struct{}, 1)
	for {
		n, err := c.nc.Read(buf)
		s.post(func(now int64) {
			defer func() { taken <- struct{}{} }()
			d := &s.devices[i]
			if d.turn != turn {
				return
			}
			if n > 0 {
				s.meter.Count(series.BytesIn, n)
				b := buf[:n]
				if len(d.x.in) > 0 {
					b = append(d.x.in, b...)
				}
				s.received(i, b, now)
			}
			switch {
			case err == nil || d.turn != turn:
			case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
				s.gone(i, now)
			default:
				s.fail(i, classify(err), now)
			}
		})
		select {
		case <-taken:
		case <-c.done:
			return
		}
		if err != nil {
			return
		}
	}
}

// write writes what send gives, until the connection is closed, and then what is left.
func (c *carrier) write() {
	defer c.nc.Close()
	for ended := false; !ended; {
		select {
		case <-c.more:
		case <-c.done:
			ended = true
		}
		c.mu.Lock()
		out := c.out
		c.out, c.size = nil, 0
		c.mu.Unlock()
		for _, b := range out {
			if _, err := c.nc.Write(b); err != nil {
				return
			}
		}
	}
}

// send gives bytes to the goroutine that writes; false means that it has too much already.
func (c *carrier) send(b []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.size+len(b) > maxOut {
		return false
	}
	c.out, c.size = append(c.out, append([]byte(nil), b...)), c.size+len(b)
	select {
	case c.more <- struct{}{}:
	default:
	}
	return true
}

// lastWords is how long the last that a device says may take to be written.
const lastWords = 500 * time.Millisecond

// close ends the connection and its goroutines: with a reset at once, otherwise when what was given to send is written.
func (c *carrier) close(reset bool) {
	c.once.Do(func() {
		now := time.Now()
		_ = c.nc.SetReadDeadline(now)
		if !reset {
			now = now.Add(lastWords)
		}
		_ = c.nc.SetWriteDeadline(now)
		close(c.done)
	})
}
