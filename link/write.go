package link

import (
	"io"
	"net"
	"os"
	"time"
)

// spacing is the wall time between small segments, so that a part which reads at once gets them one by one. Only the first spaced
// segments of a Write have it, which bounds what it adds.
const (
	spacing = time.Millisecond
	spaced  = 200
)

// tick is the device time between the pieces that a slow link lets through.
const tick = 100 * time.Millisecond

// Write sends b to the part as the link allows: in small segments, slowly, later (frozen), or not at all (a black hole, where it
// seems to succeed).
func (c *Conn) Write(b []byte) (int, error) {
	c.writing.Lock()
	defer c.writing.Unlock()
	done := 0
	for sent := 0; done < len(b); sent++ {
		swallow, err := c.awaitPassage()
		if err != nil {
			return done, err
		}
		if swallow {
			return len(b), nil
		}
		n, err := c.writePiece(b[done:], sent)
		done += n
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

// awaitPassage waits while the link is frozen. It says whether the link swallows what is written.
func (c *Conn) awaitPassage() (swallow bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		switch {
		case c.wanted != open || c.shutdown:
			return false, net.ErrClosed
		case c.write.passed():
			return false, os.ErrDeadlineExceeded
		case c.hush == lost:
			return true, nil
		case c.hush == passing && c.end != nil && c.end != io.EOF:
			return false, c.end
		case c.hush == passing:
			return false, nil
		}
		c.await(c.write)
	}
}

// writePiece sends the beginning of b and waits for as long as the impairments ask. sent is how many pieces of this Write went before.
func (c *Conn) writePiece(b []byte, sent int) (n int, err error) {
	segment, small := c.link.segment.Top()
	rate, slow := c.link.rate.Top()
	if slow {
		b = b[:min(len(b), max(1, int(int64(rate)*int64(tick)/int64(time.Second))))]
	}
	if small {
		b = b[:min(len(b), segment)]
		n, err = sendApart(c.raw, b)
	} else {
		n, err = c.raw.Write(b)
	}
	c.mu.Lock()
	c.traffic.Sent += int64(n)
	until := c.write.ctx
	if err != nil && !c.shutdown && isReset(err) {
		c.note(ended(err)) // the writer can learn of it before the pump, and its own end must not overtake it
	}
	c.mu.Unlock()
	if err != nil {
		return n, err
	}
	clk := c.link.clk
	switch {
	case slow:
		clk.Sleep(until, time.Duration(n)*time.Second/time.Duration(rate)) // the next piece sees why it was cut short
	case small && sent < spaced:
		clk.Sleep(until, clk.Device(spacing))
	}
	return n, nil
}
