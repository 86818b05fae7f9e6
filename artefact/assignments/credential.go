package assignments

import (
	"regexp"
	"strings"

	"github.com/shakedown-test/shakedown/artefact/rules"
)

var (
	camel = regexp.MustCompile(`([a-z0-9])([A-Z])`)
	ends  = regexp.MustCompile(`(?:^|_)(?:pass|pwd|psk|secret|apikey|api_key|auth_?token|access_?token|private_?key|client_?secret|secret_?key|shared_?key|(?:mqtt|ftp|db|wifi|wlan|user|admin|root|smtp)pass|[a-z]*(?:password|passwd|passphrase|passwort))$`)
	// about are keys that speak of passwords and hold none.
	about = regexp.MustCompile(`(?:^|_)(?:min|max|len|length|file|path|auth|change|prompt|policy|type|hash|command|cmd|expire|expiry|enable|require|required|allow|use|show|permit|no|empty|get|set|has|is|reset|forgot|label|title|hint|text|msg|error|by)_?(?:pass|passwd|password|pwd|secret|passphrase|psk)$`)
	hash  = regexp.MustCompile(`^(?:\$(?:1|2[aby]|5|6|y|7|apr1|sha1)\$|\{[A-Z0-9-]+\}|[0-9a-fA-F]{32}$|[0-9a-fA-F]{40}$|[0-9a-fA-F]{64}$)`)
)

// flags stand where a program wants to know whether, or how, there is a password.
var flags = map[string]bool{
	"true": true, "false": true, "yes": true, "no": true, "on": true, "off": true, "none": true, "null": true, "nil": true, "0": true, "1": true, "ask": true, "prompt": true,
	"required": true, "requisite": true, "sufficient": true, "optional": true, "include": true, "string": true, "text": true, "password": true, "boolean": true, "bool": true, "enabled": true, "disabled": true,
	"undefined": true, "files": true, "compat": true, "*": true, "x": true, "!": true, "db": true, "any": true, "default": true, "auto": true, "passwd": true, "pass": true, "md5": true, "sha1": true, "sha256": true, "sha512": true, "yescrypt": true,
	"char": true, "int": true, "str": true, "readline": true, "input": true, "hidden": true, "pass:insta": true, // of the example in every openssl.cnf
	"psk": true, "wpa-psk": true, "wpa_psk": true,
}

// Secret says whether the setting is a password, or something of the kind, in plain text.
func (s Assignment) Secret() bool {
	return Credential(s.Key) && Plain(s.Value)
}

// Credential says whether a key is that of a password, or of something of the kind.
func Credential(key string) bool {
	if at := strings.LastIndexByte(key, '.'); at >= 0 {
		key = key[at+1:]
	}
	key = strings.ToLower(strings.ReplaceAll(camel.ReplaceAllString(key, "${1}_$2"), "-", "_"))
	return ends.MatchString(key) && !about.MatchString(key)
}

// Plain says whether a value is a password itself, not where it comes from, its hash, or what stands there in an example.
func Plain(v string) bool {
	small := strings.ToLower(strings.TrimSpace(v))
	switch {
	case len(v) < 3 || len(v) > 128 || flags[small]:
		return false
	case strings.ContainsAny(v, "$`(){}<>%|&;\\ \t") || v[0] == '/' || v[0] == '@' || v[0] == '.' || strings.HasPrefix(small, "file:") || strings.Contains(v, "://"):
		return false
	case hash.MatchString(v):
		return false
	case small == "changeme" || small == "change-me" || small == "example": // in force, they are passwords, and well known
		return true
	}
	return !rules.Placeholder(v) || digits(v)
}

func digits(v string) bool { return strings.Trim(v, "0123456789") == "" }
