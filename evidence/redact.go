package evidence

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// Blank stands in evidence where a secret was.
const Blank = "[redacted]"

// named are the names of fields whose value is a secret.
const named = `(?:pass(?:word|wd|phrase)?|secret|token|api[_-]?key|psk|private[_-]?key|credential)s?`

// secrets are the shapes that are blanked in everything that is written. Each keeps what comes before the secret as group 1.
var secrets = []*regexp.Regexp{
	// Fields of JSON, YAML and the like; the optional backslash is for JSON within JSON. A quoted value may have blanks in it.
	regexp.MustCompile(`(?i)(` + named + `\\?["']?\s*[:=]\s*\\?")[^"\\]+`),
	regexp.MustCompile(`(?i)(` + named + `\\?["']?\s*[:=]\s*\\?["']?)[^"'\\\s,}&]{4,}`),
	regexp.MustCompile(`(?i)((?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{8,}`),
	regexp.MustCompile(`()\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*`),                        // a JWT
	regexp.MustCompile(`()-----BEGIN [A-Z ]*PRIVATE KEY-----(?s:.*?)(?:-----END [A-Z ]*PRIVATE KEY-----|$)`), // PEM, or what is left of it
	regexp.MustCompile(`(://[^/\s:@"]+:)[^/\s@"]+@`),                                                         // user info in a URL
}

// secretName is a key of decoded data whose whole value is a secret.
var secretName = regexp.MustCompile(`(?i)` + named + `$`)

// Redact blanks what looks like a secret in s: fields named like one, bearer tokens, JWTs, private keys, passwords in URLs.
func Redact(s string) string {
	if !suspicious(s) {
		return s
	}
	for _, re := range secrets {
		s = re.ReplaceAllString(s, "${1}"+Blank)
	}
	return s
}

// marks are in lower case; a text without any of them matches none of the secrets. Looking for them is what makes redaction cheap.
var marks = []string{"pass", "secret", "token", "api", "psk", "private", "credential", "bearer", "basic", "eyj", "://"}

// suspicious reports whether s has a mark, in whatever case.
func suspicious(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 && (strings.HasPrefix(s[i:], "ſ") || strings.HasPrefix(s[i:], "\u212a")) {
			return true // a regular expression takes the long s and the Kelvin sign for letters
		}
		switch s[i] | 0x20 { // lower case, where it is a letter; ':' stays itself
		case 'p', 's', 't', 'a', 'c', 'b', 'e', ':':
			for _, m := range marks {
				if len(s)-i >= len(m) && m[0] == s[i]|0x20 && strings.EqualFold(s[i:i+len(m)], m) {
					return true
				}
			}
		}
	}
	return false
}

// redacted is the event as it may be written. Its Data becomes plain JSON.
func (e Event) redacted() (Event, error) {
	text := Redact(e.Text)
	found := text != e.Text
	e.Text = text
	if e.Data != nil {
		data, hit, err := redactData(e.Data)
		if err != nil {
			return e, err
		}
		e.Data, found = data, found || hit
	}
	if raw, err := hex.DecodeString(e.Hex); found || err != nil || Redact(string(raw)) != string(raw) {
		e.Hex = "" // the same bytes once more
	}
	return e, nil
}

// redactData encodes v with the secrets in it blanked, and says whether there were any.
func redactData(v any) (data json.RawMessage, found bool, err error) {
	data, err = json.Marshal(v)
	if err != nil {
		return nil, false, fmt.Errorf("encode data: %w", err)
	}
	if !suspicious(string(data)) { // encoding changes none of the marks
		return data, false, nil
	}
	var tree any
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber() // numbers are written as they were
	if err := d.Decode(&tree); err != nil {
		return nil, false, fmt.Errorf("decode data: %w", err)
	}
	tree = redactTree(tree, &found)
	if !found {
		return data, false, nil
	}
	data, err = json.Marshal(tree)
	return data, true, err
}

// redactTree blanks strings that look like secrets and whatever stands under a secret's name, but for true, false and null, which
// tell that there is one.
func redactTree(v any, found *bool) any {
	switch v := v.(type) {
	case string:
		clean := Redact(v)
		*found = *found || clean != v
		return clean
	case []any:
		for i := range v {
			v[i] = redactTree(v[i], found)
		}
	case map[string]any:
		for key, value := range v {
			_, flag := value.(bool)
			if secretName.MatchString(key) && !flag && value != nil && value != "" {
				v[key], *found = Blank, true
				continue
			}
			v[key] = redactTree(value, found)
		}
	}
	return v
}
