package cli

import (
	"bytes"
	"fmt"
	"io"
	"sync"
)

// row is a line in one colour; see codes.
type row struct{ text, code string }

// codes are the ANSI attributes of rows, by name.
var codes = map[string]string{"blocker": "31", "major": "33", "bold": "1", "dim": "2"}

// The few sequences that a live area needs. Without wrapping, a line that is too long cannot become two.
const (
	hideCursor, showCursor = "\x1b[?25l", "\x1b[?25h"
	noWrap, wrapAgain      = "\x1b[?7l", "\x1b[?7h"
	toLineEnd, toEnd       = "\x1b[K", "\x1b[J"
)

// screen is a live area: the last lines of a terminal, which are drawn anew, below lines that stay. Each change is one write, so
// that nothing flickers. It is safe for concurrent use.
type screen struct {
	out    io.Writer
	size   func() (columns, rows int)
	colour bool

	mu     sync.Mutex
	stays  []row
	drawn  []int // characters of each line of the area
	paused bool
	closed bool
}

func newScreen(out io.Writer, size func() (int, int), colour bool) *screen {
	return &screen{out: out, size: size, colour: colour}
}

// above has a line put above the area at the next drawing.
func (s *screen) above(r row) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stays = append(s.stays, r)
}

// draw shows the area anew.
func (s *screen) draw(rows []row) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.paused || s.closed {
		return
	}
	var b bytes.Buffer
	b.WriteString(hideCursor)
	s.up(&b)
	s.flush(&b)
	b.WriteString(noWrap)
	s.drawn = s.drawn[:0]
	for _, r := range rows {
		s.paint(&b, r)
		s.drawn = append(s.drawn, len([]rune(r.text)))
	}
	b.WriteString(wrapAgain + toEnd)
	s.out.Write(b.Bytes())
}

// up moves to the first line of the area. In a terminal that became narrower the lines may have been broken.
func (s *screen) up(b *bytes.Buffer) {
	columns, _ := s.size()
	n := 0
	for _, length := range s.drawn {
		n += max(1, (length+columns-1)/columns)
	}
	if n > 0 {
		fmt.Fprintf(b, "\x1b[%dA", n)
	}
	b.WriteString("\r")
}

// flush writes the lines that stay.
func (s *screen) flush(b *bytes.Buffer) {
	for _, r := range s.stays {
		s.paint(b, r)
	}
	s.stays = nil
}

func (s *screen) paint(b *bytes.Buffer, r row) {
	if code := codes[r.code]; s.colour && code != "" {
		fmt.Fprintf(b, "\x1b[%sm%s\x1b[0m", code, r.text)
	} else {
		b.WriteString(r.text)
	}
	b.WriteString(toLineEnd + "\r\n")
}

// clear takes the area away and shows the cursor where it began.
func (s *screen) clear() {
	var b bytes.Buffer
	s.up(&b)
	s.flush(&b)
	b.WriteString(toEnd + showCursor)
	s.drawn = s.drawn[:0]
	s.out.Write(b.Bytes())
}

// pause takes the area away until resume; the person has the terminal.
func (s *screen) pause() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.paused && !s.closed {
		s.clear()
	}
	s.paused = true
}

func (s *screen) resume() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paused = false
}

// close takes the area away for good.
func (s *screen) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed && !s.paused {
		s.clear()
	}
	s.closed = true
}
