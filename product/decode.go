package product

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// field is a struct field as its yaml tag describes it.
type field struct {
	key      string
	required bool // no omitempty
	percent  bool // a float that is written as a percentage or a fraction
	named    bool // a list that is written as a mapping; the key goes into the field Name
	index    []int
	owner    string // the type that has the field
}

// fields lists the fields of a struct type that stand in the file. Those of an inline struct stand among the others.
func fields(t reflect.Type) []field {
	var out []field
	for i := range t.NumField() {
		tag, ok := t.Field(i).Tag.Lookup("yaml")
		if !ok || tag == "-" {
			continue
		}
		key, options, _ := strings.Cut(tag, ",")
		if options == "inline" {
			for _, f := range fields(t.Field(i).Type) {
				f.index = append([]int{i}, f.index...)
				out = append(out, f)
			}
			continue
		}
		out = append(out, field{
			key:      key,
			required: !strings.Contains(options, "omitempty"),
			percent:  strings.Contains(options, "percent"),
			named:    strings.Contains(options, "named"),
			index:    []int{i},
			owner:    t.Name(),
		})
	}
	return out
}

// structure fills a struct from a mapping. what names it in messages.
func (l *loader) structure(n *node, v reflect.Value, path, what string) {
	if n.kind != mappingKind {
		l.wrong(n, path, "a mapping")
		return
	}
	known := fields(v.Type())
	names := make([]string, len(known))
	for i, f := range known {
		names[i] = f.key
	}
	for i, key := range n.keys {
		at := -1
		for j, f := range known {
			if f.key == key.text {
				at = j
			}
		}
		if at < 0 {
			l.add(key.line, key.column, fmt.Sprintf("unknown key %s in %s", short(key.text), what), DidYouMean(key.text, names))
			if meant := nearest(key.text, names); meant != "" {
				l.refused[join(path, meant)] = true
			}
			continue
		}
		f := known[at]
		l.value(n.values[i], key, v.FieldByIndex(f.index), f, join(path, f.key))
	}
	for _, f := range known {
		if f.required && n.value(f.key) == nil && !l.refused[join(path, f.key)] {
			l.missing(n, path, f.key, what)
		}
	}
}

func (l *loader) missing(n *node, path, key, what string) {
	text, hint := fmt.Sprintf("%s has no %s", what, key), "add "+key+": …"
	if l.has(path) {
		l.fault(path, text, hint)
		return
	}
	l.add(n.line, n.column, text, hint)
}

// value fills one value of any type from a node and remembers where it stands.
func (l *loader) value(n, key *node, v reflect.Value, f field, path string) {
	at := place{n.line, n.column}
	if key != nil && (n.kind == mappingKind || n.kind == listKind || n.kind == nullKind) {
		at = place{key.line, key.column}
	}
	l.places[path] = at
	if n.kind == nullKind {
		l.fault(path, fmt.Sprintf("%s has no value", subject(path)), "write one, or delete it")
		l.refused[path] = true
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		l.structure(n, v.Elem(), path, describe(path, key))
	case reflect.Slice:
		if f.named {
			l.namedList(n, v, path)
		} else {
			l.list(n, v, path)
		}
	case reflect.Map:
		l.stringMap(n, v, path)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[Date]() {
			l.scalar(n, v, f, path)
			return
		}
		l.structure(n, v, path, describe(path, key))
	default:
		l.scalar(n, v, f, path)
	}
}

func (l *loader) list(n *node, v reflect.Value, path string) {
	if n.kind != listKind {
		l.wrong(n, path, "a list")
		return
	}
	if !l.fits(n, path) {
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.values), len(n.values)))
	for i, item := range n.values {
		l.value(item, nil, v.Index(i), field{}, join(path, strconv.Itoa(i)))
	}
}

func (l *loader) namedList(n *node, v reflect.Value, path string) {
	if n.kind != mappingKind {
		l.wrong(n, path, "a mapping from names to "+lastOf(path))
		return
	}
	if !l.fits(n, path) {
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.values), len(n.values)))
	for i, item := range n.values {
		name := n.keys[i]
		v.Index(i).FieldByName("Name").SetString(name.text)
		l.value(item, name, v.Index(i), field{required: true}, join(path, strconv.Itoa(i)))
	}
}

// fits bounds the lists of the product itself; those within parts are bounded by the size of the file.
func (l *loader) fits(n *node, path string) bool {
	if len(n.values) <= maxEntries || strings.Contains(strings.TrimPrefix(path, "fleet/"), "/") {
		return true
	}
	l.fault(path, fmt.Sprintf("%d %s; at most %d are read", len(n.values), lastOf(path), maxEntries), "describe what differs in several "+l.form.what+"s")
	return false
}

func (l *loader) stringMap(n *node, v reflect.Value, path string) {
	if n.kind != mappingKind {
		l.wrong(n, path, "a mapping from names to text")
		return
	}
	v.Set(reflect.MakeMapWithSize(v.Type(), len(n.values)))
	for i, item := range n.values {
		one := reflect.New(v.Type().Elem()).Elem()
		l.value(item, n.keys[i], one, field{}, join(path, n.keys[i].text))
		v.SetMapIndex(reflect.ValueOf(n.keys[i].text), one)
	}
}

// wrong notes that another type is wanted.
func (l *loader) wrong(n *node, path, want string) {
	l.refused[path] = true
	found := string(n.kind)
	if n.text != "" {
		found = short(n.text)
	}
	l.add(n.line, n.column, fmt.Sprintf("%s wants %s, found %s", subject(path), want, found), example(want))
}

func example(want string) string {
	switch want {
	case "a list":
		return "write [one, two], or one item per line after a dash"
	case "text":
		return "put it in quotes if it is meant as text"
	}
	return ""
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "/" + key
}

// lastOf is the last key of a path.
func lastOf(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// subject names a value for a message: its key, or "an item of" the list around it.
func subject(path string) string {
	if path == "" {
		return "the product file"
	}
	last := lastOf(path)
	if _, err := strconv.Atoi(last); err != nil {
		return last
	}
	return "an item of " + lastOf(strings.TrimSuffix(path, "/"+last))
}

// describe names a struct for a message: "part sensor", "class meter", "an item of links", "declared".
func describe(path string, key *node) string {
	if list, one := strings.CutSuffix(path, "/"+lastOf(path)); one && key != nil {
		switch strings.TrimPrefix(list, "fleet/") {
		case "parts":
			return "part " + key.text
		case "classes":
			return "class " + key.text
		}
	}
	return subject(path)
}
