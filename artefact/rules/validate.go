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
)

// match is what the pattern of a rule found.
type match struct {
	window []byte
	groups []int
	rule   *Rule
}

// validator says whether a match is what the rule is about.
type validator func(match) bool

var validators = map[string]validator{
	"crc":      crc,
	"random":   func(m match) bool { return m.ends() && random(m.secret()) },
	"aws":      aws,
	"jwt":      jwt,
	"key32":    func(m match) bool { return keyOf(m.secret(), 32) },
	"key64":    func(m match) bool { return keyOf(m.secret(), 64) },
	"userinfo": userinfo,
	"twilio":   twilio,
	"logged":   logged,
	"any":      func(match) bool { return true },
	"crypt":    func(m match) bool { return m.ends() && random(m.secret()[3:]) },
}

func (m match) group(name string) string {
	i := m.rule.re.SubexpIndex(name)
	if i < 0 || m.groups[2*i] < 0 {
		return ""
	}
	return string(m.window[m.groups[2*i]:m.groups[2*i+1]])
}

func (m match) secret() string {
	return string(m.window[m.groups[2*m.rule.secret]:m.groups[2*m.rule.secret+1]])
}

// ends says whether no letter or digit follows.
func (m match) ends() bool {
	end := m.groups[2*m.rule.secret+1]
	return end >= len(m.window) || !alphanumeric(m.window[end])
}

func alphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// crc proves the tokens of GitHub and npm: the last six characters are the CRC-32 of the thirty before in base 62.
func crc(m match) bool {
	token := m.secret()
	body := token[len(token)-36:]
	sum := crc32.ChecksumIEEE([]byte(body[:30]))
	want := make([]byte, 6)
	for i := 5; i >= 0; i-- {
		want[i] = base62[sum%62]
		sum /= 62
	}
	return body[30:] == string(want)
}

// random says whether a token looks drawn by lot, and not made up for a manual.
func random(s string) bool {
	if Placeholder(s) {
		return false
	}
	var count [256]int
	for _, c := range []byte(s) {
		count[c]++
	}
	bits := 0.0
	for _, n := range count {
		if n > 0 {
			p := float64(n) / float64(len(s))
			bits -= p * math.Log2(p)
		}
	}
	return bits >= 0.6*math.Log2(float64(min(len(s), 40)))
}

// fillers stand in examples, in place of a secret.
var fillers = []string{
	"example", "changeme", "change_me", "change-me", "change.me", "yourpass", "your_", "your-", "insert", "placeholder", "dummy", "sample", "replace", "xxxx", "****", "....", "foobar", "<", "{", "$(",
	"123456789abcdef", "abcdefghij", "deadbeef", "redacted", "notreal", "fake", "00000000",
}

// Placeholder says whether what stands in the place of a secret is there for an example.
func Placeholder(s string) bool {
	small := strings.ToLower(s)
	for _, f := range fillers {
		if strings.Contains(small, f) {
			return true
		}
	}
	distinct := map[rune]bool{}
	for _, r := range small {
		distinct[r] = true
	}
	return len(distinct) <= 2 || s[0] == '$' || s[0] == '%'
}

var awsSecret = regexp.MustCompile(`(?:^|[^A-Za-z0-9/+=])([A-Za-z0-9/+]{40})(?:[^A-Za-z0-9/+=]|$)`)

// aws wants the secret beside the id of the key: the id alone opens nothing.
func aws(m match) bool {
	if Placeholder(m.secret()) {
		return false
	}
	for _, s := range awsSecret.FindAllSubmatch(m.window, 8) {
		if v := string(s[1]); random(v) && !isHex(v) && strings.ContainsAny(v, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") && strings.ContainsAny(v, "abcdefghijklmnopqrstuvwxyz") {
			return true
		}
	}
	return false
}

func isHex(s string) bool { return strings.Trim(s, "0123456789abcdefABCDEF") == "" }

// jwt decodes the three parts (RFC 7519). The example that every manual shows is for John Doe.
func jwt(m match) bool {
	parts := strings.Split(m.secret(), ".")
	var head struct {
		Alg string `json:"alg"`
	}
	var claims map[string]any
	for i, into := range []any{&head, &claims} {
		b, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil || json.Unmarshal(b, into) != nil {
			return false
		}
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	return err == nil && len(signature) >= 20 && head.Alg != "" && len(claims) > 0 && claims["name"] != "John Doe" && claims["sub"] != "1234567890"
}

// keyOf says whether base64 holds a key of so many bytes.
func keyOf(s string, size int) bool {
	b, err := base64.StdEncoding.DecodeString(s)
	return err == nil && len(b) == size && random(s) && !strings.HasPrefix(s, "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6") // of the storage emulator, for all the same
}

// toy are passwords that stand in URLs of manuals and usage texts.
var toy = map[string]bool{
	"pass": true, "password": true, "passwd": true, "pwd": true, "pw": true, "secret": true, "passwort": true, "userpass": true, "mypassword": true, "mypass": true, "token": true,
}

// userinfo is a user name and a password before a host that is somebody's.
func userinfo(m match) bool {
	pass, host := m.secret(), m.group("host")
	if Placeholder(pass) || toy[strings.ToLower(pass)] || len(m.group("user")) > 2 && Placeholder(m.group("user")) || strings.ContainsAny(pass, `<>[]{}|\`) {
		return false
	}
	return !exampleHost(host)
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

var twilioToken = regexp.MustCompile(`(?:^|[^0-9a-zA-Z])([0-9a-f]{32})(?:[^0-9a-zA-Z]|$)`)

// twilio wants the token beside the number of the account.
func twilio(m match) bool {
	if Placeholder(m.secret()) {
		return false
	}
	t := twilioToken.FindSubmatch(bytes.ReplaceAll(m.window, []byte(m.secret()), nil))
	return t != nil && random(string(t[1]))
}

var (
	logLine = regexp.MustCompile(`^(?:\x1b\[[0-9;]*m)?[EWIDV] \((?:%[a-z0-9]+|[0-9]+)\)|(?i)\b(?:connect(?:ing|ed)|logged in|logging in|got|received|using|joining|joined|debug|dbg|trying|authenticat(?:ing|ed))\b`)
	prompt  = regexp.MustCompile(`(?i)usage|enter |invalid|bad |wrong|incorrect|missing|failed to|cannot|unable|error|expired`)
)

// logged tells a line that is printed while the device works from one that writes a configuration, asks, or complains.
func logged(m match) bool {
	return logLine.MatchString(m.secret()) && !prompt.MatchString(m.secret())
}
