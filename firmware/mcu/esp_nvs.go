package mcu

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

// espNVS is the key-value store of ESP-IDF ("Non-Volatile Storage Library", "Internals"; nvs_types.hpp): pages of 4096 bytes, of a head, a
// bitmap of states and 126 entries of 32 bytes.
var espNVS = tree.Format{ID: "esp-nvs", Title: "ESP32 key-value store", Magic: nvsMagic(), Search: true, Open: openNVS}

// NVS is a key-value store.
type NVS struct {
	Pages     int // in use
	Encrypted bool
	Items     []NVSItem
}

// NVSItem is a value. What was deleted stays readable until its page is needed.
type NVSItem struct {
	Namespace, Key string
	Type           string // u8, i8, u16, i16, u32, i32, u64, i64, string, blob
	Value          []byte // of a number its bytes, little-endian; of a string without the final zero; at most 4,000 bytes
	Deleted        bool
	Offset         int64 // of the entry, in the data of the node
}

const (
	nvsEntries  = 126
	nvsMostItem = 100_000 // of a store
	nvsVersion1 = 0xFF
	nvsVersion2 = 0xFE
)

// nvsMagic are the states of a page in use: active, full, being freed. The first page may be an empty one.
func nvsMagic() (all []tree.Magic) {
	for _, at := range []int64{0, espSector, 2 * espSector} {
		for _, state := range []string{"\xFE\xFF\xFF\xFF", "\xFC\xFF\xFF\xFF", "\xF8\xFF\xFF\xFF"} {
			all = append(all, tree.Magic{At: at, Bytes: state})
		}
	}
	return all
}

// nvsPage says whether the page at b is one: in use, or empty.
func nvsPage(b []byte) (used, ok bool) {
	if filled(b, 0xFF) {
		return false, true
	}
	version := b[8]
	return true, (version == nvsVersion1 || version == nvsVersion2) && filled(b[9:28], 0xFF) && b[1] == 0xFF && b[2] == 0xFF && b[3] == 0xFF &&
		nvsSum(b[4:28]) == le32(b[28:])
}

func nvsSum(parts ...[]byte) uint32 {
	sum := uint32(0xFFFFFFFF)
	for _, p := range parts {
		sum = crc32.Update(sum, crc32.IEEETable, p)
	}
	return sum
}

// nvsReading is a store while it is read.
type nvsReading struct {
	NVS
	names   map[byte]string      // of namespaces
	numbers []byte               // of the namespace of each item
	spots   []int64              // where the value of each item begins; 0: in its entry
	sizes   []int64              // of the value
	chunks  map[nvsKey][]nvsSpot // of blobs in several pages
	good    int                  // entries that fit their checksum
	bad     int
}

type nvsKey struct {
	namespace byte
	key       string
}

type nvsSpot struct {
	chunk    byte
	at, size int64
}

func openNVS(o *tree.Opening) error {
	r := &nvsReading{names: map[byte]string{}, chunks: map[nvsKey][]nvsSpot{}}
	at := int64(0)
	pages := 0
	for ; at+espSector <= o.Size(); at += espSector {
		page, err := o.Read(at, espSector)
		if err != nil {
			return err
		}
		used, ok := nvsPage(page)
		if !ok {
			break
		}
		if used {
			pages = int(at/espSector) + 1
			r.Pages++
			r.page(page, at)
		}
		if len(r.Items) > nvsMostItem {
			return tree.Bad(at, "it has more than %d values", nvsMostItem)
		}
	}
	if r.Pages == 0 {
		return tree.ErrNot
	}
	// With encryption the heads of pages are in the clear, and no entry fits its checksum.
	r.Encrypted = r.bad > r.good*4
	if r.Encrypted {
		r.Items = nil
	} else if r.bad > 0 {
		o.Note(-1, "%d of %d entries do not fit their checksum", r.bad, r.bad+r.good)
	}
	for i := range r.Items {
		r.Items[i].Namespace = r.names[r.numbers[i]]
	}
	o.Info(&r.NVS)
	// Empty pages belong to it as far as the data go on with nothing else.
	if at+espSector > o.Size() {
		o.Ends(o.Size())
	} else {
		o.Ends(int64(pages) * espSector)
	}
	if r.Encrypted {
		o.Describe("%d pages in use, encrypted", r.Pages)
		return nil
	}
	o.Describe("%d pages in use, %d values, not encrypted", r.Pages, len(r.Items))
	return r.entries(o)
}

