package payload

import (
	"errors"
	"fmt"
	"strings"
)

// senmlLabels are the numbers that keys have in CBOR: RFC 8428 section 6, table 4.
var senmlLabels = map[string]int64{
	"bver": -1, "bn": -2, "bt": -3, "bu": -4, "bv": -5, "bs": -6, "n": 0, "u": 1, "v": 2, "vs": 3, "vb": 4, "s": 5, "t": 6, "ut": 7, "vd": 8,
}

// senmlTexts are the keys of a record whose values are texts; those of vb are true or false, of others that are known numbers.
var senmlTexts = map[string]bool{"bn": true, "bu": true, "n": true, "u": true, "vs": true, "vd": true}

// checkSenML holds a pack against RFC 8428 section 4.
func checkSenML(pack value) error {
	if pack.kind != '[' || len(pack.items) == 0 {
		return errors.New(`SenML is a list of records, such as [{"n":"temperature","v":21.5}]`)
	}
	base := "" // name that goes before those of the records from there on
	for i, record := range pack.items {
		if record.kind != '{' {
			return fmt.Errorf("SenML: record %d is not an object", i+1)
		}
		values, sums, name := 0, 0, ""
		for j, key := range record.keys {
			key, item := keyText(key.pieces), record.items[j]
			if err := checkField(key, item); err != nil {
				return fmt.Errorf("SenML: record %d: %w", i+1, err)
			}
			switch key {
			case "v", "vs", "vb", "vd":
				values++
			case "s":
				sums++
			case "bn":
				base = sampleText(item.pieces)
			case "n":
				name = sampleText(item.pieces)
			}
		}
		switch name = base + name; {
		case values > 1:
			return fmt.Errorf("SenML: record %d has %d values: v, vs, vb or vd can be in it", i+1, values)
		case values+sums > 0 && name == "":
			return fmt.Errorf("SenML: record %d has no name: write n, or bn in an earlier one", i+1)
		case name != "" && !senmlName(name):
			return fmt.Errorf("SenML: the name %.60q of record %d: letters, digits and - : . / _ can be in it, beginning with a letter or digit", name, i+1)
		}
	}
	return nil
}

func checkField(key string, v value) error {
	_, known := senmlLabels[key]
	switch {
	case !known && strings.HasSuffix(key, "_"):
		return fmt.Errorf("a key %.30q: what ends in _ must be understood, and none is known", key)
	case !known || v.kind == 'w' && !senmlTexts[key] && key != "vb":
		return nil
	case senmlTexts[key] && v.kind != '"':
		return fmt.Errorf("%s is text: put it in quotes", key)
	case key == "vb" && v.kind != 't' && v.kind != 'f':
		return errors.New("vb is true or false")
	case key != "vb" && !senmlTexts[key] && v.kind != '0':
		return fmt.Errorf("%s is a number", key)
	}
	return nil
}

// sampleText is a text in which a letter stands for each word.
func sampleText(pieces []piece) string {
	var b strings.Builder
	for _, p := range pieces {
		if b.WriteString(p.text); p.word != nil {
			b.WriteByte('x')
		}
	}
	return b.String()
}

// senmlName holds a name against RFC 8428 section 4.5.1.
func senmlName(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9'
		if !letter && (i == 0 || strings.IndexByte("-:./_", c) < 0) {
			return false
		}
	}
	return true
}
