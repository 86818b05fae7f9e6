package phone

import (
	"crypto/sha1"
	"encoding/binary"
	"hash/adler32"
	"maps"
	"slices"
)

// code is what the byte code of the app shows: what it calls, what classes it has, and strings.
type code struct {
	calls   []call
	classes map[string]string // and what each extends
	strings []string
}

// call is a method of a class, as in Landroid/app/Service; and stopSelf.
type call struct{ class, name string }

// dex is a file of byte code with tables of strings, types, methods and classes, and without instructions.
func (c code) dex() []byte {
	types, texts := map[string]bool{"V": true}, map[string]bool{"V": true}
	for _, m := range c.calls {
		types[m.class], texts[m.name] = true, true
	}
	for class, super := range c.classes {
		types[class], types[super] = true, true
	}
	for _, s := range c.strings {
		texts[s] = true
	}
	maps.Copy(texts, types)
	textList, typeList := slices.Sorted(maps.Keys(texts)), slices.Sorted(maps.Keys(types))
	text := func(s string) uint32 { return uint32(slices.Index(textList, s)) }
	kind := func(s string) uint32 { return uint32(slices.Index(typeList, s)) }

	const head = 0x70
	var typeIDs, protoIDs, methodIDs, classDefs []byte
	for _, t := range typeList {
		typeIDs = append(typeIDs, words(text(t))...)
	}
	protoIDs = words(text("V"), kind("V"), 0)
	calls := slices.Clone(c.calls)
	slices.SortFunc(calls, func(a, b call) int {
		return int(kind(a.class)<<16+text(a.name)) - int(kind(b.class)<<16+text(b.name))
	})
	for _, m := range calls {
		methodIDs = append(methodIDs, words(kind(m.class), text(m.name))...)
	}
	for _, class := range slices.Sorted(maps.Keys(c.classes)) {
		classDefs = append(classDefs, words(kind(class), 1, kind(c.classes[class]), 0, none, 0, 0, 0)...)
	}
	stringsAt := uint32(head)
	typesAt := stringsAt + 4*uint32(len(textList))
	protosAt := typesAt + uint32(len(typeIDs))
	methodsAt := protosAt + uint32(len(protoIDs))
	classesAt := methodsAt + uint32(len(methodIDs))
	dataAt := classesAt + uint32(len(classDefs))
	var stringIDs, data []byte
	for _, s := range textList {
		stringIDs = append(stringIDs, words(dataAt+uint32(len(data)))...)
		data = append(binary.AppendUvarint(data, uint64(len(s))), s...)
		data = append(data, 0)
	}
	b := append([]byte("dex\n035\x00"), make([]byte, 24)...)
	b = append(b, words(dataAt+uint32(len(data)), head, 0x12345678, 0, 0, 0,
		uint32(len(textList)), stringsAt, uint32(len(typeList)), typesAt, 1, protosAt, 0, 0,
		uint32(len(calls)), methodsAt, uint32(len(c.classes)), classesAt, uint32(len(data)), dataAt)...)
	b = slices.Concat(b, stringIDs, typeIDs, protoIDs, methodIDs, classDefs, data)
	sum := sha1.Sum(b[32:])
	copy(b[12:], sum[:])
	binary.LittleEndian.PutUint32(b[8:], adler32.Checksum(b[12:]))
	return b
}
