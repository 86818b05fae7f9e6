package device

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"
)

// maxDepth is how deep the JSON of a command may be nested.
const maxDepth = 16

// decodeObject reads data as one JSON object, more strictly than encoding/json: no repeated keys, no ill-formed UTF-8, no number that
// a float64 cannot hold, no deep nesting, nothing behind it.
func decodeObject(data []byte) (map[string]any, error) {
	if !utf8.Valid(data) {
		return nil, errors.New("not UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	v, err := decodeValue(dec, 0)
	if err != nil {
		return nil, err
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errors.New("bytes follow the object")
	}
	object, ok := v.(map[string]any)
	if !ok {
		return nil, errors.New("not an object")
	}
	return object, nil
}

func decodeValue(dec *json.Decoder, depth int) (any, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("nested deeper than %d", maxDepth)
	}
	token, err := dec.Token()
	if err != nil {
		return nil, errors.New("bad JSON")
	}
	switch t := token.(type) {
	case json.Delim:
		if t == '{' {
			return decodeFields(dec, depth)
		}
		return decodeList(dec, depth)
	case json.Number:
		f, err := strconv.ParseFloat(t.String(), 64)
		if err != nil {
			return nil, errors.New("number out of range")
		}
		return f, nil
	}
	return token, nil
}

func decodeFields(dec *json.Decoder, depth int) (any, error) {
	fields := map[string]any{}
	for dec.More() {
		token, err := dec.Token()
		name, ok := token.(string)
		if err != nil || !ok {
			return nil, errors.New("bad JSON")
		}
		if _, twice := fields[name]; twice {
			return nil, errors.New("repeated key")
		}
		if fields[name], err = decodeValue(dec, depth+1); err != nil {
			return nil, err
		}
	}
	if _, err := dec.Token(); err != nil {
		return nil, errors.New("bad JSON")
	}
	return fields, nil
}

func decodeList(dec *json.Decoder, depth int) (any, error) {
	var list []any
	for dec.More() {
		v, err := decodeValue(dec, depth+1)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	if _, err := dec.Token(); err != nil {
		return nil, errors.New("bad JSON")
	}
	return list, nil
}
