package settings

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"regexp"
	"strings"
)

// Environment is one of U-Boot: what it is told by what is saved, or what it was built with.
type Environment struct {
	At     int64 // of its first variable, in the data
	Saved  bool  // with a checksum that fits; otherwise it is the one that U-Boot was built with, or a damaged one
	Values map[string]string
}

const (
	maxEnvironment = 256 << 10 // bytes
	maxFound       = 16
)

var variable = regexp.MustCompile(`^[A-Za-z_.][A-Za-z0-9_.\-]{0,63}=`)

// Environments finds those of U-Boot (include/env_default.h, env/common.c): variables with a zero byte behind each, and one more in the
// end. An environment has one of the variables that say how to boot.
func Environments(data []byte) (list []Environment) {
	until := 0
	for _, anchor := range anchors(data) {
		if anchor < until || len(list) == maxFound {
			continue
		}
		from := begin(data, anchor)
		e := Environment{At: int64(from), Values: map[string]string{}}
		at := from
		for at < len(data) && at-from < maxEnvironment {
			n := bytes.IndexByte(data[at:min(len(data), at+maxEnvironment)], 0)
			if n <= 0 || !printable(data[at:at+n]) || !variable.Match(data[at:at+min(n, 80)]) {
				break
			}
			name, value, _ := strings.Cut(string(data[at:at+n]), "=")
			if _, ok := e.Values[name]; !ok {
				e.Values[name] = value
			}
			at += n + 1
		}
		until = at
		if len(e.Values) < 3 {
			continue
		}
		e.Saved = intact(data, from)
		list = append(list, e)
	}
	return list
}

// anchors are the places of variables that say how to boot.
func anchors(data []byte) (all []int) {
	boot := []byte("boot")
	for at := 0; len(all) < 2000; at += len(boot) {
		i := bytes.Index(data[at:], boot)
		if i < 0 {
			break
		}
		at += i
		rest := data[at+len(boot):]
		if (bytes.HasPrefix(rest, []byte("cmd=")) || bytes.HasPrefix(rest, []byte("delay="))) && (at == 0 || data[at-1] == 0 || at == 4 || at == 5 || data[at-1] == 1) {
			all = append(all, at)
		}
	}
	return all
}

// begin goes back from a variable to the first of its environment.
func begin(data []byte, at int) int {
	first := at
	for at > 1 && data[at-1] == 0 && first-at < maxEnvironment {
		prior := bytes.LastIndexByte(data[max(0, at-1-maxEnvironment):at-1], 0) + 1 + max(0, at-1-maxEnvironment)
		text := data[prior : at-1]
		if len(text) == 0 {
			break
		}
		if !printable(text) || !variable.Match(text) { // the checksum and the flag before the first may be anything but zero
			for skip := 1; skip <= 5 && skip < len(text); skip++ {
				if printable(text[skip:]) && variable.Match(text[skip:]) {
					return prior + skip
				}
			}
			break
		}
		at = prior
	}
	return at
}

func printable(b []byte) bool {
	for _, c := range b {
		if c < 0x20 && c != '\t' && c != '\n' && c != '\r' || c == 0x7f {
			return false
		}
	}
	return true
}

// intact reports whether there is a checksum before the variables that fits one of the usual sizes: 4 bytes of CRC-32, and in a pair of
// environments a flag behind it.
func intact(data []byte, from int) bool {
	for _, head := range []int{4, 5} {
		if from < head {
			continue
		}
		b := data[from-head:]
		sizes := []int{len(b)}
		for size := 0x400; size <= maxEnvironment; size += 0x400 {
			if size&(size-1) == 0 || size%0x1000 == 0 && size <= 0x20000 {
				sizes = append(sizes, size)
			}
		}
		little, big := binary.LittleEndian.Uint32(b), binary.BigEndian.Uint32(b)
		for _, size := range sizes {
			if size <= head || size > len(b) || size > maxEnvironment {
				continue
			}
			if sum := crc32.ChecksumIEEE(b[head:size]); sum == little || sum == big {
				return true
			}
		}
	}
	return false
}