// page reads the entries of a page at an offset.
func (r *nvsReading) page(b []byte, at int64) {
	const (
		erased  = 0
		written = 2
		empty   = 3
	)
	for i := 0; i < nvsEntries; {
		state := b[32+i/4] >> (i % 4 * 2) & 3
		e := b[64+i*32 : 96+i*32]
		if state == empty || filled(e, 0xFF) {
			i++
			continue
		}
		fits := nvsSum(e[:4], e[8:24], e[24:]) == le32(e[4:])
		span := int(e[2])
		switch {
		case fits && span >= 1 && i+span <= nvsEntries:
			r.good++
			r.entry(b, at, i, state == erased)
			i += span
		default:
			if state == written {
				r.bad++
			}
			i++ // of what was erased the values follow
		}
	}
}

var nvsTypes = map[byte]string{
	0x01: "u8", 0x11: "i8", 0x02: "u16", 0x12: "i16", 0x04: "u32", 0x14: "i32", 0x08: "u64", 0x18: "i64", 0x21: "string", 0x41: "blob", 0x42: "blob",
}

// entry keeps the value that entry i of a page begins.
func (r *nvsReading) entry(b []byte, at int64, i int, erased bool) {
	e := b[64+i*32 : 96+i*32]
	name, known := nvsTypes[e[1]]
	if !known { // what tells of the chunks of a blob
		return
	}
	key := text(e[8:24])
	if e[0] == 0 { // a namespace: its value is its number
		if !erased || r.names[e[24]] == "" {
			r.names[e[24]] = key
		}
		return
	}
	item := NVSItem{Key: key, Type: name, Deleted: erased, Offset: at + 64 + int64(i)*32}
	spot, size := int64(0), int64(e[1]&0x0F)
	switch name {
	default:
		item.Value = bytes.Clone(e[24 : 24+size])
	case "string", "blob":
		from := 64 + (i+1)*32
		size = min(int64(le16(e[24:])), int64(int(e[2])-1)*32, int64(len(b)-from))
		value := b[from : from+int(size)]
		if name == "string" {
			value = bytes.TrimSuffix(value, []byte{0})
			size = int64(len(value))
		}
		if erased && nvsSum(b[from:from+int(min(int64(le16(e[24:])), int64(len(b)-from)))]) != le32(e[28:]) {
			return // it was written over
		}
		spot, item.Value = at+int64(from), bytes.Clone(value)
		if e[1] == 0x42 && !erased {
			k := nvsKey{e[0], key}
			r.chunks[k] = append(r.chunks[k], nvsSpot{e[3], spot, size})
		}
	}
	r.Items, r.numbers = append(r.Items, item), append(r.numbers, e[0])
	r.spots, r.sizes = append(r.spots, spot), append(r.sizes, size)
}

// entries tells of the strings and blobs as files, so that what is in them is found too.
func (r *nvsReading) entries(o *tree.Opening) error {
	f := tree.Regular()
	for i, item := range r.Items {
		if r.spots[i] == 0 || r.sizes[i] == 0 {
			continue
		}
		name := item.Namespace + "/" + item.Key
		if item.Deleted {
			name += " (deleted)"
		}
		chunks := r.chunks[nvsKey{r.numbers[i], item.Key}]
		if item.Type != "blob" || item.Deleted || len(chunks) < 2 {
			if _, err := o.Stored(name, f, r.spots[i], r.sizes[i]); err != nil {
				return err
			}
			continue
		}
		if chunks[0].at != r.spots[i] {
			continue // told of with the first
		}
		if err := entryOfChunks(o, name, f, chunks); err != nil {
			return err
		}
	}
	return nil
}

// entryOfChunks tells of a blob in several pieces.
func entryOfChunks(o *tree.Opening, name string, f tree.File, chunks []nvsSpot) error {
	_, err := o.Entry(name, f, func(w io.Writer) error {
		for c := 0; c < 256; c++ {
			for _, s := range chunks {
				if int(s.chunk) != c {
					continue
				}
				b, err := o.Read(s.at, int(s.size))
				if err != nil {
					return fmt.Errorf("read chunk %d: %w", c, err)
				}
				if _, err := w.Write(b); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return err
}
