package rules

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"hash/crc32"
	"math"
	"net/netip"
	"regexp"
	"strings"
	"unicode"
)

// match is what the pattern of a rule found in a text, which may go on before and behind it.
type match struct {
	text   []byte
	groups []int
	rule   *Rule
}

// validator says whether a match is what the rule is about.
type validator func(match) bool

var validators = map[string]validator{
	"crc":      crc,
	"random":   func(m match) bool { return m.ends() && random(m.secret()) },
	"openai":   openai,
	"aws":      aws,
	"jwt":      jwt,
	"key32":    func(m match) bool { return keyOf(m.secret(), 32) },
	"key64":    func(m match) bool { return keyOf(m.secret(), 64) },
	"userinfo": userinfo,
	"twilio":   twilio,
	"logged":   logged,
	"logs":     logs,
	"crypt":    func(m match) bool { return m.ends() && random(m.secret()[3:]) },
}

func (m match) group(name string) []byte {
	i := m.rule.re.SubexpIndex(name)
	if i < 0 || m.groups[2*i] < 0 {
		return nil
	}
	return m.text[m.groups[2*i]:m.groups[2*i+1]]
}

// place is where the secret is in the text.
func (m match) place() (begin, end int) {
	return m.groups[2*m.rule.secret], m.groups[2*m.rule.secret+1]
}

func (m match) secret() []byte {
	begin, end := m.place()
	return m.text[begin:end]
}

// ends says whether no letter or digit follows.
func (m match) ends() bool {
	_, end := m.place()
	return end >= len(m.text) || !alphanumeric(m.text[end])
}

// around is the text around the match: so many characters before its beginning, and so many behind that.
func (m match) around(before, behind int) []byte {
	at := m.groups[0]
	return m.text[max(0, at-before):min(len(m.text), at+behind)]
}

// words calls word for every longest run of characters of a set, until it says that it has seen enough.
func words(text []byte, set *[256]bool, word func(w []byte) (enough bool)) bool {
	for at := 0; at < len(text); at++ {
		if !set[text[at]] {
			continue
		}
		from := at
		for at < len(text) && set[text[at]] {
			at++
		}
		if word(text[from:at]) {
			return true
		}
	}
	return false
}

func setOf(chars string) *[256]bool {
	set := &[256]bool{}
	for _, c := range []byte(chars) {
		set[c] = true
	}
	return set
}

func alphanumeric(c byte) bool { return alphanumerics[c] }

var (
	alphanumerics = setOf(base62)
	base64Signs   = setOf(base62 + "+/=")
)

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// crc proves the tokens of GitHub and npm: the last six characters are the CRC-32 of the thirty before in base 62.
func crc(m match) bool {
	token := m.secret()
	body := token[len(token)-36:]
	sum := crc32.ChecksumIEEE(body[:30])
	for i := 35; i >= 30; i-- {
		if body[i] != base62[sum%62] {
			return false
		}
		sum /= 62
	}
	return true
}

// random says whether a token looks drawn by lot, and not made up for a manual.
func random(s []byte) bool {
	var count [256]int
	for _, c := range s {
		count[c]++
	}
	bits := 0.0
	for _, n := range count {
		if n > 0 {
			p := float64(n) / float64(len(s))
			bits -= p * math.Log2(p)
		}
	}
	return bits >= 0.6*math.Log2(float64(min(len(s), 40))) && !placeholder(s)
}

// fillerWords stand in examples, in place of a secret.
var fillerWords = wordsOf(
	"example", "changeme", "change_me", "change-me", "change.me", "yourpass", "your_", "your-", "insert", "placeholder", "dummy", "sample", "replace", "xxxx", "****", "....", "foobar", "$(",
	"123456789abcdef", "abcdefghij", "deadbeef", "redacted", "notreal", "fake", "00000000",
)

// Placeholder says whether what stands in the place of a secret is there for an example.
func Placeholder(s string) bool { return placeholder([]byte(s)) }

