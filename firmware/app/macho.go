package app

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
)

// MachO is what a program of iOS says of itself (mach-o/loader.h and, for its signature, kern/cs_blobs.h of Apple's XNU).
type MachO struct {
	Libraries    []string
	Encrypted    bool // its code is, as the store does it
	MinOS        Version
	SDK          Version
	Entitlements Dict // nil: it has none
}

// Version is that of an OS, as in 17.4.
type Version struct{ Major, Minor int }

func (v Version) String() string { return fmt.Sprintf("%d.%d", v.Major, v.Minor) }

const (
	machO64      = 0xfeedfacf
	machO32      = 0xfeedface
	machOFat     = 0xcafebabe
	mostCommands = 4 << 20 // bytes
	mostEntitled = 4 << 20
)

// ParseMachO reads a program. Of one for several processors it reads the last, which is the newest.
func ParseMachO(r io.ReaderAt, size int64) (*MachO, error) {
	head, err := readAt(r, size, 0, 32)
	if err != nil {
		return nil, errNot
	}
	if n := binary.BigEndian.Uint32(head[4:]); binary.BigEndian.Uint32(head) == machOFat && n > 0 && n < 20 {
		slices, err := readAt(r, size, 8, int64(n)*20)
		if err != nil {
			return nil, errNot
		}
		last := slices[(n-1)*20:]
		at, length := int64(binary.BigEndian.Uint32(last[8:])), int64(binary.BigEndian.Uint32(last[12:]))
		if at < 8 || at >= size {
			return nil, errNot
		}
		r, size = io.NewSectionReader(r, at, min(length, size-at)), min(length, size-at)
		if head, err = readAt(r, size, 0, 32); err != nil {
			return nil, errNot
		}
	}
	start := int64(32)
	switch binary.LittleEndian.Uint32(head) {
	case machO64:
	case machO32:
		start = 28
	default:
		return nil, errNot
	}
	commands, err := readAt(r, size, start, int64(binary.LittleEndian.Uint32(head[20:])))
	if err != nil {
		return nil, err
	}
	m := &MachO{}
	for b := commands; len(b) >= 8; {
		kind, n := binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:])
		if n < 8 || uint64(n) > uint64(len(b)) {
			break
		}
		if err := m.command(kind, b[:n], r, size); err != nil {
			return m, err
		}
		b = b[n:]
	}
	return m, nil
}

func (m *MachO) command(kind uint32, b []byte, r io.ReaderAt, size int64) error {
	const (
		loadDylib   = 0xc
		loadWeak    = 0x80000018
		reexport    = 0x8000001f
		signature   = 0x1d
		encryption  = 0x21
		encryption6 = 0x2c
		minOS       = 0x25
		build       = 0x32
	)
	word := func(at int) uint32 {
		if at+4 > len(b) {
			return 0
		}
		return binary.LittleEndian.Uint32(b[at:])
	}
	switch kind {
	case loadDylib, loadWeak, reexport:
		if at := word(8); at >= 12 && at < uint32(len(b)) {
			name, _, _ := bytes.Cut(b[at:], []byte{0})
			m.Libraries = append(m.Libraries, utf8(name))
		}
	case encryption, encryption6:
		m.Encrypted = word(16) != 0
	case minOS:
		m.MinOS, m.SDK = packed(word(8)), packed(word(12))
	case build:
		m.MinOS, m.SDK = packed(word(12)), packed(word(16))
	case signature:
		blob, err := readAt(r, size, int64(word(8)), min(int64(word(12)), 64<<20))
		if err != nil {
			return err
		}
		m.Entitlements = entitlements(blob)
	}
	return nil
}

func packed(v uint32) Version { return Version{int(v >> 16), int(v >> 8 & 0xff)} }

// entitlements looks for the property list of them in a signature (CS_SuperBlob).
func entitlements(b []byte) Dict {
	const (
		superBlob = 0xfade0cc0
		entitled  = 0xfade7171
	)
	if len(b) < 12 || binary.BigEndian.Uint32(b) != superBlob {
		return nil
	}
	n := binary.BigEndian.Uint32(b[8:])
	for i := uint32(0); i < n && i < 64 && int(12+8*i+8) <= len(b); i++ {
		at := uint64(binary.BigEndian.Uint32(b[12+8*i+4:]))
		if at+8 > uint64(len(b)) || binary.BigEndian.Uint32(b[at:]) != entitled {
			continue
		}
		size := uint64(binary.BigEndian.Uint32(b[at+4:]))
		if size < 8 || at+size > uint64(len(b)) || size > mostEntitled {
			continue
		}
		if d, err := ParsePlist(b[at+8 : at+size]); err == nil {
			return d
		}
	}
	return nil
}

// readAt reads n bytes, if there are as many.
func readAt(r io.ReaderAt, size, at, n int64) ([]byte, error) {
	if at < 0 || n < 0 || at > size || n > size-at || n > 64<<20 {
		return nil, bad("more is wanted than is there", int(at))
	}
	b := make([]byte, n)
	if got, err := r.ReadAt(b, at); got < len(b) {
		return nil, fmt.Errorf("read %d bytes at %#x: %w", n, at, err)
	}
	return b, nil
}
