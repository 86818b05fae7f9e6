package payload

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// FuzzCompile compiles anything, and holds what comes out of it against its encoding: JSON is JSON, and CBOR says the same.
func FuzzCompile(f *testing.F) {
	for _, text := range []string{
		text128, `{"a":[1,-2,3.5,1e3,true,null,"\u00e9{n:03}"],"{id}":{time}}`, `[{"bn":"urn:{n}:","bt":{time},"n":"t","v":{ramp:0.0:1.0:10s}},{"n":"d","vd":"AQI"}]`,
		`["{fill}","{id}",{x},"{x}",{random:-5:5}]`, "a/{id}/{tenant:04}/{child}", `{"c":"{canary}"}`, `["` + filling + filling + filling + filling + `{fill}"]`,
	} {
		f.Add(text, 200, "d\"\n1", "12", uint32(7))
	}
	f.Add(`["{fill}"]`, 27, "", "true", uint32(0))
	f.Fuzz(func(t *testing.T, text string, size int, id, given string, seq uint32) {
		if !utf8.ValidString(id) || !utf8.ValidString(given) {
			return
		}
		v := Vars{Class: "meter", ID: id, N: int(seq >> 4), Child: 2, Time: int64(seq) * 1_000_003, Seed: 3, Values: []string{given}, Stamp: Stamp{Source: 1, Seq: seq}}
		if t1, err := Compile(text, Bytes, size, "x"); err == nil {
			out := t1.Append([]byte("before"), &v)
			if string(out[:6]) != "before" || len(out) > 6+MaxSize+len(text)*(20+len(id)+len(given)) {
				t.Fatalf("%q became %d bytes", text, len(out))
			}
		}
		written, err := Compile(text, JSON, size, "x")
		if err != nil {
			return
		}
		out := written.Append(nil, &v)
		var want any
		if json.Unmarshal(out, &want) != nil {
			if json.Unmarshal([]byte(given), &want) == nil {
				t.Fatalf("%q became %q, which is not JSON", text, out)
			}
			return // the name stands where only a number can, and is none
		}
		binary, err := Compile(text, CBOR, size, "x")
		if err != nil {
			return
		}
		coded := binary.Append(nil, &v)
		got, rest, err := decodeCBOR(coded, 0)
		if err != nil || len(rest) > 0 {
			t.Fatalf("%q became %x: %v, and %d bytes behind it", text, coded, err, len(rest))
		}
		if size > 0 { // filled up to one length, they hold different fillings; a head that grows can leave two bytes free
			bare, err := Compile(strings.Replace(text, "{fill}", " ", 1), CBOR, 0, "x")
			if err != nil {
				t.Fatal(err)
			}
			if own := len(bare.Append(nil, &v)); written.size > 0 && (len(coded) > max(size, own) || len(coded) < size-2) {
				t.Fatalf("%d bytes of %d, with a blank to fill it %d", len(coded), size, own)
			}
			return
		}
		if diff := cmp.Diff(want, got); diff != "" && json.Unmarshal([]byte(given), new(any)) == nil {
			t.Fatalf("%q: CBOR says other things than JSON: %s", text, diff)
		}
	})
}

// decodeCBOR reads one item with what package payload writes, into what encoding/json gives for the same in JSON.
func decodeCBOR(b []byte, depth int) (value any, rest []byte, err error) {
	if len(b) == 0 || depth > maxDepth {
		return nil, nil, errors.New("ends too early, or is too deep")
	}
	first, b := b[0], b[1:]
	argument, size := uint64(first&31), 0
	if argument >= 24 {
		if argument > 27 {
			return nil, nil, errors.New("a length that is not written")
		}
		size = 1 << (argument - 24)
		if len(b) < size {
			return nil, nil, errors.New("ends in a head")
		}
		var word [8]byte
		copy(word[8-size:], b)
		argument = binary.BigEndian.Uint64(word[:])
		b = b[size:]
		if first>>5 != 7 && argument < []uint64{0, 24, 1 << 8, 0, 1 << 16, 0, 0, 0, 1 << 32}[size] {
			return nil, nil, errors.New("a head that could be shorter")
		}
	}
	switch first >> 5 {
	case 0:
		return float64(argument), b, nil
	case 1:
		return -1 - float64(argument), b, nil
	case 3:
		if uint64(len(b)) < argument || !utf8.Valid(b[:argument]) {
			return nil, nil, errors.New("text ends too early, or is not UTF-8")
		}
		return string(b[:argument]), b[argument:], nil
	case 4:
		list := []any{}
		for range argument {
			var item any
			if item, b, err = decodeCBOR(b, depth+1); err != nil {
				return nil, nil, err
			}
			list = append(list, item)
		}
		return list, b, nil
	case 5:
		object := map[string]any{}
		for range argument {
			var key, item any
			if key, b, err = decodeCBOR(b, depth+1); err != nil {
				return nil, nil, err
			}
			if item, b, err = decodeCBOR(b, depth+1); err != nil {
				return nil, nil, err
			}
			name, ok := key.(string)
			if !ok {
				return nil, nil, errors.New("a key that is not text")
			}
			object[name] = item
		}
		return object, b, nil
	}
	switch {
	case first == 0xf4 || first == 0xf5:
		return first == 0xf5, b, nil
	case first == 0xf6:
		return nil, b, nil
	case first == 0xfb:
		return math.Float64frombits(argument), b, nil
	}
	return nil, nil, errors.New("what is not written here")
}