func placeholder(s []byte) bool {
	if s[0] == '$' || s[0] == '%' {
		return true
	}
	var seen [256]bool
	distinct := 0
	for _, r := range string(s) { // two characters of several bytes are taken for the same when their last ones are
		if c := byte(unicode.ToLower(r)); !seen[c] {
			seen[c] = true
			distinct++
		}
	}
	return distinct <= 2 || seen['<'] || seen['{'] || fillerWords.in(s)
}

// aws wants the secret beside the id of the key: the id alone opens nothing.
func aws(m match) bool {
	if c := m.groups[1]; c < len(m.text) && ('A' <= m.text[c] && m.text[c] <= 'Z' || '0' <= m.text[c] && m.text[c] <= '9') || placeholder(m.secret()) {
		return false
	}
	return words(m.around(m.rule.Near, 2*m.rule.Near), base64Signs, func(w []byte) bool {
		w = w[bytes.LastIndexByte(w, '=')+1:] // in "KEY=secret" it is what is behind it; where it ends in one, it is some other base64
		return len(w) == 40 && mixed(w) && random(w)
	})
}

// mixed says whether there are letters of both cases, and others than those of hexadecimal digits.
func mixed(s []byte) bool {
	upper, lower, hex := false, false, true
	for _, c := range s {
		upper = upper || 'A' <= c && c <= 'Z'
		lower = lower || 'a' <= c && c <= 'z'
		hex = hex && isHex(c)
	}
	return upper && lower && !hex
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// openai wants the mark of these keys in the midst.
func openai(m match) bool {
	s := m.secret()
	at := bytes.Index(s, []byte("T3BlbkFJ"))
	return at >= len("sk-")+20 && len(s)-at >= len("T3BlbkFJ")+20 && m.ends() && random(s)
}

// jwt decodes the three parts (RFC 7519). The example that every manual shows is for John Doe.
func jwt(m match) bool {
	parts := bytes.Split(m.secret(), []byte("."))
	var head struct {
		Alg string `json:"alg"`
	}
	var claims map[string]any
	for i, into := range []any{&head, &claims} {
		b, err := base64.RawURLEncoding.AppendDecode(nil, parts[i])
		if err != nil || json.Unmarshal(b, into) != nil {
			return false
		}
	}
	signature, err := base64.RawURLEncoding.AppendDecode(nil, parts[2])
	return err == nil && len(signature) >= 20 && head.Alg != "" && len(claims) > 0 && claims["name"] != "John Doe" && claims["sub"] != "1234567890"
}

// keyOf says whether base64 holds a key of so many bytes.
func keyOf(s []byte, size int) bool {
	b, err := base64.StdEncoding.AppendDecode(nil, s)
	return err == nil && len(b) == size && random(s) && !strings.HasPrefix(string(s), "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6") // of the storage emulator, for all the same
}

// toy are passwords that stand in URLs of manuals and usage texts.
var toy = map[string]bool{
	"pass": true, "password": true, "passwd": true, "pwd": true, "pw": true, "secret": true, "passwort": true, "userpass": true, "mypassword": true, "mypass": true, "token": true,
}

// userinfo is a user name and a password before a host that is somebody's.
func userinfo(m match) bool {
	pass, user := m.secret(), m.group("user")
	if placeholder(pass) || toy[strings.ToLower(string(pass))] || len(user) > 2 && placeholder(user) || bytes.ContainsAny(pass, `<>[]{}|\`) {
		return false
	}
	return !exampleHost(string(m.group("host")))
}

// exampleHost knows the names that RFC 2606 sets aside for documentation, and what is no name of a host elsewhere.
func exampleHost(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if a, err := netip.ParseAddr(host); err == nil {
		return a.IsLoopback() || a.IsUnspecified() || netip.MustParsePrefix("192.0.2.0/24").Contains(a) ||
			netip.MustParsePrefix("198.51.100.0/24").Contains(a) || netip.MustParsePrefix("203.0.113.0/24").Contains(a)
	}
	dot := strings.LastIndexByte(host, '.')
	if dot < 0 {
		return true
	}
	switch host[dot+1:] {
	case "example", "invalid", "localhost":
		return true
	}
	second := host[strings.LastIndexByte(host[:dot], '.')+1 : dot]
	return second == "example" || second == "domain" || second == "yourdomain" || second == "mydomain" || second == "foo"
}

// twilio wants the token beside the number of the account.
func twilio(m match) bool {
	if !m.ends() || placeholder(m.secret()) {
		return false
	}
	return words(m.around(3*m.rule.Near, 3*m.rule.Near), alphanumerics, func(w []byte) bool {
		return len(w) == 32 && !bytes.ContainsFunc(w, func(r rune) bool { return !isHex(byte(r)) || 'A' <= r && r <= 'F' }) && random(w)
	})
}

// secretVariables are how names of variables with secrets end.
var secretVariables = endings{"pass", "passwd", "password", "psk", "secret", "token"}

// logging are words, with more than letters around them, that stand in lines that are printed while a device works; asking are parts of
// lines that write a configuration, ask, or complain.
var (
	logging = wordsOf("connecting", "connected", "logged in", "logging in", "got", "received", "using", "joining", "joined", "debug", "dbg", "trying", "authenticating", "authenticated")
	asking  = wordsOf("usage", "enter ", "invalid", "bad ", "wrong", "incorrect", "missing", "failed to", "cannot", "unable", "error", "expired")

	// espLog is how the log lines of ESP-IDF begin.
	espLog = regexp.MustCompile(`^(?:\x1b\[[0-9;]*m)?[EWIDV] \((?:%[a-z0-9]+|[0-9]+)\)`)
)

// logged tells a line that is printed while the device works from one that writes a configuration, asks, or complains.
func logged(m match) bool {
	line := m.secret()
	esp := len(line) > 4 && (line[0] == 0x1b || line[2] == '(') && espLog.Match(line)
	return (esp || logging.alone(line)) && !asking.in(line)
}

// logs tells a command of a script that writes a variable with a secret to the log or to the console.
func logs(m match) bool {
	line := m.secret()
	variable := bytes.IndexByte(line, '$')
	if begin, _ := m.place(); variable < 0 || !commandBehind(m.text[:begin]) {
		return false
	}
	logger := bytes.HasPrefix(line, []byte("logger "))
	for variable >= 0 {
		line = bytes.TrimPrefix(line[variable+1:], []byte("{"))
		end := 0
		for end < len(line) && inWord(line[end]) {
			end++
		}
		name := line[:end]
		line = line[end:]
		if secretVariables.ends(name) && (logger || toConsole(line)) {
			return true
		}
		variable = bytes.IndexByte(line, '$')
	}
	return false
}

// commandBehind says whether a command of a shell begins behind a text.
func commandBehind(text []byte) bool {
	text = bytes.TrimRight(text[max(0, len(text)-behind):], " \t")
	if len(text) == 0 || bytes.IndexByte([]byte("\n\x00;&|{)"), text[len(text)-1]) >= 0 {
		return true
	}
	for _, word := range []string{"then", "do", "else"} {
		if bytes.HasSuffix(text, []byte(word)) {
			return true
		}
	}
	return false
}

// toConsole says whether the rest of a command writes to where logs are seen.
func toConsole(rest []byte) bool {
	if end := bytes.IndexAny(rest, "|;"); end >= 0 {
		rest = rest[:end]
	}
	for {
		at := bytes.IndexByte(rest, '>')
		if at < 0 {
			return false
		}
		rest = bytes.TrimPrefix(bytes.TrimLeft(rest[at:], "> "), []byte("\""))
		for _, device := range []string{"/dev/console", "/dev/kmsg", "/dev/ttyS"} {
			if bytes.HasPrefix(rest, []byte(device)) {
				return true
			}
		}
	}
}
