package product

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Placeholders lists what may stand in braces in Part.Command and Part.Env, beside variant.NAME for what Variant.Set names.
// It is sorted.
var Placeholders = []string{
	"api.port", "broker.host", "broker.name", "broker.port", "broker.transport", "ca.file", "client.cert", "client.key", "clients.ca",
	"coap.host", "coap.name", "coap.port", "device.id", "listen.port", "proxy.url", "psk.identity", "psk.key", "server.cert",
	"server.key", "state.dir", "web.host", "web.name", "web.port", "web.token", "web.url",
}

// Expand replaces {name} by values[name]. Only what looks like a name counts: letters, digits, dots, dashes and underscores,
// beginning with a letter. So JSON and shell text may stand as they are, and the only way to write a literal "{word}" is as the
// value of a placeholder: values are not expanded again. A name that values lacks is an error, and so is a name whose brace is
// not closed, where the text ends or the name is a known one.
func Expand(s string, values map[string]string) (string, error) {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(s, "{")
		b.WriteString(before)
		if !found {
			return b.String(), nil
		}
		name, after := placeholderName(rest)
		value, known := values[name]
		switch {
		case name == "":
			b.WriteByte('{')
		case !strings.HasPrefix(after, "}"):
			if known || after == "" {
				return "", &placeholderError{name: name, unclosed: true}
			}
			b.WriteByte('{')
			after = rest
		case !known:
			return "", &placeholderError{name: name, valid: slices.Sorted(maps.Keys(values))}
		default:
			b.WriteString(value)
			after = after[1:]
		}
		s = after
	}
}

// placeholderName splits off the name with which the text after a brace begins.
func placeholderName(s string) (name, after string) {
	n := 0
	for n < len(s) {
		c := s[n]
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && (n == 0 || !strings.ContainsRune("0123456789._-", rune(c))) {
			break
		}
		n++
	}
	return s[:n], s[n:]
}

type placeholderError struct {
	name     string
	unclosed bool
	why      string // what its arguments should be, if they are wrong
	valid    []string
}

func (e *placeholderError) Error() string {
	if e.unclosed {
		return fmt.Sprintf("the brace of {%s is not closed", e.name)
	}
	if e.why != "" {
		return fmt.Sprintf("{%s} is not written as it should be", e.name)
	}
	return fmt.Sprintf("unknown placeholder {%s}", e.name)
}

func (e *placeholderError) hint() string {
	if e.unclosed {
		return "write {" + e.name + "}"
	}
	if e.why != "" {
		return e.why
	}
	return DidYouMean(e.name, e.valid)
}

// Fill puts what is special to one command into its topic or payload: {id} is the device id, {n} the number and {token} the word.
// Every other brace stays, so that a payload can be JSON as it is.
func Fill(s, id string, n int, token string) string {
	return strings.NewReplacer("{id}", id, "{n}", strconv.Itoa(n), "{token}", token).Replace(s)
}

// FillPattern is Fill for an RE2 pattern: the id and the token match as they are, whatever signs they hold.
func FillPattern(s, id string, n int, token string) string {
	return Fill(s, regexp.QuoteMeta(id), n, regexp.QuoteMeta(token))
}
