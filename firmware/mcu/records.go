package mcu

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

// intelHex is Intel's hexadecimal object file (Intel, "Hexadecimal Object File Format Specification", 1988): lines of bytes in hex, each
// with a checksum.
var intelHex = tree.Format{ID: "ihex", Title: "Intel HEX", Magic: digits(":"), Open: openIntelHex}

// srec are Motorola's S-records (srec(5)).
var srec = tree.Format{ID: "srec", Title: "S-records", Magic: srecMagic, Open: openSRec}

var srecMagic = []tree.Magic{{At: 0, Bytes: "S0"}, {At: 0, Bytes: "S1"}, {At: 0, Bytes: "S2"}, {At: 0, Bytes: "S3"}}

// digits are the beginnings of a line: a mark and a digit.
func digits(mark string) (all []tree.Magic) {
	for _, d := range "0123456789ABCDEFabcdef" {
		all = append(all, tree.Magic{At: 0, Bytes: mark + string(d)})
	}
	return all
}

// mostFaults of lines are told of one by one.
const mostFaults = 20

// lines gives every line of the data with its number, until it returns false.
func lines(o *tree.Opening, each func(n int, at int64, line []byte) bool) error {
	b, err := o.Read(0, int(min(o.Size(), 64<<20)))
	if err != nil {
		return err
	}
	if o.Size() > int64(len(b)) {
		o.Note(int64(len(b)), "more than 64 MiB of text are not read")
	}
	for n, at := 1, 0; at < len(b); n++ {
		line, rest, _ := bytes.Cut(b[at:], []byte{'\n'})
		if !each(n, int64(at), bytes.TrimRight(line, "\r \t\x1a")) {
			o.Ends(int64(at))
			return nil
		}
		at = len(b) - len(rest)
		if len(rest) == 0 {
			break
		}
	}
	return nil
}

var (
	errHex = errors.New("it is not written in hex")
	errSum = errors.New("it does not fit its checksum")
)

// hexLine decodes a line without its mark, and checks its sum: that of all bytes is a fixed one.
func hexLine(digits []byte, sum byte) ([]byte, error) {
	b := make([]byte, hex.DecodedLen(len(digits)))
	if _, err := hex.Decode(b, digits); err != nil {
		return nil, errHex
	}
	got := byte(0)
	for _, c := range b {
		got += c
	}
	if got != sum {
		return b, errSum
	}
	return b, nil
}

// fault notes a line that cannot be read.
func (m *Memory) fault(o *tree.Opening, n int, at int64, err error) {
	if m.Faults++; m.Faults <= mostFaults {
		o.Note(at, "line %d: %v", n, err)
	}
}

// Types of records of Intel HEX.
const (
	hexData     = 0
	hexEnd      = 1
	hexSegment  = 2
	hexStart    = 3
	hexUpper    = 4
	hexStart32  = 5
	hexExtended = 0x0A // from here on those of universal hex files (micro:bit), which hold images for several boards
	hexBoard    = 0x0D // data for a board that checks them by its number
)

// hexReading is a file of Intel HEX while it is read.
type hexReading struct {
	Memory
	memory
	boards map[uint16]*memory // of universal hex files
	board  uint16
	base   uint64
	ended  bool
}

func openIntelHex(o *tree.Opening) error {
	r := &hexReading{boards: map[uint16]*memory{}}
	sure := false
	err := lines(o, func(n int, at int64, line []byte) bool {
		if len(line) == 0 || r.ended {
			return len(line) == 0
		}
		b, err := []byte(nil), errHex
		if line[0] == ':' {
			b, err = hexLine(line[1:], 0)
		}
		if err == nil && (len(b) < 5 || int(b[0]) != len(b)-5) {
			err = fmt.Errorf("it says %d bytes of data, and %d are there", first(b), max(0, len(b)-5))
		}
		if n == 1 {
			sure = err == nil
		}
		if !sure {
			return false
		}
		if err != nil {
			r.fault(o, n, at, err)
			return true
		}
		r.Records++
		r.record(o, n, at, b)
		return true
	})
	if err != nil {
		return err
	}
	if !sure {
		return tree.ErrNot
	}
	if !r.ended {
		o.Note(-1, "it has no record that ends it")
	}
	r.Regions = r.regions(o, "")
	for board, m := range r.boards {
		r.Regions = append(r.Regions, m.regions(o, fmt.Sprintf("board %#04x,", board))...)
	}
	return r.tell(o)
}

