package archive

import (
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

// cpio is the "new ASCII" format of initramfs images, with and without checksums, as in the kernel's buffer-format.rst.
var cpio = tree.Format{
	ID: "cpio", Title: "cpio archive", Magic: []tree.Magic{{At: 0, Bytes: "070701"}, {At: 0, Bytes: "070702"}}, Search: true, Open: openCPIO,
}

const (
	cpioHead = 110 // the magic and thirteen fields of eight hex digits
	cpioEnd  = "TRAILER!!!"
)

func openCPIO(o *tree.Opening) error {
	at := int64(0)
	for n := 0; ; n++ {
		f, name, size, next, err := cpioEntry(o, at)
		if err != nil && n == 0 {
			return tree.ErrNot
		}
		if err != nil {
			return err
		}
		if name == cpioEnd {
			o.Ends(next)
			o.Describe("newc, %d entries", n)
			return nil
		}
		body := at + align4(cpioHead+int64(len(name))+1)
		if f.Mode&fs.ModeSymlink != 0 {
			target, err := o.Read(body, int(min(size, 4096)))
			if err != nil {
				return err
			}
			f.Target = string(target)
		}
		if f.Mode.IsRegular() {
			_, err = o.Stored(name, f, body, size)
		} else {
			_, err = o.Entry(name, f, nil)
		}
		if err != nil {
			return err
		}
		at = next
	}
}

// cpioEntry reads the header at an offset. next is where the one after it is.
func cpioEntry(o *tree.Opening, at int64) (f tree.File, name string, size, next int64, err error) {
	head, err := o.Read(at, cpioHead)
	if err != nil {
		return f, "", 0, 0, err
	}
	if m := string(head[:6]); m != "070701" && m != "070702" {
		return f, "", 0, 0, tree.Bad(at, "no header of an entry is here")
	}
	var field [13]int64
	for i := range field {
		n, err := strconv.ParseUint(string(head[6+8*i:14+8*i]), 16, 32)
		if err != nil {
			return f, "", 0, 0, tree.Bad(at+6+8*int64(i), "%q is no number of eight hex digits", head[6+8*i:14+8*i])
		}
		field[i] = int64(n)
	}
	nameSize := field[11]
	if nameSize < 1 || nameSize > 4096 {
		return f, "", 0, 0, tree.Bad(at+94, "a name of %d bytes", nameSize)
	}
	text, err := o.Read(at+cpioHead, int(nameSize))
	if err != nil {
		return f, "", 0, 0, err
	}
	f = tree.File{Mode: tree.UnixMode(uint32(field[1])), UID: int(field[2]), GID: int(field[3])}
	if field[5] != 0 {
		f.Modified = time.Unix(field[5], 0).UTC()
	}
	size = field[6]
	return f, strings.TrimSuffix(string(text), "\x00"), size, at + align4(cpioHead+nameSize) + align4(size), nil
}

func align4(n int64) int64 { return (n + 3) &^ 3 }
