package fleet

import (
	"bytes"
	"net/http"

	"github.com/shakedown-test/shakedown/fleet/payload"
)

// Bounds of what is read of an answer.
const (
	maxHead     = 16 << 10
	maxAnswer   = 4 << 20
	maxSizeLine = 1 << 10 // of a chunk
)

// stage is what comes next of an answer.
type stage uint8

const (
	atHead stage = iota
	inBody
	untilEnd // of the connection
	chunkSize
	chunkData
	chunkEnd
	trailer
	complete
)

// web is an answer that is under way.
type web struct {
	top
	stage stage
	left  int64 // of the body or chunk
	total int64 // of the body
	found strays
	tail  [payload.StampSize - 1]byte // where a mark may have begun
	held  int                         // of the tail
}

func (w *web) busy() bool { return w != nil && w.stage != atHead }

// take reads answers.
func (h speaksHTTP) take(s *shard, i int32, b []byte, now int64) (used int) {
	d := &s.devices[i]
	turn := d.turn
	x := d.more()
	if x.web == nil {
		x.web = &web{}
	}
	for w := x.web; d.turn == turn && used < len(b); {
		n, why := 0, ""
		if w.stage == atHead {
			n, why = h.begin(s, i, w, b[used:], now)
		} else {
			n, why = h.more(s, i, w, b[used:])
		}
		used += n
		switch {
		case d.turn != turn:
		case why != "":
			s.fail(i, why, now)
		case w.stage == complete:
			if used < len(b) { // it is of no request that was sent since
				s.meter.Error("more than one answer to a request")
				w.close = true
			}
			h.finish(s, i, now)
			return used
		case n == 0:
			return used
		}
	}
	return used
}

// begin reads the head of an answer: how much it took, and what is wrong with it.
func (h speaksHTTP) begin(s *shard, i int32, w *web, b []byte, now int64) (n int, why string) {
	end := bytes.Index(b[:min(len(b), maxHead)], []byte("\r\n\r\n"))
	if end < 0 {
		if len(b) >= maxHead {
			return 0, "an answer whose head has no end"
		}
		return 0, ""
	}
	*w = web{}
	if why := w.read(b[:end+2]); why != "" {
		return 0, why
	}
	d := &s.devices[i]
	switch {
	case w.status == http.StatusSwitchingProtocols:
		return 0, "an answer that changes the protocol"
	case len(d.x.flights) == 0 && w.status == http.StatusRequestTimeout && d.state == up:
		s.meter.Answer("status 408 between requests")
		s.unlink(i)
		return end + 4, ""
	case len(d.x.flights) == 0:
		return 0, "an answer to nothing"
	case w.status < 200:
		return end + 4, ""
	case w.status == http.StatusNoContent || w.status == http.StatusNotModified:
		w.length, w.chunked = 0, false
	case w.length > maxAnswer:
		return 0, "an answer of more than 4 MiB"
	}
	switch {
	case w.chunked:
		w.stage = chunkSize
	case w.length < 0:
		w.stage, w.close = untilEnd, true
	case w.length == 0:
		w.stage = complete
	default:
		w.stage, w.left = inBody, w.length
	}
	return end + 4, ""
}

// more reads what comes behind the head.
func (h speaksHTTP) more(s *shard, i int32, w *web, b []byte) (n int, why string) {
	switch w.stage {
	case inBody, chunkData:
		n = h.scan(s, i, w, b)
		if w.left > 0 {
			return n, ""
		}
		if w.stage == inBody {
			w.stage = complete
		} else {
			w.stage = chunkEnd
		}
		return n, ""
	case untilEnd:
		w.left = maxAnswer + 1
		if n = h.scan(s, i, w, b); w.total > maxAnswer {
			return n, "an answer of more than 4 MiB"
		}
		return n, ""
	}
	end := bytes.IndexByte(b[:min(len(b), maxSizeLine)], '\n')
	if end < 0 {
		if len(b) >= maxSizeLine {
			return 0, "a line between chunks that has no end"
		}
		return 0, ""
	}
	line := bytes.TrimSuffix(b[:end], []byte{'\r'})
	switch {
	case w.stage == chunkEnd && len(line) > 0:
		return 0, "a chunk that is longer than it says"
	case w.stage == chunkEnd:
		w.stage = chunkSize
	case w.stage == chunkSize:
		if w.left = chunkLength(line); w.left < 0 || w.total+w.left > maxAnswer {
			return 0, "a chunk whose size is none, or more than 4 MiB"
		}
		if w.stage = chunkData; w.left == 0 {
			w.stage, w.total = trailer, 0
		}
	case len(line) == 0:
		w.stage = complete
	default:
		if w.total += int64(end); w.total > maxHead {
			return 0, "an answer whose trailer has no end"
		}
	}
	return end + 1, ""
}

