// Package request finds in the pages and programs of a web server where what a visitor sends becomes part of a command. It follows a
// value from where it is read to where it is run, within one file and over one variable, and knows what makes it harmless. What it
// reports stands so in the file; what takes other ways it does not see.
package request

import (
	"bytes"
	"path"
	"regexp"
	"strings"
)

// Flow is where input reaches a command.
type Flow struct {
	Line  int    // of the command, from 1
	Text  string // of that line, 200 bytes at most
	Input string // what the visitor gives: "$_GET"
}

// language says how one reads input, runs commands and makes input harmless.
type language struct {
	input    *regexp.Regexp // reads what a visitor sends
	assign   *regexp.Regexp // a variable becomes what follows
	command  *regexp.Regexp // begins a call that runs a command; what follows is its argument
	harmless *regexp.Regexp // makes it harmless, or is a comparison
	comment  string
	variable func(name string) *regexp.Regexp
}

var languages = map[string]*language{
	"php": {
		input:    regexp.MustCompile(`\$_(?:GET|POST|REQUEST|COOKIE)\b`),
		assign:   regexp.MustCompile(`^\s*\$(\w+)\s*\.?=[^=]`),
		command:  regexp.MustCompile("(?:^|[^\\w>:$])(?:system|exec|shell_exec|passthru|popen|proc_open)\\s*\\(|=\\s*`"),
		harmless: regexp.MustCompile(`escapeshell(?:arg|cmd)|intval|\(int\)|preg_match|preg_replace|filter_var|ctype_|in_array|basename|is_numeric|hexdec|floatval|md5|sha1|base64_encode|count\(|isset\(\s*\$_`),
		comment:  "//",
		variable: func(name string) *regexp.Regexp { return regexp.MustCompile(`\$\{?` + regexp.QuoteMeta(name) + `\b`) },
	},
	"lua": {
		input:    regexp.MustCompile(`(?:luci\.)?http\.formvalue\w*\s*\(`),
		assign:   regexp.MustCompile(`^\s*(?:local\s+)?(\w+)\s*=[^=]`),
		command:  regexp.MustCompile(`(?:os\.execute|io\.popen|(?:luci\.)?sys\.(?:call|exec|execi|process\.exec)|luci\.util\.exec|util\.exec)\s*\(`),
		harmless: regexp.MustCompile(`shellquote|shellsqescape|tonumber|:match\(|:gsub\(|shell_quote|validate|ip\.\w+\(|format\("%d`),
		comment:  "--",
		variable: func(name string) *regexp.Regexp {
			return regexp.MustCompile(`(?:\.\.\s*|[,(]\s*)` + regexp.QuoteMeta(name) + `\s*(?:\.\.|[),])`)
		},
	},
	"sh": {
		input:    regexp.MustCompile(`\$\{?QUERY_STRING\b|\$\{?FORM_\w+|\$\{?HTTP_(?:COOKIE|USER_AGENT|REFERER)\b`),
		assign:   regexp.MustCompile(`^\s*(?:export\s+)?(\w+)=`),
		command:  regexp.MustCompile("(?:^|[;&|(`]|\\bthen|\\bdo)\\s*(?:eval|(?:/bin/)?(?:ba)?sh\\s+-c)\\s"),
		harmless: regexp.MustCompile(`tr\s+-cd|grep\s+-[a-zA-Z]*o|printf\s+['"]?%d|sed[^|;]*\[\^`),
		comment:  "#",
		variable: func(name string) *regexp.Regexp { return regexp.MustCompile(`\$\{?` + regexp.QuoteMeta(name) + `\b`) },
	},
}

const (
	maxFile  = 512 << 10 // bytes
	maxLines = 20_000
	maxFlows = 50
	maxText  = 200
)

// Served reports whether a file is one of a web server that this package reads, and in which language.
func Served(name string, data []byte) (lang string, ok bool) {
	switch path.Ext(name) {
	case ".php", ".php3", ".phtml":
		return "php", true
	case ".lua":
		return "lua", true
	}
	first, _, _ := bytes.Cut(data[:min(len(data), 128)], []byte("\n"))
	if !bytes.HasPrefix(first, []byte("#!")) {
		return "", false
	}
	switch {
	case bytes.Contains(first, []byte("php")):
		return "php", true
	case bytes.Contains(first, []byte("lua")):
		return "lua", true
	case bytes.HasSuffix(bytes.TrimSpace(first), []byte("sh")) && (strings.Contains(name, "cgi") || strings.Contains(name, "www")):
		return "sh", true
	}
	return "", false
}

// Flows lists where input reaches a command in a file.
func Flows(name string, data []byte) (flows []Flow) {
	lang, ok := Served(name, data)
	if !ok || len(data) > maxFile || bytes.IndexByte(data, 0) >= 0 {
		return nil
	}
	l := languages[lang]
	tainted := map[string]string{} // by variable: the input that it holds
	pattern := map[string]*regexp.Regexp{}
	n, block := 0, false
	for line := range strings.Lines(string(data)) {
		if n++; n > maxLines || len(flows) == maxFlows {
			break
		}
		if len(line) > 4096 {
			continue
		}
		line = l.code(line, &block)
		if line == "" {
			continue
		}
		if at := l.command.FindStringIndex(line); at != nil {
			argument := line[at[1]:]
			if !l.harmless.MatchString(argument) {
				if input := l.input.FindString(argument); input != "" {
					flows = append(flows, Flow{n, short(line), strings.TrimRight(input, "( ")})
				} else {
					for variable, from := range tainted {
						if pattern[variable].MatchString(argument) {
							flows = append(flows, Flow{n, short(line), from})
							break
						}
					}
				}
			}
		}
		l.follow(line, tainted, pattern)
	}
	return flows
}

// follow notes which variables hold input behind a line. One that is looked at in between is taken to be checked there.
func (l *language) follow(line string, tainted map[string]string, pattern map[string]*regexp.Regexp) {
	input := l.input.FindString(line)
	m := l.assign.FindStringSubmatch(line)
	safe := l.harmless.MatchString(line)
	for variable := range tainted {
		if safe && pattern[variable].MatchString(line) || m != nil && m[1] == variable && input == "" {
			delete(tainted, variable)
		}
	}
	if m != nil && input != "" && !safe && len(tainted) < 100 {
		tainted[m[1]] = strings.TrimRight(input, "( ")
		pattern[m[1]] = l.variable(m[1])
	}
}

// code is a line without comments.
func (l *language) code(line string, block *bool) string {
	line = strings.TrimSpace(line)
	if *block {
		_, rest, closed := strings.Cut(line, "*/")
		*block = !closed
		line = strings.TrimSpace(rest)
	}
	if l.comment == "//" && strings.HasPrefix(line, "/*") {
		_, rest, closed := strings.Cut(line, "*/")
		*block = !closed
		line = strings.TrimSpace(rest)
	}
	if strings.HasPrefix(line, l.comment) || l.comment == "//" && strings.HasPrefix(line, "#") {
		return ""
	}
	return line
}

func short(text string) string {
	if len(text) > maxText {
		return strings.ToValidUTF8(text[:maxText], "") + "…"
	}
	return text
}
