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
	u, ok := Parse(pattern, Text(pattern, data, at), at)
	u.Comment = ok && Commented(pattern, data, at)
	return u, ok
}

// Text is the text of a URL as it stands at data[at:]. It is empty where none can be.
func Text(pattern int, data []byte, at int) []byte {
	step := 1 + pattern%2
	if at >= step && letter(data[at-step]) { // the end of a longer word, as in "shttp"
		return nil
	}
	window := data[at:min(len(data), at+step*longest)]
	if step == 2 {
		end := 0
		for end+1 < len(window) && window[end+1] == 0 && inURL[window[end]] {
			end += 2
		}
		return search.Narrow(window[:end])
	}
	end := 0
	for end < len(window) && inURL[window[end]] {
		end++
	}
	return window[:end]
}

// inURL are the characters that do not end a URL.
var inURL = func() (set [256]bool) {
	for c := range set {
		set[c] = ' ' < c && c < 0x7f && !strings.ContainsRune("\"'<>`\\{}|^", rune(c))
	}
	return set
}()

// Parse makes a URL of its text, which begins at an offset.
func Parse(pattern int, text []byte, at int) (URL, bool) {
	s := strings.TrimRight(string(text), ".,;:)]!?*#")
	u, err := url.Parse(s)
	if err != nil || !host(u.Hostname()) {
		return URL{}, false
	}
	u.User = nil
	scheme := schemes[pattern/2]
	return URL{
		Scheme: scheme[:len(scheme)-3], Host: strings.ToLower(strings.TrimSuffix(u.Hostname(), ".")), Path: u.RequestURI(), Text: u.String(), Offset: at,
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

var signs = []string{"#", "//", ";", "*", "/*", "<!--", "--", "rem ", "\"\"\""}

// Commented looks for the sign of a comment at the beginning of the line.
func Commented(pattern int, data []byte, at int) bool {
	step := 1 + pattern%2
	from := at
	for from >= step && at-from < 200*step && data[from-step] != '\n' && data[from-step] != 0 {
		from -= step
	}
	line := data[from:at]
	if step == 2 {
		line = search.Narrow(line)
	}
	line = bytes.TrimSpace(line)
	for _, sign := range signs {
		if len(line) >= len(sign) && string(line[:len(sign)]) == sign {
			return true
		}
	}
	return false
}
