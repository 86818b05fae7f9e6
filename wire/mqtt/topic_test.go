package mqtt

import (
	"errors"
	"strings"
	"testing"
)

func TestMatch(t *testing.T) {
	for _, row := range []struct {
		filter, topic string
		want          bool
	}{
		{"a/b", "a/b", true},
		{"a/b", "a/B", false},
		{"a/b", "a/b/", false},
		{"a/b/", "a/b", false},
		{"a/#", "a", true},
		{"a/#", "a/", true},
		{"a/#", "a/b/c", true},
		{"a/#", "ab", false},
		{"#", "a/b", true},
		{"#", "/", true},
		{"+", "a", true},
		{"+", "a/b", false},
		{"+/+", "/a", true},
		{"/+", "/a", true},
		{"+", "/a", false},
		{"a/+", "a", false},
		{"a/+", "a/", true},
		{"a/+/c", "a/b/c", true},
		{"a/+/#", "a/b", true},
		{"a/+/#", "a", false},
		{"#", "$SYS/x", false},
		{"+/x", "$SYS/x", false},
		{"$SYS/#", "$SYS/x", true},
		{"$SYS/+", "$SYS/x", true},
		{"a/+", "a/$x", true},
		{"", "a", false},
		{"#", "", false},
	} {
		if got := Match(row.filter, row.topic); got != row.want {
			t.Errorf("Match(%q, %q) = %t, want %t", row.filter, row.topic, got, row.want)
		}
	}
}

func TestValidFilter(t *testing.T) {
	for _, row := range []struct {
		filter     string
		v311, v5   string // the statement broken, empty for none
		offset, o5 int
	}{
		{filter: "a/+/b/#"},
		{filter: "+"},
		{filter: "/"},
		{filter: "$share"},
		{filter: "$share/g/#"},
		{filter: "", v311: "MQTT-4.7.3-1", v5: "MQTT-4.7.3-1"},
		{filter: "a/#/b", v311: "MQTT-4.7.1-2", v5: "MQTT-4.7.1-1", offset: 2, o5: 2},
		{filter: "##", v311: "MQTT-4.7.1-2", v5: "MQTT-4.7.1-1"},
		{filter: "a/b+/c", v311: "MQTT-4.7.1-3", v5: "MQTT-4.7.1-2", offset: 3, o5: 3},
		{filter: "+a", v311: "MQTT-4.7.1-3", v5: "MQTT-4.7.1-2"},
		{filter: "a\x00", v311: "MQTT-1.5.3-2", v5: "MQTT-1.5.4-2", offset: 1, o5: 1},
		{filter: "$share/g", v5: "MQTT-4.8.2-2", o5: 8},
		{filter: "$share/g/", v5: "MQTT-4.8.2-2", o5: 9},
		{filter: "$share//a", v5: "MQTT-4.8.2-1", o5: 7},
		{filter: "$share/+/a", v5: "MQTT-4.8.2-2", o5: 7},
		{filter: "$share/g/a#", v311: "MQTT-4.7.1-2", v5: "MQTT-4.7.1-1", offset: 10, o5: 10},
		{filter: strings.Repeat("x", 65536), v311: "MQTT-4.7.3-3", v5: "MQTT-4.7.3-3", offset: 65535, o5: 65535},
	} {
		checkFault(t, row.filter, ValidFilter(row.filter, V311), row.v311, row.offset)
		checkFault(t, row.filter, ValidFilter(row.filter, V5), row.v5, row.o5)
	}
}

func TestValidTopic(t *testing.T) {
	for _, row := range []struct {
		topic, statement string
		offset           int
	}{
		{"a/b", "", 0},
		{"/", "", 0},
		{"\uFEFFa \uFFFD", "", 0}, // a byte order mark and U+FFFD are characters like any other
		{"", "MQTT-4.7.3-1", 0},
		{"a/+", "MQTT-3.3.2-2", 2},
		{"a\xed\xa0\x80", "MQTT-1.5.4-1", 1},
	} {
		checkFault(t, row.topic, ValidTopic(row.topic), row.statement, row.offset)
	}
}

func checkFault(t *testing.T, s string, err error, statement string, offset int) {
	t.Helper()
	var e *Error
	switch {
	case statement == "" && err != nil:
		t.Errorf("%.20q: %v, want no error", s, err)
	case statement != "" && !errors.As(err, &e):
		t.Errorf("%.20q: %v, want %s", s, err, statement)
	case statement != "" && (e.Statement != statement || e.Offset != offset):
		t.Errorf("%.20q: %v, want %s at byte %d", s, err, statement, offset)
	}
}

func TestSplitShare(t *testing.T) {
	for _, row := range []struct {
		filter, group, rest string
		ok                  bool
	}{
		{"$share/g/a/b", "g", "a/b", true},
		{"$share/g//a", "g", "/a", true},
		{"$share/g", "", "$share/g", false},
		{"$share//a", "", "$share//a", false},
		{"a/b", "", "a/b", false},
	} {
		group, rest, ok := SplitShare(row.filter)
		if group != row.group || rest != row.rest || ok != row.ok {
			t.Errorf("SplitShare(%q) = %q, %q, %t", row.filter, group, rest, ok)
		}
	}
}
