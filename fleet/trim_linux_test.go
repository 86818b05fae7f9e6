package fleet

import (
	"os"
	"slices"
	"testing"
)

func TestUntouched(t *testing.T) { // not parallel: it looks at the memory of the process
	const smaps = `00400000-02f00000 r-xp 00000000 fe:00 1234                               /usr/bin/shakedown
Rss:               18796 kB
Anonymous:             0 kB
02f00000-05d00000 r--p 02b00000 fe:00 1234                               /usr/bin/shakedown
Rss:               15092 kB
Anonymous:             4 kB
05d00000-05e00000 rw-p 05800000 fe:00 1234                               /usr/bin/shakedown
Anonymous:             0 kB
06d00000-06e00000 r-xp 05800000 fe:00 1235                               /usr/lib/libc.so.6
Anonymous:             0 kB
c000000000-c000400000 rw-p 00000000 00:00 0 
Anonymous:             0 kB
`
	if got, want := untouched([]byte(smaps), "/usr/bin/shakedown"), [][2]uintptr{{0x400000, 0x2f00000}}; !slices.Equal(got, want) {
		t.Errorf("%x, want %x", got, want)
	}
	before := Memory()
	trim()
	if self, err := os.Executable(); err != nil || self == "" || Memory() > before+4<<20 {
		t.Errorf("holds %d bytes after %d", Memory(), before)
	}
}
