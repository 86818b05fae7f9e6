// Package addresses finds the URLs in raw bytes: where a product will look for its cloud, its updates and the rest of the world.
package addresses

import (
	"bytes"
	"net/netip"
	"net/url"
	"strings"

	"github.com/shakedown-test/shakedown/artefact/search"
)

// URL is one with its place in the data that were searched.
type URL struct {
	Scheme, Host string // in lower case, without a port
	Path         string // with what follows
	Text         string // as it stands there, without a user name and password
	Offset       int
	Comment      bool // it stands behind the sign that begins a comment
}

// schemes are those of URLs that lead to another machine.
var schemes = []string{"http://", "https://", "mqtt://", "mqtts://", "coap://", "coaps://", "wss://", "ftp://", "tftp://", "amqp://", "amqps://"}

// Patterns are what has to be looked for, for Read. Their ids count from first on.
func Patterns(first int) (list []search.Pattern) {
	for i, s := range schemes {
		list = append(list,
			search.Pattern{Bytes: s, Fold: true, ID: first + 2*i},
			search.Pattern{Bytes: search.Wide(s), Fold: true, ID: first + 2*i + 1})
	}
	return list
}

const longest = 2000 // characters of a URL

// Read reads the URL at data[at:], a hit of the pattern with that id, with the first id taken off.
func Read(pattern int, data []byte, at int) (URL, bool) {
	scheme, step := schemes[pattern/2], 1+pattern%2
	if at >= step && letter(data[at-step]) { // the end of a longer word, as in "shttp"
		return URL{}, false
	}
	window := data[at:min(len(data), at+step*longest)]
	if step == 2 {
		window = search.Narrow(window)
	}
	end := bytes.IndexFunc(window, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune("\"'<>`\\{}|^", r) })
	if end >= 0 {
		window = window[:end]
	}
	text := strings.TrimRight(string(window), ".,;:)]!?*#")
	u, err := url.Parse(text)
	if err != nil || !host(u.Hostname()) {
		return URL{}, false
	}
	u.User = nil
	return URL{
		Scheme: scheme[:len(scheme)-3], Host: strings.ToLower(strings.TrimSuffix(u.Hostname(), ".")), Path: u.RequestURI(), Text: u.String(),
		Offset: at, Comment: comment(data, at, step),
	}, true
}

func letter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// host says whether a text is the name of a host with a dot, or an address.
func host(s string) bool {
	if _, err := netip.ParseAddr(s); err == nil {
		return true
	}
	s = strings.TrimSuffix(s, ".")
	if len(s) > 253 || !strings.Contains(s, ".") {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || strings.ContainsFunc(label, func(r rune) bool {
			return r != '-' && r != '_' && (r > 'z' || r < '0' || r > '9' && r < 'A' || r > 'Z' && r < 'a')
		}) {
			return false
		}
	}
	return letter(s[len(s)-1]) // no top-level domain ends in a digit
}

// comment looks for the sign of a comment at the beginning of the line.
func comment(data []byte, at, step int) bool {
	from := at
	for from >= step && at-from < 200*step && data[from-step] != '\n' && data[from-step] != 0 {
		from -= step
	}
	line := data[from:at]
	if step == 2 {
		line = search.Narrow(line)
	}
	line = bytes.TrimSpace(line)
	for _, sign := range []string{"#", "//", ";", "*", "/*", "<!--", "--", "rem ", "\"\"\""} {
		if bytes.HasPrefix(line, []byte(sign)) {
			return true
		}
	}
	return false
}
