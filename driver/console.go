package driver

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
)

const (
	lineLimit = 4096 // bytes of a console line that are kept
	lineRate  = 2000 // lines that are kept in a second of wall time
	cutMark   = " [cut]"
)

// console passes what a part prints to the log, bounded in length and rate: a part may print without end.
type console struct {
	log  *evidence.Log
	part string

	mu     sync.Mutex
	count  int         // lines in this second
	second *time.Timer // runs while count > 0
}

func newConsole(env Env) *console { return &console{log: env.Log, part: env.Part.Name} }

// read passes on every line of r until it ends, and shows each to seen first, which may be nil.
func (c *console) read(r io.Reader, seen func(line string)) {
	readLines(r, lineLimit, func(b []byte, cut bool) {
		line := strings.ToValidUTF8(string(b), "\uFFFD")
		if seen != nil {
			seen(line)
		}
		if cut {
			line = strings.ToValidUTF8(line[:min(len(line), lineLimit-len(cutMark))], "") + cutMark
		}
		c.add(line)
	})
}

// add puts one line into the log, or counts it when there were too many in this second.
func (c *console) add(line string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.second == nil {
		c.second = time.AfterFunc(time.Second, c.close)
	}
	c.count++
	if c.count <= lineRate {
		c.log.Add(evidence.Event{Part: c.part, Kind: evidence.Console, Text: line})
	}
}

// close ends the second and says how many lines were left out in it. A later line begins another.
func (c *console) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.second == nil {
		return
	}
	c.second.Stop()
	if more := c.count - lineRate; more > 0 {
		c.log.Add(evidence.Event{
			Part: c.part, Kind: evidence.Console,
			Text: fmt.Sprintf("[shakedown: %d more lines in this second, not kept]", more),
		})
	}
	c.count, c.second = 0, nil
}

// readLines hands each line of r to f, without its end, until r fails or ends. A line of more than limit bytes is handed over as
// soon as that many have come, with cut set, and the rest of it is skipped. The slice is f's until it returns.
func readLines(r io.Reader, limit int, f func(line []byte, cut bool)) {
	in := bufio.NewReaderSize(r, limit)
	for skip := false; ; {
		line, err := in.ReadSlice('\n')
		full := errors.Is(err, bufio.ErrBufferFull)
		if !skip && (err == nil || len(line) > 0) {
			f(bytes.TrimRight(line, "\r\n"), full)
		}
		if err != nil && !full {
			return
		}
		skip = full
	}
}
