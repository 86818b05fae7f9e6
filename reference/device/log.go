package device

import (
	"fmt"
	"sync/atomic"
)

// console prints lines that stay the same from version to version, so that people and programs can search for them. A device
// without power prints nothing.
type console struct {
	out func(line string)
	off atomic.Bool
}

func (c *console) say(format string, args ...any) {
	if c.out != nil && !c.off.Load() {
		c.out(fmt.Sprintf(format, args...))
	}
}
