package tree

import (
	"fmt"
	"reflect"
	"strings"
)

const (
	nodeWeight  = 400  // bytes of memory that a node takes, with what it points at
	longestNote = 600  // bytes
	longestName = 4096 // bytes of a path, or of where a link leads
)

// room fails when no more can be told of.
func (e *explorer) room() error {
	if e.nodes >= e.limits.Nodes {
		return fmt.Errorf("%w: it holds more than %d things", ErrLimit, e.limits.Nodes)
	}
	if e.told >= e.limits.Told {
		return fmt.Errorf("%w: what is told of the things in it takes more than %d bytes of memory", ErrLimit, e.limits.Told)
	}
	return nil
}

func notesWeight(n *Node) (weight int64) {
	for _, note := range n.Notes {
		weight += 24 + int64(len(note.Text))
	}
	return weight
}

// cut is a text, or a copy of its beginning.
func cut(s string, longest int) string {
	if len(s) <= longest {
		return s
	}
	return strings.ToValidUTF8(strings.Clone(s[:longest]), "") + "…"
}

// heaviest is where Weight stops to count.
const heaviest = 256 << 20

// Weight is about how many bytes of memory a value takes with all that it points at; nodes are not followed.
func Weight(v any) int64 {
	if v == nil {
		return 0
	}
	w := weigher{seen: map[uintptr]bool{}}
	w.value(reflect.ValueOf(v), 0)
	return w.bytes
}

type weigher struct {
	seen  map[uintptr]bool
	bytes int64
}

var nodeType = reflect.TypeFor[*Node]()

func (w *weigher) value(v reflect.Value, depth int) {
	if depth > 100 || w.bytes > heaviest {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() || v.Type() == nodeType || w.seen[v.Pointer()] {
			return
		}
		w.seen[v.Pointer()] = true
		w.bytes += int64(v.Type().Elem().Size())
		w.value(v.Elem(), depth+1)
	case reflect.Interface:
		if !v.IsNil() {
			w.bytes += int64(v.Elem().Type().Size())
			w.value(v.Elem(), depth+1)
		}
	case reflect.String:
		w.bytes += int64(v.Len())
	case reflect.Slice:
		w.bytes += int64(v.Cap()) * int64(v.Type().Elem().Size())
		w.elements(v, depth)
	case reflect.Array:
		w.elements(v, depth)
	case reflect.Struct:
		for i := range v.NumField() {
			w.value(v.Field(i), depth+1)
		}
	case reflect.Map:
		w.bytes += int64(v.Len()) * int64(v.Type().Key().Size()+v.Type().Elem().Size()+16)
		for i := v.MapRange(); i.Next(); {
			w.value(i.Key(), depth+1)
			w.value(i.Value(), depth+1)
		}
	}
}

// elements adds what the elements of a list point at.
func (w *weigher) elements(v reflect.Value, depth int) {
	switch v.Type().Elem().Kind() {
	case reflect.Pointer, reflect.Interface, reflect.String, reflect.Slice, reflect.Array, reflect.Struct, reflect.Map:
		for i := range v.Len() {
			w.value(v.Index(i), depth+1)
		}
	}
}
