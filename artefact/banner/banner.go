// Package banner finds the lines in which kernels and boot loaders say what they are and when they were built.
package banner

import (
	"bytes"
	"regexp"
	"strings"
	"time"
)

// Banner is such a line.
type Banner struct {
	Program string    // "Linux" or "U-Boot"
	Version string    // "5.10.110", "2019.07"
	Built   time.Time // zero: it does not tell
	At      int64     // in the data
}

var (
	linux = regexp.MustCompile(`^Linux version (\d+\.\d+(?:\.\d+)?)[^\n\x00]* \([^\n\x00]*\) #\d+([^\n\x00]{0,120})`)
	uboot = regexp.MustCompile(`^U-Boot (?:SPL |TPL )?(\d{4}\.\d\d|1\.\d+\.\d+)[-+\w.~]{0,80}(?: \(([A-Z][a-z]{2} [ 0-3]\d \d{4} - \d\d:\d\d:\d\d)[^)\x00]{0,20}\))`)
	date  = regexp.MustCompile(`[A-Z][a-z]{2} [A-Z][a-z]{2} +\d+ \d\d:\d\d:\d\d (?:[A-Z][A-Za-z]* |[+-]\d+ )?(?:19|20)\d\d`)
	iso   = regexp.MustCompile(`\((20\d\d-\d\d-\d\d)\)`)
)

const (
	longest    = 512    // bytes of a banner
	mostLooked = 10_000 // beginnings of one program's banners in a content
)

// Find lists the banners that begin in the data. One that is not of a built kernel, such as the format of the line, is none.
func Find(data []byte) (list []Banner) {
	for _, b := range []struct {
		start string
		read  func(text []byte) (Banner, bool)
	}{{"Linux version ", readLinux}, {"U-Boot ", readUBoot}} {
		for at, looked := 0, 0; len(list) < 100 && looked < mostLooked; looked++ {
			i := bytes.Index(data[at:], []byte(b.start))
			if i < 0 {
				break
			}
			at += i
			if found, ok := b.read(data[at:min(len(data), at+longest)]); ok {
				found.At = int64(at)
				list = append(list, found)
			}
			at += len(b.start)
		}
	}
	return list
}

func readLinux(text []byte) (b Banner, ok bool) {
	m := linux.FindSubmatch(text)
	if m == nil {
		return b, false
	}
	b = Banner{Program: "Linux", Version: string(m[1])}
	rest := string(m[2])
	if d := iso.FindStringSubmatch(rest); d != nil {
		b.Built, _ = time.Parse(time.DateOnly, d[1])
		return b, true
	}
	d := strings.Fields(date.FindString(rest))
	if len(d) < 5 {
		return b, true
	}
	b.Built, _ = time.Parse("Jan 2 15:04:05 2006", d[1]+" "+d[2]+" "+d[3]+" "+d[len(d)-1])
	return b, true
}

func readUBoot(text []byte) (b Banner, ok bool) {
	m := uboot.FindSubmatch(text)
	if m == nil {
		return b, false
	}
	b = Banner{Program: "U-Boot", Version: string(m[1])}
	b.Built, _ = time.Parse("Jan 2 2006 - 15:04:05", strings.Join(strings.Fields(string(m[2])), " "))
	return b, true
}
