package image

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io/fs"
	"time"
)

// built is when the image was made.
var built = time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)

// Firmware is the image of the thermostat: a kernel and a root file system, each in an image of U-Boot. Has says which defects are planted
// in it.
func Firmware(has func(defect string) bool) []byte {
	r := clean()
	for _, f := range flaws {
		if has(f.defect) {
			f.plant(r)
		}
	}
	image := bundle(r, banner(has))
	if has("firmware-damaged") {
		image[len(image)-100] ^= 0x40
	}
	return image
}

// Sensor is the image of the other product. What is planted in it is also in that of the thermostat.
func Sensor(has func(defect string) bool) []byte {
	r := clean()
	delete(r, clientFile) // it says who it is with a key of its own, over CoAP
	r.file("etc/os-release", "ID=reference-sensor\nNAME=\"Reference sensor\"\nVERSION_ID=1.4\n")
	r["etc/shadow"] = entry{mode: 0o600, data: "root:!:20000:0:99999:7:::\nthermostat:*:20000:0:99999:7:::\n"}
	for _, f := range sharedFlaws {
		if has(f.defect) {
			f.plant(r)
		}
	}
	return bundle(r, banner(has))
}

// Previous is the image that users of the thermostat have now.
func Previous() []byte {
	r := clean()
	r.file("etc/os-release", "ID=reference\nNAME=\"Reference thermostat\"\nVERSION_ID=2.0\n")
	return bundle(r, banner(func(string) bool { return false }))
}

// bundle is a kernel, which has that banner, and a root file system, each in an image of U-Boot.
func bundle(r root, banner string) []byte {
	const (
		kernel  = 2
		ramdisk = 3
	)
	return bytes.Join([][]byte{uImage("Linux-6.12.40-cip7", kernel, squeeze([]byte(banner))), uImage("root", ramdisk, squeeze(r.cpio()))}, nil)
}

// uImage is a legacy image of U-Boot with gzipped data for Linux on Arm.
func uImage(name string, kind byte, data []byte) []byte {
	head := make([]byte, 64)
	word := binary.BigEndian.PutUint32
	word(head, 0x27051956)
	word(head[8:], uint32(built.Unix()))
	word(head[12:], uint32(len(data)))
	word(head[24:], crc32.ChecksumIEEE(data))
	copy(head[28:], []byte{5, 2, kind, 1})
	copy(head[32:], name)
	word(head[4:], crc32.ChecksumIEEE(head))
	return append(head, data...)
}

func squeeze(data []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(data) // to memory: it does not fail
	_ = w.Close()
	return b.Bytes()
}

// cpio is the file system as an archive of the kind that the kernel unpacks (newc).
func (r root) cpio() []byte {
	var b bytes.Buffer
	put := func(n int, name string, mode uint32, e entry, data string) {
		fmt.Fprintf(&b, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%s\x00",
			n, mode, e.uid, e.uid, 1, built.Unix(), len(data), 0, 0, 0, 0, len(name)+1, 0, name)
		pad(&b)
		b.WriteString(data)
		pad(&b)
	}
	for i, path := range r.paths() {
		e := r[path]
		put(i+1, path, unixMode(e.mode), e, e.data+e.target)
	}
	put(0, "TRAILER!!!", 0, entry{}, "")
	return b.Bytes()
}

func pad(b *bytes.Buffer) {
	for b.Len()%4 != 0 {
		b.WriteByte(0)
	}
}

// unixMode is a mode as in st_mode of stat(2).
func unixMode(m fs.FileMode) uint32 {
	mode := uint32(m.Perm())
	for bit, is := range map[uint32]fs.FileMode{0o4000: fs.ModeSetuid, 0o2000: fs.ModeSetgid, 0o1000: fs.ModeSticky} {
		if m&is != 0 {
			mode |= bit
		}
	}
	switch {
	case m.IsDir():
		mode |= 0o040000
	case m&fs.ModeSymlink != 0:
		mode |= 0o120000
	default:
		mode |= 0o100000
	}
	return mode
}