func first(b []byte) byte {
	if len(b) == 0 {
		return 0
	}
	return b[0]
}

// record takes a record: length, address, type, data, sum.
func (r *hexReading) record(o *tree.Opening, n int, at int64, b []byte) {
	data := b[4 : len(b)-1]
	address := uint64(binary.BigEndian.Uint16(b[1:]))
	short := func(want int) bool {
		if len(data) < want {
			r.fault(o, n, at, fmt.Errorf("a record of type %d has %d bytes", b[3], len(data)))
		}
		return len(data) < want
	}
	switch b[3] {
	case hexData, hexBoard:
		to := &r.memory
		if b[3] == hexBoard || r.board != 0 {
			if to = r.boards[r.board]; to == nil {
				to = &memory{}
				r.boards[r.board] = to
			}
		}
		to.put(r.base+address, data)
	case hexEnd:
		r.ended = true
	case hexSegment:
		if !short(2) {
			r.base = uint64(binary.BigEndian.Uint16(data)) << 4
		}
	case hexUpper:
		if !short(2) {
			r.base = uint64(binary.BigEndian.Uint16(data)) << 16
		}
	case hexStart:
		if !short(4) {
			r.Entry = uint32(binary.BigEndian.Uint16(data))<<4 + uint32(binary.BigEndian.Uint16(data[2:]))
		}
	case hexStart32:
		if !short(4) {
			r.Entry = binary.BigEndian.Uint32(data)
		}
	case hexExtended:
		if !short(2) {
			if r.board = binary.BigEndian.Uint16(data); len(r.boards) > 16 {
				r.board = 0
			}
		}
	case hexExtended + 1, hexExtended + 2, hexExtended + 4: // they end or fill up blocks
	default:
		r.fault(o, n, at, fmt.Errorf("a record of type %d", b[3]))
	}
}

func openSRec(o *tree.Opening) error {
	var m Memory
	var data memory
	sure, ended := false, false
	counted := 0
	err := lines(o, func(n int, at int64, line []byte) bool {
		if len(line) == 0 || ended {
			return len(line) == 0
		}
		b, err := []byte(nil), errHex
		if len(line) > 2 && line[0] == 'S' && line[1] >= '0' && line[1] <= '9' {
			b, err = hexLine(line[2:], 0xFF)
		}
		if err == nil && (len(b) < 3 || int(b[0]) != len(b)-1) {
			err = fmt.Errorf("it says %d bytes, and %d are there", first(b), max(0, len(b)-1))
		}
		if n == 1 {
			sure = err == nil
		}
		if !sure {
			return false
		}
		if err != nil {
			m.fault(o, n, at, err)
			return true
		}
		m.Records++
		kind := line[1]
		wide := map[byte]int{'1': 2, '2': 3, '3': 4, '7': 4, '8': 3, '9': 2}[kind] // bytes of the address
		if len(b) < wide+2 {
			m.fault(o, n, at, fmt.Errorf("a record S%c has %d bytes", kind, len(b)))
			return true
		}
		address := uint64(0)
		for _, c := range b[1 : 1+wide] {
			address = address<<8 | uint64(c)
		}
		switch kind {
		case '1', '2', '3':
			counted++
			data.put(address, b[1+wide:len(b)-1])
		case '7', '8', '9':
			m.Entry, ended = uint32(address), true
		}
		return true
	})
	if err != nil {
		return err
	}
	if !sure || counted == 0 && m.Faults == 0 && !ended {
		return tree.ErrNot
	}
	if !ended {
		o.Note(-1, "it has no record that ends it")
	}
	m.Regions = data.regions(o, "")
	return m.tell(o)
}