// scan looks for leaks in what came of a body, also where one begins in the piece or chunk before, and says how much of it is body.
func (h speaksHTTP) scan(s *shard, i int32, w *web, b []byte) (n int) {
	n = int(min(w.left, int64(len(b))))
	b = b[:n]
	w.left -= int64(n)
	w.total += int64(n)
	last := b
	if w.held > 0 {
		var seam [2 * len(w.tail)]byte
		k := copy(seam[:], w.tail[:w.held])
		k += copy(seam[k:], b[:min(n, len(w.tail))])
		s.leaks(i, seam[:k], &w.found)
		if n < len(w.tail) {
			last = seam[:k]
		}
	}
	s.leaks(i, b, &w.found)
	w.held = copy(w.tail[:], payload.Marked(last[max(0, len(last)-len(w.tail)):]))
	return n
}

// chunkLength is the size of a chunk by its line; below 0: it is none.
func chunkLength(line []byte) int64 {
	digits := 0
	size := int64(0)
	for ; digits < len(line); digits++ {
		c := line[digits] | 0x20
		switch {
		case c >= '0' && c <= '9':
			size = size<<4 | int64(c-'0')
		case c >= 'a' && c <= 'f':
			size = size<<4 | int64(c-'a'+10)
		default:
			if c := line[digits]; digits == 0 || c != ';' && c != ' ' && c != '\t' {
				return -1
			}
			return size
		}
		if size > maxAnswer {
			return -1
		}
	}
	if digits == 0 {
		return -1
	}
	return size
}

// top is what matters of the head of an answer.
type top struct {
	status  int
	length  int64 // -1: not told
	chunked bool
	close   bool   // the connection ends with it
	pause   string // Retry-After
}

// read reads a head, up to the end of its last line, and says what is wrong with it.
func (a *top) read(b []byte) (why string) {
	const start = len("HTTP/1.1 200")
	end := bytes.IndexByte(b, '\n')
	line := bytes.TrimSuffix(b[:end], []byte{'\r'})
	if len(line) < start || string(line[:7]) != "HTTP/1." || line[8] != ' ' || len(line) > start && line[start] != ' ' {
		return "an answer that is not HTTP 1"
	}
	*a = top{length: -1, close: line[7] == '0'}
	for _, c := range line[start-3 : start] {
		if c < '0' || c > '9' {
			return "an answer that is not HTTP 1"
		}
		a.status = a.status*10 + int(c-'0')
	}
	if a.status < 100 || a.status > 599 {
		return "an answer with a status that does not exist"
	}
	for b = b[end+1:]; len(b) > 0; b = b[end+1:] {
		if end = bytes.IndexByte(b, '\n'); end < 0 {
			break
		}
		name, value, ok := bytes.Cut(bytes.TrimSuffix(b[:end], []byte{'\r'}), []byte{':'})
		if !ok || len(name) == 0 || name[len(name)-1] == ' ' {
			return "an answer with a line that is no header"
		}
		if why := a.header(name, bytes.Trim(value, " \t")); why != "" {
			return why
		}
	}
	if a.chunked { // RFC 9112 section 6.3: it overrides a length, and who sends both is not to be trusted further
		a.close = a.close || a.length >= 0
		a.length = -1
	}
	return ""
}

// header reads one header, by the length of its name first.
func (a *top) header(name, value []byte) (why string) {
	switch {
	case len(name) == 14 && bytes.EqualFold(name, []byte("Content-Length")):
		n := int64(0)
		for _, c := range value {
			if c < '0' || c > '9' || n > 1<<50 {
				n = -1
				break
			}
			n = n*10 + int64(c-'0')
		}
		if len(value) == 0 || n < 0 || a.length >= 0 && a.length != n {
			return "an answer with a Content-Length that is none"
		}
		a.length = n
	case len(name) == 17 && bytes.EqualFold(name, []byte("Transfer-Encoding")):
		if !bytes.EqualFold(value, []byte("chunked")) {
			return "an answer with another Transfer-Encoding than chunked"
		}
		a.chunked = true
	case len(name) == 10 && bytes.EqualFold(name, []byte("Connection")):
		for one := range bytes.SplitSeq(value, []byte{','}) {
			switch one = bytes.Trim(one, " \t"); {
			case bytes.EqualFold(one, []byte("close")):
				a.close = true
			case bytes.EqualFold(one, []byte("keep-alive")):
				a.close = false
			}
		}
	case len(name) == 11 && bytes.EqualFold(name, []byte("Retry-After")):
		a.pause = string(value)
	}
	return ""
}
