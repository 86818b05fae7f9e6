package link

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
)

// onward is a copy from a connection to a socket of the kernel. The bytes go through a pipe and never come into the memory of this process.
// The pump fills the pipe and empties it as well as long as the socket takes everything, so that nobody has to be woken; WriteTo only
// waits for the socket. What is in the connection's inbox is older than what is in the pipe. The connection's mu guards all of it.
type onward struct {
	*pipe
	to      *net.TCPConn
	raw     syscall.RawConn // of to
	busy    bool            // it is for WriteTo to send, so the pump only fills the pipe
	full    bool            // the pump waits until the pipe is empty
	useless bool            // the part's socket is of a sort that cannot be spliced
	written int64
	err     error // why nothing more can be sent
}

// copyOn copies to w as WriteTo does. Where bytes have to be copied through memory it does nothing and reports false.
func (c *Conn) copyOn(w io.Writer) (written int64, err error, possible bool) {
	to, socket := w.(*net.TCPConn)
	if _, kernel := c.raw.(*net.TCPConn); !kernel || !socket {
		return 0, nil, false
	}
	raw, err := to.SyscallConn()
	if err != nil {
		return 0, err, true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.onward != nil {
		return 0, nil, false
	}
	p, err := openPipe()
	if err != nil { // mostly no more file descriptors
		return 0, nil, false
	}
	o := &onward{pipe: p, to: to, raw: raw}
	c.onward = o
	defer func() {
		c.spill()
		c.onward = nil
		o.close()
		c.wake()
	}()
	for o.err == nil {
		o.busy = c.in.bytes+o.bytes > 0
		if err := c.awaitBytes(o); err == io.EOF {
			return o.written, nil, true
		} else if err != nil {
			return o.written, err, true
		}
		o.busy = true
		c.sendOn(o)
	}
	return o.written, o.err, true
}

// sendOn sends some of what waits, the oldest first, and blocks until the socket takes it; c.mu is held before and after.
func (c *Conn) sendOn(o *onward) {
	if c.in.bytes > 0 {
		some := c.in.take()
		c.wake()
		c.mu.Unlock()
		n, err := o.to.Write(some.bytes[some.from:some.to])
		some.free()
		c.mu.Lock()
		o.written += int64(n)
		o.fail(err)
		return
	}
	c.mu.Unlock()
	err := o.raw.Write(func(fd uintptr) bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.in.bytes > 0 { // an impairment has emptied the pipe meanwhile
			return true
		}
		was := o.bytes
		if o.send(int(fd)); o.bytes == 0 {
			c.wake() // the pump
		}
		return o.bytes < was || o.bytes == 0 || o.err != nil
	})
	c.mu.Lock()
	o.fail(err)
}

// send empties the pipe as far as the socket takes it.
func (o *onward) send(socket int) {
	if o.bytes == 0 {
		return
	}
	n, err := o.drain(socket)
	o.written += int64(n)
	o.full = o.full && o.bytes > 0
	if err != nil && !errors.Is(err, syscall.EAGAIN) {
		o.fail(&net.OpError{Op: "write", Net: "tcp", Source: o.to.LocalAddr(), Addr: o.to.RemoteAddr(), Err: os.NewSyscallError("splice", err)})
	}
}

func (o *onward) fail(err error) {
	if o.err == nil {
		o.err = err
	}
}

// due says whether WriteTo has something to do.
func (o *onward) due() bool { return o != nil && o.busy && (o.bytes > 0 || o.err != nil) }

// divert takes what the part's socket has into the pipe, if there is a copy to a socket and no impairment in its way. The
// error is io.EOF after the part's FIN, and EAGAIN while there is nothing.
func (c *Conn) divert(socket int) (diverted bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	o := c.onward
	if o == nil || o.useless || c.hush != passing || c.discards() {
		return false, nil
	}
	n, err := o.fill(socket)
	full := false
	if errors.Is(err, syscall.EAGAIN) && o.bytes > 0 && holds(socket) { // the pipe is full, unless it came just now
		n, err = o.fill(socket)
		full = errors.Is(err, syscall.EAGAIN)
	}
	switch {
	case errors.Is(err, syscall.EINVAL):
		o.useless = true
		return false, nil
	case full:
		o.full = true
		return true, nil
	case n == 0 && err == nil:
		return true, io.EOF
	}
	c.traffic.Received += int64(n)
	o.full = o.busy && o.bytes >= ahead
	return true, err
}

// pass has the pump send what it has just put into the pipe, unless WriteTo is at it or has something older to send.
func (c *Conn) pass() {
	c.mu.Lock()
	defer c.mu.Unlock()
	o := c.onward
	if o == nil || o.busy || o.bytes == 0 || c.in.bytes > 0 {
		return
	}
	c.mu.Unlock()
	err := o.raw.Write(func(fd uintptr) bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.onward == o && !o.busy && c.in.bytes == 0 {
			o.send(int(fd))
		}
		return true
	})
	c.mu.Lock()
	o.fail(err)
	if o.bytes > 0 || o.err != nil {
		o.busy, o.full = true, o.bytes >= ahead
		c.wake()
	}
}

// spill takes what is in the pipe back, for an impairment or for Read; c.mu is held.
func (c *Conn) spill() {
	o := c.onward
	if o == nil {
		return
	}
	for o.bytes > 0 {
		some, err := o.take()
		if err != nil { // never: the bytes are there
			some.free()
			return
		}
		c.in.add(some)
	}
	o.full = false
}
