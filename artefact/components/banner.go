package components

import (
	"bytes"
	"regexp"
	"strings"

	"github.com/shakedown-test/shakedown/artefact/search"
)

// banner is a version string that a program, or a library in one, holds. A row is told by bytes that stand in it, and is taken only
// where the whole pattern holds from there on: a format for a version, or a list of versions to be wary of, is none.
type banner struct {
	product string // as the CPE has it
	vendor  string
	anchor  string // four bytes or more; the pattern begins there
	pattern string // the first group is the version; further ones are joined to it by dots
	also    string // stands elsewhere in the same content; where it does not, the string is one of a header that a user of the library was built with
	script  bool   // it stands in scripts of web pages, not in programs
	good    string // an example, and what is told of it: "text|version"
	bad     string // what it must not be taken for
}

// Hit is a component whose version string stands at an offset.
type Hit struct {
	Component
	Offset int
}

const (
	mostHits = 100 // of a content: more come of lists, not of programs
	widest   = 240 // bytes that a version string goes on for
)

var (
	programs, programRows = searcher(false)
	scripts, scriptRows   = searcher(true)
)

// row is a banner that is ready for use.
type row struct {
	*banner
	re *regexp.Regexp
}

func searcher(script bool) (*search.Searcher, []row) {
	var patterns []search.Pattern
	var rows []row
	for i := range banners {
		b := &banners[i]
		if b.script != script {
			continue
		}
		patterns = append(patterns, search.Pattern{Bytes: b.anchor, ID: len(rows)})
		rows = append(rows, row{b, regexp.MustCompile(`^(?s:` + b.pattern + `)`)})
	}
	return search.New(patterns), rows
}

// Programs finds the version strings in a program, or in an image of a microcontroller.
func Programs(data []byte) []Hit { return strs(data, programs, programRows) }

// Scripts finds those in a script of a web page.
func Scripts(data []byte) []Hit { return strs(data, scripts, scriptRows) }

func strs(data []byte, s *search.Searcher, rows []row) (hits []Hit) {
	seen := map[[2]string]bool{}
	looked, also := 0, map[int]bool{} // whether what has to stand elsewhere does
	s.Each(data, func(id, at int) {
		if looked++; looked > 100*mostHits || len(hits) >= mostHits {
			return
		}
		r := rows[id]
		// \xff stands for the end of the data; strings in programs end in NUL.
		window := data[at:min(len(data), at+widest)]
		m := r.re.FindSubmatch(window)
		if m == nil && at+widest > len(data) {
			m = r.re.FindSubmatch(append(bytes.Clone(window), 0))
		}
		if m == nil || seen[[2]string{r.product, string(m[1])}] {
			return
		}
		if r.also != "" {
			there, known := also[id]
			if !known {
				there = bytes.Contains(data, []byte(r.also))
				also[id] = there
			}
			if !there {
				return
			}
		}
		version := string(bytes.Join(m[1:], []byte(".")))
		version = strings.TrimRight(version, ".")
		if r.product == "linux_kernel" {
			hits = append(hits, Hit{kernel(version, string(m[0])), at})
		} else {
			c := Component{Name: r.product, Version: version, Upstream: version, Product: r.product, Vendor: r.vendor, Source: Banner, Type: 'a'}
			if m := distroBuild.FindSubmatch(m[0]); m != nil && r.product == "glibc" {
				c.Distro = strings.ToLower(string(m[1]))
			}
			if operating[r.product] {
				c.Type = 'o'
			}
			hits = append(hits, Hit{c, at})
		}
		seen[[2]string{r.product, string(m[1])}] = true
	})
	return hits
}

// operating are the products that are operating systems in the Common Platform Enumeration.
var operating = map[string]bool{"zephyr": true, "freertos": true, "vxworks": true, "nuttx": true, "riot": true, "threadx": true}

var (
	numbersOnly = regexp.MustCompile(`^\d+(?:\.\d+){1,3}`)
	debianBuild = regexp.MustCompile(`Debian (\d+\.\d+\.\d+)-\d`)
	distroBuild = regexp.MustCompile(`\((Debian|Ubuntu) `)
	civilBuild  = regexp.MustCompile(`-cip\d+`)
)

// kernel is the component of a banner of Linux. Kernels of the Civil Infrastructure Platform are kept by others, for longer.
func kernel(release, banner string) Component {
	c := Component{Name: "linux", Version: release, Product: "linux_kernel", Vendor: "linux", Source: Banner, Type: 'o', License: "GPL-2.0-only"}
	c.Upstream = numbersOnly.FindString(release)
	if m := debianBuild.FindStringSubmatch(banner); m != nil {
		c.Upstream, c.Distro = m[1], "debian"
	}
	if civilBuild.MatchString(release) {
		c.Distro = "cip"
	}
	return c
}
