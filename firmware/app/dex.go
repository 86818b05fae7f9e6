package app

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"unicode/utf16"
)

// Code is what the byte code of an app shows of what it uses.
type Code struct {
	Methods map[Method]bool   // that it calls or has: those of Android itself, and those of its own that override or inherit one in kept
	Supers  map[string]string // classes of its own, and what each extends; as in Lcom/example/Main;
	Hosts   []string          // strings that are URLs without TLS: http://, ws://, mqtt://, tcp://
}

// Method is one of a class.
type Method struct{ Class, Name string }

// kept are the names of methods that Android defines and apps override or call on classes of their own.
var kept = []string{"startForeground", "onTimeout", "requestPermissions"}

const (
	mostIDs     = 1 << 16 // of methods and classes, by the format
	mostClasses = 300_000
	mostURLs    = 2_000
	longestName = 1024
)

// Calls reports whether the code calls one of these methods of a class of Android.
func (c *Code) Calls(class string, names ...string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return c.Methods[Method{class, n}] })
}

// Has reports whether a class of the app, or one of the app that it extends, calls or has a method. Known is false when the code does not
// hold the class.
func (c *Code) Has(class, name string) (has, known bool) {
	for range 30 {
		if c.Methods[Method{class, name}] {
			return true, true
		}
		super, ok := c.Supers[class]
		if !ok {
			break
		}
		class, known = super, true
	}
	return false, known
}

// Descriptor is how byte code writes a class: com.example.Main is Lcom/example/Main;.
func Descriptor(class string) string { return "L" + strings.ReplaceAll(class, ".", "/") + ";" }

// Add reads a classes.dex (source.android.com, Dalvik executable format).
func (c *Code) Add(data []byte) error {
	d := dex(data)
	if len(data) < 0x70 || !bytes.HasPrefix(data, []byte("dex\n")) {
		return errNot
	}
	if c.Methods == nil {
		c.Methods, c.Supers = map[Method]bool{}, map[string]string{}
	}
	texts, types, methods, classes := d.list(0x38, 4), d.list(0x40, 4), d.list(0x58, 8), d.list(0x60, 32)
	methods, classes = methods[:min(len(methods), mostIDs*8)], classes[:min(len(classes), mostIDs*32)]
	name := func(i uint32) string {
		if uint64(i)*4+4 > uint64(len(texts)) {
			return ""
		}
		return fromModified(d.text(binary.LittleEndian.Uint32(texts[4*i:])))
	}
	class := func(i uint32) string {
		if uint64(i)*4+4 > uint64(len(types)) {
			return ""
		}
		return name(binary.LittleEndian.Uint32(types[4*i:]))
	}
	for ; len(methods) >= 8 && len(c.Methods) < mostClasses; methods = methods[8:] {
		m := Method{class(uint32(binary.LittleEndian.Uint16(methods))), name(binary.LittleEndian.Uint32(methods[4:]))}
		if strings.HasPrefix(m.Class, "Landroid/") || slices.Contains(kept, m.Name) {
			c.Methods[m] = true
		}
	}
	for ; len(classes) >= 32 && len(c.Supers) < mostClasses; classes = classes[32:] {
		c.Supers[class(binary.LittleEndian.Uint32(classes))] = class(binary.LittleEndian.Uint32(classes[8:]))
	}
	for ; len(texts) >= 4 && len(c.Hosts) < mostURLs; texts = texts[4:] {
		if s := d.text(binary.LittleEndian.Uint32(texts)); plain(s) {
			c.Hosts = append(c.Hosts, fromModified(s))
		}
	}
	if len(methods) >= 8 || len(classes) >= 32 || len(texts) >= 4 {
		return errors.New("it has more than is looked at")
	}
	return nil
}

// plain reports whether a string is a URL of a protocol without TLS.
func plain(s []byte) bool {
	for _, scheme := range []string{"http://", "ws://", "mqtt://", "tcp://"} {
		if len(s) > len(scheme) && string(s[:len(scheme)]) == scheme {
			return true
		}
	}
	return false
}

// fromModified reads modified UTF-8, in which a zero is two bytes, and what UTF-16 writes in two units is six: three for each.
func fromModified(b []byte) string {
	if !slices.ContainsFunc(b, func(c byte) bool { return c >= 0x80 }) {
		return string(b)
	}
	out := make([]byte, 0, len(b))
	for len(b) > 0 {
		high, n := unit(b)
		if n == 0 { // ASCII, or what is no modified UTF-8 at all
			out, b = append(out, b[0]), b[1:]
			continue
		}
		b = b[n:]
		if low, m := unit(b); utf16.IsSurrogate(high) && m > 0 && utf16.IsSurrogate(low) {
			high, b = utf16.DecodeRune(high, low), b[m:]
		}
		out = append(out, string(high)...)
	}
	return utf8(out)
}

// unit reads one of UTF-16 that is written as two or three bytes; n is 0 when b does not begin with such.
func unit(b []byte) (r rune, n int) {
	more := func(i int) bool { return i < len(b) && b[i]&0xC0 == 0x80 }
	switch {
	case len(b) > 0 && b[0]&0xE0 == 0xC0 && more(1):
		return rune(b[0]&0x1F)<<6 | rune(b[1]&0x3F), 2
	case len(b) > 0 && b[0]&0xF0 == 0xE0 && more(1) && more(2):
		return rune(b[0]&0x0F)<<12 | rune(b[1]&0x3F)<<6 | rune(b[2]&0x3F), 3
	}
	return 0, 0
}

// dex is a file of byte code.
type dex []byte

// list gives a table of the header: the number of its items and where they lie are told at an offset.
func (d dex) list(at, size int) []byte {
	n, from := uint64(binary.LittleEndian.Uint32(d[at:])), uint64(binary.LittleEndian.Uint32(d[at+4:]))
	if from > uint64(len(d)) {
		return nil
	}
	return d[from : from+min(n, (uint64(len(d))-from)/uint64(size))*uint64(size)]
}

// text is a string: its length in UTF-16 units, and bytes up to a zero.
func (d dex) text(at uint32) []byte {
	if uint64(at) >= uint64(len(d)) {
		return nil
	}
	b := d[at:]
	_, n := binary.Uvarint(b[:min(len(b), 5)])
	if n <= 0 {
		return nil
	}
	b = b[n:min(len(b), n+longestName)]
	if end := bytes.IndexByte(b, 0); end >= 0 {
		return b[:end]
	}
	return nil
}
