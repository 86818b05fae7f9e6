package mqtt

import (
	"strings"
	"unicode/utf8"
)

// sharePrefix starts the filter of a shared subscription (MQTT 5.0 section 4.8.2).
const sharePrefix = "$share/"

// ValidTopic returns an *Error when s cannot be a topic name: empty, longer than 65,535 bytes, with a wildcard, with U+0000, not UTF-8.
func ValidTopic(s string) error {
	e := textFault(s, V5)
	if e == nil {
		e = topicFault(s, "MQTT-3.3.2-2")
	}
	if e == nil {
		return nil
	}
	return e.named("topic name", 0)
}

// ValidFilter returns an *Error when s cannot be a topic filter in version v (section 4.7). In 5.0 that includes the syntax of
// shared subscriptions; in 3.1.1 "$share/..." is a filter like any other.
func ValidFilter(s string, v Version) error {
	e := textFault(s, v)
	if e == nil {
		e = filterFault(s, v)
	}
	if e == nil {
		return nil
	}
	return e.named("topic filter", 0)
}

// Match reports whether topic matches filter (section 4.7). The filter is that after SplitShare. A filter that starts with a wildcard
// does not match a topic that starts with "$" [MQTT-4.7.2-1]; "a/#" matches "a" too.
func Match(filter, topic string) bool {
	if filter == "" || topic == "" {
		return false
	}
	if topic[0] == '$' && (filter[0] == '#' || filter[0] == '+') {
		return false
	}
	for {
		want, filterRest, filterMore := strings.Cut(filter, "/")
		if want == "#" {
			return !filterMore
		}
		level, topicRest, topicMore := strings.Cut(topic, "/")
		if want != "+" && want != level {
			return false
		}
		if !topicMore {
			return !filterMore || filterRest == "#"
		}
		if !filterMore {
			return false
		}
		filter, topic = filterRest, topicRest
	}
}

// SplitShare takes "$share/group/rest" apart (MQTT 5.0 section 4.8.2). For any other filter ok is false and rest is the filter.
func SplitShare(filter string) (group, rest string, ok bool) {
	after, found := strings.CutPrefix(filter, sharePrefix)
	if !found {
		return "", filter, false
	}
	group, rest, ok = strings.Cut(after, "/")
	if !ok || group == "" || rest == "" {
		return "", filter, false
	}
	return group, rest, true
}

// textFault finds what section 1.5.3 (3.1.1) or 1.5.4 (5.0) forbids in a UTF-8 string. The Reason is a predicate.
func textFault(s string, v Version) *Error {
	illFormed, null := "MQTT-1.5.3-1", "MQTT-1.5.3-2"
	if v == V5 {
		illFormed, null = "MQTT-1.5.4-1", "MQTT-1.5.4-2"
	}
	if len(s) > maxText {
		return &Error{Offset: maxText, Reason: "is longer than 65535 bytes", Statement: "MQTT-4.7.3-3", Code: codeMalformed}
	}
	for i, r := range s {
		if r == 0 {
			return &Error{Offset: i, Reason: "holds U+0000", Statement: null, Code: codeMalformed}
		}
		if r == utf8.RuneError {
			if _, n := utf8.DecodeRuneInString(s[i:]); n == 1 {
				return &Error{Offset: i, Reason: "holds ill-formed UTF-8", Statement: illFormed, Code: codeMalformed}
			}
		}
	}
	return nil
}

// topicFault finds what a topic name must not be beside bad text; wildcard is the statement that forbids wildcards there.
func topicFault(s, wildcard string) *Error {
	if s == "" {
		return &Error{Reason: "is empty", Statement: "MQTT-4.7.3-1", Code: codeMalformed}
	}
	if i := strings.IndexAny(s, "+#"); i >= 0 {
		return &Error{Offset: i, Reason: "holds a wildcard", Statement: wildcard, Code: codeMalformed}
	}
	return nil
}

// filterFault finds wrong syntax in a topic filter.
func filterFault(s string, v Version) *Error {
	if s == "" {
		return &Error{Reason: "is empty", Statement: "MQTT-4.7.3-1", Code: codeMalformed}
	}
	if v == V5 && strings.HasPrefix(s, sharePrefix) {
		return shareFault(s)
	}
	return wildcardFault(s, 0, v)
}

// shareFault finds wrong syntax in a filter that starts with "$share/".
func shareFault(s string) *Error {
	group, rest, ok := strings.Cut(s[len(sharePrefix):], "/")
	at := len(sharePrefix)
	if group == "" {
		return &Error{Offset: at, Reason: "has an empty share name", Statement: "MQTT-4.8.2-1", Code: codeMalformed}
	}
	if i := strings.IndexAny(group, "+#"); i >= 0 {
		return &Error{Offset: at + i, Reason: "has a wildcard in its share name", Statement: "MQTT-4.8.2-2", Code: codeMalformed}
	}
	if !ok || rest == "" {
		return &Error{Offset: len(s), Reason: "has nothing after its share name", Statement: "MQTT-4.8.2-2", Code: codeMalformed}
	}
	return wildcardFault(rest, len(s)-len(rest), V5)
}

// wildcardFault finds a wildcard that does not fill its level, or a '#' that is not last. Base is the offset of s in the filter.
func wildcardFault(s string, base int, v Version) *Error {
	multi, single := "MQTT-4.7.1-2", "MQTT-4.7.1-3"
	if v == V5 {
		multi, single = "MQTT-4.7.1-1", "MQTT-4.7.1-2"
	}
	for i := range len(s) {
		if s[i] != '+' && s[i] != '#' {
			continue
		}
		alone := (i == 0 || s[i-1] == '/') && (i == len(s)-1 || s[i+1] == '/')
		switch {
		case s[i] == '#' && (!alone || i != len(s)-1):
			return &Error{Offset: base + i, Reason: "has a # that is not a last level of its own", Statement: multi, Code: codeMalformed}
		case s[i] == '+' && !alone:
			return &Error{Offset: base + i, Reason: "has a + that does not fill its level", Statement: single, Code: codeMalformed}
		}
	}
	return nil
}
