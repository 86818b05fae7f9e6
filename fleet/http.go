package fleet

import (
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/product"
)

// maxPause is how long a server may have a device wait.
const maxPause = 24 * time.Hour

// speaksHTTP is HTTP 1.1 (RFC 9112) over connections that are kept: one request at a time, no pipelining.
type speaksHTTP struct {
	base string // path before that of a message
	host []byte // the header
}

func newHTTP(t Target, scheme product.Protocol) speaksHTTP {
	host := t.Host
	if name, port, err := net.SplitHostPort(host); err == nil && (scheme == product.HTTP && port == "80" || scheme == product.HTTPS && port == "443") {
		host = name
		if strings.Contains(name, ":") {
			host = "[" + name + "]"
		}
	}
	return speaksHTTP{strings.TrimRight(t.Path, "/"), []byte("Host: " + host + "\r\n")}
}

func (h speaksHTTP) opens() string { return "the first request" }

func (h speaksHTTP) open(s *shard, i int32, now int64) { s.hello(i, now) }

func (h speaksHTTP) close(*shard, int32) (heard bool) { return false }

// parked reports whether a device is up without a connection: HTTP lets either side end one that is idle.
func (d *device) parked() bool {
	return d.here && d.state == up && d.fd < 0 && (d.x == nil || d.x.carrier == nil)
}

// ends acts on the end of a connection. Between requests that is in order, and so it is where an answer has no other end.
func (h speaksHTTP) ends(s *shard, i int32, now int64) bool {
	d := &s.devices[i]
	switch {
	case d.x != nil && d.x.web != nil && d.x.web.stage == untilEnd:
		h.finish(s, i, now)
	case d.state == up && (d.x == nil || len(d.x.flights) == 0 && len(d.x.in)+len(d.x.clear) == 0 && !d.x.web.busy()):
		s.unlink(i)
	default:
		return false
	}
	return true
}

// redial opens a connection for a device that is up without one.
func (s *shard) redial(i int32, now int64) {
	s.attempts(i, now, now)
	s.reach(i, now)
}

// idle gives up when an answer does not come.
func (h speaksHTTP) idle(s *shard, i int32, now int64) time.Duration {
	d := &s.devices[i]
	turn := d.turn
	next := s.resting(i, now)
	if d.turn != turn || d.x == nil || len(d.x.flights) == 0 {
		return next
	}
	wait := time.Duration(d.x.flights[0].again - now)
	if wait <= 0 {
		if s.classOf(i).Buffer == 0 {
			s.unanswered(d.land(0), now)
		}
		s.fail(i, "no answer in time", now)
		return 0
	}
	if next == 0 {
		return wait
	}
	return min(next, wait)
}

// post sends a POST, if none is under way.
func (h speaksHTTP) post(s *shard, i int32, p *post, m pending, now int64) bool {
	d := &s.devices[i]
	x := d.more()
	switch {
	case now < x.hold || len(x.flights) > 0:
		return false
	case d.parked():
		s.redial(i, now)
		return false
	}
	f := flight{due: m.due, stream: m.stream, seq: m.seq, qos: 1, again: now + int64(attempt)}
	x.flights = append(x.flights, f)
	s.noteSent(m)
	if d.state == up {
		s.timers.by(i, f.again)
	}
	v := s.fill(i, m.stream, m.seq, m.due)
	s.body = p.payload.Append(s.body[:0], v)
	s.path = p.topic.Append(s.path[:0], v)
	b := append(s.packet[:0], "POST "...)
	b = appendPath(append(b, h.base...), s.path)
	b = append(append(b, " HTTP/1.1\r\n"...), h.host...)
	const bearer = "Authorization: Bearer "
	at := len(b) + len(bearer)
	if b = s.classOf(i).who.token.Append(append(b, bearer...), v); len(b) == at {
		b = b[:at-len(bearer)]
	} else {
		b = append(oneLine(b, at), "\r\n"...)
	}
	if len(s.body) > 0 {
		b = append(append(append(b, "Content-Type: "...), p.media.name...), "\r\n"...)
	}
	b = append(strconv.AppendInt(append(b, "Content-Length: "...), int64(len(s.body)), 10), "\r\n\r\n"...)
	s.packet = append(b, s.body...)
	s.send(i, s.packet, now)
	return true
}

// appendPath adds a path with a slash before it, and what no path can have in percent signs.
func appendPath(b, path []byte) []byte {
	const hex = "0123456789ABCDEF"
	if len(path) == 0 || path[0] != '/' {
		b = append(b, '/')
	}
	for _, c := range path {
		if c <= ' ' || c >= 0x7f || c == '"' || c == '<' || c == '>' || c == '#' || c == '\\' || c == '^' || c == '`' || c == '{' || c == '|' || c == '}' {
			b = append(b, '%', hex[c>>4], hex[c&15])
			continue
		}
		b = append(b, c)
	}
	return b
}

// oneLine takes out what would end a header early, from a place on.
func oneLine(b []byte, from int) []byte {
	kept := b[:from]
	for _, c := range b[from:] {
		if c >= ' ' && c != 0x7f {
			kept = append(kept, c)
		}
	}
	return kept
}

// finish is called when an answer is there.
func (h speaksHTTP) finish(s *shard, i int32, now int64) {
	d := &s.devices[i]
	a := d.x.web.top
	d.x.web.stage = atHead
	f := d.land(0)
	if a.close {
		s.unlink(i)
	}
	bad, hold := "", int64(0)
	if a.status < 200 || a.status > 299 {
		bad = "status " + strconv.Itoa(a.status)
		if a.pause != "" && (a.status == http.StatusTooManyRequests || a.status == http.StatusServiceUnavailable) {
			bad += " with Retry-After"
			hold = now + int64(s.pause(a.pause, now))
		}
	}
	s.answered(i, f, bad, hold, now)
}

// pause is how long a Retry-After asks for, in seconds or as a date.
func (s *shard) pause(text string, now int64) time.Duration {
	if n, err := strconv.ParseUint(text, 10, 32); err == nil {
		return min(time.Duration(n)*time.Second, maxPause)
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	return max(0, min(at.Sub(s.start.Add(time.Duration(now))), maxPause))
}
