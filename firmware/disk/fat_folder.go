package disk

import (
	"encoding/binary"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

const (
	fatIsLabel  = 8 // attributes
	fatIsFolder = 16
	fatLong     = 15 // of a piece of a long name

	fatMost = 1 << 20 // entries
)

// fatFolder is a folder that is being read.
type fatFolder struct {
	x     *fatFS
	names []tree.Named
	long  [20][13]uint16 // pieces of a long name, the first first
	want  int            // how many pieces are still to come; -1: there is no long name
	count int
	sum   byte // of the short name that it stands for
}

// entries reads those of a stretch, and says whether the folder ends there.
func (f *fatFolder) entries(b []byte, offset int64) (end bool) {
	for at := 0; at+32 <= len(b); at += 32 {
		e := b[at : at+32]
		switch {
		case e[0] == 0:
			return true
		case e[0] == 0xe5:
			f.count = 0
		case e[11]&0x3f == fatLong:
			f.piece(e)
		case e[11]&fatIsLabel != 0:
			f.count = 0
		default:
			if len(f.x.found) >= fatMost {
				f.x.o.Note(offset, "it has more than %d files; the rest is left out", fatMost)
				return true
			}
			f.entry(e, offset+int64(at))
			f.count = 0
		}
	}
	return false
}

// piece takes up one of a long name: they come in reverse.
func (f *fatFolder) piece(e []byte) {
	number := int(e[0] & 0x3f)
	if e[0]&0x40 != 0 && number >= 1 && number <= len(f.long) {
		f.count, f.want, f.sum = number, number, e[13]
	}
	if f.count == 0 || number != f.want || number == 0 || e[13] != f.sum {
		f.count = 0
		return
	}
	f.want--
	for i := range 13 {
		at := 1 + 2*i
		if i >= 5 {
			at = 14 + 2*(i-5)
		}
		if i >= 11 {
			at = 28 + 2*(i-11)
		}
		f.long[number-1][i] = binary.LittleEndian.Uint16(e[at:])
	}
}

// entry takes up a file or folder.
func (f *fatFolder) entry(e []byte, offset int64) {
	name := fatShort(e)
	if f.count > 0 && f.want == 0 && f.sum == fatSum(e[:11]) {
		var units []uint16
		for i := range f.count {
			units = append(units, f.long[i][:]...)
		}
		for i, u := range units {
			if u == 0 {
				units = units[:i]
				break
			}
		}
		name = string(utf16.Decode(units))
	}
	if name == "." || name == ".." || name == "" {
		return
	}
	half := func(at int) int { return int(binary.LittleEndian.Uint16(e[at:])) }
	found := fatEntry{
		at: offset, file: tree.File{Mode: fatMode(e[11]), Modified: fatTime(half(24), half(22))},
		cluster: uint32(half(26)), size: int64(binary.LittleEndian.Uint32(e[28:])),
	}
	if f.x.bits == 32 {
		found.cluster |= uint32(half(20)) << 16
	}
	f.x.found = append(f.x.found, found)
	f.names = append(f.names, tree.Named{Name: strings.ReplaceAll(name, "/", "?"), ID: uint64(len(f.x.found))})
}

// fatShort is the name of eight and three characters; bits 3 and 4 of byte 12 say that they are shown in lower case.
func fatShort(e []byte) string {
	name, extension := []byte(e[:8:8]), e[8:11]
	if name[0] == 5 { // stands for 0xe5, which marks what was removed
		name = append([]byte{0xe5}, name[1:]...)
	}
	short := strings.TrimRight(fromCP437(name), " ")
	if e[12]&8 != 0 {
		short = strings.ToLower(short)
	}
	if x := strings.TrimRight(fromCP437(extension), " "); x != "" {
		if e[12]&16 != 0 {
			x = strings.ToLower(x)
		}
		short += "." + x
	}
	return short
}

// fatSum is the checksum that ties pieces of a long name to a short one.
func fatSum(short []byte) (sum byte) {
	for _, c := range short {
		sum = sum<<7 + sum>>1 + c
	}
	return sum
}

// fatTime is a time of no particular zone.
func fatTime(date, clock int) time.Time {
	if date == 0 {
		return time.Time{}
	}
	return time.Date(1980+date>>9, time.Month(date>>5&15), date&31, clock>>11, clock>>5&63, clock&31*2, 0, time.UTC)
}

// cp437 are the characters of the code page of the first personal computers from 0x80 on.
var cp437 = []rune("ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0")

func fromCP437(b []byte) string {
	var s strings.Builder
	for _, c := range b {
		if c < 0x80 {
			s.WriteByte(c)
		} else {
			s.WriteRune(cp437[c-0x80])
		}
	}
	return s.String()
}
