// Package assignments reads what the configuration files of devices set, line by line: KEY=value of shells and .ini files, "key: value" of
// YAML and JSON, "option key 'value'" of UCI, <key>value</key> of XML. It knows no single format to the end: what it does not understand
// it passes over.
package assignments

import (
	"bytes"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Assignment is one that is in force: not in a comment.
type Assignment struct {
	Key, Value string // without quotes
	Section    string // the last [section], network={ or config … before it
	Line       int    // from 1
}

const (
	largest = 1 << 20 // bytes of a configuration file
	most    = 5_000   // settings of a file
)

var extensions = []string{
	".conf", ".cfg", ".cnf", ".config", ".ini", ".env", ".properties", ".toml", ".yaml", ".yml", ".json", ".xml", ".nmconnection", ".rc", ".default", ".defaults", ".settings", ".netrc",
}

// documents are folders in which nothing is in force.
var documents = []string{"doc", "docs", "man", "examples", "example", "locale", "i18n", "lang", "languages", "translations", "licenses", "test", "tests", "node_modules", "terminfo", "zoneinfo", "pam.d"}

// File says whether a file of that path may hold settings.
func File(name string) bool {
	parts := strings.Split(strings.ToLower(name), "/")
	for _, p := range parts[:len(parts)-1] {
		if slices.Contains(documents, p) {
			return false
		}
	}
	base := parts[len(parts)-1]
	switch base {
	case "passwd", "shadow", "group", "nsswitch.conf", "services", "protocols", "package.json", "package-lock.json", "magic":
		return false
	}
	if language.MatchString(base) || strings.HasSuffix(base, ".schema.json") {
		return false
	}
	return slices.Contains(parts[:len(parts)-1], "etc") || slices.Contains(extensions, path.Ext(base)) || strings.HasPrefix(base, ".env")
}

// language is the name of a file with texts for people.
var language = regexp.MustCompile(`^[a-z]{2}([-_][a-z]{2})?\.(json|ya?ml|xml|properties|ini|lmo)$`)

var (
	assignment = regexp.MustCompile(`^(?:export\s+|local\s+|set\s+|static\s+|const\s+|var\s+|let\s+)?["']?([A-Za-z_$][\w.\-\[\]@]{0,63})["']?\s*(?:=|:=|:|=>)\s*(.*)$`)
	option     = regexp.MustCompile(`^(?:option|list)\s+["']?([\w.\-]{1,64})["']?\s+(.*)$`)
	element    = regexp.MustCompile(`^<([\w.:\-]{1,64})[^<>]*>([^<>]*)</[\w.:\-]{1,64}>`)
	named      = regexp.MustCompile(`^<(?:string|item|param|property|entry)\s+name="([\w.\-]{1,64})"[^<>]*?(?:value="([^"]*)"[^<>]*/>|>([^<>]*)<)`)
	section    = regexp.MustCompile(`^(?:\[([^\]]{1,80})\]|config\s+(.{1,80})|([\w.\-]{1,40})\s*=?\s*\{)\s*$`)
	words      = regexp.MustCompile(`^([A-Za-z][\w\-]{1,40})\s+(\S.*)$`)
)

// Parse reads a file of that path.
func Parse(name string, data []byte) (list []Assignment) {
	if len(data) > largest || !File(name) || bytes.IndexByte(data[:min(len(data), 1024)], 0) >= 0 {
		return nil
	}
	n, in, until := 0, "", ""
	for line := range bytes.Lines(data) {
		n++
		text := strings.TrimSpace(string(line))
		if until == "" {
			until = comment(text)
		}
		if until != "" { // in a comment of several lines, or in the last of them
			if strings.Contains(text, until) {
				until = ""
			}
			continue
		}
		if len(text) > 2000 || text == "" || strings.ContainsAny(text[:1], "#;*!") || strings.HasPrefix(text, "//") || strings.HasPrefix(text, "<!--") {
			continue
		}
		if m := section.FindStringSubmatch(text); m != nil {
			in = m[1] + m[2] + m[3]
			continue
		}
		key, value, ok := read(text)
		if ok && len(list) < most {
			list = append(list, Assignment{Key: key, Value: value, Section: in, Line: n})
		}
	}
	return list
}

// comment is what ends the comment that a line begins with; empty: it begins with none.
func comment(text string) string {
	switch {
	case strings.HasPrefix(text, "<!--"):
		return "-->"
	case strings.HasPrefix(text, "/*"):
		return "*/"
	}
	return ""
}

// read reads a line.
func read(text string) (key, value string, ok bool) {
	if m := option.FindStringSubmatch(text); m != nil {
		return m[1], bare(m[2]), true
	}
	if m := named.FindStringSubmatch(text); m != nil {
		return m[1], m[2] + m[3], true
	}
	if m := element.FindStringSubmatch(text); m != nil {
		return m[1], m[2], true
	}
	text = strings.TrimLeft(text, "{[- ")
	if m := assignment.FindStringSubmatch(text); m != nil {
		return m[1], bare(m[2]), true
	}
	if m := words.FindStringSubmatch(text); m != nil { // as in snmpd.conf
		return m[1], bare(m[2]), true
	}
	return "", "", false
}

// bare takes the quotes off a value, and what follows it.
func bare(v string) string {
	v = strings.TrimSpace(v)
	if v == "" {
		return ""
	}
	if q := v[0]; q == '"' || q == '\'' {
		if end := strings.IndexByte(v[1:], q); end >= 0 {
			return v[1 : 1+end]
		}
	}
	if at := strings.Index(v, " #"); at >= 0 {
		v = v[:at]
	}
	return strings.TrimRight(v, ",; \t}")
}
