package fault

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/testbed"
)

// bad is a payload that a device cannot use.
type bad struct {
	what    string
	payload []byte
	grade   check.Severity // of carrying it out; empty: that is in order, or cannot be seen
	command *testbed.Command
}

// badPayloads are made of a good one. Of a command in JSON they keep the token, so that carrying them out shows; of another they keep
// nothing.
func badPayloads(good []byte) []bad {
	deep := `{"x":` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000) + "}"
	all := []bad{
		{what: "an empty payload"},
		{what: "a payload nested 1,000 deep", payload: []byte(deep)},
		{what: "a payload of 256 zero bytes", payload: make([]byte, 256)},
	}
	object := bytes.TrimSpace(good)
	var fields map[string]any
	if json.Unmarshal(object, &fields) != nil || len(fields) == 0 {
		return append(all,
			bad{what: "truncated JSON", payload: []byte(`{"x":1,`)},
			bad{what: "a number of 1e400", payload: []byte(`{"x":1e400}`)},
			bad{what: "NaN for a number", payload: []byte(`{"x":NaN}`)},
			bad{what: "ill-formed UTF-8", payload: []byte("\xc3\x28\xff")},
			bad{what: "an emoji", payload: []byte("\U0001F321")},
		)
	}
	inner := string(object[1 : len(object)-1])
	all = append(all,
		bad{what: "truncated JSON", payload: object[:len(object)-1], grade: check.Blocker},
		bad{what: "repeated keys", payload: []byte("{" + inner + "," + inner + "}"), grade: check.Minor},
		bad{what: "ill-formed UTF-8", payload: []byte("{" + inner + ",\"x\":\"\xc3\x28\"}"), grade: check.Minor},
		bad{what: "an emoji in an unknown field", payload: []byte("{" + inner + ",\"x\":\"\U0001F321\"}")},
	)
	for _, n := range []struct{ what, number string }{
		{"a number of 1e400", "1e400"}, {"NaN for a number", "NaN"}, {"a text for a number", `"warm"`}, {"an object for a number", `{"x":1}`},
	} {
		if p, ok := renumbered(object, n.number); ok {
			all = append(all, bad{what: n.what, payload: p, grade: check.Major})
		}
	}
	return all
}

// renumbered is a JSON text with another word in place of each number, and whether it had any.
func renumbered(object []byte, word string) ([]byte, bool) {
	var out []byte
	found, inText := false, false
	for i := 0; i < len(object); i++ {
		c := object[i]
		switch {
		case inText && c == '\\' && i+1 < len(object):
			out = append(out, c, object[i+1])
			i++
			continue
		case c == '"':
			inText = !inText
		case !inText && (c == '-' || c >= '0' && c <= '9'):
			for i+1 < len(object) && bytes.IndexByte([]byte("0123456789+-.eE"), object[i+1]) >= 0 {
				i++
			}
			out = append(out, word...)
			found = true
			continue
		}
		out = append(out, c)
	}
	return out, found
}

// widened is a JSON object of size bytes that says the same as object, and whether object is one that is not larger.
func widened(object []byte, size int) ([]byte, bool) {
	object = bytes.TrimSpace(object)
	var fields map[string]any
	if len(object) > size || json.Unmarshal(object, &fields) != nil || fields == nil {
		return nil, false
	}
	out := append([]byte{'{'}, bytes.Repeat([]byte{' '}, size-len(object))...)
	return append(out, object[1:]...), true
}
