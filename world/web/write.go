package web

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/wire/http1"
)

// endless is how much of a body without end is sent at most.
const endless = 64 << 20

// mute is how long a client is left without the rest of an answer, in device time.
const mute = time.Hour

// piece is how much of a body is written at once.
const piece = 32 << 10

// send writes a response. It reports whether the connection goes on.
func (c *conn) send(q *Request, r Response) bool {
	if r.Delay > 0 && !c.wait(r.Delay) {
		return false
	}
	c.add(evidence.Event{Kind: evidence.Out, Text: r.String(), Data: &Reply{Status: r.Status, Path: q.Path, Length: r.length()}})
	_ = c.SetWriteDeadline(c.s.o.Clock.Deadline(writeWait))
	if !c.head(r.head(q), r.Pace) {
		return c.given(q, 0)
	}
	if r.Mute {
		c.wait(mute)
		return false
	}
	if q.Method != http.MethodHead && r.Status != http.StatusNoContent && r.Status != http.StatusNotModified {
		if !c.body(q, &r) {
			return false
		}
	}
	return !r.Close && !r.Cut && r.Framing != UntilClose && !q.closes()
}

// head is the status line and the fields.
func (r *Response) head(q *Request) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "HTTP/1.1 %d %s\r\n", r.Status, http.StatusText(r.Status))
	field := func(name, value string) { fmt.Fprintf(&b, "%s: %s\r\n", name, value) }
	if r.Type != "" {
		field("Content-Type", r.Type)
	}
	switch {
	case r.Status == http.StatusNoContent || r.Status == http.StatusNotModified:
	case r.Framing == Chunked:
		field("Transfer-Encoding", "chunked")
	case r.Framing == Sized:
		field("Content-Length", strconv.FormatInt(max(r.length(), 0), 10))
	}
	if r.Close || r.Framing == UntilClose || q.closes() {
		field("Connection", "close")
	}
	for _, f := range r.Fields {
		field(f.Name, f.Value)
	}
	for i, left := 0, r.Pad; left > 0; i++ {
		line := http1.Field{Name: fmt.Sprintf("X-Pad-%d", i), Value: string(bytes.Repeat([]byte{'p'}, min(left, 1000)))}
		field(line.Name, line.Value)
		left -= len(line.Name) + len(line.Value) + 4
	}
	b.WriteString("\r\n")
	return b.Bytes()
}

// head writes the head, byte for byte when it has a pace.
func (c *conn) head(raw []byte, pace time.Duration) bool {
	if pace == 0 {
		_, err := c.Write(raw)
		return err == nil
	}
	w := c.watch()
	defer w.end()
	for i := range raw {
		_ = c.SetWriteDeadline(c.s.o.Clock.Deadline(writeWait))
		if _, err := c.Write(raw[i : i+1]); err != nil || !w.pause(pace) {
			return false
		}
	}
	return true
}

// body writes the body. It reports whether all of it went out.
func (c *conn) body(q *Request, r *Response) bool {
	total := r.length()
	end := total
	capped := total < 0 || total > endless
	if capped {
		end = endless
	}
	if r.Stop > 0 {
		end = min(end, r.Stop)
	}
	w := io.Writer(c.Conn)
	if r.Framing == Chunked {
		w = &chunker{w: c.Conn, size: r.Chunk}
	}
	var sent int64
	for sent < end {
		_ = c.SetWriteDeadline(c.s.o.Clock.Deadline(writeWait))
		n, err := w.Write(r.part(sent, end))
		sent += int64(n)
		if err != nil {
			return c.given(q, sent)
		}
	}
	if capped && end == endless {
		c.add(evidence.Event{
			Kind: evidence.Seen, Text: fmt.Sprintf("we close: the client took %d bytes of a body without end", sent), Data: &Ended{Path: q.Path, Sent: sent},
		})
		return false
	}
	if end < total {
		c.add(evidence.Event{Kind: evidence.Seen, Text: fmt.Sprintf("we close after %d of %d bytes", sent, total)})
		return false
	}
	if r.Framing != Chunked {
		return true
	}
	last := []byte("0\r\n")
	for _, t := range r.Trailers {
		last = append(last, t.Name+": "+t.Value+"\r\n"...)
	}
	_, err := c.Write(append(last, "\r\n"...))
	return err == nil
}

// part is what follows the first sent bytes of the body, at most a piece of it and not past end.
func (r *Response) part(sent, end int64) []byte {
	if r.Length == 0 {
		return r.Body[sent:min(end, sent+piece)]
	}
	at := int(sent % int64(len(r.Body)))
	from := bytes.Repeat(r.Body, piece/len(r.Body)+2)[at:]
	return from[:min(int64(len(from)), end-sent, piece)]
}

// given notes that the client ended the connection before it had everything. It reports false.
func (c *conn) given(q *Request, sent int64) bool {
	c.add(evidence.Event{
		Kind: evidence.Seen, Text: fmt.Sprintf("the client ended the connection after %d bytes of the body", sent), Data: &Ended{Path: q.Path, Sent: sent},
	})
	return false
}

// watch looks for the end of a connection on which nothing is read otherwise.
type watch struct {
	c    *conn
	lost chan struct{} // closed when the client ends the connection
	done chan struct{} // closed when nobody reads any more
}

// watch begins to look; the caller calls end.
func (c *conn) watch() *watch {
	w := &watch{c: c, lost: make(chan struct{}), done: make(chan struct{})}
	_ = c.SetReadDeadline(c.s.o.Clock.Deadline(0))
	c.s.serving.Go(func() {
		defer close(w.done)
		if _, err := c.in.Peek(1); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			close(w.lost)
		}
	})
	return w
}

func (w *watch) end() {
	_ = w.c.SetReadDeadline(w.c.s.o.Clock.Deadline(-1))
	<-w.done
}

// pause waits for d of device time; it reports false when the connection or the server ends before.
func (w *watch) pause(d time.Duration) bool {
	over := make(chan struct{})
	timer := w.c.s.o.Clock.AfterFunc(d, func() { close(over) })
	defer timer.Stop()
	select {
	case <-over:
		return true
	case <-w.lost:
		return false
	case <-w.c.s.ctx.Done():
		return false
	}
}

// wait is a pause that the end of the connection cuts short.
func (c *conn) wait(d time.Duration) bool {
	w := c.watch()
	defer w.end()
	return w.pause(d)
}

// chunker writes chunks of a size; 0 makes one of each write.
type chunker struct {
	w    io.Writer
	size int
}

func (k *chunker) Write(b []byte) (int, error) {
	var out bytes.Buffer
	for rest := b; len(rest) > 0; {
		n := len(rest)
		if k.size > 0 {
			n = min(n, k.size)
		}
		fmt.Fprintf(&out, "%x\r\n%s\r\n", n, rest[:n])
		rest = rest[n:]
	}
	if _, err := k.w.Write(out.Bytes()); err != nil {
		return 0, err
	}
	return len(b), nil
}
